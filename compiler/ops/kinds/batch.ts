// What batching rules share: spaces, subscripts and operands with a new first index or dimension for the sets of operands.

import type { Builder } from '../../ir/builder.js';
import { type Dim, dimConst } from '../../ir/dims.js';
import type { Access, Affine, IndexSpace, Subscript, Value } from '../../ir/graph.js';
import { affineRenumber, distinctNames, plainSubscript } from '../../ir/space.js';

const shifted = (index: number): number => index + 1;

/** The space with an index for the sets before all others. */
export const batchSpace = ({ indices, outer }: IndexSpace, size: Dim): IndexSpace => ({
  indices: distinctNames([{ name: 'set', extent: size }, ...indices]),
  outer: outer + 1,
});

export const batchAffine = (e: Affine): Affine => affineRenumber(e, shifted);

function batchSubscript(subscript: Subscript, batched: readonly boolean[]): Subscript {
  if (subscript.kind === 'affine') return { ...subscript, expression: batchAffine(subscript.expression) };
  return { ...subscript, subscripts: batchAccess(subscript.subscripts, batched[subscript.operand] === true, batched) };
}

/** The access in the batched space; an operand with the new dimension is read at the new index first. */
export function batchAccess(access: Access, isBatched: boolean, batched: readonly boolean[] = []): Access {
  const inner = access.map((subscript) => batchSubscript(subscript, batched));
  return isBatched ? [plainSubscript(0), ...inner] : inner;
}

/** The operand with the new first dimension, repeated along it when it had none. */
export function repeatBatch(b: Builder, value: Value, isBatched: boolean, size: Dim): Value {
  return isBatched ? value : b.broadcastTo(value, [size, ...value.type.shape]);
}

/** A batched operand whose own dimensions are aligned to a rank, so that NumPy's broadcasting keeps the sets apart. */
export function alignBatch(b: Builder, value: Value, rank: number): Value {
  const [size, ...own] = value.type.shape as readonly [Dim, ...Dim[]];
  const units = Array.from({ length: rank - own.length }, () => dimConst(1));
  return b.reshape(value, [size, ...units, ...own]);
}
