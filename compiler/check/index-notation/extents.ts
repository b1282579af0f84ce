// The extents of index variables: stated, taken from the axes that they index, from the declared result, or the largest ones
// for which a subscript stays inside.

import { type Dim, dimAdd, dimConst, dimFloorDiv, dimMul, dimSub, dimValue, printDim } from '../../ir/dims.js';
import type { Context } from '../context.js';
import { typeText } from '../values.js';
import {
  type AffineUse,
  type IndexTree,
  type IndexVar,
  type ReadTree,
  readsOf,
  type SubscriptTree,
  statedRange,
} from './tree.js';

interface Use {
  readonly affine: AffineUse;
  readonly size: Dim;
  readonly axis: number;
  readonly read: ReadTree;
}

/** The variable when a subscript is exactly one. */
function bareVariable({ terms, offset, divisor }: AffineUse): IndexVar | undefined {
  const [only, ...others] = terms;
  const isBare = only !== undefined && others.length === 0 && only[1] === 1 && divisor === 1 && dimValue(offset) === 0;
  return isBare ? only[0] : undefined;
}

/** The size of an axis as the variable that runs along it has it: the two may be equal by assumption only. */
function statedSize(subscript: SubscriptTree | undefined, size: Dim): Dim {
  const index = subscript?.kind === 'affine' ? bareVariable(subscript) : undefined;
  return index === undefined || index.source === statedRange ? size : (index.extent ?? size);
}

/** Settles the extents of all variables of a tree; `expected` are those that the result is declared to have. */
export function resolveExtents(
  cx: Context,
  tree: IndexTree,
  vars: readonly IndexVar[],
  outputs: readonly IndexVar[],
  expected: readonly (Dim | undefined)[] | undefined,
): void {
  const uses = readsOf(tree).flatMap((read) =>
    read.subscripts.flatMap((subscript, axis): Use[] =>
      subscript.kind === 'affine' ? [{ affine: subscript, size: read.tensor.type.shape[axis] as Dim, axis, read }] : [],
    ),
  );
  for (const { affine, size, axis, read } of uses) {
    const index = bareVariable(affine);
    if (index === undefined || index.source === statedRange) continue;
    const source = `axis ${axis} of ${typeText(read.tensor.type)}`;
    if (index.extent === undefined) {
      index.extent = size;
      index.source = source;
    } else if (!cx.sameSize(index.extent, size, `the axes that \`${index.name}\` runs over have equal sizes`)) {
      cx.fail('E0321', {
        message: `\`${index.name}\` runs over axes of different sizes: ${printDim(index.extent)} and ${printDim(size)}`,
        label: `${printDim(size)} is ${source}`,
        notes: [`${printDim(index.extent)} is ${index.source}`],
        site: read.site,
      });
    }
  }
  for (const read of new Set(uses.map((use) => use.read))) {
    const shape = read.tensor.type.shape.map((size, axis) => statedSize(read.subscripts[axis], size));
    read.tensor = cx.b.reshape(read.tensor, shape);
  }
  outputs.forEach((index, i) => {
    index.extent ??= expected?.[i];
  });
  inferFromSubscripts(uses);
  for (const index of vars) {
    if (index.extent === undefined) {
      cx.fail('E0321', {
        message: `it is not known how far \`${index.name}\` runs`,
        site: index.site,
        help: `state its range: \`${index.name} in 0..n\``,
      });
    }
    if (!cx.nonNegative(index.extent, `the extent of \`${index.name}\` is not negative`)) {
      cx.fail('E0324', {
        message: `\`${index.name}\` would run over ${printDim(index.extent)} elements`,
        site: index.site,
      });
    }
  }
}

/** Gives variables that occur only inside of affine subscripts the largest extents for which those stay inside. */
function inferFromSubscripts(uses: readonly Use[]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const { affine, size } of uses) {
      const unknown = [...affine.terms].filter(([index]) => index.extent === undefined);
      const [only] = unknown;
      if (only === undefined || unknown.length > 1 || only[1] < 0) continue;
      const [index, coefficient] = only;
      let room = dimSub(dimSub(dimMul(size, dimConst(affine.divisor)), dimConst(1)), affine.offset);
      for (const [other, factor] of affine.terms) {
        if (other === index || factor < 0) continue;
        room = dimSub(room, dimMul(dimConst(factor), dimSub(other.extent as Dim, dimConst(1))));
      }
      index.extent = dimAdd(dimFloorDiv(room, dimConst(coefficient)), dimConst(1));
      index.source = 'the subscripts';
      changed = true;
    }
  }
}
