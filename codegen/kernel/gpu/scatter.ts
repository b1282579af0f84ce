// Schedules a scatter for a GPU. Updates to one place must be made in order, so every row of places has an owner, a warp, which looks at
// all updates and makes its own, one after another; its lanes share the columns, in which updates do not depend on each other.

import { type Dim, dimConst, dimExactDiv, dimMul, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import type { Loop, Position, Stmt } from '../ir.js';
import { exprPositions, stmtPositions, walk } from '../ir.js';
import { substitute } from '../positions.js';
import { neededValues } from '../schedule/phases.js';
import type { Nest } from './independent.js';
import type { Axis } from './product.js';

/** A launch that makes updates in order. */
export interface Scatter {
  readonly kind: 'scatter';
  /** Loops whose iterations do not depend on each other, and of which the row of a place depends. */
  readonly grid: readonly Axis[];
  /** Loops whose iterations do not depend on each other within a row. */
  readonly columns: readonly Axis[];
  /** The loops over the updates. */
  readonly steps: readonly Axis[];
  readonly owners: number;
  /** Where the first column of an update's row lies. */
  readonly row: Position;
  /** Values of the whole kernel, those that the row needs, and all statements of an update. */
  readonly values: readonly Stmt[];
  readonly head: readonly Stmt[];
  readonly body: readonly Stmt[];
}

/** The columns that a warp takes at once. */
export const COLUMNS = 128;
/** The size that a run-time dimension is taken to have. */
const TYPICAL = 256;
/** Warps that keep a large GPU busy. */
const ENOUGH_WARPS = 4096;
const MOST_OWNERS = 1024;
/** Fewer updates to one place are made by a thread. */
const LEAST_STEPS = 32;

const sizeOf = (loops: readonly Axis[]): number =>
  loops.reduce((product, { extent }) => product * (dimValue(extent) ?? TYPICAL), 1);

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

/** The launch of a nest in order; undefined where it stores to no single place, or where threads without owners are enough. */
export function scheduleScatter(
  { loops, body }: Nest,
  independent: readonly Loop[],
  values: readonly Stmt[],
): Scatter | undefined {
  const stores = [...walk(body)].filter((stmt) => stmt.kind === 'store');
  const [store] = stores;
  const steps = loops.filter((loop) => !independent.includes(loop));
  if (store?.kind !== 'store' || stores.length !== 1 || sizeOf(steps) < LEAST_STEPS || !readsOnlyItsPlace(body, store))
    return undefined;
  const names = body.filter(isValue);
  const whole = independent.reduce((row, { index }) => substitute(row, index, 0), store.offset);
  const symbols = symbolsOf(neededValues(names, [place(whole)]));
  const grid = independent.filter(({ index }) => symbols.has(index));
  const columns = independent.filter(({ index }) => !symbols.has(index));
  const row = columns.reduce((at, { index }) => substitute(at, index, 0), store.offset);
  const owners = ownersFor(store.buffer.size, grid, columns);
  if (owners < 2) return undefined;
  return { kind: 'scatter', grid, columns, steps, owners, row, values, head: neededValues(names, [place(row)]), body };
}

/** As many owners as there are rows, unless that is more than the warps of a GPU. */
function ownersFor(size: Dim, grid: readonly Axis[], columns: readonly Axis[]): number {
  const width = columns.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));
  const rows = dimExactDiv(size, width);
  const known = rows === undefined ? undefined : dimValue(rows);
  const others = sizeOf(grid) * Math.ceil(sizeOf(columns) / COLUMNS);
  return Math.min(MOST_OWNERS, known ?? MOST_OWNERS, Math.floor(ENOUGH_WARPS / others));
}

/** A statement that uses a position, to find the values that it needs. */
const place = (value: Position): Stmt => ({ kind: 'check', guards: [{ kind: 'nonnegative', value }], site: 0 });

/** Whether nothing is read of the stored buffer but the place that is stored to. */
const readsOnlyItsPlace = (body: readonly Stmt[], store: Extract<Stmt, { kind: 'store' }>): boolean =>
  [...walk(body)].every(
    (stmt) =>
      stmt.kind !== 'let' ||
      stmt.value.kind !== 'load' ||
      stmt.value.buffer.name !== store.buffer.name ||
      stmt.value.offset.key === store.offset.key,
  );

function symbolsOf(statements: readonly Stmt[]): ReadonlySet<string> {
  const symbols = new Set<string>();
  for (const stmt of statements) {
    for (const position of stmtPositions(stmt)) dimSymbols(position, symbols);
    if (stmt.kind === 'let') for (const position of exprPositions(stmt.value)) dimSymbols(position, symbols);
  }
  return symbols;
}
