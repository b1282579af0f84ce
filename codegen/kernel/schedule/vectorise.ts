// Decides which loops run in vector lanes: for each nest the loop with the least estimated cost, by how it moves through memory.

import { dimValue } from '../../../compiler/ir/dims.js';
import { type Accumulate, type Expr, type Loop, type Stmt, walk } from '../ir.js';
import { lanesOf, type Machine } from '../machine.js';
import { mentions, stride } from '../positions.js';
import { extentOf, scalarsCost, statementCost } from './cost.js';
import { varyingTemps, widestBytes } from './lanes.js';

/** Vectors in flight where a loop does little but wait for the previous result of an operation. */
const INTERLEAVE = 4;

interface Choice {
  readonly cost: number;
  readonly stmt: Stmt;
}

/** Marks the loops of a body that run in vector lanes; the marks `parallel` of all other loops stay. */
export const vectoriseLoops = (body: readonly Stmt[], machine: Machine): readonly Stmt[] =>
  body.map((stmt) => best(stmt, machine, []).stmt);

/** The cheapest way to run a statement that is not inside a vector loop. `folds` are the `accumulate`s around it. */
function best(stmt: Stmt, machine: Machine, folds: readonly Accumulate[]): Choice {
  if (stmt.kind === 'accumulate') {
    const parts = stmt.body.map((part) => best(part, machine, [...folds, stmt]));
    const isSplit = parts.some((part) => hasVectors(part.stmt));
    const merge = isSplit ? 6 * Math.log2(lanesOf(machine, 4)) * scalarsCost(stmt.fold.merge) : 0;
    return { cost: total(parts) + merge, stmt: { ...stmt, body: parts.map((part) => part.stmt) } };
  }
  if (stmt.kind === 'if') {
    const parts = stmt.body.map((part) => best(part, machine, folds));
    return { cost: total(parts) + stmt.guards.length, stmt: { ...stmt, body: parts.map((part) => part.stmt) } };
  }
  if (stmt.kind !== 'for' || stmt.mark === 'unroll') return { cost: statementCost(stmt, undefined, 1), stmt };
  if (hasVectors(stmt)) return { cost: statementCost(stmt, undefined, 1), stmt };
  const turned = interchanged(stmt);
  if (turned !== undefined) return best(turned, machine, folds);
  const parts = stmt.body.map((part) => best(part, machine, folds));
  const serial: Choice = {
    cost: extentOf(stmt) * (total(parts) + 1),
    stmt: { ...stmt, body: parts.map((part) => part.stmt) },
  };
  const vector = inLanes(stmt, machine, folds);
  return vector !== undefined && vector.cost < serial.cost ? vector : serial;
}

/**
 * Two parallel loops the other way round, where the inner one jumps through an operand that the outer one walks along: the lines of the
 * cache that the lanes of the inner loop touch then serve the next iterations.
 */
function interchanged(outer: Loop): Loop | undefined {
  const [inner] = outer.body;
  if (outer.body.length !== 1 || inner?.kind !== 'for' || outer.mark !== 'parallel' || inner.mark !== 'parallel')
    return undefined;
  let jumps = false;
  for (const stmt of walk(inner.body)) {
    if (stmt.kind === 'store' && stride(stmt.offset, inner.index) !== 1) return undefined;
    if (stmt.kind !== 'let' || stmt.value.kind !== 'load') continue;
    const { offset } = stmt.value;
    const isAcross =
      stride(offset, outer.index) === 1 && mentions(offset, inner.index) && stride(offset, inner.index) !== 1;
    jumps ||= isAcross;
  }
  if (!jumps) return undefined;
  return { ...inner, body: [{ ...outer, mark: 'serial', body: inner.body }] };
}

const hasVectors = (stmt: Stmt): boolean =>
  [...walk([stmt])].some((inner) => inner.kind === 'for' && inner.mark === 'vector');

/** Whether a statement draws random bits, of which four vectors cost what one does. */
const draws = (stmt: Stmt): boolean => stmt.kind === 'let' && stmt.value.kind === 'random';

const total = (parts: readonly Choice[]): number => parts.reduce((sum, part) => sum + part.cost, 0);

/** The loop in vector lanes, undefined where its iterations depend on each other. */
function inLanes(loop: Loop, machine: Machine, folds: readonly Accumulate[]): Choice | undefined {
  const splits = folds.length > 0 && isFoldLoop(loop, folds);
  if (!(loop.mark === 'parallel' || splits) || !canRunInLanes(loop, splits)) return undefined;
  const lanes = lanesOf(machine, widestBytes(loop, splits ? folds : []));
  const extent = extentOf(loop);
  if (extent < 2) return undefined;
  const body = loop.body.reduce((sum, stmt) => sum + statementCost(stmt, loop.index, lanes), 0);
  const vectors = Math.ceil(extent / lanes);
  const waits =
    splits ||
    loop.body.some(
      (stmt) => stmt.kind === 'accumulate' || (stmt.kind === 'for' && stmt.mark === 'serial') || draws(stmt),
    );
  const interleave = waits ? Math.min(INTERLEAVE, dimValue(loop.extent) === undefined ? INTERLEAVE : vectors) : 1;
  return { cost: vectors * (body + 1), stmt: { ...loop, mark: 'vector', interleave } };
}

/** Whether every fold inside a loop adds to an `accumulate` around it. */
function isFoldLoop(loop: Loop, folds: readonly Accumulate[]): boolean {
  const names = new Set(folds.map((fold) => fold.name));
  let any = false;
  for (const stmt of walk(loop.body)) {
    if (stmt.kind === 'accumulate') return false;
    if (stmt.kind === 'fold') {
      if (!names.has(stmt.into)) return false;
      any = true;
    }
  }
  return any;
}

function canRunInLanes(loop: Loop, splits: boolean): boolean {
  const own = new Set<string>();
  const folds = new Set<string>();
  const varying = varyingTemps(loop);
  for (const stmt of walk(loop.body)) {
    if (stmt.kind === 'registers') own.add(stmt.register.name);
    if (stmt.kind === 'accumulate') folds.add(stmt.name);
    if (stmt.kind === 'fold' && !splits && !folds.has(stmt.into)) return false;
    if (stmt.kind === 'assign' && !own.has(stmt.register.name)) return false;
    if (stmt.kind === 'let' && stmt.value.kind === 'register' && !own.has(stmt.value.register.name)) return false;
    if (stmt.kind === 'let' && stmt.value.kind === 'load' && !isReadBeforeWrite(stmt.value, loop)) return false;
    if (stmt.kind === 'sort') return false;
    if (stmt.kind === 'store' && !mentions(stmt.offset, loop.index)) return false;
    if (stmt.kind === 'for' && mentions(stmt.extent, loop.index)) return false;
    if (stmt.kind === 'if' && stmt.guards.some((guard) => mentions(guard.value, loop.index))) return false;
    if (stmt.kind === 'lookup' && (varying.has(stmt.value.name) || mentions(stmt.position, loop.index))) return false;
  }
  return true;
}

/** Whether a loop that writes the buffer which a load reads writes only the element that it has read. */
function isReadBeforeWrite(load: Extract<Expr, { kind: 'load' }>, loop: Loop): boolean {
  if (load.buffer.role !== 'out' && load.buffer.role !== 'scratch') return true;
  for (const stmt of walk(loop.body)) {
    const isSame = stmt.kind === 'store' && stmt.buffer.name === load.buffer.name;
    if (isSame && stmt.offset.key !== load.offset.key) return false;
  }
  return true;
}
