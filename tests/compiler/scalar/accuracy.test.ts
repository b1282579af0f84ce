// The largest errors that the elementary functions state: f64 against values of high precision (tests/reference), f32 against f64 over
// all exponents; and the values at special operands.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Elementary } from '../../../compiler/scalar/function.js';
import { elementaryFunctions } from '../../../compiler/scalar/index.js';
import { operandsF32 } from '../../support/elementary-operands.js';
import { sampledFunction, ulpError } from '../../support/scalar.js';
import { specialRows } from '../../support/special-values.js';

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
    const operands = operandsF32(fn);
    const exact = sampledFunction(fn.f64)(...operands);
    check(
      fn,
      'f32',
      largestError(fn, 'f32', operands, (i) => [exact[i] as number, 0]),
    );
  });
}

for (const fn of elementaryFunctions) {
  test(`${fn.name} at special operands`, () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const rows = specialRows(fn.name, dtype);
      assert.ok(rows.length > 0);
      const evaluate = sampledFunction(fn[dtype]);
      for (const row of rows) {
        const operands = row.slice(0, -1);
        const [got] = evaluate(...operands.map((x) => [x]));
        assert.ok(
          Object.is(got, row.at(-1)),
          `${fn[dtype].name}(${operands.join(', ')}) is ${got}, expected ${row.at(-1)}`,
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
