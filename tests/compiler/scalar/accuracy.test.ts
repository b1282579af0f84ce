// The largest errors that the elementary functions state: f64 against values of high precision (tests/reference), f32 against f64 over
// all bit patterns in steps; and the values at special operands.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Elementary } from '../../../compiler/scalar/function.js';
import { elementaryFunctions } from '../../../compiler/scalar/index.js';
import { Random } from '../../support/random.js';
import { f32OfBits, sampledFunction, ulpError } from '../../support/scalar.js';

/** Rows of operands and the value as high + low. */
type Reference = Readonly<Record<string, readonly (readonly number[])[]>>;

const reference = JSON.parse(readFileSync('tests/samples/elementary/f64.json', 'utf8')) as Reference;

/** The largest error over a list of points, and where it is. */
function largestError(
  fn: Elementary,
  dtype: 'f32' | 'f64',
  operands: readonly (readonly number[])[],
  exact: (point: number) => readonly [number, number],
): { error: number; at: string } {
  const got = sampledFunction(fn[dtype])(...operands);
  let worst = { error: 0, at: '' };
  got.forEach((value, i) => {
    const error = ulpError(value, ...exact(i), dtype);
    if (error > worst.error) worst = { error, at: `(${operands.map((list) => list[i]).join(', ')}) = ${value}` };
  });
  return worst;
}

function check(fn: Elementary, dtype: 'f32' | 'f64', worst: { error: number; at: string }): void {
  assert.ok(worst.error <= fn.ulp[dtype], `${fn[dtype].name}${worst.at} is off by ${worst.error} ulp`);
}

for (const fn of elementaryFunctions) {
  test(`${fn.name} in f64`, () => {
    const rows = reference[fn.name] ?? [];
    assert.ok(rows.length >= 60, 'there are reference values');
    const operands = Array.from({ length: fn.arity }, (_, i) => rows.map((row) => row[i] as number));
    check(
      fn,
      'f64',
      largestError(fn, 'f64', operands, (i) => rows[i]?.slice(fn.arity) as [number, number]),
    );
  });

  test(`${fn.name} in f32`, () => {
    const random = new Random(4);
    const operands: number[][] = Array.from({ length: fn.arity }, () => []);
    if (fn.arity === 1)
      for (let pattern = 0; pattern < 2 ** 32; pattern += 100003) operands[0]?.push(f32OfBits(pattern));
    for (let i = 0; i < 5000; i++) operands.forEach((list) => void list.push(Math.fround(random.uniform(-8, 8))));
    const exact = sampledFunction(fn.f64)(...operands);
    check(
      fn,
      'f32',
      largestError(fn, 'f32', operands, (i) => [exact[i] as number, 0]),
    );
  });
}

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** Operands and value; -0 and 0 differ. */
const special: Readonly<Record<string, readonly (readonly number[])[]>> = {
  exp: [
    [inf, inf],
    [-inf, 0],
    [nan, nan],
    [0, 1],
    [-0, 1],
    [1000, inf],
    [-1000, 0],
  ],
  exp2: [
    [inf, inf],
    [-inf, 0],
    [nan, nan],
    [10, 1024],
    [-3, 0.125],
    [2000, inf],
    [-2000, 0],
  ],
  expm1: [
    [inf, inf],
    [-inf, -1],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [-100, -1],
  ],
  sigmoid: [
    [inf, 1],
    [-inf, 0],
    [nan, nan],
    [0, 0.5],
    [100, 1],
  ],
  log: [
    [inf, inf],
    [-inf, nan],
    [nan, nan],
    [0, -inf],
    [-0, -inf],
    [-1, nan],
    [1, 0],
  ],
  log2: [
    [inf, inf],
    [-inf, nan],
    [nan, nan],
    [0, -inf],
    [-1, nan],
    [1, 0],
    [8, 3],
    [0.25, -2],
  ],
  log10: [
    [inf, inf],
    [-inf, nan],
    [nan, nan],
    [0, -inf],
    [-1, nan],
    [1, 0],
    [1000, 3],
  ],
  log1p: [
    [inf, inf],
    [-inf, nan],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [-1, -inf],
    [-2, nan],
  ],
  sin: [
    [inf, nan],
    [-inf, nan],
    [nan, nan],
    [0, 0],
    [-0, -0],
  ],
  cos: [
    [inf, nan],
    [-inf, nan],
    [nan, nan],
    [0, 1],
    [-0, 1],
  ],
  tan: [
    [inf, nan],
    [-inf, nan],
    [nan, nan],
    [0, 0],
    [-0, -0],
  ],
  asin: [
    [2, nan],
    [-2, nan],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [inf, nan],
  ],
  acos: [
    [2, nan],
    [-2, nan],
    [nan, nan],
    [1, 0],
    [inf, nan],
  ],
  atan: [
    [nan, nan],
    [0, 0],
    [-0, -0],
  ],
  sinh: [
    [inf, inf],
    [-inf, -inf],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [1000, inf],
  ],
  cosh: [
    [inf, inf],
    [-inf, inf],
    [nan, nan],
    [0, 1],
    [1000, inf],
  ],
  tanh: [
    [inf, 1],
    [-inf, -1],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [50, 1],
    [-50, -1],
  ],
  asinh: [
    [inf, inf],
    [-inf, -inf],
    [nan, nan],
    [0, 0],
    [-0, -0],
  ],
  acosh: [
    [inf, inf],
    [nan, nan],
    [1, 0],
    [0.5, nan],
    [-5, nan],
    [-inf, nan],
  ],
  atanh: [
    [1, inf],
    [-1, -inf],
    [2, nan],
    [nan, nan],
    [0, 0],
    [-0, -0],
  ],
  erf: [
    [inf, 1],
    [-inf, -1],
    [nan, nan],
    [0, 0],
    [-0, -0],
    [10, 1],
  ],
  erfc: [
    [inf, 0],
    [-inf, 2],
    [nan, nan],
    [0, 1],
    [-10, 2],
    [100, 0],
  ],
  pow: [
    [nan, 0, 1],
    [1, nan, 1],
    [0, 0, 1],
    [nan, 1, nan],
    [2, nan, nan],
    [-2, 0.5, nan],
    [-2, 3, -8],
    [-2, 2, 4],
    [0, -1, inf],
    [-0, -1, -inf],
    [-0, -2, inf],
    [-0, 3, -0],
    [0, 0.5, 0],
    [-1, inf, 1],
    [-1, nan, nan],
    [0.5, inf, 0],
    [0.5, -inf, inf],
    [2, inf, inf],
    [2, -inf, 0],
    [inf, 2, inf],
    [inf, -2, 0],
    [-inf, 3, -inf],
    [-inf, 0.5, inf],
    [-inf, -3, -0],
    [10, 3, 1000],
    [4, 0.5, 2],
    [2, -1, 0.5],
    [10, 400, inf],
    [10, -400, 0],
  ],
  atan2: [
    [0, 1, 0],
    [-0, 1, -0],
    [0, 0, 0],
    [-0, 0, -0],
    [1, inf, 0],
    [-1, inf, -0],
    [nan, 1, nan],
    [1, nan, nan],
    [nan, 0, nan],
    [0, nan, nan],
    [inf, nan, nan],
  ],
  hypot: [
    [3, 4, 5],
    [0, 0, 0],
    [-0, 0, 0],
    [inf, nan, inf],
    [nan, -inf, inf],
    [nan, 1, nan],
  ],
};

/** Values that are not exact in both dtypes: rounded to the dtype. */
const rounded: Readonly<Record<string, readonly (readonly number[])[]>> = {
  asin: [
    [1, Math.PI / 2],
    [-1, -Math.PI / 2],
  ],
  acos: [
    [-1, Math.PI],
    [0, Math.PI / 2],
  ],
  atan: [
    [inf, Math.PI / 2],
    [-inf, -Math.PI / 2],
  ],
  atan2: [
    [0, -1, Math.PI],
    [-0, -1, -Math.PI],
    [0, -0, Math.PI],
    [-0, -0, -Math.PI],
    [1, 0, Math.PI / 2],
    [-1, 0, -Math.PI / 2],
    [inf, inf, Math.PI / 4],
    [-inf, inf, -Math.PI / 4],
    [inf, -inf, (3 * Math.PI) / 4],
    [-inf, -inf, (-3 * Math.PI) / 4],
    [1, -inf, Math.PI],
    [inf, 1, Math.PI / 2],
  ],
};

for (const fn of elementaryFunctions) {
  test(`${fn.name} at special operands`, () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const rows = [...(special[fn.name] ?? []), ...(rounded[fn.name] ?? [])];
      assert.ok(rows.length > 0);
      const evaluate = sampledFunction(fn[dtype]);
      for (const row of rows) {
        const [got] = evaluate(...row.slice(0, -1).map((x) => [x]));
        const want = row.at(-1) as number;
        const exact = dtype === 'f32' ? Math.fround(want) : want;
        assert.ok(
          Object.is(got, exact),
          `${fn[dtype].name}(${row.slice(0, -1).join(', ')}) is ${got}, expected ${exact}`,
        );
      }
    }
  });
}

test('functions that stay within ±1 do so in f32', () => {
  for (const name of ['tanh', 'erf', 'sin', 'cos', 'sigmoid']) {
    const fn = elementaryFunctions.find((each) => each.name === name) as Elementary;
    const operands = Array.from({ length: 100000 }, (_, i) => Math.fround(i / 10000));
    assert.ok(
      sampledFunction(fn.f32)(operands).every((y) => Math.abs(y) <= 1),
      name,
    );
  }
});

test('sin and cos reduce the largest numbers and the hardest one', () => {
  const [sin, cos] = ['sin', 'cos'].map((name) => elementaryFunctions.find((fn) => fn.name === name) as Elementary);
  // The f32 closest to a multiple of π/2, and the largest f32.
  assert.equal(
    sampledFunction((sin as Elementary).f32)([16367173 * 2 ** 72, 3.4028234663852886e38]),
    [1, -0.521876523334].map(Math.fround),
  );
  assert.equal(sampledFunction((cos as Elementary).f32)([16367173 * 2 ** 72]), [Math.fround(-1.614769798e-9)]);
});

test.run();
