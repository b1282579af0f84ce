// What an elementary function is: one mathematical function in scalar IR for f32 and for f64.

import type { DType } from '../ir/dtype.js';
import { argument, callScalar, cast, type Scalar, type ScalarFunction } from '../ir/scalar.js';

/** The dtypes that elementary functions compute in; f16 and bf16 go through f32. */
export type ComputeDType = 'f32' | 'f64';

/** One mathematical function for both dtypes. */
export interface Elementary {
  readonly name: string;
  readonly arity: number;
  /** What it computes, by what method, after whom. */
  readonly doc: string;
  /** The largest error in units in the last place over all finite operands; the tests measure it. */
  readonly ulp: Readonly<Record<ComputeDType, number>>;
  readonly f32: ScalarFunction;
  readonly f64: ScalarFunction;
}

type Body = (...args: readonly Scalar[]) => Scalar;

/** The parts of an elementary function that its file writes down; `body` may serve both dtypes. */
interface Definition {
  readonly arity?: number;
  readonly doc: string;
  readonly ulp: Readonly<Record<ComputeDType, number>>;
  readonly body: Body | Readonly<Record<ComputeDType, Body>>;
}

/** Defines an elementary function; its scalar functions are called `name_f32` and `name_f64`. */
export function elementary(name: string, { arity = 1, doc, ulp, body }: Definition): Elementary {
  const build = (dtype: ComputeDType): ScalarFunction => {
    const params = Array.from({ length: arity }, () => dtype);
    const args = params.map((param, i) => argument(i, param));
    const bodyOf = typeof body === 'function' ? body : body[dtype];
    return { name: `${name}_${dtype}`, params, body: bodyOf(...args), doc: `${doc} Error ≤ ${ulp[dtype]} ulp.` };
  };
  return { name, arity, doc, ulp, f32: build('f32'), f64: build('f64') };
}

/** The dtype that a float dtype computes in. */
export const computeDType = (dtype: DType): ComputeDType => (dtype === 'f64' ? 'f64' : 'f32');

/** Runs `body` on the operands in the dtype that their dtype computes in, and rounds its value back (f16 and bf16 through f32). */
export function inComputeDType(args: readonly Scalar[], body: (args: readonly Scalar[]) => Scalar): Scalar {
  const dtype = args[0]?.dtype ?? 'f32';
  const wide = computeDType(dtype);
  return cast(body(args.map((arg) => cast(arg, wide))), dtype);
}

/** The value of an elementary function at operands of any float dtype. */
export const callElementary = (fn: Elementary, ...args: readonly Scalar[]): Scalar =>
  inComputeDType(args, (wide) => callScalar(fn[computeDType(wide[0]?.dtype ?? 'f32')], ...wide));
