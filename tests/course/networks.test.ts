// The chapters on networks: convolution, batch normalisation, recurrence and attention.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { close, runChapters, typeErrors } from './chapters.js';

const test = suite('course: networks');
const chapters = ['12-cnn', '13-batch-norm', '14-recurrent-networks', '15-attention'];
const output = runChapters(...chapters);

test('convolutional networks', () => {
  const { text, numbers, number } = output('12-cnn');
  assert.equal(numbers('cross-correlation by hand'), [19, 25, 37, 43]);
  assert.is(text('the library agrees'), 'true');
  assert.is(text('a kernel of one pixel is a linear layer'), 'true');
  assert.equal(numbers('sizes of valid, padded, strided, dilated'), [24, 28, 12, 20]);
  assert.equal(numbers('max pooling'), [5, 7, 13, 15]);
  assert.equal(numbers('average pooling'), [2.5, 4.5, 10.5, 12.5]);
  assert.equal(numbers('max pooling of windows of 3, padded'), [5, 7, 13, 15]);
  close(numbers('the learned kernel'), [1, -1], 0.02);
  assert.is(number('parameters of LeNet'), 61706);
  assert.ok((numbers('test accuracy by epoch').at(-1) ?? 0) >= 0.92);
});

test('batch normalisation', () => {
  const { text, numbers, number } = output('13-batch-norm');
  assert.is(text('by hand and by the library'), 'true');
  assert.is(text('mean is 0'), 'true');
  close(numbers('variance'), [1]);
  close(numbers('running mean after one step'), [0.3, 0.3, 0.3, 0.3], 0.05);
  close(numbers('running mean after a hundred'), [3, 3, 3, 3], 0.5);
  assert.is(text('evaluation of one row is the row of all'), 'true');
  close(numbers('a layer norm of 1, 2, 3, 4'), [-1.3416, -0.4472, 0.4472, 1.3416]);
  assert.ok(number('test accuracy without') < 0.2);
  assert.ok(number('test accuracy with') > 0.7);
});

test('recurrent networks', () => {
  const { number, numbers } = output('14-recurrent-networks');
  assert.ok(number('error of the network') < 0.1 * number('error of the last value as a forecast'));
  const [first = 0, last = 0] = numbers('losses, first and last');
  assert.ok(last < 0.05 * first);
  assert.ok(number('accuracy of the RNN after 40 steps') < 0.65);
  assert.ok(number('accuracy of the LSTM') > 0.9);
  assert.ok(number('influence of the first number on the RNN') < 1e-4);
  assert.ok(number('influence on the LSTM') > 1e-3);
});

test('attention', () => {
  const { text, numbers, number } = output('15-attention');
  const weights = numbers('causal weights');
  for (const row of [0, 1, 2, 3]) {
    const [seen, hidden] = [weights.slice(4 * row, 5 * row + 1), weights.slice(5 * row + 1, 4 * row + 4)];
    close([seen.reduce((sum, weight) => sum + weight, 0), ...hidden], [1, ...hidden.map(() => 0)], 2e-4);
  }
  const [first = 0, second = 0, ...later] = numbers('dependence of position 1 on all four');
  assert.ok(first > 0 && second > 0);
  assert.equal(later, [0, 0]);
  assert.is(text('the layer is the formula'), 'true');
  assert.ok(number('error with the learned width') < number('error with width 1'));
  assert.ok(number('error with width 1') < number('error of the mean of all'));
  close(numbers('weights sum to'), [1]);
  assert.ok(number('right answers') > 0.98);
  assert.ok(number('mean weight on the right pair') > 0.7);
});

test('the scripts pass the type checker', () => assert.equal(typeErrors(...chapters), []));

test.run();
