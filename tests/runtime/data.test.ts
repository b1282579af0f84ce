// Data sets, splits, folds and loaders.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { batchRanges, DataLoader, kFolds, randomSplit, Subset, TensorDataset } from '../../runtime/data/index.js';
import { Tensor } from '../../runtime/tensor.js';

const numbers = (count: number) => new TensorDataset({ x: Tensor.arange(count), y: Tensor.arange(0, 10 * count, 10) });
const drawn = (loader: DataLoader<{ x: Tensor; y: Tensor }>) => [...loader].map(({ x }) => x.toArray() as number[]);

test('a batch has the form of the data set', () => {
  const named = new TensorDataset({ x: Tensor.zeros([4, 2]), y: Tensor.arange(4) });
  assert.is(named.length, 4);
  const batch = named.batch([3, 1]);
  assert.equal(batch.x.shape, [2, 2]);
  assert.equal(batch.y.toArray(), [3, 1]);
  const [x, y] = new TensorDataset([Tensor.zeros([4, 2]), Tensor.arange(4)] as const).range(1, 3);
  assert.equal(x.shape, [2, 2]);
  assert.equal(y.toArray(), [1, 2]);
  assert.throws(() => new TensorDataset([Tensor.zeros([2]), Tensor.zeros([3])]), /equally many rows: 2, but 1 has 3/);
  assert.throws(() => new TensorDataset({}), /at least one tensor/);
  assert.throws(() => new TensorDataset([Tensor.from(1)]), /have rows/);
});

test('loaders keep order, or shuffle by seed and epoch', () => {
  assert.equal(drawn(new DataLoader(numbers(7), { batch: 3 })), [[0, 1, 2], [3, 4, 5], [6]]);
  assert.equal(drawn(new DataLoader(numbers(7), { batch: 3, dropLast: true })), [
    [0, 1, 2],
    [3, 4, 5],
  ]);
  const loader = new DataLoader(numbers(50), { batch: 8, shuffle: true, seed: 3 });
  const [first, second] = [drawn(loader), drawn(loader)];
  assert.not.equal(first, second);
  assert.equal(
    first.flat().sort((a, b) => a - b),
    drawn(new DataLoader(numbers(50), { batch: 50 }))[0],
  );
  const resumed = new DataLoader(numbers(50), { batch: 8, shuffle: true, seed: 3 });
  resumed.epoch = 1;
  assert.equal(drawn(resumed), second);
  assert.not.equal(drawn(new DataLoader(numbers(50), { batch: 8, shuffle: true, seed: 4 })), first);
  for (const { x, y } of loader)
    assert.equal(
      y.toArray(),
      (x.toArray() as number[]).map((value) => 10 * value),
    );
});

test('the length of a loader is its number of batches', () => {
  for (const [count, batch, dropLast] of [
    [7, 3, false],
    [7, 3, true],
    [6, 3, false],
    [0, 3, false],
    [2, 3, true],
  ] as const) {
    const loader = new DataLoader(numbers(count), { batch, dropLast });
    assert.is(loader.length, [...loader].length);
  }
  assert.throws(() => new DataLoader(numbers(3), { batch: 0 }), /at least one example, not 0/);
  assert.equal(batchRanges(25, 10), [
    [0, 10],
    [10, 20],
    [20, 25],
  ]);
});

test('random splits divide the examples', () => {
  const all = numbers(10);
  const [train, test] = randomSplit(all, [7, 3], { seed: 1 }) as [
    Subset<typeof all.columns>,
    Subset<typeof all.columns>,
  ];
  assert.equal([train.length, test.length], [7, 3]);
  assert.equal(
    [...train.indices, ...test.indices].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.equal(train.range(0, 2).x.toArray(), [...train.indices.subarray(0, 2)]);
  assert.equal(test.batch([2, 0]).x.toArray(), [test.indices[2]!, test.indices[0]!]);
  assert.equal(
    randomSplit(all, [0.25, 0.75]).map((part) => part.length),
    [3, 7],
  );
  assert.throws(() => randomSplit(all, [5, 4]), /add up to the 10 examples, or to 1; these add up to 9/);
  assert.throws(() => randomSplit(all, [-0.5, 1.5]), /add up/);
  assert.throws(() => test.batch([3]), /no example 3 among 3/);
  assert.throws(() => new Subset(all, [10]), /no example 10 among 10/);
});

test('folds cover the examples once each', () => {
  assert.equal(kFolds(5, 2), [
    { valid: [0, 1, 2], train: [3, 4] },
    { valid: [3, 4], train: [0, 1, 2] },
  ]);
  assert.throws(() => kFolds(3, 4), /3 examples do not make 4 folds/);
});

test.run();
