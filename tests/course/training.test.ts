// The chapters on training: gates, softmax regression, multilayer perceptrons, weight decay, dropout, initialisation and optimizers.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { close, runChapters, typeErrors } from './chapters.js';

const test = suite('course: training');
const chapters = [
  '04-logistic-gates',
  '05-softmax-regression',
  '06-mlp',
  '08-weight-decay',
  '09-dropout',
  '10-initialisation',
  '11-optimizers',
];
const output = runChapters(...chapters);

test('logistic gates', () => {
  const { numbers, number } = output('04-logistic-gates');
  assert.equal(numbers('and'), [0, 0, 0, 1]);
  assert.equal(numbers('or'), [0, 1, 1, 1]);
  assert.equal(numbers('nand'), [1, 1, 1, 0]);
  assert.equal(numbers('xor'), [0, 1, 1, 0]);
  close(numbers('OR, learned by one neuron'), [0, 1, 1, 1], 0.1);
  close(numbers('XOR by one neuron'), [0.5, 0.5, 0.5, 0.5], 1e-3);
  close(numbers('its last loss, log 2'), [Math.log(2)]);
  close(numbers('XOR by two layers'), [0, 1, 1, 0], 0.01);
  assert.ok(number('their last loss') < 0.005);
  const share = number('share of the square that is called 1');
  assert.ok(share > 0.2 && share < 0.8);
});

test('softmax regression', () => {
  const { text, numbers, number } = output('05-softmax-regression');
  assert.match(text('naive softmax'), /nan, nan, nan, 0/);
  close(numbers('stable softmax').slice(0, 2), [1, 4.5398e-5]);
  assert.is(number('entropy in bits'), 1.5);
  close(numbers('cross-entropy with equal guesses'), [Math.log2(3)]);
  // Of torch.nn.functional.cross_entropy for these scores.
  close(numbers('loss of two examples'), [1.5496]);
  assert.is(text('gradient is softmax minus one-hot'), 'true');
  const [first = 0, , last = 0] = numbers('loss by epoch, with the library');
  assert.ok(last < 0.4 && last < first);
  close(numbers('loss by epoch, by hand'), numbers('loss by epoch, with the library'), 0.01);
  for (const how of ['by hand', 'with the library']) assert.ok(number(`test accuracy, ${how}`) >= 0.89);
});

test('multilayer perceptrons', () => {
  const { text, numbers, number } = output('06-mlp');
  assert.is(number('parameters of the small network'), 484);
  assert.is(numbers('squared norms of their gradients').length, 8);
  assert.is(text('two linear layers are one'), 'true');
  assert.ok((numbers('test accuracy by epoch').at(-1) ?? 0) >= 0.92);
  assert.ok(number('test accuracy with other parameters') < 0.3);
  assert.is(number('with the saved ones'), numbers('test accuracy by epoch').at(-1));
  assert.is(text('equal to the bit'), 'true');
  assert.equal(numbers('with a large bias of class 7, the classes are'), [7]);
});

test('weight decay', () => {
  const { text, number } = output('08-weight-decay');
  assert.ok(number('length of the weights without a penalty') > 10);
  assert.ok(number('length of the weights with an L2 penalty') < 1);
  assert.ok(number('test loss without a penalty') > 100 * number('test loss with an L2 penalty'));
  assert.ok(number('test loss with an L1 penalty') < number('test loss with an L2 penalty'));
  assert.is(text('by hand is the penalty'), 'true');
  assert.is(text('by the optimizer is the penalty'), 'true');
});

test('dropout', () => {
  const { text, numbers, number } = output('09-dropout');
  assert.equal(numbers('values that are left'), [0, 2]);
  close(numbers('share of zeros'), [0.5], 0.02);
  close(numbers('mean of the ones after dropout'), [1], 0.04);
  assert.is(text('the next mask is another'), 'true');
  assert.equal(numbers('p = 1').slice(-3), [0, 0, 0]);
  assert.ok(number('training loss with p = 0') < number('training loss with p = 0.5'));
  assert.ok(number('test loss with p = 0.5') < number('test loss with p = 0'));
  assert.is(text('evaluation is the same twice'), 'true');
});

test('initialisation', () => {
  const { numbers, number } = output('10-initialisation');
  const gradients = (name: string): readonly number[] => numbers(`gradients of ${name}, first and last`);
  assert.ok((gradients('relu, normal 0.01')[0] ?? 1) < 1e-20, 'they vanish');
  assert.ok((gradients('relu, normal 0.5')[0] ?? 0) > 1e9, 'they explode');
  for (const name of ['tanh, xavier_uniform', 'relu, kaiming_normal']) {
    const [first = 0, last = 0] = gradients(name);
    assert.ok(first / last > 0.2 && first / last < 5, `${name} keeps their size`);
  }
  assert.ok(number('largest initial weight') <= 0.125);
  close(numbers('deviation after xavier_normal'), [0.125], 0.01);
  close(numbers('share of zeros by a rule of our own'), [0.5], 0.03);
  assert.equal(numbers('a bias as the host sets it'), [42, 1, 1]);
  const equal = numbers('gradients of equal units');
  assert.equal(equal.slice(0, 3), equal.slice(9));
});

test('optimizers', () => {
  const { numbers, number, text } = output('11-optimizers');
  assert.equal(numbers('Adam after 0 steps'), [0, 0, 170]);
  // What torch.optim.Adam prints for the same loop.
  close(numbers('Adam after 2000 steps'), [2.3324, 1.9536, 13.7309], 2e-3);
  close(numbers('Adam after 20000 steps'), [3, 2, 0], 1e-5);
  close(numbers('from 4,0'), [3.58443, -1.84813]);
  close(numbers('from -4,0'), [-3.77931, -3.28319]);
  close(numbers('from -4,4'), [-2.80512, 3.13131]);
  assert.ok(number('steps of SGD with momentum 0.5') < number('steps of SGD'));
  assert.ok(number('steps of Adam') > 0 && number('steps of RMSprop') > 0);
  assert.is(text('SGD with a rate of 0.1 ends at'), 'NaN, NaN');
});

test('the scripts pass the type checker', () => assert.equal(typeErrors(...chapters), []));

test.run();
