// Tensors of the host: a dtype, a shape and row-major elements in a typed array. The typed array may be a view of memory
// that belongs to a session, so that parameters are read and written in place.

import { type Device, type DeviceTensor, deviceOf, toDevice } from './device.js';
import {
  type DataOf,
  DTYPES,
  type DType,
  dtypeOfArray,
  numberToStored,
  type ScalarOf,
  storedToNumber,
  type TypedArray,
} from './dtype.js';
import type { Fit, Fitting, fit } from './fit.js';
import { allocate, copyOf } from './memory.js';
import { flatten, inferDType, type Nested, nest, pack, type Scalar, scalarToStored, storedToScalar } from './nested.js';
import { formatTensor, type TextOptions } from './print.js';
import {
  elementCount,
  formatShape,
  offsetOf,
  type RowsOf,
  resolveShape,
  type Shape,
  type SizesOf,
  sameShape,
} from './shape.js';

/** What a tensor may be made of: numbers, nested lists of numbers, or a typed array. */
export type TensorSource = Nested | TypedArray;

interface FromOptions<D extends DType = DType, S extends readonly number[] = readonly number[]> {
  readonly dtype?: D;
  /** The shape of flat input; one size may be -1. */
  readonly shape?: S;
}

/** A dtype for a new tensor. */
interface DTypeOption<D extends DType> {
  readonly dtype?: D;
}

/** The number itself where it is known to count something, else any number. */
type Count<N extends number> = `${N}` extends `-${string}` | `${string}.${string}` | `${string}e${string}` ? number : N;

/** How close two tensors must be: |a - b| <= atol + rtol |b|. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
  /** Whether NaN equals NaN. */
  readonly equalNan?: boolean;
}

/** The elements of any dtype, as one type that can be indexed and written. */
type Elements = { [index: number]: number | bigint; readonly length: number };

/**
 * A tensor on the host. `S` is what the type system knows of the shape: sizes, or names for sizes known when running;
 * `Tensor<'f32', [number, 784]>` and `Tensor<'f32', ['B', 784]>` accept each other.
 */
export class Tensor<D extends DType = DType, S extends Shape = Shape> implements Fitting<D, S> {
  readonly dtype: D;
  readonly shape: SizesOf<S>;
  /** The elements in row-major order: bytes for bool, bit patterns for f16 and bf16, bigints for i64. */
  readonly data: DataOf<D>;
  /** Of the type alone, and below the others, so that messages about tensors that do not fit speak of those. */
  declare readonly [fit]: Fit<D, S>;

  /** Wraps storage without copying it: what is written to one shows in the other. */
  constructor(dtype: D, shape: SizesOf<S>, data: DataOf<D>) {
    const count = elementCount(shape);
    if (!(data instanceof DTYPES[dtype].array)) {
      throw new TypeError(`the elements of ${dtype} are stored in a ${DTYPES[dtype].array.name}`);
    }
    if (data.length !== count) {
      throw new RangeError(`the shape ${formatShape(shape)} has ${count} elements, but the storage has ${data.length}`);
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /**
   * A tensor with a copy of the given numbers. Nested lists give the shape, and the dtype as in PyTorch: whole numbers
   * are i64, anything else f32, booleans bool. A typed array keeps its own dtype (a Uint16Array holds f16 or bf16 bit
   * patterns and needs one) and has rank 1 unless a shape is given. A number that the dtype cannot hold is an error.
   */
  static from<D extends DType, const T extends readonly number[]>(
    source: TensorSource,
    options: { readonly dtype: D; readonly shape: T },
  ): Tensor<D, T>;
  static from<D extends DType>(source: TensorSource, options: { readonly dtype: D }): Tensor<D>;
  static from(source: TensorSource, options?: FromOptions): Tensor;
  static from(source: TensorSource, options: FromOptions = {}): Tensor {
    const { scalars, shape, dtype } = readSource(source, options.dtype);
    return new Tensor(dtype, options.shape ? resolveShape(options.shape, scalars.length) : shape, scalars);
  }

  /** A tensor of one value; its dtype is inferred from the value as in `from`, unless given. */
  static full<const T extends readonly number[], D extends DType = DType>(
    shape: T,
    value: Scalar,
    options: DTypeOption<D> = {},
  ): Tensor<D, T> {
    const dtype = options.dtype ?? (inferDType([value]) as D);
    return new Tensor<D, T>(dtype, shape as SizesOf<T>, allocate(dtype, elementCount(shape))).fill(value);
  }

  /** Zeros (false for bool); f32 unless another dtype is given. */
  static zeros<const T extends readonly number[], D extends DType = 'f32'>(
    shape: T,
    options: DTypeOption<D> = {},
  ): Tensor<D, T> {
    return Tensor.full(shape, 0, { dtype: options.dtype ?? ('f32' as D) });
  }

  /** Ones (true for bool); f32 unless another dtype is given. */
  static ones<const T extends readonly number[], D extends DType = 'f32'>(
    shape: T,
    options: DTypeOption<D> = {},
  ): Tensor<D, T> {
    return Tensor.full(shape, 1, { dtype: options.dtype ?? ('f32' as D) });
  }

  /** The identity matrix, with `columns` columns (as many as rows unless given). */
  static eye<D extends DType = 'f32'>(
    rows: number,
    columns: number = rows,
    options: DTypeOption<D> = {},
  ): Tensor<D, [number, number]> {
    const result: Tensor<D, [number, number]> = Tensor.zeros([rows, columns], options);
    for (let i = 0; i < Math.min(rows, columns); i++) result.set([i, i], 1);
    return result;
  }

  /**
   * The numbers start, start + step, … below end (above it for a negative step); i64 where all three are whole, else f32, unless a dtype is
   * given. With one number that is the end, and the start is 0.
   */
  static arange<const N extends number, D extends DType = DType>(
    end: N,
    options?: DTypeOption<D>,
  ): Tensor<D, [Count<N>]>;
  static arange<D extends DType = DType>(
    start: number,
    end?: number,
    step?: number,
    options?: DTypeOption<D>,
  ): Tensor<D, [number]>;
  static arange(start: number, end?: number | DTypeOption<DType>, step = 1, options: DTypeOption<DType> = {}): Tensor {
    if (typeof end === 'object') return Tensor.arange(0, start, 1, end);
    const [first, limit] = end === undefined ? [0, start] : [start, end];
    const length = Math.ceil((limit - first) / step);
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`no step of ${step} leads from ${first} to ${limit}`);
    }
    const dtype = options.dtype ?? inferDType([first, limit, step]);
    const values = Array.from({ length }, (_, i) => first + i * step);
    return new Tensor(dtype, [length], pack(dtype, values));
  }

  /** `steps` evenly spaced numbers from start to end, both included. */
  static linspace<D extends DType = 'f32'>(
    start: number,
    end: number,
    steps: number,
    options: DTypeOption<D> = {},
  ): Tensor<D, [number]> {
    const dtype = options.dtype ?? ('f32' as D);
    const step = steps > 1 ? (end - start) / (steps - 1) : 0;
    // The second half counts back from the end, so that the last number is the end exactly.
    const value = (i: number) => (2 * i < steps ? start + i * step : end - (steps - 1 - i) * step);
    return new Tensor(
      dtype,
      [elementCount([steps])],
      pack(
        dtype,
        Array.from({ length: steps }, (_, i) => value(i)),
      ),
    );
  }

  /** The number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The one element of a tensor that has exactly one. */
  item(): ScalarOf<D> {
    if (this.size !== 1) throw new RangeError(`item() reads a tensor of one element; this one has ${this.size}`);
    return storedToScalar(this.dtype, this.elements[0]!) as ScalarOf<D>;
  }

  /** One element; negative indices count from the end. */
  at(...index: number[]): ScalarOf<D> {
    return storedToScalar(this.dtype, this.elements[offsetOf(this.shape, index)]!) as ScalarOf<D>;
  }

  /** Writes one element. */
  set(index: readonly number[], value: Scalar): this {
    this.elements[offsetOf(this.shape, index)] = scalarToStored(this.dtype, value);
    return this;
  }

  /** Writes one value to every element. */
  fill(value: Scalar): this {
    const stored = scalarToStored(this.dtype, value);
    // Each typed array takes the kind of number that scalarToStored returned for its dtype.
    (this.data as { fill(value: number | bigint): unknown }).fill(stored);
    return this;
  }

  /** Replaces each element by what a function gives of it and of its place in row-major order: `weight.apply((w) => w + 1)`. */
  apply(change: (value: ScalarOf<D>, place: number) => Scalar): this {
    const { dtype, elements } = this;
    for (let i = 0; i < elements.length; i++) {
      elements[i] = scalarToStored(dtype, change(storedToScalar(dtype, elements[i]!) as ScalarOf<D>, i));
    }
    return this;
  }

  /** Overwrites the elements with those of a tensor of the same dtype and shape. */
  copyFrom(source: Tensor): this {
    if (source.dtype !== this.dtype || !sameShape(source.shape, this.shape)) {
      throw new TypeError(`${describeTensor(source)} cannot be copied into ${describeTensor(this)}`);
    }
    (this.data as { set(source: TypedArray): void }).set(source.data);
    return this;
  }

  /** The elements as nested lists of numbers or booleans; of a tensor of rank 0, its one element. */
  toArray(): Nested<ScalarOf<D>> {
    return nest(this.dtype, this.shape, this.elements) as Nested<ScalarOf<D>>;
  }

  /** The elements as doubles, in row-major order: true is 1, and an i64 is rounded where a double cannot hold it. */
  toNumbers(): Float64Array {
    const { dtype, elements } = this;
    const numbers = new Float64Array(elements.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = storedToNumber(dtype, elements[i]!);
    return numbers;
  }

  /** The same elements, shared, under another shape; one size may be -1. */
  reshape<const T extends readonly number[]>(shape: T): Tensor<D, T> {
    return new Tensor<D, T>(this.dtype, resolveShape(shape, this.size) as unknown as SizesOf<T>, this.data);
  }

  /** Rows `start` to `end` (not included) along the first dimension, sharing the elements; negative counts from the end. */
  slice(start = 0, end?: number): Tensor<D, RowsOf<S>> {
    const { rows, inner, width } = this.rows('slice');
    const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + rows : i, 0), rows);
    const from = clamp(start);
    const to = Math.max(from, clamp(end ?? rows));
    const data = this.data.subarray(from * width, to * width) as DataOf<D>;
    return new Tensor<D, RowsOf<S>>(this.dtype, [to - from, ...inner] as SizesOf<RowsOf<S>>, data);
  }

  /** A new tensor of the rows (along the first dimension) with the given indices. */
  gatherRows(indices: ArrayLike<number>): Tensor<D, RowsOf<S>> {
    const { rows, inner, width } = this.rows('gather');
    const data = allocate(this.dtype, indices.length * width);
    const target = data as { set(source: TypedArray, offset: number): void };
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i]!;
      if (!Number.isInteger(row) || row < 0 || row >= rows)
        throw new RangeError(`there is no row ${row} among ${rows}`);
      target.set(this.data.subarray(row * width, (row + 1) * width), i * width);
    }
    return new Tensor<D, RowsOf<S>>(this.dtype, [indices.length, ...inner] as SizesOf<RowsOf<S>>, data);
  }

  /** A tensor of another dtype: floats are rounded to the nearest or cut to integers, and integers wrap around. */
  cast<E extends DType>(dtype: E): Tensor<E, S> {
    const data = allocate(dtype, this.size);
    const [from, to] = [this.elements, data as Elements];
    for (let i = 0; i < from.length; i++) {
      const stored = from[i]!;
      to[i] = numberToStored(dtype, typeof stored === 'bigint' ? stored : storedToNumber(this.dtype, stored));
    }
    return new Tensor<E, S>(dtype, this.shape, data);
  }

  /**
   * A copy in the memory of the GPU that models compiled for CUDA run on; `cpu` gives the tensor itself. Throws TDSL_NO_DEVICE where no session of
   * such a model is open, and TDSL_ARG for another device.
   */
  to(device: 'cpu'): this;
  to(device: 'cuda'): DeviceTensor<D>;
  to(device: Device): this | DeviceTensor<D> {
    return deviceOf(device) === 'cpu' ? this : toDevice<D>(this as never);
  }

  /** A copy with storage of its own. */
  clone(): Tensor<D, S> {
    return new Tensor<D, S>(this.dtype, this.shape, copyOf(this.dtype, this.data));
  }

  /** Whether dtype, shape and every element are equal; NaN equals nothing. */
  equals(other: Tensor): boolean {
    if (other.dtype !== this.dtype || !sameShape(other.shape, this.shape)) return false;
    const value = (stored: number | bigint) =>
      typeof stored === 'bigint' ? stored : storedToNumber(this.dtype, stored);
    return Array.prototype.every.call(this.data, (stored, i) => value(stored) === value(other.elements[i]!));
  }

  /** Whether the shapes are equal and all elements close, |a - b| <= atol + rtol |b|; infinities equal themselves. */
  allClose(other: Tensor, tolerance: Tolerance = {}): boolean {
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = tolerance;
    if (!sameShape(other.shape, this.shape)) return false;
    const expected = other.toNumbers();
    return this.toNumbers().every((a, i) => {
      const b = expected[i]!;
      if (a === b || (equalNan && Number.isNaN(a) && Number.isNaN(b))) return true;
      return Number.isFinite(b) && Math.abs(a - b) <= atol + rtol * Math.abs(b);
    });
  }

  /** The text that PyTorch prints; options of this one text go before those of `setPrintOptions`. */
  toString(options: TextOptions = {}): string {
    return formatTensor(this, options);
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  private rows(purpose: string): { rows: number; inner: number[]; width: number } {
    const [rows, ...inner] = this.shape as readonly number[];
    if (rows === undefined) throw new RangeError(`a tensor of rank 0 has no rows to ${purpose}`);
    return { rows, inner, width: elementCount(inner) };
  }

  private get elements(): Elements {
    return this.data as Elements;
  }
}

/** How messages speak of a tensor: `f32[64, 784]`. */
export function describeTensor(tensor: { readonly dtype: DType; readonly shape: readonly number[] }): string {
  return `${tensor.dtype}${formatShape(tensor.shape)}`;
}

function readSource(
  source: TensorSource,
  asked: DType | undefined,
): { scalars: DataOf; shape: number[]; dtype: DType } {
  if (!ArrayBuffer.isView(source)) {
    const { scalars, shape } = flatten(source);
    const dtype = asked ?? inferDType(scalars);
    return { scalars: pack(dtype, scalars), shape, dtype };
  }
  const shape = [source.length];
  if (source instanceof Uint16Array) {
    if (asked !== 'f16' && asked !== 'bf16') {
      throw new TypeError("a Uint16Array holds bit patterns: say { dtype: 'f16' } or { dtype: 'bf16' }");
    }
    return { scalars: copyOf(asked, source), shape, dtype: asked };
  }
  const own = dtypeOfArray(source);
  if (own === undefined) throw new TypeError('no dtype is stored in a typed array of this class; convert it first');
  if (asked === undefined || asked === own) return { scalars: copyOf(own, source as DataOf), shape, dtype: own };
  return { scalars: pack(asked, source), shape, dtype: asked };
}
