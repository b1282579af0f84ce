// Schedules a chain for a GPU: sweeps over the columns of a block of rows, and the shared memory that they need (rts/cuda/tdsl_chain.cuh).

import { dimValue } from '../../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../../compiler/ir/dtype.js';
import type { Kernel } from '../../ir.js';
import { mentions } from '../../positions.js';
import type { Axis, Factor, Product } from '../product.js';
import type { Precision } from '../schedule.js';
import { type Hidden, hiddenOf, type Idle, idleOf } from './hidden.js';
import { Levels } from './levels.js';
import { type Online, type OnlineWeight, onlineOf, onlineWeight } from './online.js';
import { COLUMN, type RowFold, type RowProgram, readChain, type Store } from './rows.js';

/** One sweep: the folds that it takes. The last one also makes weights and what the caller gets. */
export interface Sweep {
  readonly folds: readonly RowFold[];
  readonly online?: Online;
  /** Under which conditions hidden columns are left out. */
  readonly idle?: Idle;
}

/** What shared memory holds: cells of the padded factors, tiles of `columns` columns, of which `kept` have room. */
export interface ChainLayout {
  readonly depth: number;
  readonly features: number;
  readonly columns: number;
  readonly kept: number;
  readonly bytes: number;
}

/** A launch in which a block computes a block of rows. */
export interface Sweeps {
  readonly kind: 'sweeps';
  readonly program: RowProgram;
  readonly levels: Levels;
  readonly sweeps: readonly Sweep[];
  /** The weights of the second product where it is part of a sweep whose largest elements are not known yet. */
  readonly weight: OnlineWeight | undefined;
  /** The columns that a condition hides from a block of rows. */
  readonly hidden: Hidden | undefined;
  readonly elementStores: readonly Store[];
  readonly rowStores: readonly Store[];
  readonly layout: ChainLayout;
}

/** Shared memory that two blocks find on every GPU since Ampere's A100, and one on smaller ones. */
const SHARED_BYTES = 96 * 1024;
/** The widest padded side of a factor: more sums or cells would not fit a block. */
const MOST_SIDE = 128;
const ROWS = 64;
const DEPTH_STEP = 16;
const PACK_BYTES = 16;
const MOST_KEPT = 8;

/** The chain as sweeps; undefined where it is of another form, or too large for a block. */
export function scheduleSweeps(kernel: Kernel, precision: Precision): Sweeps | undefined {
  const program = readChain(kernel, precision);
  if (program === undefined) return undefined;
  const plain = new Levels(program);
  const online = onlineOf(program, plain);
  const levels =
    online === undefined
      ? plain
      : new Levels(program, new Map(online.sums.map(({ accumulate }): [string, number] => [accumulate.name, 0])));
  const isElement = ({ value, offset }: Store): boolean => levels.isElement(value) || mentions(offset, COLUMN);
  const elementStores = program.stores.filter(isElement);
  const needs = [
    ...elementStores.map(({ value }) => levels.of(value)),
    ...program.folds.map((fold) => levels.ofFold(fold)),
  ];
  const last = Math.max(0, ...needs);
  const weight = online === undefined || last > 0 ? undefined : onlineWeight(levels, program.weight, online);
  const count = weight === undefined ? Math.max(last, levels.of(program.weight)) + 1 : 1;
  const isOnline = (fold: RowFold): boolean => fold === online?.largest || online?.sums.includes(fold) === true;
  const layout = layoutOf(program, count);
  if (layout === undefined) return undefined;
  // A single tile is never hidden without others.
  const isOne = (dimValue(program.columns) ?? Number.POSITIVE_INFINITY) <= layout.columns;
  const hidden = isOne ? undefined : hiddenOf(program, levels);
  const sweeps = Array.from({ length: count }, (_, level): Sweep => {
    const folds = program.folds.filter((fold) => levels.ofFold(fold) === level && !isOnline(fold));
    const isLast = level === count - 1;
    const together = online !== undefined && level === 0 ? online : undefined;
    const uses = {
      folds: [...folds, ...(together === undefined ? [] : [together.largest, ...together.sums])],
      weight: isLast ? (weight?.temp ?? program.weight) : undefined,
      stores: isLast ? elementStores : [],
    };
    const idle = hidden && idleOf(hidden, program, uses);
    return {
      folds,
      ...(together === undefined ? {} : { online: together }),
      ...(idle === undefined ? {} : { idle }),
    };
  });
  const rowStores = program.stores.filter((store) => !isElement(store));
  return { kind: 'sweeps', program, levels, sweeps, weight, hidden, elementStores, rowStores, layout };
}

/** The largest tiles that fit, and as many of them as later sweeps have use for. */
function layoutOf({ scores, mixed, columns }: RowProgram, sweeps: number): ChainLayout | undefined {
  const depth = padded(scores.depth, (size) => Math.ceil(size / DEPTH_STEP) * DEPTH_STEP);
  const features = padded(mixed.columns, (size) => [32, 64, MOST_SIDE].find((side) => side >= size));
  if (depth === undefined || features === undefined) return undefined;
  for (const tile of [64, 32]) {
    const cells =
      panelBytes(scores, scores.left, ROWS, depth) +
      panelBytes(scores, scores.right, tile, depth) +
      panelBytes(mixed, { isDeep: true }, ROWS, tile) +
      panelBytes(mixed, mixed.right, features, tile);
    const scoreBytes = ROWS * (tile + 4) * dtypeBytes(scores.dtype);
    const others = cells + 2 * ROWS * dtypeBytes(mixed.dtype);
    const room = Math.floor((SHARED_BYTES - others) / scoreBytes);
    if (room < 1) continue;
    const wanted =
      sweeps === 1 ? 1 : Math.min(MOST_KEPT, Math.ceil((dimValue(columns) ?? Number.POSITIVE_INFINITY) / tile));
    const kept = Math.max(1, Math.min(room, wanted));
    return { depth, features, columns: tile, kept, bytes: others + kept * scoreBytes };
  }
  return undefined;
}

function padded(axes: readonly Axis[], pad: (size: number) => number | undefined): number | undefined {
  const size = axes.reduce<number | undefined>((product, { extent }) => {
    const own = dimValue(extent);
    return product === undefined || own === undefined ? undefined : product * own;
  }, 1);
  const side = size === undefined ? undefined : pad(size);
  return side !== undefined && side > 0 && side <= MOST_SIDE ? side : undefined;
}

/** The bytes of a panel of tdsl_tiles.cuh. */
function panelBytes(
  { arithmetic, dtype }: Product,
  { isDeep }: Pick<Factor, 'isDeep'>,
  along: number,
  deep: number,
): number {
  const isExact = arithmetic === 'exact';
  const cell = isExact ? dtypeBytes(dtype) : arithmetic === 'tf32' ? 4 : 2;
  const pitch = isDeep && !isExact ? deep + PACK_BYTES / cell : along + (isExact ? 4 : 8);
  return (isDeep && !isExact ? along : deep) * pitch * cell;
}
