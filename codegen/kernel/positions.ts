// Arithmetic on positions: bounds from the ranges of loop variables, division that uses them, strides, and index maps of views.

import { isProvablyNonNegative } from '../../compiler/ir/bounds.js';
import {
  type Atom,
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimExactDiv,
  dimFloorDiv,
  dimMax,
  dimMin,
  dimMul,
  dimNeg,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimSymbols,
  dimValue,
  isDimConst,
} from '../../compiler/ir/dims.js';
import type { Guard, Position } from './ir.js';

/** The extents of the positions that are in scope: each runs over 0 ≤ position < extent. */
export type Ranges = ReadonlyMap<string, Dim>;

const one = dimConst(1);
const zero = dimConst(0);

/** Facts for proofs: inside a loop its extent is at least 1. */
const positive = (ranges: Ranges): readonly Dim[] => [...ranges.values()];

const substituteOne = (p: Position, symbol: string, by: Dim): Position => dimSubstitute(p, new Map([[symbol, by]]));

/** Replaces a symbol by an expression. */
export const substitute = (p: Position, symbol: string, by: Dim | number): Position =>
  substituteOne(p, symbol, typeof by === 'number' ? dimConst(by) : by);

/** Whether a symbol occurs, inside of divisions too. */
export const mentions = (p: Position, symbol: string): boolean =>
  p.terms.some((term) => term.atoms.some((atom) => atomMentions(atom, symbol)));

function atomMentions(atom: Atom, symbol: string): boolean {
  if (atom.kind === 'symbol') return atom.name === symbol;
  if (atom.kind !== 'floordiv') return mentions(atom.left, symbol) || mentions(atom.right, symbol);
  return mentions(atom.numerator, symbol) || mentions(atom.denominator, symbol);
}

/** The factor of a symbol in which an expression is linear (0 where it does not occur), undefined where it is not linear. */
export function coefficient(p: Position, symbol: string): Dim | undefined {
  let slope = zero;
  for (const term of p.terms) {
    const others = term.atoms.filter((atom) => !(atom.kind === 'symbol' && atom.name === symbol));
    if (others.some((atom) => atomMentions(atom, symbol)) || term.atoms.length - others.length > 1) return undefined;
    if (others.length === term.atoms.length) continue;
    slope = dimAdd(
      slope,
      others.reduce((product, atom) => dimMul(product, atomDim(atom)), dimConst(term.coefficient)),
    );
  }
  return slope;
}

/** The constant stride of an expression along a symbol, undefined where it has none. */
export function stride(p: Position, symbol: string): number | undefined {
  const slope = coefficient(p, symbol);
  return slope === undefined ? undefined : dimValue(slope);
}

/** A lower and an upper bound (inclusive) without positions, undefined where none is found. */
export function bounds(p: Position, ranges: Ranges): { low: Dim; high: Dim } | undefined {
  let low = zero;
  let high = zero;
  for (const term of p.terms) {
    let least = one;
    let greatest = one;
    for (const atom of term.atoms) {
      const range = atomBounds(atom, ranges);
      if (range === undefined || !isProvablyNonNegative(range.low, positive(ranges))) return undefined;
      least = dimMul(least, range.low);
      greatest = dimMul(greatest, range.high);
    }
    const factor = dimConst(term.coefficient);
    low = dimAdd(low, dimMul(factor, term.coefficient >= 0 ? least : greatest));
    high = dimAdd(high, dimMul(factor, term.coefficient >= 0 ? greatest : least));
  }
  return { low, high };
}

function atomBounds(atom: Atom, ranges: Ranges): { low: Dim; high: Dim } | undefined {
  if (atom.kind === 'symbol') {
    const extent = ranges.get(atom.name);
    if (extent !== undefined) return { low: zero, high: dimSub(extent, one) };
    const itself = dimSymbol(atom.name);
    return { low: itself, high: itself };
  }
  if (atom.kind !== 'floordiv') return undefined;
  const numerator = bounds(atom.numerator, ranges);
  if (numerator === undefined || [...dimSymbols(atom.denominator)].some((name) => ranges.has(name))) return undefined;
  return { low: dimFloorDiv(numerator.low, atom.denominator), high: dimFloorDiv(numerator.high, atom.denominator) };
}

/** Whether `p ≥ 0` for all positions in their ranges: false means unknown. */
export function isNonNegative(p: Position, ranges: Ranges): boolean {
  const range = bounds(p, ranges);
  return range !== undefined && isProvablyNonNegative(range.low, positive(ranges));
}

/** Whether `0 ≤ p < size`: false means unknown. */
export const isWithin = (p: Position, size: Dim, ranges: Ranges): boolean =>
  isNonNegative(p, ranges) && isNonNegative(dimSub(dimSub(size, one), p), ranges);

/** The terms of a sum, each as an expression. */
export const termsOf = (a: Position): readonly Position[] =>
  a.terms.map((term) =>
    dimMul(
      dimConst(term.coefficient),
      term.atoms.reduce((product, atom) => dimMul(product, atomDim(atom)), one),
    ),
  );

/** ⌊a / b⌋ for b ≥ 1; what lies within 0 … b - 1 disappears. */
export function quotient(a: Position, b: Dim, ranges: Ranges): Position {
  if (isDimConst(b, 1)) return a;
  if (isWithin(a, b, ranges)) return zero;
  let exact = zero;
  let rest = zero;
  for (const single of termsOf(a)) {
    const divided = dimExactDiv(single, b);
    if (divided === undefined) rest = dimAdd(rest, single);
    else exact = dimAdd(exact, divided);
  }
  if (isWithin(rest, b, ranges)) return exact;
  return dimAdd(exact, divideNested(rest, b));
}

const atomDim = (atom: Atom): Dim => {
  if (atom.kind === 'symbol') return dimSymbol(atom.name);
  if (atom.kind === 'floordiv') return dimFloorDiv(atom.numerator, atom.denominator);
  return atom.kind === 'max' ? dimMax(atom.left, atom.right) : dimMin(atom.left, atom.right);
};

/** ⌊⌊x / a⌋ / b⌋ = ⌊x / (a·b)⌋. */
function divideNested(a: Dim, b: Dim): Dim {
  const [term] = a.terms;
  const atom = term?.atoms[0];
  if (a.terms.length === 1 && term?.coefficient === 1 && term.atoms.length === 1 && atom?.kind === 'floordiv') {
    return dimFloorDiv(atom.numerator, dimMul(atom.denominator, b));
  }
  return dimFloorDiv(a, b);
}

/** The remainder of the floor division, for b ≥ 1. */
export const remainder = (a: Position, b: Dim, ranges: Ranges): Position =>
  dimSub(a, dimMul(b, quotient(a, b, ranges)));

/** The row-major strides of a shape. */
export function rowMajor(shape: readonly Dim[]): readonly Dim[] {
  const strides: Dim[] = [];
  let product = one;
  for (const dim of [...shape].reverse()) {
    strides.unshift(product);
    product = dimMul(product, dim);
  }
  return strides;
}

/** The row-major offset of a multi-index. */
export function flatten(at: readonly Position[], shape: readonly Dim[]): Position {
  return rowMajor(shape).reduce((sum, step, d) => dimAdd(sum, dimMul(step, at[d] as Position)), zero);
}

/** The multi-index of a row-major offset. */
export function unflatten(offset: Position, shape: readonly Dim[], ranges: Ranges): readonly Position[] {
  const at: Position[] = [];
  let rest = offset;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d] as Dim;
    if (isDimConst(size, 1)) at.unshift(zero);
    else if (d === 0 || shape.slice(0, d).every((dim) => isDimConst(dim, 1))) {
      at.unshift(rest);
      rest = zero;
    } else {
      at.unshift(remainder(rest, size, ranges));
      rest = quotient(rest, size, ranges);
    }
  }
  return at;
}

/** Where the element `at` of a tensor reshaped to `to` lies in the tensor of shape `from`. Dimensions that both share stay as they are. */
export function reshapePosition(
  at: readonly Position[],
  to: readonly Dim[],
  from: readonly Dim[],
  ranges: Ranges,
): readonly Position[] {
  const result: Position[] = [];
  let t = 0;
  let f = 0;
  while (f < from.length || t < to.length) {
    const [tEnd, fEnd] = matchingGroup(to, t, from, f);
    const offset = flatten(at.slice(t, tEnd), to.slice(t, tEnd));
    result.push(...unflatten(offset, from.slice(f, fEnd), ranges));
    t = tEnd;
    f = fEnd;
  }
  return result;
}

/** The ends of the shortest runs of dimensions from `a` and `b` on with the same number of elements. */
function matchingGroup(to: readonly Dim[], a: number, from: readonly Dim[], b: number): readonly [number, number] {
  let left = to[a] ?? one;
  let right = from[b] ?? one;
  let i = Math.min(a + 1, to.length);
  let j = Math.min(b + 1, from.length);
  while (!dimEquals(left, right)) {
    if (i < to.length && dimExactDiv(right, left) !== undefined) left = dimMul(left, to[i++] as Dim);
    else if (j < from.length && dimExactDiv(left, right) !== undefined) right = dimMul(right, from[j++] as Dim);
    else return [to.length, from.length];
  }
  return [i, j];
}

/** The guard that `value ≥ 0`, none where that is certain. */
export const atLeastZero = (value: Position, ranges: Ranges): readonly Guard[] =>
  isNonNegative(value, ranges) ? [] : [{ kind: 'nonnegative', value }];

/** The guards that `0 ≤ value < size`, those that are certain left out. */
export const insideGuards = (value: Position, size: Dim, ranges: Ranges): readonly Guard[] => [
  ...atLeastZero(value, ranges),
  ...atLeastZero(dimSub(dimSub(size, one), value), ranges),
];

/** The guard that `value` is a multiple of `of`, none where that is certain. */
export function multipleGuards(value: Position, of: number): readonly Guard[] {
  if (of === 1 || dimExactDiv(value, dimConst(of)) !== undefined) return [];
  return [{ kind: 'multiple', value, of }];
}

/** The guards that `value = 0`, none where that is certain. */
export const zeroGuards = (value: Position): readonly Guard[] =>
  isDimConst(value, 0)
    ? []
    : [
        { kind: 'nonnegative', value },
        { kind: 'nonnegative', value: dimNeg(value) },
      ];

export const guardKey = (guard: Guard): string =>
  guard.kind === 'multiple' ? `${guard.value.key} % ${guard.of}` : guard.value.key;

/** Both lists, each guard once. */
export function bothGuards(a: readonly Guard[], b: readonly Guard[]): readonly Guard[] {
  const known = new Set(a.map(guardKey));
  return [...a, ...b.filter((guard) => !known.has(guardKey(guard)))];
}
