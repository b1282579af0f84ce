// Batches of a data set, in order or shuffled anew each epoch, reproducibly.

import { Generator } from '../random.js';
import type { Dataset } from './dataset.js';

export interface LoaderOptions {
  /** Examples a batch; the last batch may be smaller. */
  readonly batch?: number;
  /** Whether each epoch has an order of its own. */
  readonly shuffle?: boolean;
  /** What the orders depend on, together with the number of the epoch. */
  readonly seed?: number;
  /** Whether a last batch that is smaller is left out. */
  readonly dropLast?: boolean;
}

/** How a loader changes each batch; what is left to chance comes from the generator, which depends on seed and epoch. */
export interface TransformOption<B, T> {
  transform(batch: B, generator: Generator): T;
}

/** Streams of random numbers for transforms lie beyond those of the orders, one for each epoch. */
const TRANSFORM_STREAM = 2 ** 32;

/** The ranges of `count` examples in batches: `[0, 10], [10, 20], [20, 25]`. */
export function batchRanges(count: number, batch: number, dropLast = false): [number, number][] {
  if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`a batch has at least one example, not ${batch}`);
  const ranges: [number, number][] = [];
  for (let start = 0; start < count && (!dropLast || start + batch <= count); start += batch) {
    ranges.push([start, Math.min(start + batch, count)]);
  }
  return ranges;
}

/**
 * Iterating over a loader is one epoch. The order of epoch e is a function of seed and e alone; setting `epoch` goes to
 * that epoch, so that a resumed training sees the orders that an uninterrupted one would have seen.
 */
export class DataLoader<B, T = B> implements Iterable<T> {
  readonly dataset: Dataset<B>;
  readonly batch: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  /** The number of the epoch that the next iteration is. */
  epoch = 0;
  readonly #changes: TransformOption<B, T>;

  constructor(
    dataset: Dataset<B>,
    ...[options = {}]: [B] extends [T]
      ? [options?: LoaderOptions & Partial<TransformOption<B, T>>]
      : [options: LoaderOptions & TransformOption<B, T>]
  ) {
    // Without a transform, T is B, as the type of the options says.
    this.#changes = { transform: options.transform ?? ((batch) => batch as unknown as T) };
    this.dataset = dataset;
    this.batch = options.batch ?? 1;
    this.shuffle = options.shuffle ?? false;
    this.seed = options.seed ?? 0;
    this.dropLast = options.dropLast ?? false;
    batchRanges(0, this.batch);
  }

  /** The number of batches of an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batch;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The batches of the next epoch. Unshuffled ones may share the data set's memory. */
  *[Symbol.iterator](): IterableIterator<T> {
    const { dataset } = this;
    const order = this.shuffle ? new Generator(this.seed, this.epoch).permutation(dataset.length) : undefined;
    const generator = new Generator(this.seed, TRANSFORM_STREAM + this.epoch);
    this.epoch++;
    for (const [start, end] of batchRanges(dataset.length, this.batch, this.dropLast)) {
      const batch = order ? dataset.batch(order.subarray(start, end)) : dataset.range(start, end);
      yield this.#changes.transform(batch, generator);
    }
  }
}
