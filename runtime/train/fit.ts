// The training loop: epochs of steps, a test after each, and a record of both. It knows a session only as an object with
// methods, so that it works with every compiled program.

import type { Columns, Dataset } from '../data/dataset.js';
import { batchRanges } from '../data/loader.js';
import { Tensor } from '../tensor.js';
import { countCorrect } from './metrics.js';
import { type EpochRecord, type Progress, textProgress } from './progress.js';

/** The names of a session's methods. */
export type MethodName<S> = { [K in keyof S]: S[K] extends (...args: never[]) => unknown ? K : never }[keyof S] &
  string;

/** What a test needs to know. */
export interface EvaluateOptions<S> {
  /** The method that predicts: classes `[examples]`, or scores `[examples, classes]`. */
  readonly predict: MethodName<S>;
  /** The column that holds the labels, by name or place; the last one unless given. The others are the arguments. */
  readonly label?: string | number;
  /** How many examples are predicted at a time. */
  readonly batch?: number;
}

export interface FitOptions<S, B extends Columns> {
  /** The method that learns from one batch and returns its loss (a tuple begins with it, a record names it `loss`). */
  readonly step: MethodName<S>;
  /** The batches of an epoch, such as a `DataLoader`: records are passed as named arguments, tuples by place. */
  readonly train: Iterable<B> & { readonly length?: number };
  readonly epochs?: number;
  /** Examples that measure the accuracy after each epoch. */
  readonly test?: Dataset<B>;
  /** How they are predicted; by the method `predict` unless given. */
  readonly predict?: MethodName<S>;
  readonly label?: string | number;
  readonly testBatch?: number;
  /** Whether, or through what, progress is shown; on the standard error stream unless given. */
  readonly progress?: boolean | Progress;
  /**
   * Measures of each epoch beside the loss and the test accuracy, such as the accuracy on the training data or the loss on validation data; they
   * are shown and recorded under their names.
   */
  measure?(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
  /** Called, and awaited, after each step, with its number from 0 on over all epochs and the loss of its batch: the place for schedules. */
  onStep?(step: number, loss: number): unknown;
  /** Called, and awaited, after each epoch; training ends where it gives false. */
  onEpoch?(record: EpochRecord): unknown;
}

/** What a training has recorded. */
export interface History {
  readonly epochs: readonly EpochRecord[];
  /** The loss of each step. */
  readonly losses: readonly number[];
}

/** Trains a session. Methods run in their asynchronous form where there is one, so that the event loop stays free. */
export async function fit<S extends object, B extends Columns>(
  session: S,
  options: FitOptions<S, B>,
): Promise<History> {
  const { train, test, epochs = 1 } = options;
  const predict = options.predict ?? ('predict' as MethodName<S>);
  const step = methodOf(session, options.step);
  if (test !== undefined) methodOf(session, predict);
  const progress = options.progress === true || options.progress === undefined ? textProgress() : options.progress;
  const records: EpochRecord[] = [];
  const losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const started = performance.now();
    let [total, examples, steps] = [0, 0, 0];
    for (const batch of train) {
      const loss = lossOf(await step(...argumentsOf(batch)), options.step);
      const size = Object.values<Tensor>(batch)[0]?.shape[0] ?? 1;
      total += loss * size;
      examples += size;
      steps++;
      losses.push(loss);
      await options.onStep?.(losses.length - 1, loss);
      if (progress) progress.step({ epoch, epochs, step: steps, steps: train.length, loss: total / examples });
    }
    if (steps === 0) throw new RangeError('the training data have no batch');
    const seconds = (performance.now() - started) / 1000;
    const { label, testBatch } = options;
    const measured = test && {
      accuracy: await evaluate(session, test, {
        predict,
        ...(label !== undefined && { label }),
        ...(testBatch !== undefined && { batch: testBatch }),
      }),
    };
    const measures = await options.measure?.();
    const record: EpochRecord = {
      epoch,
      loss: total / examples,
      seconds,
      examples,
      ...measured,
      ...(measures && { measures }),
    };
    records.push(record);
    if (progress) progress.epoch(record, epochs);
    if ((await options.onEpoch?.(record)) === false) break;
  }
  return { epochs: records, losses };
}

/** The share of a data set's examples that a session predicts right. */
export async function evaluate<S extends object, B extends Columns>(
  session: S,
  dataset: Dataset<B>,
  options: EvaluateOptions<S>,
): Promise<number> {
  const predict = methodOf(session, options.predict);
  let correct = 0;
  for (const [start, end] of batchRanges(dataset.length, options.batch ?? 1000)) {
    const { inputs, labels } = splitLabels(dataset.range(start, end), options.label);
    const predictions = await predict(...argumentsOf(inputs));
    if (!(predictions instanceof Tensor)) throw new TypeError(`${options.predict} returns no tensor of predictions`);
    correct += countCorrect(predictions, labels);
  }
  return correct / dataset.length;
}

/** A method of a session by name, in its asynchronous form (`nameAsync`) where there is one. */
function methodOf<S extends object>(session: S, name: MethodName<S>): (...args: unknown[]) => unknown {
  for (const candidate of [`${name}Async`, name]) {
    const method: unknown = Reflect.get(session, candidate);
    if (typeof method === 'function') return (...args) => Reflect.apply(method, session, args);
  }
  const methods = Object.entries(session).flatMap(([key, value]) => (typeof value === 'function' ? [key] : []));
  throw new TypeError(`the session has no method ${name}; it has ${methods.join(', ') || 'none'}`);
}

/** A batch as the arguments of a method. */
function argumentsOf(batch: Columns): unknown[] {
  return Array.isArray(batch) ? [...batch] : [batch];
}

/** A batch without the column of labels, and that column. */
function splitLabels(batch: Columns, label?: string | number): { inputs: Columns; labels: Tensor } {
  const entries = Object.entries<Tensor>(batch);
  const place = label === undefined ? entries.length - 1 : entries.findIndex(([name]) => name === String(label));
  const labels = entries[place]?.[1];
  if (labels === undefined) {
    throw new RangeError(
      `the test data have no column ${label}; they have ${entries.map(([name]) => name).join(', ')}`,
    );
  }
  const others = entries.filter((_, i) => i !== place);
  return { inputs: Array.isArray(batch) ? others.map(([, tensor]) => tensor) : Object.fromEntries(others), labels };
}

/** The loss that a step returned: a number, a tensor of one element, the first of a tuple, or `loss` of a record. */
function lossOf(result: unknown, step: string): number {
  if (typeof result === 'number') return result;
  if (result instanceof Tensor && result.size === 1) return Number(result.item());
  if (Array.isArray(result) && result.length > 0) return lossOf(result[0], step);
  if (typeof result === 'object' && result !== null && !(result instanceof Tensor) && 'loss' in result) {
    return lossOf(result.loss, step);
  }
  throw new TypeError(
    `${step} returns no loss: a number comes back, or a tuple that begins with it, or a record with \`loss\``,
  );
}
