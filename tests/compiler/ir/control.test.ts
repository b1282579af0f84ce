// Loops and conditional nodes: what they compute, their text form, and what the verifier refuses.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationError } from '../../../compiler/ir/evaluate/error.js';
import { evaluateFunction } from '../../../compiler/ir/evaluate/evaluate.js';
import { hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { printModule } from '../../../compiler/ir/print.js';
import { moduleEquals } from '../../../compiler/ir/text/equal.js';
import { VerifyError, verifyModule } from '../../../compiler/ir/verify.js';
import { loopModule, loopNames, loopTexts } from '../../support/loops.js';

const vector = (...values: number[]) => hostTensor('f64', [values.length], values);
const near = (got: readonly number[], want: readonly number[]) => {
  assert.is(got.length, want.length);
  got.forEach((x, i) => void assert.ok(Math.abs(x - (want[i] as number)) < 1e-12, `${i}: ${x}, not ${want[i]}`));
};

for (const name of loopNames) {
  test(`${name} is well-formed and prints so that it reads back`, () => {
    const module = loopModule(name);
    verifyModule(module, { stage: 'differentiated' });
    assert.ok(moduleEquals(parseModule(printModule(module)), module), printModule(module));
  });
}

test('a scan carries a state and stacks what its trips give', () => {
  const w = hostTensor('f64', [1, 1], [0.5]);
  const xs = hostTensor('f64', [3, 1, 1], [1, -1, 2]);
  const [hs, h] = evaluateFunction(loopModule('elman'), 'elman', [w, hostTensor('f64', [1, 1], [0.25]), xs]);
  const h1 = Math.tanh(0.5 * 0.25 + 1);
  const h2 = Math.tanh(0.5 * h1 - 1);
  const h3 = Math.tanh(0.5 * h2 + 2);
  near(numbersOf(hs as never), [h1, h2, h3]);
  near(numbersOf(h as never), [h3]);
});

test('a reversed loop goes from the last position to the first', () => {
  const [h, ys] = evaluateFunction(loopModule('backwards'), 'backwards', [
    vector(2),
    vector(0),
    hostTensor('f64', [3, 1], [1, 2, 3]),
  ]);
  const h2 = Math.sin(3);
  const h1 = Math.sin(2 * h2 + 2);
  const h0 = Math.sin(2 * h1 + 1);
  near(numbersOf(h as never), [h0]);
  near(numbersOf(ys as never), [0, 1 * h1 * 2, 2 * h2 * 3]);
});

test('a loop with a condition ends on data and tells how often it ran', () => {
  const [x, xs, n] = evaluateFunction(loopModule('newton'), 'newton', [vector(1, 2, 2)]);
  assert.ok(Math.abs(numbersOf(x as never)[0] as number) - Math.sqrt(10) < 1e-3);
  const trips = numbersOf(n as never)[0] as number;
  assert.ok(trips > 2 && trips < 10);
  assert.ok(numbersOf(xs as never).every((value, i) => (value === 0) === i >= trips));
  near(numbersOf(evaluateFunction(loopModule('doubling'), 'doubling', [vector(3, 0)])[0] as never), [1536, 0]);
  near(numbersOf(evaluateFunction(loopModule('doubling'), 'doubling', [vector(-3, 0)])[0] as never), [-153600, 0]);
});

test('a loop that reaches its bound is an error', () => {
  const limit = (error: Error) => error instanceof EvaluationError && /64 trips, its limit/.test(error.message);
  assert.throws(() => evaluateFunction(loopModule('doubling'), 'doubling', [vector(0, 0)]), limit);
  const inputs = [vector(1, 1, 1, 1, 1), hostTensor('f64', [6, 5], Array(30).fill(0))];
  assert.throws(() => evaluateFunction(loopModule('counted'), 'counted', inputs), /6 trips/);
});

test('a loop of no trips gives what it was given', () => {
  const [h, ys] = evaluateFunction(loopModule('backwards'), 'backwards', [
    vector(2, 2),
    vector(4, 5),
    hostTensor('f64', [0, 2], []),
  ]);
  near(numbersOf(h as never), [4, 5]);
  assert.equal(ys?.shape, [0, 2]);
});

/** A text with one thing replaced is refused for the reason given. */
function refused(name: keyof typeof loopTexts, from: string, to: string, reason: RegExp): void {
  assert.ok(loopTexts[name].includes(from), from);
  const module = parseModule(`tdir 1\n${loopTexts[name].replace(from, to)}`);
  assert.throws(
    () => verifyModule(module),
    (error: Error) => error instanceof VerifyError && reason.test(error.message),
  );
}

test('the verifier refuses what does not fit', () => {
  refused('elman', 'over [T] with', 'over [B] with', /no slice for each of B trips/);
  refused('elman', 'with %w carry %h0', 'carry %w, %h0', /does not give the carries|does not take/);

  refused('doubling', 'over [64] while @more', 'while @more reverse', /neither counted nor reversed/);
  refused('doubling', 'over [64] while @more carry %b0 : f64[N], i64', 'carry %b0 : f64[N], i64', /nothing ends it/);
  refused('doubling', 'while @more carry', 'while @twice carry', /is no condition/);
});

test.run();
