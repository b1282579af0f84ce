// Operands that try elementary functions: every exponent of f32 with both signs, where functions change, what reductions find hard, and
// numbers that are none.

import { readFileSync } from 'node:fs';
import type { Elementary } from '../../compiler/scalar/function.js';
import { Random } from './random.js';
import { f32OfBits } from './scalar.js';

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2,
  3,
  Infinity,
  -Infinity,
  Number.NaN,
  2 ** -149,
  -(2 ** -126),
  3.4028234663852886e38,
];

/** For each exponent and sign of f32, subnormal numbers and NaN included: the ends of its mantissas, and `count` others. */
function allExponents(random: Random, count: number): number[] {
  const mantissas = () => [
    0,
    1,
    2 ** 22,
    2 ** 23 - 1,
    ...Array.from({ length: count }, () => random.int(0, 2 ** 23 - 1)),
  ];
  return Array.from({ length: 512 }, (_, head) =>
    mantissas().map((mantissa) => f32OfBits(head * 2 ** 23 + mantissa)),
  ).flat();
}

/** f32 values nearest to multiples of π/2, where angles lose most digits when they are reduced. */
const nearMultiples = (random: Random): number[] =>
  Array.from({ length: 2000 }, (_, i) => Math.fround((i < 1000 ? i : random.int(1000, 2 ** 40)) * (Math.PI / 2)));

/** Both operands among the special ones, in all pairs. */
const specialPairs = (): [number[], number[]] => [
  SPECIAL.flatMap((x) => SPECIAL.map(() => x)),
  SPECIAL.flatMap(() => SPECIAL),
];

/** Operands in f32: one list for each operand of the function. */
export function operandsF32({ arity }: Elementary): number[][] {
  const random = new Random(11);
  const near = (): number => Math.fround(random.uniform(-8, 8));
  if (arity === 1) {
    const list = [
      ...SPECIAL,
      ...allExponents(random, 60),
      ...Array.from({ length: 8000 }, near),
      ...nearMultiples(random),
    ];
    return [list];
  }
  const [xs, ys] = specialPairs();
  const exponents = allExponents(random, 8);
  const others = random.shuffle(exponents);
  const moderate = Array.from({ length: 8000 }, () => [near(), near()] as const);
  return [
    [...xs, ...exponents, ...moderate.map(([x]) => x)],
    [...ys, ...others, ...moderate.map(([, y]) => y)],
  ];
}

const reference = JSON.parse(readFileSync('tests/samples/elementary/f64.json', 'utf8')) as Readonly<
  Record<string, readonly (readonly number[])[]>
>;

/** Operands in f64: those of the reference values, which cover its exponents, and those of f32. */
export function operandsF64(fn: Elementary): number[][] {
  const rows = reference[fn.name] ?? [];
  return operandsF32(fn).map((list, i) => [...rows.map((row) => row[i] as number), ...list]);
}
