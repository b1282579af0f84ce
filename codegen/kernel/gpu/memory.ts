// Finds factors of products that are memory as it lies, so that they can be copied to shared memory without passing through registers: one load,
// whose element needs no arithmetic.

import { type Dim, dimConst, dimEquals, dimMul, dimSymbol } from '../../../compiler/ir/dims.js';
import { type DType, dtypeBytes } from '../../../compiler/ir/dtype.js';
import { type Buffer, type Guard, isPositionName, type Position, type Stmt, type Temp } from '../ir.js';
import { bothGuards, coefficient, mentions } from '../positions.js';
import type { Axis } from './product.js';

export interface FactorMemory {
  readonly buffer: Buffer;
  readonly offset: Position;
  /** The element is 0 where one of these does not hold. */
  readonly guards: readonly Guard[];
  /** The statements that the offset and the guards need. */
  readonly statements: readonly Stmt[];
  /**
   * Where elements that follow each other along the contiguous axes do so in memory: the numbers of elements between packs. When the address and all
   * of these are multiples of a pack, every pack that begins at a multiple lies aligned.
   */
  readonly steps: readonly Dim[] | undefined;
}

/** The memory of a factor whose cells in shared memory have the dtype `cell`; `contiguous` are the axes along which its elements are neighbours. */
export function memoryOf(
  temp: Temp,
  statements: readonly Stmt[],
  mask: readonly Guard[],
  contiguous: readonly Axis[],
  cell: DType,
): FactorMemory | undefined {
  const load = statements.at(-1);
  if (load?.kind !== 'let' || load.temp.name !== temp.name || load.value.kind !== 'load') return undefined;
  const { buffer, offset } = load.value;
  const guards = bothGuards(load.value.guards, mask);
  // A pack is copied or left out as a whole.
  const isWhole = guards.every(({ value }) => !contiguous.some(({ index }) => mentions(value, index)));
  const steps = isWhole && isInOrder(offset, contiguous) ? stepsOf(offset, contiguous) : undefined;
  // There is no asynchronous copy of less than 4 bytes.
  if (buffer.dtype !== cell || (steps === undefined && dtypeBytes(cell) < 4)) return undefined;
  return { buffer, offset, guards, statements: statements.slice(0, -1), steps };
}

/** Whether the numbers that axes make together, the last one running fastest, are distances in memory. */
function isInOrder(offset: Position, axes: readonly Axis[]): boolean {
  let step = dimConst(1);
  return axes.toReversed().every(({ index, extent }) => {
    const own = coefficient(offset, index);
    const fits = own !== undefined && dimEquals(own, step);
    step = dimMul(step, extent);
    return fits;
  });
}

/** The factors of the positions in an offset other than those of the axes, and what is added to them. */
function stepsOf(offset: Position, axes: readonly Axis[]): readonly Dim[] {
  const own = new Set(axes.map(({ index }) => index));
  return offset.terms
    .filter(({ atoms }) => !atoms.some((atom) => atom.kind === 'symbol' && own.has(atom.name)))
    .map(({ coefficient: factor, atoms }) =>
      atoms
        .flatMap((atom) => (atom.kind === 'symbol' && !isPositionName(atom.name) ? [atom.name] : []))
        .reduce((product, name) => dimMul(product, dimSymbol(name)), dimConst(factor)),
    );
}
