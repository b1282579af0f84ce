// How well a model does: counts and shares of right predictions, per class too, and means over many batches.

import { formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';

/** The number of the largest element of each row of scores; the first of equal ones, and NaN counts as largest. */
export function argmaxRows(scores: Tensor): Int32Array {
  const { rows, columns, values } = rowsOf(scores);
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

function rowsOf(scores: Tensor): { rows: number; columns: number; values: Float64Array } {
  const [rows = 0, columns = 0] = scores.shape as readonly number[];
  if (scores.rank !== 2 || columns === 0)
    throw new RangeError(`scores have the shape [examples, classes], not ${formatShape(scores.shape)}`);
  return { rows, columns, values: scores.toNumbers() };
}

/** Predicted classes, from classes or from scores `[examples, classes]`, beside the labels `[examples]`. */
function pairs(predictions: Tensor, labels: Tensor): { predicted: ArrayLike<number>; truth: Float64Array } {
  const predicted = predictions.rank === labels.rank ? predictions.toNumbers() : argmaxRows(predictions);
  if (predicted.length !== labels.size) {
    throw new RangeError(`${predicted.length} predictions do not go with ${labels.size} labels`);
  }
  return { predicted, truth: labels.toNumbers() };
}

/** How many predictions are right: predicted classes, or scores `[examples, classes]`, against labels `[examples]`. */
export function countCorrect(predictions: Tensor, labels: Tensor): number {
  const { predicted, truth } = pairs(predictions, labels);
  return truth.reduce((correct, label, i) => correct + (predicted[i] === label ? 1 : 0), 0);
}

/** The share of predictions that are right; of no predictions at all, NaN. */
export function accuracy(predictions: Tensor, labels: Tensor): number {
  return countCorrect(predictions, labels) / labels.size;
}

/** The share of examples whose label is among the k highest scores. Of equal scores those of smaller numbers count as higher. */
export function topKAccuracy(scores: Tensor, labels: Tensor, k: number): number {
  const { rows, columns, values } = rowsOf(scores);
  if (!Number.isInteger(k) || k < 1 || k > columns)
    throw new RangeError(`there are not ${k} highest of ${columns} classes`);
  if (rows !== labels.size) throw new RangeError(`${rows} predictions do not go with ${labels.size} labels`);
  const correct = labels.toNumbers().filter((label, row) => {
    const own = values[row * columns + label];
    if (own === undefined || label < 0 || label >= columns) return false;
    let higher = 0;
    for (let c = 0; c < columns; c++) {
      const score = values[row * columns + c]!;
      if (score > own || (score === own && c < label)) higher++;
    }
    return higher < k;
  });
  return correct.length / rows;
}

/** How often each true class (rows) was predicted as each class (columns): i64 [classes, classes]. */
export function confusionMatrix(
  predictions: Tensor,
  labels: Tensor,
  classes?: number,
): Tensor<'i64', [number, number]> {
  const { predicted, truth } = pairs(predictions, labels);
  const count =
    classes ??
    largest(truth, largest(predicted, predictions.rank > labels.rank ? Number(predictions.shape[1]) - 1 : -1)) + 1;
  const data = new BigInt64Array(count * count);
  for (let i = 0; i < truth.length; i++) {
    const [row, column] = [truth[i]!, predicted[i]!];
    for (const value of [row, column]) {
      if (!Number.isInteger(value) || value < 0 || value >= count)
        throw new RangeError(`${value} is not one of ${count} classes`);
    }
    data[row * count + column]!++;
  }
  return new Tensor<'i64', [number, number]>('i64', [count, count], data);
}

function largest(values: ArrayLike<number>, start: number): number {
  let most = start;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}

/** How well one class is found. */
export interface ClassScores {
  /** Of the examples that were predicted as the class, the share that is of it. */
  readonly precision: number;
  /** Of the examples of the class, the share that was predicted as it. */
  readonly recall: number;
  /** The harmonic mean of both. */
  readonly f1: number;
  /** The number of examples of the class. */
  readonly support: number;
}

export interface ClassificationReport {
  readonly accuracy: number;
  readonly classes: readonly ClassScores[];
  /** The plain means over the classes. */
  readonly macro: ClassScores;
  /** The means over the classes, weighted by their numbers of examples. */
  readonly weighted: ClassScores;
}

/** Precision, recall and F1 of each class and their means. A share of nothing counts as 0, as in scikit-learn. */
export function classificationReport(predictions: Tensor, labels: Tensor, classes?: number): ClassificationReport {
  const matrix = confusionMatrix(predictions, labels, classes);
  const count = matrix.shape[0];
  const cells = matrix.toNumbers();
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const scores = Array.from({ length: count }, (_, c): ClassScores => {
    let [predicted, support] = [0, 0];
    for (let other = 0; other < count; other++) {
      predicted += cells[other * count + c]!;
      support += cells[c * count + other]!;
    }
    const right = cells[c * count + c]!;
    return {
      precision: share(right, predicted),
      recall: share(right, support),
      f1: share(2 * right, predicted + support),
      support,
    };
  });
  const total = labels.size;
  const mean = (weight: (score: ClassScores) => number): ClassScores => {
    const weights = scores.reduce((sum, score) => sum + weight(score), 0);
    const of = (name: 'precision' | 'recall' | 'f1') =>
      share(
        scores.reduce((sum, score) => sum + weight(score) * score[name], 0),
        weights,
      );
    return { precision: of('precision'), recall: of('recall'), f1: of('f1'), support: total };
  };
  return {
    accuracy: accuracy(predictions, labels),
    classes: scores,
    macro: mean(() => 1),
    weighted: mean(({ support }) => support),
  };
}

/** A mean that grows batch by batch: `mean.add(loss, batchSize)`. */
export class RunningMean {
  #total = 0;
  #weight = 0;

  /** Adds a value that stands for `weight` examples. */
  add(value: number, weight = 1): this {
    this.#total += value * weight;
    this.#weight += weight;
    return this;
  }

  /** The number of examples so far. */
  get count(): number {
    return this.#weight;
  }

  /** The mean of what was added; NaN before anything was. */
  get value(): number {
    return this.#total / this.#weight;
  }

  /** Forgets everything. */
  reset(): this {
    this.#total = 0;
    this.#weight = 0;
    return this;
  }
}
