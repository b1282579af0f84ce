// Puts statements of a vector loop that wait for the same condition, and lie one after another, under one branch: the elements of a window's row,
// which are inside of the operand together or not at all.

import { exprTemps, type Guard, type Stmt, walk } from '../ir.js';
import { guardKey, mentions } from '../positions.js';

/** Groups the statements of all vector loops. */
export const groupGuards = (body: readonly Stmt[]): readonly Stmt[] =>
  body.map((stmt) => {
    if (!('body' in stmt)) return stmt;
    const isVector = stmt.kind === 'for' && stmt.mark === 'vector';
    return { ...stmt, body: isVector ? grouped(stmt.body, stmt.index) : groupGuards(stmt.body) };
  });

/** The guards of a statement that are the same in all lanes. */
function uniformGuards(stmt: Stmt, index: string): readonly Guard[] {
  const isLoad = stmt.kind === 'let' && stmt.value.kind === 'load';
  const guards = isLoad && 'guards' in stmt.value ? stmt.value.guards : stmt.kind === 'fold' ? stmt.guards : [];
  return guards.filter(({ value }) => !mentions(value, index));
}

function grouped(body: readonly Stmt[], index: string): readonly Stmt[] {
  const done: Stmt[] = [];
  let rest = body.map((stmt) => ('body' in stmt ? { ...stmt, body: grouped(stmt.body, index) } : stmt));
  while (rest.length > 0) {
    const [first, ...others] = rest as [Stmt, ...Stmt[]];
    const [guard] = uniformGuards(first, index);
    const length = guard === undefined ? 1 : runLength(rest, guard, index);
    if (guard === undefined || length === 1) {
      done.push(first);
      rest = others;
      continue;
    }
    const inside = rest.slice(0, length).map((stmt) => without(stmt, guard));
    done.push({ kind: 'if', guards: [guard], body: grouped(inside, index) });
    rest = rest.slice(length);
  }
  return done;
}

/** How many statements from the first on may run only where the guard holds: the last has it, and what they define is read among them only. */
function runLength(body: readonly Stmt[], guard: Guard, index: string): number {
  const key = guardKey(guard);
  const hasGuard = (stmt: Stmt): boolean => uniformGuards(stmt, index).some((each) => guardKey(each) === key);
  const end = body.findIndex((stmt) => stmt.kind !== 'let' && !(stmt.kind === 'fold' && hasGuard(stmt)));
  const candidates = end < 0 ? body : body.slice(0, end);
  const length = candidates.findLastIndex(hasGuard) + 1;
  const read = new Set([...walk(body.slice(length))].flatMap(readsOf));
  const escapes = body.slice(0, length).some((stmt) => stmt.kind === 'let' && read.has(stmt.temp.name));
  return escapes ? 1 : length;
}

function readsOf(stmt: Stmt): readonly string[] {
  if (stmt.kind === 'let') return exprTemps(stmt.value).map(({ name }) => name);
  if (stmt.kind === 'fold') return stmt.args.map(({ name }) => name);
  return 'value' in stmt && stmt.kind !== 'define' ? [stmt.value.name] : [];
}

function without(stmt: Stmt, guard: Guard): Stmt {
  const others = (guards: readonly Guard[]): readonly Guard[] =>
    guards.filter((each) => guardKey(each) !== guardKey(guard));
  if (stmt.kind === 'fold') return { ...stmt, guards: others(stmt.guards) };
  return stmt.kind === 'let' && stmt.value.kind === 'load'
    ? { ...stmt, value: { ...stmt.value, guards: others(stmt.value.guards) } }
    : stmt;
}
