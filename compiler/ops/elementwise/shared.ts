// What the elementwise records share: lists of dtypes, domains, and makers of records of common form.

import { type DType, dtypeKind, dtypes } from '../../ir/dtype.js';
import type { Scalar } from '../../ir/scalar.js';
import { callElementary, type Elementary } from '../../scalar/function.js';
import type { Domain, ElementwiseOp, Partial } from '../op.js';

const ofKinds = (...kinds: readonly string[]): readonly DType[] =>
  dtypes.filter((dtype) => kinds.includes(dtypeKind(dtype)));

export const anyDType: readonly DType[] = dtypes;
export const numbers: readonly DType[] = ofKinds('int', 'float');
export const floats: readonly DType[] = ofKinds('float');
export const integers: readonly DType[] = ofKinds('int');
export const bitPatterns: readonly DType[] = ofKinds('bool', 'int');

/** Where tests draw an operand from. */
export const from = (low: number, high: number): Domain => ({ low, high });
export const anywhere: Domain = from(-3, 3);
export const positive: Domain = from(0.1, 4);

type Draft = Omit<ElementwiseOp, 'kind' | 'arity' | 'result' | 'domain' | 'smooth'> &
  globalThis.Partial<Pick<ElementwiseOp, 'result' | 'domain' | 'smooth'>>;

/** A record; the arity is the number of partials, the result has the common dtype, and the domain is `anywhere` unless given. */
export const record = (draft: Draft): ElementwiseOp => ({
  kind: 'elementwise',
  arity: draft.partials.length,
  result: (common) => common,
  domain: draft.partials.map(() => anywhere),
  smooth: true,
  ...draft,
});

/** A record of floats whose value is an elementary function of one operand. */
export const elementaryRecord = (fn: Elementary, partial: Partial, domain: Domain = anywhere): ElementwiseOp =>
  record({
    name: fn.name,
    doc: fn.doc,
    accepts: floats,
    value: (args) => callElementary(fn, ...args),
    partials: [partial],
    domain: [domain],
  });

/** The only operand of a record with one. */
export function only(args: readonly Scalar[]): Scalar {
  const [arg] = args;
  if (arg === undefined) throw new TypeError('an elementwise operation needs its operand');
  return arg;
}

/** Both operands of a record with two. */
export function pair(args: readonly Scalar[]): readonly [Scalar, Scalar] {
  const [left, right] = args;
  if (left === undefined || right === undefined) throw new TypeError('an elementwise operation needs its two operands');
  return [left, right];
}
