// Selections whose size depends on the data, on tensors of the host: there the size may come out as it will, as it may not in a compiled
// program. Names, order and conventions are PyTorch's.

import { type DataOf, type DType, kindOf, storedToNumber } from './dtype.js';
import { allocate } from './memory.js';
import { elementCount, formatShape } from './shape.js';
import { describeTensor, Tensor } from './tensor.js';

type Stored = { [index: number]: number | bigint; readonly length: number };

/** The elements at some places of a tensor's storage, as storage of their own. */
function pick<D extends DType>({ dtype, data }: Tensor<D>, places: readonly number[]): DataOf<D> {
  const picked = allocate(dtype, places.length);
  places.forEach((place, i) => {
    (picked as Stored)[i] = (data as Stored)[place] as number | bigint;
  });
  return picked;
}

const vector = <D extends DType>(dtype: D, data: DataOf<D>): Tensor<D, [number]> =>
  new Tensor<D, [number]>(dtype, [data.length], data);

const positions = (values: readonly number[]): Tensor<'i64', [number]> =>
  vector('i64', BigInt64Array.from(values, BigInt));

/** Where in a tensor of shape `from` lies what a tensor of the broadcast shape `to` has at each of its places. */
function broadcastPlaces(from: readonly number[], to: readonly number[]): Int32Array {
  const offset = to.length - from.length;
  let stride = 1;
  const strides = from
    .toReversed()
    .map((size) => {
      const own = size === 1 ? 0 : stride;
      stride *= size;
      return own;
    })
    .toReversed();
  return Int32Array.from({ length: elementCount(to) }, (_, place) => {
    let rest = place;
    let at = 0;
    for (let d = to.length - 1; d >= 0; d--) {
      const size = to[d] as number;
      if (d >= offset) at += (rest % size) * (strides[d - offset] as number);
      rest = Math.floor(rest / size);
    }
    return at;
  });
}

function broadcastShapes(a: Tensor, b: Tensor): readonly number[] {
  const [first, second] = [a.shape as readonly number[], b.shape as readonly number[]];
  const rank = Math.max(first.length, second.length);
  return Array.from({ length: rank }, (_, d) => {
    const x = first[d - rank + first.length] ?? 1;
    const y = second[d - rank + second.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new RangeError(`${describeTensor(a)} and ${describeTensor(b)} do not broadcast: ${x} against ${y}`);
    return x === 1 ? y : x;
  });
}

/** The elements of a tensor where the mask, which broadcasts with it, is true, in row-major order. Throws for a mask that is not bool. */
export function maskedSelect<D extends DType>(input: Tensor<D>, mask: Tensor): Tensor<D, [number]> {
  if (mask.dtype !== 'bool') throw new TypeError(`maskedSelect takes a mask of bools, not ${describeTensor(mask)}`);
  const shape = broadcastShapes(input, mask);
  const [ofInput, ofMask] = [input, mask].map((each) => broadcastPlaces(each.shape as readonly number[], shape)) as [
    Int32Array,
    Int32Array,
  ];
  const places = Array.from(ofInput).filter((_, i) => Number((mask.data as Stored)[ofMask[i] as number]) !== 0);
  return vector(input.dtype, pick(input, places));
}

/** The places of a tensor's elements that are not 0; NaN is not 0. */
function places({ dtype, data }: Tensor): readonly number[] {
  return Array.from(data as Iterable<number | bigint>).flatMap((stored, place) =>
    storedToNumber(dtype, stored) === 0 ? [] : [place],
  );
}

/** The positions of the elements that are not 0, in row-major order: i64[n, rank]. */
export function nonzero(input: Tensor): Tensor<'i64', [number, number]> {
  const axes = nonzeroTuple(input);
  const rows = axes[0]?.size ?? places(input).length;
  const data = new BigInt64Array(rows * axes.length);
  axes.forEach((axis, d) => {
    for (let i = 0; i < rows; i++) data[i * axes.length + d] = axis.data[i] as bigint;
  });
  return new Tensor<'i64', [number, number]>('i64', [rows, axes.length], data);
}

/** The positions of the elements that are not 0, a vector for each axis: what `nonzero(x, as_tuple=True)` gives. */
export function nonzeroTuple(input: Tensor): readonly Tensor<'i64', [number]>[] {
  const found = places(input);
  const shape = input.shape as readonly number[];
  return shape.map((size, d) => {
    const inner = elementCount(shape.slice(d + 1));
    return positions(found.map((place) => Math.floor(place / inner) % size));
  });
}

export interface Unique<D extends DType> {
  /** The different elements, ascending; NaN as often as it occurs. */
  readonly output: Tensor<D, [number]>;
  /** For each element of the input its place in `output`. */
  readonly inverse: Tensor<'i64'>;
  /** How often each element of `output` occurs. */
  readonly counts: Tensor<'i64', [number]>;
}

/** The different elements of a tensor, where they are in it, and how often. */
export function unique<D extends DType>(input: Tensor<D>): Unique<D> {
  // An i64 is compared as it is: doubles do not tell all of them apart.
  const keys: readonly (number | bigint)[] =
    input.dtype === 'i64' ? Array.from(input.data as BigInt64Array) : Array.from(input.toNumbers());
  const compare = (a: number, b: number): number => {
    const [x, y] = [keys[a] as number | bigint, keys[b] as number | bigint];
    if (x < y || (Number.isNaN(y) && !Number.isNaN(x))) return -1;
    if (x > y || (Number.isNaN(x) && !Number.isNaN(y))) return 1;
    return a - b;
  };
  const order = Array.from(keys.keys()).sort(compare);
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new BigInt64Array(keys.length);
  order.forEach((place, i) => {
    const before = keys[order[i - 1] ?? -1];
    if (before === undefined || keys[place] !== before) {
      firsts.push(place);
      counts.push(0);
    }
    const last = counts.length - 1;
    counts[last] = (counts[last] as number) + 1;
    inverse[place] = BigInt(last);
  });
  return {
    output: vector(input.dtype, pick(input, firsts)),
    inverse: new Tensor('i64', input.shape as number[], inverse),
    counts: positions(counts),
  };
}

export interface BincountOptions {
  /** What an occurrence of each element counts; 1 without it. */
  readonly weights?: Tensor;
  /** The result has at least so many elements. */
  readonly minlength?: number;
}

/**
 * How often each of the integers 0, 1, … up to the largest occurs in a vector: i64, or sums of weights, f32 for weights of f32 and else f64. Throws for
 * what is no vector of integers, for negative ones, and for weights of another length.
 */
export function bincount(input: Tensor, { weights, minlength = 0 }: BincountOptions = {}): Tensor {
  if (input.rank !== 1 || kindOf(input.dtype) === 'float')
    throw new TypeError(`bincount takes a vector of integers, not ${describeTensor(input)}`);
  if (weights !== undefined && (weights.rank !== 1 || weights.size !== input.size))
    throw new RangeError(
      `bincount takes a weight for each of ${input.size} integers, not ${formatShape(weights.shape as number[])}`,
    );
  const values = input.toNumbers();
  const negative = values.find((value) => value < 0);
  if (negative !== undefined) throw new RangeError(`bincount takes integers that are not negative, not ${negative}`);
  const length = values.reduce((most, value) => Math.max(most, value + 1), minlength);
  const amounts = weights?.toNumbers();
  const sums = new Float64Array(length);
  values.forEach((value, i) => {
    sums[value] = (sums[value] as number) + (amounts?.[i] ?? 1);
  });
  if (weights === undefined) return positions(Array.from(sums));
  return weights.dtype === 'f32' ? vector('f32', Float32Array.from(sums)) : vector('f64', sums);
}
