// Transposition of the linear loops and conditional nodes that linearisation has made.
//
// The transposed loop goes through the positions the other way. Its carries are the cotangents of the carries, and for each linear
// constant a sum over all trips, unless that is taken outside (trip-sums.ts); the cotangents of the ys are xs, and the cotangents of linear xs are ys.

import { Builder } from '../../ir/builder.js';
import { argumentsOf, type ControlNode, isLoop, type LoopNode, loopInputs, loopResultTypes } from '../../ir/control.js';
import type { Dim } from '../../ir/dims.js';
import type { Func, LoopRegion, Node, Value } from '../../ir/graph.js';
import { namesOf, regionFunctions, renameRegion, typesOf } from '../../ir/rewrite.js';
import { type Session, type Tangents, zeros } from './session.js';
import { transpose } from './transpose.js';
import { sumOverTrips, type TripSum, tripSums } from './trip-sums.js';

/** A linear function transposed: cotangents of results come in, cotangents of its linear parameters go out. */
interface Transposed {
  readonly b: Builder;
  /** For each result: the parameter that its cotangent is. */
  readonly seeds: Tangents;
  /** For each parameter: its cotangent. */
  readonly cotangents: Tangents;
}

/** `linear` marks the parameters that the function is linear in, `incoming` the results that have a cotangent. */
function transposeFunction(
  session: Session,
  func: Func,
  linear: readonly boolean[],
  incoming: readonly boolean[],
): Transposed {
  const names = namesOf(func);
  const b = new Builder(func.name, names);
  const params = func.params.filter((_, i) => linear[i]);
  const isLinear = new Set<Value>(params);
  const nodes: Node[] = [];
  for (const node of func.nodes) {
    if (!node.inputs.some((input) => isLinear.has(input))) b.push(node);
    else {
      nodes.push(node);
      for (const result of node.results) isLinear.add(result);
    }
  }
  const forward = (value: Value): Value => ({ ...value, name: value.name.replace(/^t_/, '') });
  const tangentOf = new Map([...isLinear].map((value) => [value, forward(value)]));
  const seeds = func.results.map((result, i): Value | undefined =>
    incoming[i] ? { name: names.fresh(`d_${forward(result).name}`), type: result.type } : undefined,
  );
  const pairs = func.results.flatMap((result, i) => {
    const seed = seeds[i];
    return seed === undefined || !isLinear.has(result) ? [] : [[result, seed] as const];
  });
  const found = transpose(session, b, { linear: nodes, tangentOf }, pairs, params);
  return { b, seeds, cotangents: func.params.map((param) => found[params.indexOf(param)]) };
}

const defined = <T>(values: readonly (T | undefined)[]): readonly T[] => values.filter((value) => value !== undefined);
const select = <T>(values: readonly T[], flags: readonly boolean[]): readonly T[] => values.filter((_, i) => flags[i]);

/** Transposes the function of a loop; carries whose cotangent is not 0 in some trip have one from the start. */
function transposeBody(
  session: Session,
  node: LoopNode,
  linear: readonly boolean[],
  incoming: readonly boolean[],
): Transposed & { readonly active: readonly boolean[] } {
  const { region } = node;
  const func = session.get(region.fn);
  const active = [...incoming];
  const carry = func.params.length - region.xs - region.carries;
  for (;;) {
    const found = transposeFunction(session, func, linear, active);
    let grew = false;
    found.cotangents.slice(carry, carry + region.carries).forEach((cotangent, k) => {
      if (cotangent === undefined || active[k]) return;
      active[k] = true;
      grew = true;
    });
    if (!grew) return { ...found, active };
  }
}

function transposeLoop(
  session: Session,
  b: Builder,
  node: LoopNode,
  flags: readonly boolean[],
  cotangents: Tangents,
): Tangents {
  const { region } = node;
  const func = session.get(region.fn);
  const uncounted = { ...region, counted: false };
  const inputs = loopInputs(region, node.inputs);
  const on = loopInputs(region, flags);
  const isLinear = { ...on, carries: inputs.carries.map(() => true) };
  const linear = [false, ...isLinear.constants, ...isLinear.carries, ...isLinear.xs];
  const body = transposeBody(
    session,
    node,
    linear,
    cotangents.map((cotangent) => cotangent !== undefined),
  );
  const params = loopInputs(uncounted, func.params.slice(1));
  const found = loopInputs(uncounted, body.cotangents.slice(1));
  const isActive = body.active.slice(0, region.carries);
  const ends = params.carries.map((param, k) => (isActive[k] ? (found.carries[k] ?? zeros(body.b, param)) : undefined));
  const others = (flag: boolean): boolean => !flag;
  const fixed = { constants: isLinear.constants.map(others), xs: isLinear.xs.map(others) };
  const constants = select(params.constants, fixed.constants);
  const slices = [...select(params.xs, fixed.xs), ...defined(body.seeds.slice(region.carries))];
  // A loop that may end early leaves slices that no trip has seen; what they hold must not count.
  const outside = tripSums(body.b.nodes, region.counted ? [] : defined(found.constants), {
    carried: defined(ends),
    stacks: defined(found.xs),
    slices,
    atHand: new Set([...constants, ...slices]),
  });
  const sumOutside = (contribution: Value | undefined): TripSum | undefined =>
    outside.found.find((sum) => sum.contribution === contribution);
  const sums = found.constants.map((contribution): { readonly param: Value; readonly sum: Value } | undefined => {
    if (contribution === undefined || sumOutside(contribution) !== undefined) return undefined;
    const param: Value = { name: body.b.names.fresh(`sum_${contribution.name}`), type: contribution.type };
    return { param, sum: body.b.elementwise('add', [param, contribution], `${param.name}.next`) };
  });
  const fn: Func = {
    name: `transpose.${region.fn.replace(/^linear\./, '')}`,
    params: [
      func.params[0] as Value,
      ...constants,
      ...defined(body.seeds.slice(0, region.carries)),
      ...defined(sums).map(({ param }) => param),
      ...slices,
    ],
    nodes: body.b.nodes,
    results: [...defined(ends), ...defined(sums).map(({ sum }) => sum), ...defined(found.xs), ...outside.stacked],
    origin: node.origin,
  };
  const xs = [...select(inputs.xs, fixed.xs), ...defined(cotangents.slice(region.carries))];
  const transposed: LoopRegion = {
    ...region,
    fn: session.add(fn),
    reverse: !region.reverse,
    carries: defined(ends).length + defined(sums).length,
    xs: xs.length,
  };
  const results = b.region(
    transposed,
    [
      ...inputs.trips,
      ...select(inputs.constants, fixed.constants),
      ...inputs.carries.flatMap((carry, k) => (isActive[k] ? [cotangents[k] ?? zeros(b, carry)] : [])),
      ...defined(sums).map(({ param }) => zeros(b, param)),
      ...xs,
    ],
    loopResultTypes(transposed, typesOf(fn.results)),
    `d_${(node.results[0] as Value).name.replace(/^t_/, '')}`,
  );
  let at = 0;
  const next = (value: unknown): Value | undefined => (value === undefined ? undefined : results[at++]);
  const carries = ends.map(next);
  const carriedSums = sums.map(next);
  const linearXs = found.xs.map(next);
  const stacks = new Map<Value, Value>([
    ...slices.map((slice, i) => [slice, xs[i] as Value] as const),
    ...found.xs.flatMap((value, i) => (value === undefined ? [] : [[value, linearXs[i] as Value] as const])),
    ...outside.stacked.map((value) => [value, next(value) as Value] as const),
  ]);
  const givenConstants = select(inputs.constants, fixed.constants);
  const whole = (value: Value) => {
    const stack = stacks.get(value);
    return { value: stack ?? (givenConstants[constants.indexOf(value)] as Value), isStack: stack !== undefined };
  };
  const totals = found.constants.map((contribution, i) => {
    const sum = sumOutside(contribution);
    return sum === undefined ? carriedSums[i] : sumOverTrips(b, sum, region.length as Dim, whole);
  });
  return [...inputs.trips.map(() => undefined), ...totals, ...carries, ...linearXs];
}

/** Conditional nodes and checkpoints. */
function transposeCalls(
  session: Session,
  b: Builder,
  node: ControlNode,
  flags: readonly boolean[],
  cotangents: Tangents,
): Tangents {
  const args = argumentsOf(node);
  const first = node.inputs.length - args.length;
  const linear = flags.slice(first);
  const incoming = cotangents.map((cotangent) => cotangent !== undefined);
  const all = regionFunctions(node.region).map((name) => {
    const func = session.get(name);
    return { func, ...transposeFunction(session, func, linear, incoming) };
  });
  const wanted = linear.map((_, i) => all.some((body) => body.cotangents[i] !== undefined));
  const isFixed = linear.map((flag) => !flag);
  const names = new Map(
    all.map((body) => {
      const results = body.func.params.flatMap((param, i) =>
        wanted[i] ? [body.cotangents[i] ?? zeros(body.b, param)] : [],
      );
      const fn = session.add({
        name: `transpose.${body.func.name.replace(/^linear\./, '')}`,
        params: [...select(body.func.params, isFixed), ...defined(body.seeds)],
        nodes: body.b.nodes,
        results,
        origin: node.origin,
      });
      return [body.func.name, fn];
    }),
  );
  const results = b.region(
    renameRegion(node.region, (name) => names.get(name) as string),
    [...node.inputs.slice(0, first), ...select(args, isFixed), ...defined(cotangents)],
    typesOf(select(args, wanted)),
    `d_${(node.results[0] as Value).name.replace(/^t_/, '')}`,
  );
  let at = 0;
  const own = wanted.map((flag) => (flag ? results[at++] : undefined));
  return [...node.inputs.slice(0, first).map(() => undefined), ...own];
}

/** Pulls cotangents back through a linear loop or conditional node. */
export const transposeControl = (
  session: Session,
  b: Builder,
  node: ControlNode,
  flags: readonly boolean[],
  cotangents: Tangents,
): Tangents => (isLoop(node) ? transposeLoop : transposeCalls)(session, b, node as LoopNode, flags, cotangents);
