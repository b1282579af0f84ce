// Index spaces: affine expressions over their indices, subscripts and their masks. Contractions, reductions, gathers and
// scatters are built and rewritten with these functions.

import { isProvablyNonNegative } from './bounds.js';
import { type Dim, dimAdd, dimConst, dimEquals, dimExactDiv, dimMul, dimSub, isDimConst, toDim } from './dims.js';
import { gcd } from './gcd.js';
import type { Access, Affine, Index, IndexSpace, Subscript } from './graph.js';

export type AffineSubscript = Extract<Subscript, { kind: 'affine' }>;

/** `index · coefficient + offset` as an affine expression. */
export const affineIndex = (index: number, coefficient = 1, offset: Dim | number = 0): Affine => ({
  terms: [{ index, coefficient }],
  offset: toDim(offset),
});

/** An affine expression without indices. */
export const affineConst = (value: Dim | number): Affine => ({ terms: [], offset: toDim(value) });

/** Σ of terms (in any order, indices may repeat) and offset, in normal form. */
export function affine(terms: Affine['terms'], offset: Dim | number = 0): Affine {
  const byIndex = new Map<number, number>();
  for (const term of terms) byIndex.set(term.index, (byIndex.get(term.index) ?? 0) + term.coefficient);
  const kept = [...byIndex].filter(([, coefficient]) => coefficient !== 0).sort(([a], [b]) => a - b);
  return { terms: kept.map(([index, coefficient]) => ({ index, coefficient })), offset: toDim(offset) };
}

export const affineAdd = (a: Affine, b: Affine): Affine => affine([...a.terms, ...b.terms], dimAdd(a.offset, b.offset));

export const affineScale = (a: Affine, factor: number): Affine =>
  affine(
    a.terms.map((term) => ({ ...term, coefficient: term.coefficient * factor })),
    dimMul(a.offset, dimConst(factor)),
  );

export const affineSub = (a: Affine, b: Affine): Affine => affineAdd(a, affineScale(b, -1));

/** The coefficient of an index, 0 when it does not occur. */
export const coefficientOf = (a: Affine, index: number): number =>
  a.terms.find((term) => term.index === index)?.coefficient ?? 0;

/** Replaces one index by an affine expression. */
export function affineReplace(a: Affine, index: number, by: Affine): Affine {
  const coefficient = coefficientOf(a, index);
  if (coefficient === 0) return a;
  const rest: Affine = { terms: a.terms.filter((term) => term.index !== index), offset: a.offset };
  return affineAdd(rest, affineScale(by, coefficient));
}

/** Renumbers the indices. */
export const affineRenumber = (a: Affine, to: (index: number) => number): Affine =>
  affine(
    a.terms.map((term) => ({ index: to(term.index), coefficient: term.coefficient })),
    a.offset,
  );

export const affineKey = (a: Affine): string =>
  `${a.terms.map((t) => `${t.coefficient}.${t.index}`).join('+')}+${a.offset.key}`;

/** The smallest and largest value over all points of a space that has any. */
export function affineRange(a: Affine, indices: readonly Index[]): { low: Dim; high: Dim } {
  let low = a.offset;
  let high = a.offset;
  for (const { index, coefficient } of a.terms) {
    const last = dimMul(dimSub((indices[index] as Index).extent, dimConst(1)), dimConst(coefficient));
    if (coefficient > 0) high = dimAdd(high, last);
    else low = dimAdd(low, last);
  }
  return { low, high };
}

/** Whether `expression / divisor`, where it is exact, is provably a position in a dimension of `size`. */
export function isInside(expression: Affine, divisor: number, size: Dim, indices: readonly Index[]): boolean {
  const { low, high } = affineRange(expression, indices);
  const extents = indices.map((index) => index.extent);
  const slack = dimConst(divisor - 1);
  return (
    isProvablyNonNegative(dimAdd(low, slack), extents) &&
    isProvablyNonNegative(dimSub(dimSub(dimMul(size, dimConst(divisor)), dimConst(1)), high), extents)
  );
}

/** The subscript `expression / divisor` of a dimension of `size`, in lowest terms, masked unless it is provably inside. */
export function affineSubscript(
  expression: Affine,
  divisor: number,
  size: Dim,
  indices: readonly Index[],
): AffineSubscript {
  const reduced = lowestTerms(divisor < 0 ? affineScale(expression, -1) : expression, Math.abs(divisor));
  return { kind: 'affine', ...reduced, masked: !isInside(reduced.expression, reduced.divisor, size, indices) };
}

function lowestTerms(expression: Affine, divisor: number): { expression: Affine; divisor: number } {
  const coefficients = [...expression.terms, ...expression.offset.terms].map((term) => term.coefficient);
  const factor = coefficients.reduce(gcd, divisor);
  if (factor === 1) return { expression, divisor };
  const offset = dimExactDiv(expression.offset, dimConst(factor)) as Dim;
  const terms = expression.terms.map((term) => ({ index: term.index, coefficient: term.coefficient / factor }));
  return { expression: { terms, offset }, divisor: divisor / factor };
}

/** A subscript that reads at one plain index. */
export const plainSubscript = (index: number): AffineSubscript => ({
  kind: 'affine',
  expression: affineIndex(index),
  divisor: 1,
  masked: false,
});

/** Plain subscripts for the given indices in order. */
export const plainAccess = (indices: readonly number[]): Access => indices.map(plainSubscript);

/** The index when a subscript reads exactly at it, else undefined. */
export function plainIndexOf(subscript: Subscript): number | undefined {
  if (subscript.kind !== 'affine' || subscript.divisor !== 1) return undefined;
  const [term, ...others] = subscript.expression.terms;
  const isPlain = others.length === 0 && term?.coefficient === 1 && isDimConst(subscript.expression.offset, 0);
  return isPlain ? term?.index : undefined;
}

/** The plain index of every subscript, or undefined when one of them is anything else. */
export function plainIndicesOf(access: Access): readonly number[] | undefined {
  const indices = access.flatMap((subscript) => plainIndexOf(subscript) ?? []);
  return indices.length === access.length ? indices : undefined;
}

/** All indices that occur in a subscript, those of lookups' own subscripts too. */
export function subscriptIndices(subscript: Subscript): readonly number[] {
  if (subscript.kind === 'affine') return subscript.expression.terms.map((term) => term.index);
  return subscript.subscripts.flatMap(subscriptIndices);
}

/** The space whose indices are the dimensions of a shape, all outer. */
export const shapeSpace = (shape: readonly Dim[]): IndexSpace => ({
  indices: shape.map((extent, dim) => ({ name: indexName(dim), extent })),
  outer: shape.length,
});

/** The space and access of a reduction over whole dimensions; the result keeps the other dimensions in order. */
export function dimsSpace(shape: readonly Dim[], dims: readonly number[]): [IndexSpace, Access] {
  const kept = shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...shape.map((_, i) => i).filter((i) => dims.includes(i))];
  const indices: Index[] = order.map((dim) => ({ name: indexName(dim), extent: shape[dim] as Dim }));
  return [{ indices, outer: kept.length }, plainAccess(shape.map((_, dim) => order.indexOf(dim)))];
}

/** i, j, k, … for the dimensions of a tensor. */
export const indexName = (dim: number): string => (dim < 18 ? String.fromCharCode(105 + dim) : `i${dim}`);

/** Gives each index a name of its own: the first keeps its name, later ones of the same name get a number. */
export function distinctNames(indices: readonly Index[]): readonly Index[] {
  const taken = new Set<string>();
  return indices.map((index) => {
    let name = index.name;
    for (let n = 1; taken.has(name); n++) name = `${index.name}${n}`;
    taken.add(name);
    return name === index.name ? index : { ...index, name };
  });
}

/** The shape of what a space produces. */
export const outerShape = (space: IndexSpace): readonly Dim[] =>
  space.indices.slice(0, space.outer).map((i) => i.extent);

/** Whether an access reads a whole operand of this shape once, element for element, at the space's outer indices. */
export function isIdentityAccess(access: Access, shape: readonly Dim[], space: IndexSpace): boolean {
  if (access.length !== space.outer) return false;
  return access.every((subscript, dim) => {
    const index = plainIndexOf(subscript);
    return index === dim && dimEquals((space.indices[index] as Index).extent, shape[dim] as Dim);
  });
}
