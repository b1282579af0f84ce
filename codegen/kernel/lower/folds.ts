// The folds of reductions and contractions, as the kernel IR wants them.

import type { DType } from '../../../compiler/ir/dtype.js';
import type { ScatterMode } from '../../../compiler/ir/graph.js';
import { apply, argument, cast, constant, type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import { reduceOp } from '../../../compiler/ops/table.js';
import type { Fold } from '../ir.js';

/** The fold of a reduction record; its step takes the state, the element and the element's position. */
export function reductionFold(op: string, element: DType): Fold {
  const record = reduceOp(op);
  const state = record.state(element);
  const left = state.map((dtype, i) => argument(i, dtype));
  const right = state.map((dtype, i) => argument(i + state.length, dtype));
  return {
    name: `${op}_${element}`,
    state,
    init: record.init(element),
    step: record.step(left, argument(state.length, element), argument(state.length + 1, 'i64')),
    merge: record.merge(left, right),
    finish: record.finish(left, element),
  };
}

/** The dtype in which products are summed: half floats would lose the small ones. */
export const accumulatorType = (dtype: DType): DType => (dtype === 'f16' || dtype === 'bf16' ? 'f32' : dtype);

/** Σ of products of one or two factors. */
export function contractionFold(dtype: DType, factors: number): Fold {
  const wide = accumulatorType(dtype);
  const state = argument(0, wide);
  const values = Array.from({ length: factors }, (_, k) => cast(argument(1 + k, dtype), wide));
  const product = values.reduce((a, b) => apply(dtype === 'bool' ? 'and' : 'mul', a, b));
  const sum = dtype === 'bool' ? 'or' : 'add';
  return {
    name: `contract_${dtype}`,
    state: [wide],
    init: [constant(0, wide)],
    step: [apply(sum, state, product)],
    merge: [apply(sum, state, argument(1, wide))],
    finish: [cast(state, dtype)],
  };
}

/** Whether an argument occurs in a scalar expression. */
export function usesArgument(body: Scalar, index: number, seen: Set<Scalar> = new Set()): boolean {
  if (seen.has(body)) return false;
  seen.add(body);
  if (body.kind === 'argument') return body.index === index;
  return scalarOperands(body).some((part) => usesArgument(part, index, seen));
}

/** How a scatter joins what is there (argument 0) with an update (argument 1); undefined where the update replaces it. */
export function scatterJoin(mode: ScatterMode, dtype: DType): Scalar | undefined {
  if (mode === 'set') return undefined;
  const [old, update] = [argument(0, dtype), argument(1, dtype)];
  if (dtype === 'bool') return apply(mode === 'min' ? 'and' : 'or', old, update);
  return apply(mode, old, update);
}
