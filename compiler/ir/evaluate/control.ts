// Loops and conditional nodes in the interpreter.

import { loopInputs } from '../control.js';
import { dimEvaluate } from '../dims.js';
import type { Func, LoopRegion, Node, Value } from '../graph.js';
import { EvaluationError } from './error.js';
import { type Dims, evaluateShape } from './symbols.js';
import { allocate, elementCount, type HostTensor } from './tensor.js';

/** Evaluates a function of the module. */
export type RunFunction = (fn: string, inputs: readonly HostTensor[]) => readonly HostTensor[];

const scalar = (value: number): HostTensor => ({ dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(value)) });

const isTrue = (tensor: HostTensor | undefined): boolean => Number(tensor?.data[0]) !== 0;

export function evaluateIf(
  region: { readonly fn: string; readonly otherwise: string },
  [condition, ...args]: readonly HostTensor[],
  run: RunFunction,
): readonly HostTensor[] {
  return run(isTrue(condition) ? region.fn : region.otherwise, args);
}

/** The element range of one slice along the first dimension. */
function sliceAt({ dtype, shape: [, ...shape], data }: HostTensor, position: number): HostTensor {
  const count = elementCount(shape);
  return { dtype, shape, data: data.subarray(position * count, (position + 1) * count) };
}

function emptyStack({ type }: Value, length: number, dims: Dims): HostTensor {
  const shape = [length, ...evaluateShape(type.shape, dims)];
  return { dtype: type.dtype, shape, data: allocate(type.dtype, elementCount(shape)) };
}

/** The error of a loop that would make more trips than it may. */
function limitError(node: Node, limit: number): EvaluationError {
  return new EvaluationError(`the loop is not at its end after ${limit} trips, its limit`, node.origin, 'TDSL_LIMIT');
}

/** Runs a loop; `body` is its function, `node` says where it comes from. */
export function evaluateLoop(
  node: Node,
  region: LoopRegion,
  body: Func,
  inputs: readonly HostTensor[],
  dims: Dims,
  run: RunFunction,
): readonly HostTensor[] {
  const { trips: counted, constants, carries: initial, xs } = loopInputs(region, inputs);
  const length = region.length === undefined ? Number.POSITIVE_INFINITY : dimEvaluate(region.length, dims);
  const trips = counted[0] === undefined ? length : Math.max(0, Number(counted[0].data[0]));
  if (trips > length) throw limitError(node, length);
  const ys = body.results.slice(region.carries).map((value) => emptyStack(value, length, dims));
  let carries = initial;
  let made = 0;
  for (; ; made++) {
    const goesOn =
      region.condition === undefined
        ? made < trips
        : isTrue(run(region.condition, [scalar(made), ...constants, ...carries])[0]);
    if (!goesOn) break;
    if (made >= length) throw limitError(node, length);
    const position = region.reverse ? trips - 1 - made : made;
    const slices = xs.map((x) => sliceAt(x, position));
    const results = run(region.fn, [scalar(position), ...constants, ...carries, ...slices]);
    carries = results.slice(0, region.carries);
    ys.forEach((y, k) => {
      const slice = results[region.carries + k] as HostTensor;
      y.data.set(slice.data as never, position * slice.data.length);
    });
  }
  return [...carries, ...ys, ...(region.condition === undefined ? [] : [scalar(made)])];
}
