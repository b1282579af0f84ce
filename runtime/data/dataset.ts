// Data sets in memory: tensors whose rows belong together, whole or as selections of rows.

import { Generator } from '../random.js';
import type { RowsOf } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Columns of a data set, by name or by place: a batch has the same form, so that it can be handed to a session as it is. */
export type Columns = Readonly<Record<string, Tensor>> | readonly Tensor[];

/** Some rows of columns: what is known of them but for their number. */
export type RowsOfColumns<C extends Columns> = {
  readonly [K in keyof C]: C[K] extends Tensor<infer D, infer S> ? Tensor<D, RowsOf<S>> : C[K];
};

/** What a loader draws from. */
export interface Dataset<B> {
  /** The number of examples. */
  readonly length: number;
  /** The examples with these numbers, as one batch. */
  batch(indices: ArrayLike<number>): B;
  /** The examples from `start` to `end` (not included), as one batch. */
  range(start: number, end: number): B;
}

/** Examples as the rows of tensors: `new TensorDataset({ x: images, y: labels })`, or `[images, labels]` for tuples. */
export class TensorDataset<C extends Columns = Columns> implements Dataset<RowsOfColumns<C>> {
  readonly columns: C;
  readonly length: number;

  constructor(columns: C) {
    const entries = Object.entries<Tensor>(columns);
    const length = entries[0]?.[1].shape[0];
    if (length === undefined) throw new TypeError('a data set has at least one tensor, and its tensors have rows');
    for (const [name, tensor] of entries) {
      if (tensor.shape[0] !== length) {
        throw new RangeError(
          `the tensors of a data set have equally many rows: ${length}, but ${name} has ${tensor.shape[0]}`,
        );
      }
    }
    this.columns = columns;
    this.length = length;
  }

  /** Copies of the rows with these numbers. */
  batch(indices: ArrayLike<number>): RowsOfColumns<C> {
    return this.map((tensor) => tensor.gatherRows(indices));
  }

  /** The rows from `start` to `end`, sharing the elements of the data set. */
  range(start: number, end: number): RowsOfColumns<C> {
    return this.map((tensor) => tensor.slice(start, end));
  }

  /** A data set of copies of some rows. */
  subset(indices: ArrayLike<number>): TensorDataset<C> {
    return new TensorDataset(this.batch(indices) as unknown as C);
  }

  private map(change: (tensor: Tensor) => Tensor): RowsOfColumns<C> {
    const { columns } = this;
    const changed = Array.isArray(columns)
      ? columns.map(change)
      : Object.fromEntries(Object.entries<Tensor>(columns).map(([name, tensor]) => [name, change(tensor)]));
    return changed as unknown as RowsOfColumns<C>;
  }
}

/** Some examples of another data set, which keeps them. */
export class Subset<B> implements Dataset<B> {
  readonly source: Dataset<B>;
  readonly indices: Uint32Array;

  constructor(source: Dataset<B>, indices: ArrayLike<number>) {
    this.indices = Uint32Array.from(indices);
    const beyond = Array.from(indices).find((index) => !(index >= 0 && index < source.length));
    if (beyond !== undefined) throw new RangeError(`there is no example ${beyond} among ${source.length}`);
    this.source = source;
  }

  get length(): number {
    return this.indices.length;
  }

  batch(indices: ArrayLike<number>): B {
    return this.source.batch(Uint32Array.from(indices, (i) => this.indices[i] ?? this.missing(i)));
  }

  range(start: number, end: number): B {
    return this.source.batch(this.indices.subarray(start, end));
  }

  private missing(index: number): never {
    throw new RangeError(`there is no example ${index} among ${this.length}`);
  }
}

/**
 * Divides a data set at random into parts of the given lengths, which must add up to its own, or of the given fractions,
 * which must add up to 1 (what rounding leaves over goes to the first parts, one example each).
 */
export function randomSplit<B>(
  source: Dataset<B>,
  parts: readonly number[],
  options: { seed?: number } = {},
): Subset<B>[] {
  const lengths = splitLengths(source.length, parts);
  const order = new Generator(options.seed ?? 0).permutation(source.length);
  let end = 0;
  return lengths.map((length) => {
    const start = end;
    end += length;
    return new Subset(source, order.subarray(start, end));
  });
}

function splitLengths(total: number, parts: readonly number[]): number[] {
  const sum = parts.reduce((a, b) => a + b, 0);
  if (parts.every((part) => Number.isInteger(part) && part >= 0) && sum === total) return [...parts];
  if (!parts.every((part) => part >= 0) || Math.abs(sum - 1) > 1e-6) {
    throw new RangeError(`the parts of a split add up to the ${total} examples, or to 1; these add up to ${sum}`);
  }
  const lengths = parts.map((part) => Math.floor(part * total + 1e-9));
  const left = total - lengths.reduce((a, b) => a + b, 0);
  return lengths.map((length, i) => length + (i < left ? 1 : 0));
}

/** One fold of a cross-validation, as numbers of examples. */
export interface Fold {
  readonly train: readonly number[];
  readonly valid: readonly number[];
}

/**
 * The k folds of a cross-validation over `count` examples: each in turn validates on one of k consecutive blocks and trains
 * on the others. Where k does not divide the count, the first blocks are one longer, as in scikit-learn. With a seed the examples are
 * shuffled first.
 */
export function kFolds(count: number, k: number, options: { readonly seed?: number } = {}): Fold[] {
  if (!Number.isInteger(k) || k < 2 || k > count) throw new RangeError(`${count} examples do not make ${k} folds`);
  const order = options.seed === undefined ? undefined : new Generator(options.seed).permutation(count);
  const all = Array.from({ length: count }, (_, i) => order?.[i] ?? i);
  const starts = Array.from({ length: k + 1 }, (_, fold) => fold * Math.floor(count / k) + Math.min(fold, count % k));
  return Array.from({ length: k }, (_, fold) => {
    const [start, end] = [starts[fold]!, starts[fold + 1]!];
    return { valid: all.slice(start, end), train: [...all.slice(0, start), ...all.slice(end)] };
  });
}

/** The folds of a cross-validation as data sets. */
export function foldsOf<B>(
  source: Dataset<B>,
  k: number,
  options: { readonly seed?: number } = {},
): { readonly train: Subset<B>; readonly valid: Subset<B> }[] {
  return kFolds(source.length, k, options).map(({ train, valid }) => ({
    train: new Subset(source, train),
    valid: new Subset(source, valid),
  }));
}
