// What to do about a shape that does not fit: repairs that the sizes themselves suggest.

import { type Dim, dimEquals, dimProduct, isDimConst } from '../ir/dims.js';

/** The sizes that are wanted, as far as they are known. */
export type WantedShape = readonly (Dim | undefined)[];

/** A repair for a tensor of sizes `found` where `wanted` is expected; undefined where none suggests itself. */
export function shapeHint(found: readonly Dim[], wanted: WantedShape): string | undefined {
  if (wanted.length === 0 && found.length > 0) return 'to make one number of it, reduce it: `sum(…)`, `mean(…)`';
  const last = wanted.at(-1);
  return (last && flattenHint(found, last)) ?? unitAxesHint(found, wanted);
}

/** Where trailing axes have as many elements together as the last axis should have: flatten them. */
export function flattenHint(found: readonly Dim[], last: Dim): string | undefined {
  for (let first = 0; first < found.length - 1; first++) {
    if (!dimEquals(dimProduct(found.slice(first)), last) || found.slice(first).every((size) => isDimConst(size, 1)))
      continue;
    return `axes ${first} to ${found.length - 1} have as many elements together: \`flatten(…, start_dim: ${first})\``;
  }
  return undefined;
}

/** Where the shapes differ in axes of size 1 alone. */
function unitAxesHint(found: readonly Dim[], wanted: WantedShape): string | undefined {
  const [own, other] = [found, wanted].map((sizes) =>
    sizes.filter((size) => size === undefined || !isDimConst(size, 1)),
  );
  if (own === undefined || other === undefined || own.length !== other.length || found.length === wanted.length)
    return undefined;
  const agree = own.every((size, i) => {
    const partner = other[i];
    return size !== undefined && partner !== undefined && dimEquals(size, partner);
  });
  if (!agree) return undefined;
  return found.length > wanted.length
    ? 'they differ in an axis of size 1: `squeeze(…, dim)` removes it'
    : 'they differ in an axis of size 1: `unsqueeze(…, dim)` adds it';
}

/** A repair for factors whose inner sizes differ: the second one transposed, or the first one flattened. */
export function productHint(left: readonly Dim[], right: readonly Dim[]): string | undefined {
  const [inner, last] = [left.at(-1), right.at(-1)];
  if (inner === undefined || last === undefined) return undefined;
  if (right.length === 2 && dimEquals(inner, last)) return 'the second factor transposed would fit: `….T`';
  if (right.length > 2 && dimEquals(inner, last))
    return 'the second factor transposed would fit: `transpose(…, -2, -1)`';
  const wanted = right.at(right.length === 1 ? -1 : -2);
  return wanted && flattenHint(left, wanted);
}
