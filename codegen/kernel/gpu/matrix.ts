// Products whose factors the copying hardware of sm_90a can fetch in tiles: both lie in memory with the depth contiguous, or the rows (columns) where they
// are bf16, and constant steps along everything else, and the sums are those of tensor cores.

import { type Dim, dimConst, dimEquals, dimMul, dimSubstitute, dimSymbols } from '../../../compiler/ir/dims.js';
import { type Buffer, isPositionName, type Position } from '../ir.js';
import { coefficient } from '../positions.js';
import type { Axis, Factor, Product } from './product.js';

/** A factor as a tensor of a depth, rows and batches. */
export interface Matrix {
  readonly buffer: Buffer;
  /** Where it begins. */
  readonly start: Dim;
  /** Whether the depth is contiguous; else the rows are. */
  readonly isDeep: boolean;
  /** The elements between neighbours along what is not contiguous, and along each batch axis. */
  readonly steps: readonly Dim[];
}

export interface Matrices {
  readonly left: Matrix;
  readonly right: Matrix;
}

/** A tensor map has five dimensions. */
const MOST_BATCHES = 3;

/** The factors of a product as matrices; undefined where it is too small, or a factor is no matrix. */
export function matricesOf(product: Product): Matrices | undefined {
  const { batches, rows, columns, depth, arithmetic, tile } = product;
  if (arithmetic === 'exact' || tile < 128 || batches.length > MOST_BATCHES) return undefined;
  const left = matrixOf(product.left, rows, depth, batches);
  const right = matrixOf(product.right, columns, depth, batches);
  if (left === undefined || right === undefined) return undefined;
  // Tensor cores turn matrices of 16-bit numbers over, and no others.
  return arithmetic === 'bf16' || (left.isDeep && right.isDeep) ? { left, right } : undefined;
}

function matrixOf(
  { memory, isDeep }: Factor,
  along: readonly Axis[],
  depth: readonly Axis[],
  batches: readonly Axis[],
): Matrix | undefined {
  if (memory?.steps === undefined) return undefined;
  const { buffer, offset, guards, statements } = memory;
  if (guards.length > 0 || statements.length > 0) return undefined;
  const steps = [stepOf(offset, isDeep ? along : depth), ...batches.map(({ index }) => coefficient(offset, index))];
  if (steps.some((step) => step === undefined || hasPosition(step))) return undefined;
  const own = [...along, ...depth, ...batches].map(({ index }) => [index, dimConst(0)] as const);
  const start = dimSubstitute(offset, new Map(own));
  return hasPosition(start) ? undefined : { buffer, start, isDeep, steps: steps as Dim[] };
}

/** The distance in memory of what follows each other along axes, the last one running fastest. */
function stepOf(offset: Position, axes: readonly Axis[]): Dim | undefined {
  const step = coefficient(offset, axes.at(-1)?.index ?? '');
  let next = step;
  for (const { index, extent } of axes.toReversed()) {
    const own = coefficient(offset, index);
    if (own === undefined || next === undefined || !dimEquals(own, next)) return undefined;
    next = dimMul(next, extent);
  }
  return step;
}

const hasPosition = (dim: Dim): boolean => [...dimSymbols(dim)].some(isPositionName);
