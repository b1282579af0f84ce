// Measures of predictions against values of scikit-learn, running means, and early stopping.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Tensor } from '../../runtime/tensor.js';
import {
  accuracy,
  classificationReport,
  confusionMatrix,
  EarlyStopping,
  RunningMean,
  topKAccuracy,
} from '../../runtime/train/index.js';

const labels = Tensor.from([0, 1, 2, 2, 2, 1, 0]);
const predicted = Tensor.from([0, 2, 2, 1, 2, 1, 0]);

test('confusion matrices count true classes by predicted ones', () => {
  assert.equal(confusionMatrix(predicted, labels).toArray(), [
    [2, 0, 0],
    [0, 1, 1],
    [0, 1, 2],
  ]);
  assert.equal(confusionMatrix(predicted, labels, 4).shape, [4, 4]);
  const scores = Tensor.from(
    [
      [0.1, 0.9, 0],
      [0.8, 0.1, 0.1],
    ],
    { dtype: 'f32' },
  );
  assert.equal(confusionMatrix(scores, Tensor.from([1, 1])).toArray(), [
    [0, 0, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  assert.throws(() => confusionMatrix(predicted, labels, 2), /2 is not one of 2 classes/);
  assert.throws(() => confusionMatrix(predicted, Tensor.from([1])), /7 predictions do not go with 1 labels/);
});

test('precision, recall and F1 are those of scikit-learn', () => {
  const { classes, macro, weighted, accuracy: share } = classificationReport(predicted, labels);
  assert.is(share, 5 / 7);
  assert.equal(classes, [
    { precision: 1, recall: 1, f1: 1, support: 2 },
    { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 },
    { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, support: 3 },
  ]);
  assert.ok(Math.abs(macro.f1 - (1 + 0.5 + 2 / 3) / 3) < 1e-12);
  assert.ok(Math.abs(weighted.precision - (2 + 1 + 2) / 7) < 1e-12);
  const never = classificationReport(Tensor.from([0, 0]), Tensor.from([0, 1]));
  assert.equal(never.classes[1], { precision: 0, recall: 0, f1: 0, support: 1 });
});

test('top-k accuracy counts labels among the highest scores', () => {
  const scores = Tensor.from(
    [
      [0.5, 0.2, 0.3],
      [0.3, 0.4, 0.3],
      [0.2, 0.4, 0.4],
      [0.7, 0.2, 0.1],
    ],
    { dtype: 'f32' },
  );
  const y = Tensor.from([0, 2, 2, 2]);
  assert.equal(
    [1, 2, 3].map((k) => topKAccuracy(scores, y, k)),
    [0.25, 0.5, 1],
  );
  assert.is(topKAccuracy(scores, y, 1), accuracy(scores, y));
  assert.throws(() => topKAccuracy(scores, y, 4), /not 4 highest of 3 classes/);
});

test('running means weigh batches by their size', () => {
  const mean = new RunningMean();
  assert.ok(Number.isNaN(mean.value));
  assert.is(mean.add(1, 3).add(5).value, 2);
  assert.is(mean.count, 4);
  assert.is(mean.reset().add(7).value, 7);
});

test('early stopping ends after the patience and restores the best state', () => {
  const w = Tensor.zeros([1]);
  const session = {
    stateDict: () => ({ w }),
    loadStateDict: ({ w: saved }: Record<string, Tensor>) => w.copyFrom(saved!),
  };
  const stopping = new EarlyStopping({ patience: 2, minDelta: 0.1 });
  const goesOn = [5, 3, 2.95, 2.5, 2.6, Number.NaN].map((loss, i) => {
    w.fill(i);
    return stopping.step(loss, session);
  });
  assert.equal(goesOn, [true, true, true, true, true, false]);
  assert.equal([stopping.best, stopping.bestStep], [2.5, 3]);
  assert.ok(stopping.restore(session));
  assert.is(w.item(), 3);
  const accuracies = new EarlyStopping({ mode: 'max', patience: 1 });
  assert.equal(
    [0.5, 0.6, 0.6].map((value) => accuracies.step(value)),
    [true, true, false],
  );
  assert.not.ok(accuracies.restore(session));
  assert.throws(() => new EarlyStopping({ patience: 0 }), /not 0/);
});

test.run();
