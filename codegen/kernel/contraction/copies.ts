// What a factor looks like when it is copied to scratch memory: its elements by coordinates instead of indices.
//
// A coordinate is a sum of indices with constant coefficients, such as the column x + kx of an image that a convolution reads. A copy by
// coordinates holds each element once, where a copy by indices would hold it once for every pair (x, kx).

import {
  type Dim,
  dimAdd,
  dimConst,
  dimEvaluate,
  dimMul,
  dimNeg,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimSymbols,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { gcd } from '../../../compiler/ir/gcd.js';
import { type Expr, exprPositions, type Position, type Temp } from '../ir.js';
import { coefficient, mentions } from '../positions.js';
import { expressionsOf, indicesIn, type Load, type Nest } from './nest.js';

/** One operand of a contraction. */
export interface Factor {
  readonly temp: Temp;
  readonly indices: ReadonlySet<string>;
  readonly positions: readonly Position[];
  readonly loads: readonly Load[];
  /** The load that is all that the factor consists of, but for a cast to the dtype of the products. */
  readonly plain?: Load;
  /** Whether elements have fewer bytes in memory than in products. */
  readonly isNarrow: boolean;
}

export function factorOf(nest: Nest, temp: Temp): Factor {
  const expressions = [...expressionsOf(nest, temp)];
  const positions = expressions.flatMap(exprPositions);
  const loads = expressions.filter((expr) => expr.kind === 'load');
  const [plain] = loads;
  const others = expressions.filter((expr) => expr !== plain);
  const isNarrow = plain !== undefined && dtypeBytes(plain.buffer.dtype) < dtypeBytes(temp.dtype);
  const isCast = isNarrow && others.length === 1 && others.every(isCastOfOne);
  const isPlain = plain !== undefined && plain.guards.length === 0 && (others.length === 0 || isCast);
  return { temp, indices: indicesIn(nest, positions), positions, loads, ...(isPlain && { plain }), isNarrow };
}

const isCastOfOne = (expr: Expr): boolean =>
  expr.kind === 'scalar' && expr.body.kind === 'cast' && expr.body.arg.kind === 'argument';

export interface Term {
  readonly index: string;
  readonly coefficient: number;
}

/** Σ coefficient · index. The coefficient of the first term is 1 or -1 where there are several. */
export interface Coordinate {
  readonly terms: readonly Term[];
  /** How many of its first and last values a copy leaves out. */
  readonly margins?: readonly [first: number, last: number];
}

/** The coordinates of a factor; every index that it depends on is in exactly one. */
export function coordinatesOf(nest: Nest, factor: Factor): readonly Coordinate[] {
  const joined: Coordinate[] = [];
  const free = new Set(factor.indices);
  for (const candidate of candidates(nest, factor)) {
    const form = normalised(candidate);
    if (form === undefined || !form.terms.every(({ index }) => free.has(index))) continue;
    if (!saves(nest, form) || !factor.positions.every((position) => dependsOnly(position, form))) continue;
    joined.push(form);
    for (const { index } of form.terms) free.delete(index);
  }
  return [...[...free].map((index) => ({ terms: [{ index, coefficient: 1 }] })), ...joined];
}

/** Sums of indices that occur in a factor: in conditions, under divisions, and pairs that move through memory in proportion. */
function* candidates(nest: Nest, factor: Factor): Generator<readonly Term[]> {
  for (const position of factor.positions) {
    yield linearTerms(position, factor);
    for (const term of position.terms) {
      for (const atom of term.atoms) if (atom.kind === 'floordiv') yield linearTerms(atom.numerator, factor);
    }
  }
  for (const { offset } of factor.loads) {
    for (const { name: outer } of nest.outer) {
      for (const { name: summed } of nest.summed) {
        const ratio = ratioOf(coefficient(offset, outer), coefficient(offset, summed));
        if (ratio === undefined) continue;
        yield [
          { index: outer, coefficient: ratio[0] },
          { index: summed, coefficient: ratio[1] },
        ];
      }
    }
  }
}

/** The indices in a position with constant coefficients. */
const linearTerms = (position: Position, factor: Factor): readonly Term[] =>
  [...factor.indices].flatMap((index) => {
    if (!mentions(position, index)) return [];
    const step = coefficient(position, index);
    const value = step === undefined ? undefined : dimValue(step);
    return value === undefined || value === 0 ? [] : [{ index, coefficient: value }];
  });

/** a : b in lowest terms, where both are products with the same run-time dimensions. */
function ratioOf(a: Dim | undefined, b: Dim | undefined): readonly [number, number] | undefined {
  const [s, t] = [a?.terms[0], b?.terms[0]];
  if (a?.terms.length !== 1 || b?.terms.length !== 1 || s === undefined || t === undefined) return undefined;
  const isSame = dimSub(dimMul(a, dimConst(t.coefficient)), dimMul(b, dimConst(s.coefficient))).terms.length === 0;
  const divisor = gcd(s.coefficient, t.coefficient);
  return isSame ? [s.coefficient / divisor, t.coefficient / divisor] : undefined;
}

/** The coordinate without a common factor, a term with coefficient ±1 first; undefined where there is none or only one index. */
function normalised(terms: readonly Term[]): Coordinate | undefined {
  const divisor = terms.reduce((d, term) => gcd(d, term.coefficient), 0);
  const reduced = terms.map(({ index, coefficient: c }) => ({ index, coefficient: c / divisor }));
  const pivot = reduced.findIndex(({ coefficient: c }) => Math.abs(c) === 1);
  if (pivot < 0 || reduced.length < 2) return undefined;
  return { terms: [reduced[pivot] as Term, ...reduced.filter((_, i) => i !== pivot)] };
}

/** Run-time dimensions count as this many where one number has to do. */
export const TYPICAL = 64;

/** An extent when every run-time dimension is `size`; 1 at least. */
export function typicalExtent(extent: Dim, size = TYPICAL): number {
  const known =
    dimValue(extent) ?? dimEvaluate(extent, new Map([...dimSymbols(extent)].map((symbol) => [symbol, size])));
  return Math.max(1, known);
}

/** Whether a coordinate takes clearly fewer values than its indices together. */
function saves(nest: Nest, { terms }: Coordinate): boolean {
  let values = 1;
  let points = 1;
  for (const { index, coefficient: c } of terms) {
    const extent = typicalExtent(extentOf(nest, index));
    values += Math.abs(c) * (extent - 1);
    points *= extent;
  }
  return values <= 0.8 * points;
}

export function extentOf(nest: Nest, name: string): Dim {
  const found = [...nest.outer, ...nest.summed].find((index) => index.name === name);
  if (found === undefined) throw new Error(`the contraction has no index ${name}`);
  return found.extent;
}

/** Whether a position depends on the indices of a coordinate only through their sum. */
function dependsOnly(position: Position, { terms }: Coordinate): boolean {
  const [pivot, ...others] = terms as [Term, ...Term[]];
  const rest = others.reduce(
    (sum, { index, coefficient: c }) => dimAdd(sum, dimMul(dimConst(c), dimSymbol(index))),
    dimConst(0),
  );
  const solved = dimMul(dimConst(pivot.coefficient), dimSub(dimSymbol(pivot.index), rest));
  const moved = dimSubstitute(position, new Map([[pivot.index, solved]]));
  return others.every(({ index }) => !mentions(moved, index));
}

/** The same coordinate counted from its other end. */
export const reversed = ({ terms }: Coordinate): Coordinate => ({
  terms: terms.map(({ index, coefficient: c }) => ({ index, coefficient: -c })),
});

/** The number of values that a coordinate takes while its indices take `lengths`, without its margins. */
export const coordinateExtent = (
  { terms, margins: [first, last] = [0, 0] }: Coordinate,
  lengths: (index: string) => Dim,
): Dim =>
  terms.reduce(
    (sum, { index, coefficient: c }) => dimAdd(sum, dimMul(dimConst(Math.abs(c)), dimSub(lengths(index), dimConst(1)))),
    dimConst(1 - first - last),
  );

/** What must be added to Σ coefficient · index so that it begins at 0 behind the margin. */
const shiftOf = ({ terms, margins: [first] = [0, 0] }: Coordinate, lengths: (index: string) => Dim): Dim =>
  terms.reduce(
    (sum, { index, coefficient: c }) =>
      c > 0 ? sum : dimAdd(sum, dimMul(dimConst(-c), dimSub(lengths(index), dimConst(1)))),
    dimConst(-first),
  );

/** The coordinate of a point, from 0 on behind the margin. `local` are the indices from the beginning of the copied block. */
export const coordinateAt = (
  coordinate: Coordinate,
  local: (index: string) => Position,
  lengths: (index: string) => Dim,
): Position =>
  coordinate.terms.reduce(
    (sum, { index, coefficient: c }) => dimAdd(sum, dimMul(dimConst(c), local(index))),
    shiftOf(coordinate, lengths),
  );

/** Positions of the indices at which a factor has its element with a coordinate `value`; blocks begin at `bases`. */
export function indicesAt(
  coordinate: Coordinate,
  value: Position,
  bases: (index: string) => Position,
  lengths: (index: string) => Dim,
): readonly (readonly [string, Position])[] {
  const [pivot, ...others] = coordinate.terms as [Term, ...Term[]];
  const total = coordinate.terms.reduce(
    (sum, { index, coefficient: c }) => dimAdd(sum, dimMul(dimConst(c), bases(index))),
    dimSub(value, shiftOf(coordinate, lengths)),
  );
  const first = pivot.coefficient < 0 ? dimNeg(total) : total;
  return [[pivot.index, first], ...others.map(({ index }) => [index, dimConst(0)] as const)];
}
