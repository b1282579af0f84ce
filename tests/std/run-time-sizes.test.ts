// Library functions whose results have sizes that are known only when running: they are what the same sizes give when compiling.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { f32, instanceOf } from '../support/program.js';
import { evaluate } from './evaluate.js';

const cases: readonly (readonly [expr: string, type: string])[] = [
  ['interpolate(x, scale_factor: 2.0)', 'f32[1, 2, 2 * H, 2 * W]'],
  ['interpolate(x, scale_factor: 3.0, mode: "nearest-exact")', 'f32[1, 2, 3 * H, 3 * W]'],
  ['interpolate(x, scale_factor: 2.0, mode: "bilinear")', 'f32[1, 2, 2 * H, 2 * W]'],
  ['interpolate(x, scale_factor: 2.0, mode: "bilinear", align_corners: true)', 'f32[1, 2, 2 * H, 2 * W]'],
  ['interpolate(x, scale_factor: [0.5, 1.0], mode: "bicubic")', 'f32[1, 2, H // 2, W]'],
  ['linspace(1.0, 3.0, size(x, 3))', 'f32[W]'],
  ['logspace(0.0, 2.0, size(x, 2), dtype: f64)', 'f64[H]'],
  ['sort(randperm(size(x, 3)))[0]', 'i64[W]'],
];

for (const [expr, type] of cases) {
  test(expr, () => {
    const { run } = instanceOf(`tdsl 1\ndim H, W\nexport fn f(x: f32[1, 2, H, W]) -> ${type} = ${expr}\n`);
    for (const [h, w] of [
      [3, 5],
      [2, 1],
      [4, 4],
    ] as const) {
      const values = Array.from({ length: 2 * h * w }, (_, i) => Math.sin(i));
      const x = f32([1, 2, h, w], values);
      const [[actual], [expected]] = [run('f', [x]), evaluate(expr, { x })];
      assert.ok(actual !== undefined && expected !== undefined);
      assert.equal(actual.shape, expected.shape);
      assert.equal(numbersOf(actual), numbersOf(expected), `of ${h} by ${w}`);
    }
  });
}

test.run();
