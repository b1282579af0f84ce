// Rebuilds kernel bodies with other positions or other statements.

import type { Expr, Guard, Position, Stmt } from '../ir.js';

type PositionMap = (position: Position) => Position;

const mapGuards = (guards: readonly Guard[], f: PositionMap): readonly Guard[] =>
  guards.map((guard) => ({ ...guard, value: f(guard.value) }));

/** The expression with every position replaced. */
export function mapExpr(expr: Expr, f: PositionMap): Expr {
  switch (expr.kind) {
    case 'load':
      return { ...expr, offset: f(expr.offset), guards: mapGuards(expr.guards, f) };
    case 'position':
      return { ...expr, value: f(expr.value) };
    case 'random':
      return { ...expr, position: f(expr.position) };
    case 'choose':
      return { ...expr, guards: mapGuards(expr.guards, f) };
    case 'register':
      return { ...expr, at: expr.at.map(f) };
    default:
      return expr;
  }
}

/** The statement with every position replaced, those of the statements inside it too. */
export function mapPositions(stmt: Stmt, f: PositionMap): Stmt {
  const inner = (body: readonly Stmt[]): readonly Stmt[] => body.map((part) => mapPositions(part, f));
  switch (stmt.kind) {
    case 'let':
      return { ...stmt, value: mapExpr(stmt.value, f) };
    case 'store':
      return { ...stmt, offset: f(stmt.offset) };
    case 'for':
      return { ...stmt, extent: f(stmt.extent), body: inner(stmt.body) };
    case 'accumulate':
      return { ...stmt, body: inner(stmt.body) };
    case 'fold':
    case 'check':
      return { ...stmt, guards: mapGuards(stmt.guards, f) };
    case 'if':
      return { ...stmt, guards: mapGuards(stmt.guards, f), body: inner(stmt.body) };
    case 'lookup':
      return { ...stmt, size: f(stmt.size), position: f(stmt.position), guards: mapGuards(stmt.guards, f) };
    case 'assign':
      return { ...stmt, at: stmt.at.map(f) };
    case 'define':
      return { ...stmt, value: f(stmt.value), extent: f(stmt.extent) };
    case 'fetch':
      return { ...stmt, offset: f(stmt.offset), ...(stmt.row !== undefined && { row: f(stmt.row) }) };
    case 'sort':
      return { ...stmt, length: f(stmt.length), start: f(stmt.start), count: f(stmt.count) };
    case 'registers':
    case 'transpose':
      return stmt;
  }
}

/** Replaces statements from the inside out. */
export function mapStatements(body: readonly Stmt[], f: (stmt: Stmt) => Stmt): readonly Stmt[] {
  return body.map((stmt) => f('body' in stmt ? { ...stmt, body: mapStatements(stmt.body, f) } : stmt));
}

/** Takes the mark `parallel` from all loops. */
export const serialised = (body: readonly Stmt[]): readonly Stmt[] =>
  mapStatements(body, (stmt) => (stmt.kind === 'for' && stmt.mark === 'parallel' ? { ...stmt, mark: 'serial' } : stmt));
