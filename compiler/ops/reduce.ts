// All reduction records: sums, products, extremes with and without their position, and the two quantifiers.

import { type DType, dtypeKind, dtypes, intRange } from '../ir/dtype.js';
import { cast, constant, type Scalar } from '../ir/scalar.js';
import {
  add,
  and,
  choose,
  eq,
  ge,
  gt,
  isNan,
  le,
  literal,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
} from '../scalar/expression.js';
import { computeDType } from '../scalar/function.js';
import type { ReduceOp } from './op.js';
import { prodTangent, sharedAmongTies, sumTangent, tangentAtPosition } from './reduce-derivatives.js';

type Draft = Omit<ReduceOp, 'kind'>;
const numbers = dtypes.filter((dtype) => dtype !== 'bool');

/** The dtype in which many elements are joined: half floats would stagnate. */
const wideDType = (dtype: DType): DType => (dtypeKind(dtype) === 'float' ? computeDType(dtype) : dtype);

/** A fold by an associative and commutative operator; half floats are folded in f32. */
const fold = (
  identity: (dtype: DType) => Scalar,
  join: (a: Scalar, b: Scalar) => Scalar,
  rest: Omit<Draft, 'state' | 'results' | 'init' | 'step' | 'merge' | 'finish'>,
): ReduceOp => ({
  kind: 'reduce',
  state: (dtype) => [wideDType(dtype)],
  results: (dtype) => [dtype],
  init: (dtype) => [identity(wideDType(dtype))],
  step: ([state], element) => [join(state as Scalar, cast(element, (state as Scalar).dtype))],
  merge: ([left], [right]) => [join(left as Scalar, right as Scalar)],
  finish: ([state], dtype) => [cast(state as Scalar, dtype)],
  ...rest,
});

/** The smallest value of a dtype: the identity of max. */
const lowest = (dtype: DType): Scalar =>
  constant(dtypeKind(dtype) === 'float' ? Number.NEGATIVE_INFINITY : intRange(dtype).min, dtype);

/** The largest value of a dtype: the identity of min. */
const highest = (dtype: DType): Scalar =>
  constant(dtypeKind(dtype) === 'float' ? Number.POSITIVE_INFINITY : intRange(dtype).max, dtype);

const noPosition = literal(intRange('i64').max, 'i64');

/** An extreme value: which value it starts from, the operator that joins two, and whether one comes before another. */
interface Extreme {
  readonly worst: (dtype: DType) => Scalar;
  readonly join: (a: Scalar, b: Scalar) => Scalar;
  readonly beats: (a: Scalar, b: Scalar) => Scalar;
  /** The opposite for numbers; false where either is NaN. */
  readonly fails: (a: Scalar, b: Scalar) => Scalar;
}

const onBool =
  (join: (a: Scalar, b: Scalar) => Scalar, boolJoin: (a: Scalar, b: Scalar) => Scalar) => (a: Scalar, b: Scalar) =>
    a.dtype === 'bool' ? boolJoin(a, b) : join(a, b);

// Of equals the first one stays, which tells 0 from -0.
const largest: Extreme = { worst: lowest, join: onBool((a, b) => max(b, a), or), beats: gt, fails: le };
const smallest: Extreme = { worst: highest, join: onBool((a, b) => min(b, a), and), beats: lt, fails: ge };

type Located = readonly [value: Scalar, position: Scalar];

/** The better of two values with their positions; NaN beats every number, and of equals the first in row-major order wins. */
function betterOf({ beats }: Extreme, [a, i]: Located, [b, j]: Located): Located {
  const isFloat = dtypeKind(a.dtype) === 'float';
  const isEarlier = lt(j, i);
  const better = or(beats(b, a), and(eq(a, b), isEarlier));
  const takes = isFloat ? or(better, and(isNan(b), or(not(isNan(a)), isEarlier))) : better;
  return [choose(takes, b, a), choose(takes, j, i)];
}

/**
 * The better of a state and an element behind all that went into it: of equals the state wins, unless nothing went into it (`begun` false).
 * What compares as neither less nor equal, or not at all, beats a number.
 */
function laterOf({ fails }: Extreme, [a, i]: Located, [b, j]: Located, begun?: Scalar): Located {
  const isFloat = dtypeKind(a.dtype) === 'float';
  const better = isFloat ? and(not(fails(b, a)), eq(a, a)) : not(fails(b, a));
  const takes = begun === undefined ? better : or(better, not(begun));
  return [choose(takes, b, a), choose(takes, j, i)];
}

const withPosition = (
  extreme: Extreme,
  rest: Pick<Draft, 'name' | 'doc' | 'results' | 'derivative'>,
  finish: (state: Located) => readonly Scalar[],
): ReduceOp => ({
  kind: 'reduce',
  accepts: numbers,
  state: (dtype) => [dtype, 'i64'],
  init: (dtype) => [extreme.worst(dtype), noPosition],
  step: (state, element, position) =>
    laterOf(extreme, state as Located, [element, position], ne(state[1] as Scalar, noPosition)),
  whole: {
    init: (dtype) => [extreme.worst(dtype), literal(0, 'i64')],
    step: (state, element, position) => laterOf(extreme, state as Located, [element, position]),
  },
  merge: (left, right) => betterOf(extreme, left as Located, right as Located),
  finish: (state) => finish(state as Located),
  empty: 'error',
  domain: { low: -3, high: 3 },
  smooth: false,
  ...rest,
});

const positionOnly = { kind: 'none', reason: 'a position is an integer' } as const;
const domain = { low: -3, high: 3 };
const nanFirst = 'NaN counts as beyond every number; of equal elements the first in row-major order is meant.';

/** The record of the value alone, of the position alone, and of both, of one extreme. */
const extremeOps = (side: 'max' | 'min', adjective: string, extreme: Extreme): readonly ReduceOp[] => [
  fold(extreme.worst, extreme.join, {
    name: side,
    doc:
      `The ${adjective} element; NaN when there is one. The gradient is shared among equal elements, as in PyTorch's a${side}, ` +
      'and NaN where the value is.',
    accepts: dtypes,
    empty: 'error',
    derivative: { kind: 'rule', jvp: sharedAmongTies },
    domain,
    smooth: false,
  }),
  withPosition(
    extreme,
    {
      name: `arg${side}`,
      doc: `The row-major position of the ${adjective} element. ${nanFirst}`,
      results: () => ['i64'],
      derivative: positionOnly,
    },
    ([, position]) => [position],
  ),
  withPosition(
    extreme,
    {
      name: `${side}_with_index`,
      doc: `The ${adjective} element and its row-major position. ${nanFirst} The whole gradient goes to the element at the position.`,
      results: (dtype) => [dtype, 'i64'],
      derivative: { kind: 'rule', jvp: tangentAtPosition },
    },
    (state) => state,
  ),
];

const quantifier = (name: 'any' | 'all', doc: string, join: (a: Scalar, b: Scalar) => Scalar): ReduceOp =>
  fold((dtype) => constant(name === 'all', dtype), join, {
    name,
    doc,
    accepts: ['bool'],
    empty: 'identity',
    derivative: { kind: 'none', reason: 'a truth value has no derivative' },
    domain,
    smooth: false,
  });

export const reduceOps: readonly ReduceOp[] = [
  fold((dtype) => literal(0, dtype), add, {
    name: 'sum',
    doc: 'The sum; 0 of no elements. Integers wrap in their dtype.',
    accepts: numbers,
    empty: 'identity',
    derivative: { kind: 'rule', jvp: sumTangent },
    linear: true,
    domain,
    smooth: true,
  }),
  fold((dtype) => literal(1, dtype), mul, {
    name: 'prod',
    doc: 'The product; 1 of no elements. Integers wrap in their dtype. The first two derivatives are right at zeros too.',
    accepts: numbers,
    empty: 'identity',
    derivative: { kind: 'rule', jvp: prodTangent },
    domain: { low: 0.5, high: 1.5 },
    smooth: true,
  }),
  ...extremeOps('max', 'largest', largest),
  ...extremeOps('min', 'smallest', smallest),
  quantifier('any', 'Whether at least one element is true; false of no elements.', or),
  quantifier('all', 'Whether all elements are true; true of no elements.', and),
];
