// Decides which loops run in vector lanes: for each nest the loop with the least estimated cost, by how it moves through memory.
//
// The estimate counts instructions per element. It only has to rank the choices (along a row or across rows), so sizes that are not
// known at compile time count as a typical one.

import { dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  type Expr,
  exprPositions,
  exprTemps,
  exprType,
  type Guard,
  type Loop,
  type Position,
  type Stmt,
  walk,
} from '../ir.js';
import { lanesOf, type Machine } from '../machine.js';
import { coefficient, mentions, stride } from '../positions.js';

const TYPICAL_EXTENT = 64;
/** Vectors in flight where a loop does little but wait for the previous result of an operation. */
const INTERLEAVE = 4;

interface Choice {
  readonly cost: number;
  readonly stmt: Stmt;
}

/** Marks the loops of a body that run in vector lanes; the marks `parallel` of all other loops stay. */
export const vectoriseLoops = (body: readonly Stmt[], machine: Machine): readonly Stmt[] =>
  body.map((stmt) => best(stmt, machine, []).stmt);

const extentOf = (loop: Loop): number => dimValue(loop.extent) ?? TYPICAL_EXTENT;

/** The cheapest way to run a statement that is not inside a vector loop. `folds` are the `accumulate`s around it. */
function best(stmt: Stmt, machine: Machine, folds: readonly Accumulate[]): Choice {
  if (stmt.kind === 'accumulate') {
    const parts = stmt.body.map((part) => best(part, machine, [...folds, stmt]));
    const isSplit = parts.some((part) =>
      [...walk([part.stmt])].some((inner) => inner.kind === 'for' && inner.mark === 'vector'),
    );
    const merge = isSplit ? 6 * Math.log2(lanesOf(machine, 4)) * scalarsCost(stmt.fold.merge) : 0;
    return { cost: total(parts) + merge, stmt: { ...stmt, body: parts.map((part) => part.stmt) } };
  }
  if (stmt.kind === 'if') {
    const parts = stmt.body.map((part) => best(part, machine, folds));
    return { cost: total(parts) + stmt.guards.length, stmt: { ...stmt, body: parts.map((part) => part.stmt) } };
  }
  if (stmt.kind !== 'for') return { cost: statementCost(stmt, undefined, 1), stmt };
  const parts = stmt.body.map((part) => best(part, machine, folds));
  const serial: Choice = {
    cost: extentOf(stmt) * (total(parts) + 1),
    stmt: { ...stmt, body: parts.map((part) => part.stmt) },
  };
  const vector = inLanes(stmt, machine, folds);
  return vector !== undefined && vector.cost < serial.cost ? vector : serial;
}

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
  const waits = splits || loop.body.some((stmt) => stmt.kind === 'accumulate');
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

/** The temporaries inside a loop whose values differ between its iterations. */
function varyingTemps(loop: Loop): ReadonlySet<string> {
  const varying = new Set<string>();
  const scan = (body: readonly Stmt[]): void => {
    for (const stmt of body) {
      if (stmt.kind === 'let') {
        const depends =
          exprPositions(stmt.value).some((position) => mentions(position, loop.index)) ||
          exprTemps(stmt.value).some((temp) => varying.has(temp.name)) ||
          stmt.value.kind === 'register';
        if (depends) varying.add(stmt.temp.name);
      }
      if (stmt.kind === 'accumulate') for (const result of stmt.results) varying.add(result.name);
      if ('body' in stmt) scan(stmt.body);
    }
  };
  scan(loop.body);
  return varying;
}

/** The size of the widest element that a vector loop computes with. */
export function widestBytes(loop: Loop, folds: readonly Accumulate[] = []): number {
  const varying = varyingTemps(loop);
  let bytes = 1;
  const see = (dtype: Parameters<typeof dtypeBytes>[0]): void => {
    bytes = Math.max(bytes, dtypeBytes(dtype));
  };
  const seeScalar = (root: Scalar, seen: Set<Scalar>): void => {
    if (seen.has(root)) return;
    seen.add(root);
    see(root.dtype);
    if (root.kind === 'call') seeScalar(root.fn.body, seen);
    for (const part of scalarOperands(root)) seeScalar(part, seen);
  };
  const seeFold = ({ fold }: Accumulate): void => {
    fold.state.forEach(see);
    const seen = new Set<Scalar>();
    for (const scalar of [...fold.step, ...fold.finish]) seeScalar(scalar, seen);
  };
  for (const stmt of walk(loop.body)) {
    if (stmt.kind === 'let' && varying.has(stmt.temp.name)) {
      see(exprType(stmt.value));
      if (stmt.value.kind === 'scalar') seeScalar(stmt.value.body, new Set());
    }
    if (stmt.kind === 'accumulate') seeFold(stmt);
    if (stmt.kind === 'registers') see(stmt.register.dtype);
    if (stmt.kind === 'fold') folds.filter((fold) => fold.name === stmt.into).forEach(seeFold);
  }
  return bytes;
}

/** Instructions of a statement, all lanes together, in lanes of the loop `index` (undefined: one element at a time). */
function statementCost(stmt: Stmt, index: string | undefined, lanes: number): number {
  const inside = (body: readonly Stmt[]): number =>
    body.reduce((sum, part) => sum + statementCost(part, index, lanes), 0);
  switch (stmt.kind) {
    case 'let':
      return exprCost(stmt.value, index, lanes);
    case 'store':
      return accessCost(stmt.offset, index, lanes);
    case 'for':
      return extentOf(stmt) * (inside(stmt.body) + 1);
    case 'accumulate':
      return scalarsCost(stmt.fold.finish) + inside(stmt.body);
    case 'fold':
      return 1 + guardsCost(stmt.guards, index, lanes);
    case 'if':
      return guardsCost(stmt.guards, index, lanes) + inside(stmt.body);
    case 'lookup':
      return 4;
    case 'assign':
    case 'define':
      return 1;
    case 'transpose':
      return 4 * lanes;
    case 'registers':
      return 0;
  }
}

function exprCost(expr: Expr, index: string | undefined, lanes: number): number {
  switch (expr.kind) {
    case 'load':
      return accessCost(expr.offset, index, lanes) + guardsCost(expr.guards, index, lanes);
    case 'position':
      return index !== undefined && coefficient(expr.value, index) === undefined ? 2 * lanes : 1;
    case 'scalar':
      return scalarsCost([expr.body]);
    case 'choose':
      return 1 + guardsCost(expr.guards, index, lanes);
    default:
      return 1;
  }
}

function accessCost(offset: Position, index: string | undefined, lanes: number): number {
  if (index === undefined || !mentions(offset, index)) return 1;
  const step = stride(offset, index);
  if (step === 1) return 1;
  if (step === 2 || step === -1) return 3;
  return step === undefined ? 3 * lanes : 1.5 * lanes;
}

const guardsCost = (guards: readonly Guard[], index: string | undefined, lanes: number): number =>
  guards.reduce((sum, guard) => {
    const varies = index !== undefined && mentions(guard.value, index);
    return sum + (varies && guard.kind === 'multiple' ? lanes : varies ? 3 : 1);
  }, 0);

/** Instructions of scalar expressions, those of the functions that they call included. */
function scalarsCost(roots: readonly Scalar[]): number {
  const seen = new Set<Scalar>();
  const cost = (node: Scalar): number => {
    if (seen.has(node)) return 0;
    seen.add(node);
    const own =
      node.kind === 'argument' || node.kind === 'constant'
        ? 0
        : slowOps.has(node.kind === 'apply' ? node.op : '')
          ? 8
          : 1;
    const body = node.kind === 'call' ? scalarsCost([node.fn.body]) : 0;
    return scalarOperands(node).reduce((sum, part) => sum + cost(part), own + body);
  };
  return roots.reduce((sum, root) => sum + cost(root), 0);
}

const slowOps: ReadonlySet<string> = new Set(['div', 'rem', 'sqrt']);

/** Estimated instructions of one iteration of a scheduled loop. */
export function iterationCost(loop: Loop, machine: Machine): number {
  const lanes = loop.mark === 'vector' ? lanesOf(machine, widestBytes(loop)) : 1;
  const body = loop.body.reduce(
    (sum, stmt) => sum + scheduledCost(stmt, loop.mark === 'vector' ? loop.index : undefined, lanes, machine),
    0,
  );
  return (body + 1) / lanes;
}

/** The number of iterations that a scheduled loop runs together. */
export const loopUnit = (loop: Loop, machine: Machine): number =>
  loop.mark === 'vector' ? lanesOf(machine, widestBytes(loop)) * (loop.interleave ?? 1) : 1;

function scheduledCost(stmt: Stmt, index: string | undefined, lanes: number, machine: Machine): number {
  if (stmt.kind === 'for' && stmt.mark === 'vector') return extentOf(stmt) * iterationCost(stmt, machine);
  if (!('body' in stmt)) return statementCost(stmt, index, lanes);
  const body = stmt.body.reduce((sum, part) => sum + scheduledCost(part, index, lanes, machine), 1);
  return stmt.kind === 'for' ? extentOf(stmt) * body : body;
}
