// How well a model does on labelled examples.

import type { Tensor } from '../tensor.js';

/** The number of the largest element of each row of scores; the first of equal ones, and NaN counts as largest. */
export function argmaxRows(scores: Tensor): Int32Array {
  const [rows = 0, columns = 0] = scores.shape as readonly number[];
  if (scores.rank !== 2 || columns === 0)
    throw new RangeError(`scores have the shape [examples, classes], not [${scores.shape}]`);
  const values = scores.toNumbers();
  const best = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let winner = row * columns;
    for (let i = winner + 1; i < (row + 1) * columns && !Number.isNaN(values[winner]!); i++) {
      if (values[i]! > values[winner]! || Number.isNaN(values[i]!)) winner = i;
    }
    best[row] = winner - row * columns;
  }
  return best;
}

/** How many predictions are right: predicted classes, or scores `[examples, classes]`, against labels `[examples]`. */
export function countCorrect(predictions: Tensor, labels: Tensor): number {
  const classes = predictions.rank === labels.rank ? predictions.toNumbers() : argmaxRows(predictions);
  if (classes.length !== labels.size) {
    throw new RangeError(`${classes.length} predictions do not go with ${labels.size} labels`);
  }
  return labels.toNumbers().reduce((correct, label, i) => correct + (classes[i] === label ? 1 : 0), 0);
}

/** The share of predictions that are right; of no predictions at all, NaN. */
export function accuracy(predictions: Tensor, labels: Tensor): number {
  return countCorrect(predictions, labels) / labels.size;
}
