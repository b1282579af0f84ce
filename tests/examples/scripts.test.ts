// The scripts of the examples run to their end, each with the last line that the README promises.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

/** The lines that a script prints to standard output. */
function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): readonly string[] {
  const result = spawnSync(process.execPath, [path.join(packageRoot, 'dist', 'examples', script), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  assert.is(result.status, 0, `${script}: ${result.stderr}`);
  return result.stdout.trimEnd().split('\n');
}

/** The number at the end of a line. */
const lastNumber = (line: string | undefined): number => Number(/(-?[\d.]+)$/.exec(line ?? '')?.[1]);

const test = suite('scripts of the examples');

test('the demo reaches an accuracy of 0.94 on digits that it has not seen', () => {
  const last = run('mlp.js').at(-1);
  assert.match(last ?? '', /^test accuracy 0\.\d{4}$/);
  assert.ok(lastNumber(last) >= 0.94, last);
});

test('linear regression: the gradient is the closed form, and training recovers the weights', () => {
  const lines = run('linear_regression.js');
  const tensors = lines.map((line) => /tensor\((.*)\)/.exec(line)?.[1] ?? '');
  const numbers = (text: string | undefined): readonly number[] => (text?.match(/-?\d+\.\d+/g) ?? []).map(Number);
  const [derived, closed, weight, bias] = tensors.filter((text) => text !== '').map(numbers);
  assert.is(derived?.length, 3);
  derived?.forEach((value, i) => void assert.ok(Math.abs(value - (closed?.[i] ?? Number.NaN)) < 1e-3));
  [-6, 3.2, 10.5].forEach((value, i) => void assert.ok(Math.abs(value - (weight?.[i] ?? Number.NaN)) < 0.01));
  assert.ok(Math.abs(1.7 - (bias?.[0] ?? Number.NaN)) < 0.01);
});

const fashion = process.env.TDSL_DATA ?? '/usr/share/datasets/fashion-mnist';
if (existsSync(fashion)) {
  test('softmax regression learns Fashion-MNIST', () => {
    const last = run('fashion.js', ['softmax_regression', '1']).at(-1);
    assert.ok(lastNumber(last) >= 0.75, last);
  });
} else {
  console.log(`SKIP softmax regression on Fashion-MNIST: there is no folder ${fashion}`);
  test.skip('softmax regression learns Fashion-MNIST', () => {});
}

test('a model that there is not ends in the usage', () => {
  const script = path.join(packageRoot, 'dist', 'examples', 'fashion.js');
  const result = spawnSync(process.execPath, [script, 'nonsense'], { encoding: 'utf8' });
  assert.is(result.status, 2);
  assert.match(result.stderr, /usage: npm run fashion/);
});

test.run();
