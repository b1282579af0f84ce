// The adjoint of a slice is its cotangent with zeros around it. Where the slices of a value cover all of it once, as those of `chunk` and `split`
// do, their adjoints are joined instead of padded and added up.

import type { Builder } from '../../ir/builder.js';
import { type Dim, dimAdd, dimConst, dimEquals, isDimConst } from '../../ir/dims.js';
import type { Node, Value } from '../../ir/graph.js';

/** A contribution to a cotangent that is zero outside of a range of one dimension. */
export interface Part {
  readonly padded: Value;
  /** What stands in the range. */
  readonly inside: Value;
  readonly dim: number;
  readonly start: Dim;
}

/** A contribution as a part, where its nodes show that it is one. */
export function partOf(contribution: Value, made: readonly Node[]): Part | undefined {
  const makerOf = (value: Value | undefined): Node | undefined =>
    made.find(({ results }) => value !== undefined && results.includes(value));
  const node = makerOf(contribution);
  if (node?.kind !== 'assemble' || node.assemble.type !== 'pad') return undefined;
  const [inside, filler] = node.inputs;
  const source = makerOf(filler);
  const isZero = source?.kind === 'source' && source.source.type === 'constant' && Number(source.source.data[0]) === 0;
  const { low, high, interior } = node.assemble;
  const padded = low.flatMap((size, d) => (isDimConst(size, 0) && isDimConst(high[d] as Dim, 0) ? [] : [d]));
  const [dim] = padded;
  if (inside === undefined || !isZero || dim === undefined || padded.length > 1 || interior.some((gap) => gap !== 0))
    return undefined;
  return { padded: contribution, inside, dim, start: low[dim] as Dim };
}

/** The parts of a value as one; undefined where they do not cover it exactly once. */
export function joinParts(
  b: Builder,
  value: Value,
  parts: readonly Part[],
  hint: string | undefined,
): Value | undefined {
  const [first] = parts;
  if (first === undefined || parts.some(({ dim }) => dim !== first.dim)) return undefined;
  const { dim } = first;
  const ordered: Value[] = [];
  let end = dimConst(0);
  while (ordered.length < parts.length) {
    const next = parts.find(({ start, inside }) => dimEquals(start, end) && !ordered.includes(inside));
    if (next === undefined) return undefined;
    ordered.push(next.inside);
    end = dimAdd(end, next.inside.type.shape[dim] as Dim);
  }
  return dimEquals(end, value.type.shape[dim] as Dim) ? b.concat(ordered, dim, hint) : undefined;
}
