// Which tensors a compiled function may be given, as types say it. What TypeScript does not know of a tensor, its rank, a size or the dtype, is
// checked when the function is called; what it knows must agree.

import type { DType } from './dtype.js';
import type { Shape } from './shape.js';

/** The name of a member that types have and tensors do not: it only says how they compare. */
export declare const fit: unique symbol;

/**
 * A type that compares with that of another `T` where either holds the other: parameters of methods are compared both ways. So an unknown size
 * fits 784, and 784 fits an unknown size, but 784 does not fit 783.
 */
interface EitherWay<T> {
  compare(value: T): void;
}

/** The sizes of a shape, each of which compares by itself. */
type Sizes<S extends Shape> = { readonly [K in keyof S]: EitherWay<S[K] extends number ? S[K] : number> };

/** The dtype `D` and the shape `S` as they compare. */
export interface Fit<D extends DType, S extends Shape> {
  readonly dtype: EitherWay<D>;
  readonly shape: EitherWay<Sizes<S>>;
}

/** A tensor whose dtype and shape may be `D` and `S`, here or on a GPU. */
export interface Fitting<D extends DType = DType, S extends Shape = Shape> {
  readonly [fit]: Fit<D, S>;
}
