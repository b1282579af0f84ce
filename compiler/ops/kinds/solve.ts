// Sums of products over an index space, rewritten to fewer indices: guards are solved for summed indices.
//
// The transposition of a contraction is easy to state with guards: for `y[o] = Σ a[e/d] · b[…]` the cotangent of `a` is
// `ā[δ] = Σ over all of y's indices of ȳ[o] · b[…]` at the points where `e - d·δ = 0`. Solving the guards gives the
// contraction that one would write by hand: strides become divisors, padding becomes masks, dilation and flips fall out.

import { isProvablyNonNegative } from '../../ir/bounds.js';
import type { Builder } from '../../ir/builder.js';
import { type Dim, dimConst, dimEquals, dimExactDiv, dimSub, dimValue, isDimConst } from '../../ir/dims.js';
import { gcd } from '../../ir/gcd.js';
import type { Access, Affine, Index, Value } from '../../ir/graph.js';
import {
  type AffineSubscript,
  affine,
  affineAdd,
  affineConst,
  affineIndex,
  affineRenumber,
  affineReplace,
  affineScale,
  affineSubscript,
  coefficientOf,
  distinctNames,
  isInside,
  plainIndexOf,
} from '../../ir/space.js';

/** One factor of the product: an operand with affine subscripts. */
export interface Factor {
  readonly value: Value;
  readonly access: readonly AffineSubscript[];
}

/** result[first `outer` indices] = Σ over the others of Π factors, at the points where every guard is 0. */
export interface SumOfProducts {
  readonly indices: readonly Index[];
  readonly outer: number;
  readonly factors: readonly Factor[];
  readonly guards: readonly Affine[];
}

/** An index as a quotient of the others: `index = expression / divisor`. */
interface Solution {
  readonly index: number;
  readonly expression: Affine;
  readonly divisor: number;
}

/** The affine subscripts of a contraction or reduction. */
export const affineAccess = (access: Access): readonly AffineSubscript[] => access.filter((s) => s.kind === 'affine');

/**
 * Whether reading the factors at an index keeps it an integer in its range, so that it may be replaced by a quotient of others: some
 * factor reads exactly at it, in a dimension that is not larger.
 */
function isEnforced(sum: SumOfProducts, index: number): boolean {
  const { extent } = sum.indices[index] as Index;
  return sum.factors.some(({ value, access }) =>
    access.some((subscript, dim) => {
      const size = value.type.shape[dim] as Dim;
      return (
        plainIndexOf(subscript) === index && (dimEquals(size, extent) || isProvablyNonNegative(dimSub(extent, size)))
      );
    }),
  );
}

/** `e / d` with `index = expression / divisor` put in: `(divisor·(e - c·index) + c·expression) / (divisor·d)`. */
function substitute(e: Affine, { index, expression, divisor }: Solution): Affine {
  const coefficient = coefficientOf(e, index);
  if (coefficient === 0) return affineScale(e, divisor);
  return affineAdd(affineScale(affineReplace(e, index, affineConst(0)), divisor), affineScale(expression, coefficient));
}

function applySolution(sum: SumOfProducts, solution: Solution): SumOfProducts {
  const { index, divisor } = solution;
  const uses = (e: Affine) => coefficientOf(e, index) !== 0;
  const factors = sum.factors.map(({ value, access }) => ({
    value,
    access: access.map((subscript) =>
      uses(subscript.expression)
        ? { ...subscript, expression: substitute(subscript.expression, solution), divisor: subscript.divisor * divisor }
        : subscript,
    ),
  }));
  const guards = sum.guards.map((guard) => (uses(guard) ? substitute(guard, solution) : guard));
  return removeIndex({ ...sum, factors, guards }, index);
}

/** Drops an index that occurs nowhere and gives all masks anew. */
function removeIndex(sum: SumOfProducts, index: number): SumOfProducts {
  const to = (i: number) => (i > index ? i - 1 : i);
  const indices = sum.indices.filter((_, i) => i !== index);
  return {
    indices,
    outer: sum.outer,
    factors: sum.factors.map(({ value, access }) => ({
      value,
      access: access.map(({ expression, divisor }, dim) =>
        affineSubscript(affineRenumber(expression, to), divisor, value.type.shape[dim] as Dim, indices),
      ),
    })),
    guards: sum.guards.map((guard) => affineRenumber(guard, to)),
  };
}

/** The ways to solve one guard for a summed index without changing the sum, best first. */
function solutions(sum: SumOfProducts, guard: Affine, preferred: (index: number) => boolean): readonly Solution[] {
  const found = guard.terms.flatMap(({ index, coefficient }): Solution[] => {
    if (index < sum.outer) return [];
    const rest = affineScale(affineReplace(guard, index, affineConst(0)), coefficient > 0 ? -1 : 1);
    const solution = { index, expression: rest, divisor: Math.abs(coefficient) };
    const { extent } = sum.indices[index] as Index;
    const holds = solution.divisor === 1 && isInside(rest, 1, extent, sum.indices);
    return holds || isEnforced(sum, index) ? [solution] : [];
  });
  const rank = (s: Solution) => (preferred(s.index) ? 0 : 2) + (s.divisor === 1 ? 0 : 1);
  const extent = (s: Solution) => dimValue((sum.indices[s.index] as Index).extent) ?? Number.POSITIVE_INFINITY;
  return found.sort((a, b) => rank(a) - rank(b) || (extent(a) === extent(b) ? 0 : extent(b) - extent(a)));
}

/** Guards in lowest terms, without those that always hold. */
function liveGuards(guards: readonly Affine[]): readonly Affine[] {
  const live = guards.filter((guard) => guard.terms.length > 0 || !isDimConst(guard.offset, 0));
  return live.map((guard) => {
    const factor = guard.terms.reduce((common, term) => gcd(common, term.coefficient), 0);
    const offset = factor > 1 ? dimExactDiv(guard.offset, dimConst(factor)) : undefined;
    if (offset === undefined) return guard;
    return affine(
      guard.terms.map((term) => ({ ...term, coefficient: term.coefficient / factor })),
      offset,
    );
  });
}

/**
 * Solves guards for summed indices as long as that is possible. Indices named in `preferred` (positions in `sum.indices`) are solved
 * first: the outer indices of the contraction that is transposed, so that the sum stays over the short window.
 */
export function solveGuards(sum: SumOfProducts, preferred: readonly number[] = []): SumOfProducts {
  let current: SumOfProducts = { ...sum, guards: liveGuards(sum.guards) };
  let favoured = new Set(preferred);
  for (;;) {
    const best = current.guards.flatMap((guard) => solutions(current, guard, (i) => favoured.has(i)).slice(0, 1))[0];
    if (best === undefined) break;
    current = applySolution(current, best);
    current = { ...current, guards: liveGuards(current.guards) };
    favoured = new Set([...favoured].filter((i) => i !== best.index).map((i) => (i > best.index ? i - 1 : i)));
  }
  return current;
}

/**
 * Sums over quotients instead of dividends: where a factor is read at `(±j + rest) / d` with d > 1 and j is summed, the quotient takes
 * j's place, so that no point is visited in vain. Only when that does not make the sum longer.
 */
export function sumOverQuotients(sum: SumOfProducts): SumOfProducts {
  for (const { value, access } of sum.factors) {
    for (const [dim, { expression, divisor }] of access.entries()) {
      if (divisor === 1) continue;
      const size = value.type.shape[dim] as Dim;
      const term = expression.terms.find(({ index, coefficient }) => {
        if (index < sum.outer || Math.abs(coefficient) !== 1 || !isEnforced(sum, index)) return false;
        return isProvablyNonNegative(dimSub((sum.indices[index] as Index).extent, size));
      });
      if (term === undefined) continue;
      const quotient = sum.indices.length;
      const name = (sum.indices[term.index] as Index).name;
      const guard = affineAdd(expression, affineIndex(quotient, -divisor));
      const rest = affineReplace(guard, term.index, affineConst(0));
      const extended = { ...sum, indices: [...sum.indices, { name, extent: size }] };
      const solution = { index: term.index, expression: affineScale(rest, -term.coefficient), divisor: 1 };
      return sumOverQuotients(applySolution(extended, solution));
    }
  }
  return sum;
}

/** Removes summed indices that run over one point. */
function dropUnitIndices(sum: SumOfProducts): SumOfProducts {
  const at = sum.indices.findIndex((index, i) => i >= sum.outer && isDimConst(index.extent, 1));
  if (at < 0) return sum;
  return dropUnitIndices(applySolution(sum, { index: at, expression: affineConst(0), divisor: 1 }));
}

/** Simplifies a sum of products and builds it as the simplest nodes that compute it: a view, a sum, or a contraction. */
export function buildSum(b: Builder, sum: SumOfProducts, preferred: readonly number[] = [], hint?: string): Value {
  return buildSimple(b, sumOverQuotients(dropUnitIndices(solveGuards(sum, preferred))), hint);
}

function buildSimple(b: Builder, sum: SumOfProducts, hint?: string): Value {
  const { outer, factors, guards } = sum;
  const [first, ...others] = factors as readonly [Factor, ...Factor[]];
  const isAlone = others.length === 0 && guards.length === 0;
  const view = isAlone ? buildView(b, sum, first, hint) : undefined;
  if (view !== undefined) return view;
  const repeated = buildRepeated(b, sum, hint);
  if (repeated !== undefined) return repeated;
  const space = { indices: distinctNames(sum.indices), outer };
  if (isAlone && space.indices.length > outer) {
    return b.reduceOver('sum', first.value, space, first.access, hint)[0] as Value;
  }
  const inputs = factors.map((factor) => factor.value);
  const accesses = factors.map((factor) => factor.access);
  return b.contract(space, accesses, inputs, guards, hint);
}

/** What does not depend on an outer index is computed once and repeated along it; undefined when there is no such index. */
function buildRepeated(b: Builder, sum: SumOfProducts, hint?: string): Value | undefined {
  const expressions = [...sum.factors.flatMap(({ access }) => access.map((s) => s.expression)), ...sum.guards];
  const used = new Set(expressions.flatMap((e) => e.terms.map((term) => term.index)));
  const dims = sum.indices.flatMap((_, i) => (i < sum.outer && used.has(i) ? [i] : []));
  if (dims.length === sum.outer) return undefined;
  const unused = sum.indices.flatMap((_, i) => (i < sum.outer && !used.has(i) ? [i] : []));
  const smaller = unused.toReversed().reduce(removeIndex, sum);
  const value = buildSimple(b, { ...smaller, outer: dims.length }, hint);
  const shape = sum.indices.slice(0, sum.outer).map((index) => index.extent);
  return b.view(value, { type: 'broadcast', shape, dims }, hint);
}

/** A factor that is read at distinct plain outer indices is permuted and broadcast; undefined for any other. */
function buildView(b: Builder, sum: SumOfProducts, { value, access }: Factor, hint?: string): Value | undefined {
  if (sum.indices.length > sum.outer) return undefined;
  const positions = access.map((subscript) => plainIndexOf(subscript) ?? -1);
  const shape = sum.indices.map((index) => index.extent);
  const isPlain = positions.every((at, dim) => at >= 0 && dimEquals(shape[at] as Dim, value.type.shape[dim] as Dim));
  if (!isPlain || new Set(positions).size < positions.length) return undefined;
  const order = positions.map((_, dim) => dim).sort((x, y) => (positions[x] as number) - (positions[y] as number));
  const permuted = b.permute(value, order, hint);
  if (permuted.type.shape.length === shape.length) return permuted;
  return b.view(permuted, { type: 'broadcast', shape, dims: order.map((dim) => positions[dim] as number) }, hint);
}
