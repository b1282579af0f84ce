// Copies statements with new names for all that they define.

import { type Dim, dimSubstitute, dimSymbol } from '../../../compiler/ir/dims.js';
import { type Expr, type Stmt, type Temp, walk } from '../ir.js';
import { mapPositions } from './rewrite.js';

/** Replaces the temporaries that an expression reads. */
export function mapTemps(expr: Expr, f: (temp: Temp) => Temp): Expr {
  switch (expr.kind) {
    case 'scalar':
      return { ...expr, args: expr.args.map(f) };
    case 'random':
      return { ...expr, key: [f(expr.key[0]), f(expr.key[1])] };
    case 'muladd':
      return { ...expr, a: f(expr.a), b: f(expr.b), c: f(expr.c) };
    case 'choose':
      return { ...expr, accepted: f(expr.accepted), otherwise: f(expr.otherwise) };
    default:
      return expr;
  }
}

/** The statements in which every name that they define has a suffix, and positions are replaced. */
export function copyBody(body: readonly Stmt[], suffix: string, positions: ReadonlyMap<string, Dim>): readonly Stmt[] {
  const own = new Set<string>();
  const moved = new Map(positions);
  for (const stmt of walk(body)) {
    for (const name of definedNames(stmt)) {
      own.add(name);
      if (name.startsWith('$')) moved.set(name, dimSymbol(`${name}${suffix}`));
    }
  }
  const name = (old: string): string => (own.has(old) ? `${old}${suffix}` : old);
  const temp = (old: Temp): Temp => (own.has(old.name) ? { ...old, name: name(old.name) } : old);
  const rename = (stmt: Stmt): Stmt => {
    switch (stmt.kind) {
      case 'let':
        return { ...stmt, temp: temp(stmt.temp), value: mapRegister(mapTemps(stmt.value, temp), name) };
      case 'store':
        return { ...stmt, value: temp(stmt.value) };
      case 'for':
        return { ...stmt, index: name(stmt.index), body: stmt.body.map(rename) };
      case 'accumulate':
        return { ...stmt, name: name(stmt.name), results: stmt.results.map(temp), body: stmt.body.map(rename) };
      case 'fold':
        return { ...stmt, into: name(stmt.into), args: stmt.args.map(temp) };
      case 'lookup':
        return { ...stmt, index: name(stmt.index), value: temp(stmt.value) };
      case 'define':
        return { ...stmt, index: name(stmt.index) };
      case 'check':
      case 'fetch':
      case 'sort':
        return stmt;
      case 'registers':
      case 'transpose':
        return { ...stmt, register: { ...stmt.register, name: name(stmt.register.name) } };
      case 'assign':
        return { ...stmt, register: { ...stmt.register, name: name(stmt.register.name) }, value: temp(stmt.value) };
      case 'if':
        return { ...stmt, body: stmt.body.map(rename) };
    }
  };
  return body.map((stmt) => mapPositions(rename(stmt), (position) => dimSubstitute(position, moved)));
}

const mapRegister = (expr: Expr, name: (old: string) => string): Expr =>
  expr.kind === 'register' ? { ...expr, register: { ...expr.register, name: name(expr.register.name) } } : expr;

function definedNames(stmt: Stmt): readonly string[] {
  switch (stmt.kind) {
    case 'let':
      return [stmt.temp.name];
    case 'for':
    case 'lookup':
    case 'define':
      return [stmt.index];
    case 'accumulate':
      return [stmt.name, ...stmt.results.map((result) => result.name)];
    case 'registers':
      return [stmt.register.name];
    default:
      return [];
  }
}
