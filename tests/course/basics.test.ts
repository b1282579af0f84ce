// The first chapters: tensors, derivatives, linear regression, and polynomials. The numbers are those that PyTorch prints for the same lines.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { close, runChapters, typeErrors } from './chapters.js';

const test = suite('course: basics');
const chapters = ['01-tensors', '02-autograd', '03-linear-regression', '07-polynomials'];
const output = runChapters(...chapters);

test('tensors', () => {
  const { text, numbers, number } = output('01-tensors');
  assert.is(text('a column').replaceAll(/\s+/g, ' '), 'tensor([[1.5000], [2.0000]])');
  assert.is(number('a[1, 2]'), 6);
  assert.equal(numbers('a[:, 0]'), [0, 4, 8]);
  assert.equal(numbers('a[0:2, 1:3]'), [1, 2, 5, 6]);
  assert.equal(numbers('shape of x[:, 1, ::2, ::2]'), [2, 14, 14]);
  assert.equal(numbers('a as before'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.is(text('a.T is a permutation'), 'true');
  assert.equal(numbers('a row plus a column'), [11, 12, 13, 21, 22, 23]);
  assert.equal(numbers('sizes of the parts'), [3, 3, 1, 2, 5]);
  assert.is(text('dtypes of i / 2, i + x, x + d, x > 0, i * 2, cast(x, i64)'), 'f32, f32, f64, bool, i64, i64');
  assert.equal(numbers('a @ a.T'), [14, 38, 62, 38, 126, 214, 62, 214, 366]);
  assert.is(number('trace'), 506);
  close(numbers('rows divided by their sums').slice(0, 4), [0, 0.1667, 0.3333, 0.5]);
  assert.equal(numbers('their columns'), [3, 2, 3, 2, 3, 2]);
  assert.is(text('0.1 in f32'), 'tensor([0.10000000149011611938])');
  assert.is(text('0.1 + 0.2 equals 0.3'), 'false');
  assert.is(text('0.1 + 0.2 is close to 0.3'), 'true');
});

test('derivatives', () => {
  const { numbers, number } = output('02-autograd');
  assert.equal(numbers('gradient of 2 x · x at 0, 1, 2, 3'), [0, 4, 8, 12]);
  assert.is(number('mean(3 (x + 2)²) at ones'), 27);
  assert.equal(numbers('its gradient').slice(0, 1), [409600]);
  assert.equal(numbers('at w = 1, b = 0'), [-8, -5]);
  assert.equal(numbers('at w = 2, b = 1'), [0, 0]);
  close(numbers('v times the Jacobian of x²'), [2, 0.4, 0.06]);
  close(numbers('gradient of softmax(a)[2]'), [-0.0599, -0.1628, 0.2227]);
  assert.equal(numbers('gradient of x · stop_gradient(x) at 3'), [3]);
  assert.is(number('f(-0.3) by doubling'), -122880);
  close(numbers('third'), [-1, -0.5403]);
  assert.is(number('largest slope of sigmoid'), 0.25);
  assert.ok(number('error of the quotient for h = 0.000001') < 1e-9);
});

test('linear regression', () => {
  const { numbers } = output('03-linear-regression');
  const truth = [-6, 3.2, 10.5, 1.7];
  close(numbers('gradient as derived'), numbers('gradient on paper'), 1e-3);
  close([...numbers('weights by hand'), ...numbers('bias by hand')], truth, 0.005);
  close([...numbers('weights with the library'), ...numbers('bias with the library')], truth, 0.005);
  for (const how of ['by the inverse', 'by solving', 'by least squares']) close(numbers(how), truth, 0.002);
  close(numbers('the lowest point of the grid'), [-6, 3.2]);
});

test('polynomials', () => {
  const { numbers, number } = output('07-polynomials');
  const pair = (name: string): readonly [number, number] => {
    const [training = Number.NaN, onTest = Number.NaN] = numbers(`${name}, training and test`);
    return [training, onTest];
  };
  close(numbers('weights of the cubic').slice(0, 4), [5, 1.2, -3.4, 5.6], 0.6);
  assert.ok(pair('cubic')[1] < 0.5);
  assert.ok(Math.min(...pair('line')) > 2, 'a line cannot follow a cubic');
  const [training, onTest] = pair('degree 15 on 16 samples');
  assert.ok(training < 0.05 && onTest > 1000, 'too many terms follow the noise');
  assert.is(number('best degree'), 3);
  close(pair('cubic after 1000 steps'), pair('cubic'), 0.01);
  assert.ok(pair('few after 1000 steps')[1] > 10 * pair('few after 1000 steps')[0]);
});

test('the scripts pass the type checker', () => assert.equal(typeErrors(...chapters), []));

test('the course is listed, and a chapter that there is not is refused', () => {
  const script = path.join(packageRoot, 'dist', 'examples', 'course.js');
  const list = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.is(list.status, 0);
  assert.match(list.stdout, /^01 {2}tensors {3}.*indexing/m);
  const wrong = spawnSync(process.execPath, [script, '99'], { encoding: 'utf8' });
  assert.is(wrong.status, 2);
  assert.match(wrong.stderr, /there is no chapter 99/);
});

test.run();
