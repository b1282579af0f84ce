// Batching of what carries functions. Loops and branches on what is the same for all sets stay what they are, with batched functions. Where
// the sets decide differently, a branch becomes a selection among both sides, and a loop runs as long as one set needs it: sets that
// are done keep what they have. What has no rule of its own is done for one set after another.

import { Builder } from '../../ir/builder.js';
import {
  argumentsOf,
  bodyParams,
  type ControlNode,
  isLoop,
  type LoopNode,
  loopInputs,
  loopResults,
  loopResultTypes,
  positionType,
  stacked,
} from '../../ir/control.js';
import { type Dim, dimConst } from '../../ir/dims.js';
import { isFloat } from '../../ir/dtype.js';
import type { CustomJvpRegion, Func, LoopRegion, Node, RegionNode, TensorType, Value } from '../../ir/graph.js';
import { inlineInto, typesOf } from '../../ir/rewrite.js';
import { repeatBatch } from '../../ops/kinds/batch.js';
import { type Batched, batchBody, batchFunction, type Functions, notExpanded } from './batch.js';

type Results = Batched<readonly Value[]>;

export function batchRegion(
  functions: Functions,
  node: RegionNode,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): Results {
  if (isLoop(node)) return batchLoop(functions, node, flags, size, b);
  const { region } = node;
  switch (region.type) {
    case 'checkpoint': {
      const body = batchBody(functions, functions.get(region.fn), flags, size);
      const fn = functions.add(body.of);
      return { of: b.region({ ...region, fn }, node.inputs, typesOf(body.of.results)), isBatched: body.isBatched };
    }
    case 'custom_jvp':
      return batchCustom(functions, node, region, flags, size, b);
    case 'if':
      return flags[0]
        ? selectBranch(functions, node as ControlNode, flags, size, b)
        : batchBranches(functions, node as ControlNode, flags, size, b);
    default:
      return notExpanded(node);
  }
}

/** A function with a stated derivative: so has the one for many sets. */
function batchCustom(
  functions: Functions,
  node: RegionNode,
  region: CustomJvpRegion,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): Results {
  const func = functions.get(region.fn);
  const derivative = functions.get(region.derivative);
  const all = func.results.map(() => true);
  const body = batchFunction(functions, func, flags, size);
  const given = [...flags, ...all, ...region.wrt.map((i) => flags[i] === true)];
  const own = {
    ...region,
    fn: functions.add(body),
    derivative: functions.add(batchFunction(functions, derivative, given, size)),
  };
  return { of: b.region(own, node.inputs, typesOf(body.results)), isBatched: all };
}

// ---- branches -----------------------------------------------------------------------------------------------------------

const branchesOf = (functions: Functions, { region }: ControlNode): readonly Func[] =>
  region.type === 'if' ? [functions.get(region.fn), functions.get(region.otherwise)] : [];

/** A branch that all sets take together. */
function batchBranches(
  functions: Functions,
  node: ControlNode,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): Results {
  const args = flags.slice(1);
  const sides = branchesOf(functions, node);
  const isBatched = node.results.map((_, i) =>
    sides.some((side) => batchBody(functions, side, args, size).isBatched[i] === true),
  );
  const bodies = sides.map((side) => batchBody(functions, side, args, size, isBatched).of);
  const [fn, otherwise] = bodies.map((body) => functions.add(body)) as [string, string];
  const types = typesOf((bodies[0] as Func).results);
  return { of: b.region({ type: 'if', fn, otherwise }, node.inputs, types), isBatched };
}

/** Each set takes a branch of its own: both sides are computed, and each set selects. What the side that is not taken does has no derivative. */
function selectBranch(
  functions: Functions,
  node: ControlNode,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): Results {
  const condition = node.inputs[0] as Value;
  const taken = [condition, b.elementwise('logical_not', [condition])];
  const [then, otherwise] = branchesOf(functions, node).map((side, i) => {
    const body = batchBody(functions, side, flags.slice(1), size).of;
    const args = argumentsOf(node).map((value, k) => (flags[k + 1] ? onlyWhere(b, taken[i] as Value, value) : value));
    return inlineInto(b, body, args);
  }) as [readonly Value[], readonly Value[]];
  const results = node.results.map((result, i) =>
    select(b, condition, then[i] as Value, otherwise[i] as Value, stacked(result.type, size)),
  );
  return { of: results, isBatched: results.map(() => true) };
}

/** For each set one of two values, by a bool for each set. */
const select = (b: Builder, condition: Value, then: Value, otherwise: Value, type: TensorType): Value =>
  b.broadcastTo(b.elementwise('where', [aligned(b, condition, type), then, otherwise]), type.shape);

/** A bool for each set, beside the other dimensions of a type. */
function aligned(b: Builder, condition: Value, { shape }: TensorType): Value {
  const [size, ...own] = shape as readonly [Dim, ...Dim[]];
  return b.reshape(condition, [size, ...own.map(() => dimConst(1))]);
}

/**
 * A value for each set, with a derivative only where the condition holds. Elsewhere what is computed from it is not selected, and its derivative may be
 * infinite or NaN, which a derivative of 0 of the selection would not hide.
 */
function onlyWhere(b: Builder, condition: Value, value: Value): Value {
  if (!isFloat(value.type.dtype)) return value;
  const constant = b.elementwise('stop_gradient', [value]);
  return b.elementwise('where', [aligned(b, condition, value.type), value, constant]);
}

// ---- loops --------------------------------------------------------------------------------------------------------------

/** A stack of slices whose first dimension is that of the sets, with the sets second; and back. */
const exchange = (b: Builder, value: Value): Value =>
  b.permute(
    value,
    value.type.shape.map((_, i) => (i < 2 ? 1 - i : i)),
  );

/** A loop's functions for many sets. */
interface Bodies {
  readonly body: Func;
  readonly condition: Batched<Func> | undefined;
  readonly carries: readonly boolean[];
  readonly ys: readonly boolean[];
  /** Which of the other operands differ by the set. */
  readonly constants: readonly boolean[];
  readonly xs: readonly boolean[];
  /** Whether sets make different numbers of trips. */
  readonly differ: boolean;
}

/** What a trip changes by the set grows until all that depends on the set is known. */
function batchBodies(functions: Functions, { region }: LoopNode, flags: readonly boolean[], size: Dim): Bodies {
  const on = loopInputs(region, flags);
  const func = functions.get(region.fn);
  const test = region.condition === undefined ? undefined : functions.get(region.condition);
  let { carries } = on;
  for (;;) {
    const condition = test && batchBody(functions, test, [false, ...on.constants, ...carries], size);
    const differ = on.trips.includes(true) || condition?.isBatched[0] === true;
    const given = [false, ...on.constants, ...carries, ...on.xs];
    const found = batchBody(functions, func, given, size).isBatched.map((flag) => flag || differ);
    const grown = carries.map((flag, k) => flag || found[k] === true);
    if (grown.some((flag, k) => flag !== carries[k])) {
      carries = grown;
      continue;
    }
    const ys = found.slice(region.carries);
    const body = batchBody(functions, func, given, size, [...carries, ...ys]).of;
    return { body, condition, carries, ys, constants: on.constants, xs: on.xs, differ };
  }
}

function batchLoop(functions: Functions, node: LoopNode, flags: readonly boolean[], size: Dim, b: Builder): Results {
  const { region } = node;
  const bodies = batchBodies(functions, node, flags, size);
  const given = loopInputs(region, node.inputs);
  const on = loopInputs(region, flags);
  const inputs = {
    trips: given.trips,
    constants: given.constants,
    carries: given.carries.map((value, k) =>
      bodies.carries[k] ? repeatBatch(b, value, on.carries[k] === true, size) : value,
    ),
    xs: given.xs.map((value, k) => (on.xs[k] ? exchange(b, value) : value)),
  };
  const makeLoop = bodies.differ ? (region.counted ? countedLoop : conditionalLoop) : loopOfEqualTrips;
  const made = makeLoop(functions, region, bodies, inputs, b, size);
  const results = loopResults(region, made);
  return {
    of: [...results.carries, ...results.ys.map((y, k) => (bodies.ys[k] ? exchange(b, y) : y)), ...results.made],
    isBatched: [...bodies.carries, ...bodies.ys, ...results.made.map(() => bodies.differ)],
  };
}

type Inputs = ReturnType<typeof loopInputs<Value>>;

const joined = ({ trips, constants, carries, xs }: Inputs): readonly Value[] => [
  ...trips,
  ...constants,
  ...carries,
  ...xs,
];

function loopOfEqualTrips(
  functions: Functions,
  region: LoopRegion,
  { body, condition }: Bodies,
  inputs: Inputs,
  b: Builder,
): readonly Value[] {
  const own: LoopRegion = {
    ...region,
    fn: functions.add(body),
    ...(condition !== undefined && { condition: functions.add(condition.of) }),
  };
  return b.region(own, joined(inputs), loopResultTypes(own, typesOf(body.results)));
}

/** The results of a trip for the sets that make it. What it does for the others has no derivative. */
function trip(
  b: Builder,
  bodies: Bodies,
  { position, constants, carries, xs }: ReturnType<typeof bodyParams<Value>>,
  active: Value,
): readonly Value[] {
  const operands = [...constants, ...carries, ...xs];
  const flags = [...bodies.constants, ...bodies.carries, ...bodies.xs];
  const own = operands.map((value, i) => (flags[i] ? onlyWhere(b, active, value) : value));
  const results = inlineInto(b, bodies.body, [position, ...own]);
  return results.map((result, i) => {
    const kept = carries[i] ?? b.constant(0, result.type.dtype);
    return select(b, active, result, kept, result.type);
  });
}

/** Parameters for a function like another one. */
const likeParams = (b: Builder, values: readonly Value[]): readonly Value[] =>
  values.map(({ name, type }) => b.param(name, type));

/** Each set has a number of trips of its own. */
function countedLoop(
  functions: Functions,
  region: LoopRegion,
  bodies: Bodies,
  inputs: Inputs,
  b: Builder,
): readonly Value[] {
  const { body } = bodies;
  const [trips] = inputs.trips as readonly [Value];
  const inner = new Builder(body.name);
  const own = bodyParams(region, likeParams(inner, body.params));
  const counts = inner.param('trips', trips.type);
  const active = inner.elementwise('lt', [own.position, counts], 'active');
  const results = trip(inner, bodies, own, active);
  const func: Func = {
    ...inner.finish(results, body.origin),
    params: [own.position, ...own.constants, counts, ...own.carries, ...own.xs],
  };
  const next: LoopRegion = { ...region, fn: functions.add(func) };
  // No set at all makes no trips.
  const padded = b.concat([b.constant(0, 'i64', [dimConst(1)]), trips], 0);
  const most = b.reduce('max', padded, [0], 'trips')[0] as Value;
  const all = { ...inputs, trips: [most], constants: [...inputs.constants, trips] };
  return b.region(next, joined(all), loopResultTypes(next, typesOf(results)));
}

/** Each set has a condition of its own. Carried besides: whether it still holds, and how many trips a set made. */
function conditionalLoop(
  functions: Functions,
  region: LoopRegion,
  bodies: Bodies,
  inputs: Inputs,
  b: Builder,
  size: Dim,
): readonly Value[] {
  const { body, condition } = bodies;
  if (condition === undefined) throw new Error('a loop whose trips differ is counted or has a condition');
  const test = condition.of;
  const flagType: TensorType = { dtype: 'bool', shape: [size] };
  const countType = stacked(positionType, size);

  const testing = new Builder(test.name);
  const tested = likeParams(testing, test.params);
  const [alive, counts] = [testing.param('alive', flagType), testing.param('made', countType)];
  const holds = inlineInto(testing, test, tested)[0] as Value;
  const anyHolds = testing.reduce('any', testing.elementwise('logical_and', [alive, holds]), [0])[0] as Value;
  const testFunc: Func = { ...testing.finish([anyHolds], test.origin), params: [...tested, alive, counts] };

  const inner = new Builder(body.name);
  const own = bodyParams(region, likeParams(inner, body.params));
  const [wasAlive, before] = [inner.param('alive', flagType), inner.param('made', countType)];
  const goes = inlineInto(inner, test, [own.position, ...own.constants, ...own.carries])[0] as Value;
  const active = inner.elementwise('logical_and', [wasAlive, goes], 'active');
  const results = trip(inner, bodies, own, active);
  const count = inner.elementwise('add', [before, inner.cast(active, 'i64')]);
  const carried = results.slice(0, region.carries);
  const func: Func = {
    ...inner.finish([...carried, active, count, ...results.slice(region.carries)], body.origin),
    params: [own.position, ...own.constants, ...own.carries, wasAlive, before, ...own.xs],
  };
  const next: LoopRegion = {
    ...region,
    fn: functions.add(func),
    condition: functions.add(testFunc),
    carries: region.carries + 2,
  };
  const start = [b.constant(true, 'bool', [size]), b.constant(0, 'i64', [size])];
  const made = b.region(
    next,
    joined({ ...inputs, carries: [...inputs.carries, ...start] }),
    loopResultTypes(next, typesOf(func.results)),
  );
  const { carries, ys } = loopResults(next, made);
  return [...carries.slice(0, region.carries), ...ys, carries.at(-1) as Value];
}

// ---- one set after another ------------------------------------------------------------------------------------------------

/** A node without a rule: a loop over the sets. */
export function overSets(
  functions: Functions,
  node: Node,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): readonly Value[] {
  const inner = new Builder(`each.${node.results[0]?.name ?? 'set'}`);
  const position = inner.param('i', positionType);
  const inputs = new Map<Value, boolean>(node.inputs.map((input, i) => [input, flags[i] === true]));
  const params = new Map<Value, Value>();
  for (const [input, isBatched] of inputs) {
    const { dtype, shape } = input.type;
    params.set(input, inner.param(input.name, isBatched ? { dtype, shape: shape.slice(1) } : input.type));
  }
  const pick = (wanted: boolean) => [...inputs].flatMap(([input, isBatched]) => (isBatched === wanted ? [input] : []));
  const paramsOf = (values: readonly Value[]) => values.map((value) => params.get(value) as Value);
  const results = node.results.map(({ name, type }) => ({ name: inner.names.fresh(name), type }));
  inner.push({ ...node, inputs: paramsOf(node.inputs), results });
  const func: Func = {
    ...inner.finish(results, node.origin),
    params: [position, ...paramsOf(pick(false)), ...paramsOf(pick(true))],
  };
  const region: LoopRegion = {
    type: 'loop',
    fn: functions.add(func),
    length: size,
    counted: false,
    reverse: false,
    carries: 0,
    xs: pick(true).length,
  };
  return b.region(region, [...pick(false), ...pick(true)], loopResultTypes(region, typesOf(results)));
}
