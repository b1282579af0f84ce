// The folds of reductions and contractions, as the kernel IR wants them.

import { type Dim, dimValue } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import type { ScatterMode } from '../../../compiler/ir/graph.js';
import { apply, argument, cast, constant, type Scalar, scalarOperands, select } from '../../../compiler/ir/scalar.js';
import { reduceOp } from '../../../compiler/ops/table.js';
import type { Fold } from '../ir.js';

/** The fold of a reduction record; its step takes the state, the element and the element's position. `isWhole`: no element is left out. */
export function reductionFold(op: string, element: DType, isWhole: boolean): Fold {
  const record = reduceOp(op);
  const { init, step } = isWhole ? (record.whole ?? record) : record;
  const state = record.state(element);
  const left = state.map((dtype, i) => argument(i, dtype));
  const right = state.map((dtype, i) => argument(i + state.length, dtype));
  return {
    name: `${op}_${element}`,
    state,
    init: init(element),
    step: step(left, argument(state.length, element), argument(state.length + 1, 'i64')),
    merge: record.merge(left, right),
    finish: record.finish(left, element),
  };
}

/** Positions below this fit i32 with room for a value that stands for no position. */
const NARROW_LIMIT = 2 ** 31 - 1;

/**
 * The fold with positions in i32, where there are no more than i32 can count: lanes are then no wider than the elements. Undefined
 * for folds that do more with 64-bit integers than to compare and select them.
 */
export function narrowPositions(fold: Fold, elements: Dim): Fold | undefined {
  const count = dimValue(elements);
  const element = fold.state[0];
  if (count === undefined || count >= NARROW_LIMIT || element === 'i64' || !fold.state.includes('i64'))
    return undefined;
  const narrow = narrowing();
  const parts = [fold.init, fold.step, fold.merge].map((scalars) => scalars.map(narrow));
  const finish = fold.finish.map((scalar) => {
    const value = narrow(scalar);
    return value === undefined ? undefined : cast(value, scalar.dtype);
  });
  if ([...parts.flat(), ...finish].includes(undefined)) return undefined;
  const [init, step, merge] = parts as Scalar[][];
  return {
    name: fold.name,
    state: fold.state.map((dtype) => (dtype === 'i64' ? 'i32' : dtype)),
    init: init as Scalar[],
    step: step as Scalar[],
    merge: merge as Scalar[],
    finish: finish as Scalar[],
  };
}

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);

/** Rewrites scalar expressions from i64 to i32; undefined where an operation is more than a comparison or a selection. */
function narrowing(): (node: Scalar) => Scalar | undefined {
  const done = new Map<Scalar, Scalar | undefined>();
  const visit = (node: Scalar): Scalar | undefined => {
    if (!done.has(node)) done.set(node, rebuild(node));
    return done.get(node);
  };
  const rebuild = (node: Scalar): Scalar | undefined => {
    const dtype = node.dtype === 'i64' ? 'i32' : node.dtype;
    if (node.kind === 'argument') return argument(node.index, dtype);
    if (node.kind === 'constant') {
      const isLimit = node.dtype === 'i64' && BigInt(node.value) > BigInt(NARROW_LIMIT);
      return isLimit ? constant(NARROW_LIMIT, 'i32') : constant(node.value, dtype);
    }
    const touches = node.dtype === 'i64' || scalarOperands(node).some((part) => part.dtype === 'i64');
    const parts = scalarOperands(node).map(visit);
    if (parts.includes(undefined)) return undefined;
    const args = parts as Scalar[];
    if (node.kind === 'select') return select(args[0] as Scalar, args[1] as Scalar, args[2] as Scalar);
    if (node.kind === 'apply' && (!touches || comparisons.has(node.op))) return { ...node, args };
    return touches || node.kind === 'apply' ? undefined : node;
  };
  return visit;
}

/** The dtype in which products are summed: half floats would lose the small ones. */
export const accumulatorType = (dtype: DType): DType => (dtype === 'f16' || dtype === 'bf16' ? 'f32' : dtype);

/** Σ of products of one or two factors. */
export function contractionFold(dtype: DType, factors: number): Fold {
  const state = argument(0, dtype);
  const values: Scalar[] = Array.from({ length: factors }, (_, k) => argument(1 + k, dtype));
  const product = values.reduce((a, b) => apply(dtype === 'bool' ? 'and' : 'mul', a, b));
  const sum = dtype === 'bool' ? 'or' : 'add';
  return {
    name: `contract_${dtype}`,
    state: [dtype],
    init: [constant(0, dtype)],
    step: [apply(sum, state, product)],
    merge: [apply(sum, state, argument(1, dtype))],
    finish: [state],
    absorbsZero: true,
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
