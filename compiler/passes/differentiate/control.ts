// Linearisation of loops, and of what else carries functions.
//
// In forward mode (`together`) a loop carries the tangents beside the values. In reverse mode (`apart`) it becomes two: the loop itself,
// which stacks what its linear part reads (residuals.ts), and a loop that is linear in the tangents and reads the stacks; that one is only
// made to be transposed. Conditional nodes are split the same way (branches.ts).

import { Builder } from '../../ir/builder.js';
import { type ControlNode, isLoop, type LoopNode, loopInputs, loopResults, stacked } from '../../ir/control.js';
import { isFloat } from '../../ir/dtype.js';
import type { Func, LoopRegion, Value } from '../../ir/graph.js';
import { typesOf } from '../../ir/rewrite.js';
import {
  addRegion,
  type Body,
  copyOf,
  defined,
  type LinearControl,
  lineariseBody,
  namesOf,
  residuals,
  seeds,
  spread,
  tangentNames,
} from './bodies.js';
import { checkpointApart, checkpointTogether, ifApart, ifTogether } from './branches.js';
import type { Mode } from './linearise.js';
import { DerivativeError, derivativeOrigin, type Session, type Tangents, zeros } from './session.js';

/** Linearises the function of a loop; carries that get a tangent in some trip have one from the start. */
function lineariseLoop(
  session: Session,
  mode: Mode,
  node: LoopNode,
  tangents: Tangents,
): { readonly body: Body; readonly active: readonly boolean[] } {
  const { region } = node;
  const func = session.get(region.fn);
  const first = region.counted ? 1 : 0;
  const active = [false, ...tangents.slice(first).map((tangent) => tangent !== undefined)];
  const carry = active.length - region.xs - region.carries;
  for (;;) {
    const body = lineariseBody(session, mode, func, active);
    let grew = false;
    body.linearised.tangents.slice(0, region.carries).forEach((tangent, k) => {
      if (tangent === undefined || active[carry + k]) return;
      active[carry + k] = true;
      grew = true;
    });
    if (!grew) return { body, active };
  }
}

/** Forward mode: one loop with the tangents among its constants, carries, xs and ys. */
function loopTogether(session: Session, b: Builder, node: LoopNode, tangents: Tangents): LinearControl {
  const { region } = node;
  const { body, active } = lineariseLoop(session, 'together', node, tangents);
  const inputs = loopInputs(region, node.inputs);
  const given = loopInputs(region, tangents);
  const params = loopInputs({ ...region, counted: false }, body.params.slice(1));
  const tangentParams = loopInputs({ ...region, counted: false }, body.tangentParams.slice(1));
  const on = loopInputs({ ...region, counted: false }, active.slice(1));
  const out = body.linearised;
  const carryTangents = out.tangents
    .slice(0, region.carries)
    .map((tangent, k) => (on.carries[k] ? (tangent ?? zeros(body.b, params.carries[k] as Value)) : undefined));
  const yTangents = out.tangents.slice(region.carries);
  const carried = [
    ...params.constants,
    ...defined(tangentParams.constants),
    ...params.carries,
    ...defined(tangentParams.carries),
  ];
  const fn = session.add({
    name: `jvp.${region.fn}`,
    params: [body.params[0] as Value, ...carried, ...params.xs, ...defined(tangentParams.xs)],
    nodes: body.b.nodes,
    results: [
      ...out.results.slice(0, region.carries),
      ...defined(carryTangents),
      ...out.results.slice(region.carries),
      ...defined(yTangents),
    ],
    origin: node.origin,
  });
  const condition = region.condition === undefined ? {} : { condition: widened(session, region, carried, params) };
  const own = loopResults(region, node.results);
  const carryPrimals = own.carries.filter((_, k) => carryTangents[k] !== undefined);
  const yPrimals = own.ys.filter((_, k) => yTangents[k] !== undefined);
  const parts = [own.carries, carryPrimals, own.ys, yPrimals, own.made];
  const made = addRegion(
    b,
    {
      ...node,
      region: {
        ...region,
        ...condition,
        fn,
        carries: region.carries + carryPrimals.length,
        xs: region.xs + defined(tangentParams.xs).length,
      },
      inputs: [
        ...inputs.trips,
        ...inputs.constants,
        ...seeds(b, inputs.constants, given.constants, on.constants),
        ...inputs.carries,
        ...seeds(b, inputs.carries, given.carries, on.carries),
        ...inputs.xs,
        ...seeds(b, inputs.xs, given.xs, on.xs),
      ],
    },
    parts.flatMap(typesOf),
    [own.carries, own.ys].flatMap((values, i) => [...namesOf(values), ...tangentNames(i ? yPrimals : carryPrimals)]),
  );
  let at = 0;
  const [carries, tCarries, ys, tYs, counts] = parts.map((part) => {
    at += part.length;
    return made.results.slice(at - part.length, at);
  }) as [Value[], Value[], Value[], Value[], Value[]];
  return {
    results: [...carries, ...ys, ...counts],
    tangents: [...spread(carryTangents, tCarries), ...spread(yTangents, tYs), ...counts.map(() => undefined)],
    linear: [],
  };
}

/** The condition of a loop as a function of more constants and carries. */
function widened(
  session: Session,
  region: LoopRegion,
  carried: readonly Value[],
  old: { readonly constants: readonly Value[]; readonly carries: readonly Value[] },
): string {
  const condition = session.get(region.condition as string);
  const own = new Map<Value, Value>();
  [...old.constants, ...old.carries].forEach((param, i) => void own.set(param, condition.params[i + 1] as Value));
  const names = new Builder(condition.name).names;
  for (const param of condition.params) names.reserve(param.name);
  for (const node of condition.nodes) for (const result of node.results) names.reserve(result.name);
  const params = carried.map((param) => own.get(param) ?? { ...param, name: names.fresh(param.name) });
  return session.add({ ...condition, params: [condition.params[0] as Value, ...params] });
}

/** Reverse mode: the loop with stacks of residuals, and the loop over the tangents. */
function loopApart(session: Session, b: Builder, node: LoopNode, tangents: Tangents): LinearControl {
  const { region } = node;
  const { length } = region;
  if (length === undefined) {
    const text = node.origin.text === undefined ? 'this loop' : `\`${node.origin.text}\``;
    throw new DerivativeError(
      'E0505',
      `${text} is differentiated in reverse, which stores what its trips compute: it needs a bound, \`max\` and the largest number of trips`,
      node.origin,
    );
  }
  const { body, active } = lineariseLoop(session, 'apart', node, tangents);
  const uncounted = { ...region, counted: false };
  const params = loopInputs(uncounted, body.params.slice(1));
  const tangentParams = loopInputs(uncounted, body.tangentParams.slice(1));
  const on = loopInputs(uncounted, active.slice(1));
  const position = body.params[0] as Value;
  const out = body.linearised;
  // Linear results: zeros where a carry that had a tangent loses it.
  const zeroBuilder = new Builder('zeros', body.b.names);
  const tCarries = out.tangents
    .slice(0, region.carries)
    .map((tangent, k) => (on.carries[k] ? (tangent ?? zeros(zeroBuilder, params.carries[k] as Value)) : undefined));
  const tYs = out.tangents.slice(region.carries);
  const ys = out.results.slice(region.carries);
  const found = residuals(body, [position, ...params.constants, ...params.xs], ys, tYs);
  const own = loopResults(region, node.results);

  const stored = found.stored.filter((value) => !ys.includes(value));
  const primal = addRegion(
    b,
    {
      ...node,
      region: {
        ...region,
        fn:
          stored.length === 0
            ? region.fn
            : session.add({ ...copyOf(body, node), results: [...out.results, ...stored] }),
      },
    },
    [...typesOf([...own.carries, ...own.ys]), ...stored.map(({ type }) => stacked(type, length)), ...typesOf(own.made)],
    [...namesOf([...own.carries, ...own.ys]), ...namesOf(stored), ...namesOf(own.made)],
  ) as LoopNode;
  const results = loopResults(region, primal.results);
  const stackOf = (value: Value): Value => results.ys[[...ys, ...stored].indexOf(value)] as Value;

  const inputs = loopInputs(region, node.inputs);
  const given = loopInputs(region, tangents);
  const isUsed = (value: Value) => found.given.has(value);
  const pick = (values: readonly Value[], by: readonly Value[]) => values.filter((_, i) => isUsed(by[i] as Value));
  const linearFn: Func = {
    name: `linear.${region.fn}`,
    params: [
      position,
      ...params.constants.filter(isUsed),
      ...defined(tangentParams.constants),
      ...defined(tangentParams.carries),
      ...found.stored,
      ...params.xs.filter(isUsed),
      ...defined(tangentParams.xs),
    ],
    nodes: [...found.recomputed, ...zeroBuilder.nodes, ...out.linear],
    results: [...defined(tCarries), ...defined(tYs)],
    origin: node.origin,
  };
  const trips = region.condition === undefined ? inputs.trips : results.made;
  const xs = [...found.stored.map(stackOf), ...pick(inputs.xs, params.xs), ...seeds(b, inputs.xs, given.xs, on.xs)];
  const tPrimals = [
    ...own.carries.filter((_, k) => tCarries[k] !== undefined),
    ...own.ys.filter((_, k) => tYs[k] !== undefined),
  ];
  const linear: LoopNode = {
    kind: 'region',
    region: {
      type: 'loop',
      fn: session.add(linearFn),
      length,
      counted: trips.length > 0,
      reverse: region.reverse,
      carries: defined(tCarries).length,
      xs: xs.length,
    },
    inputs: [
      ...trips,
      ...pick(inputs.constants, params.constants),
      ...seeds(b, inputs.constants, given.constants, on.constants),
      ...seeds(b, inputs.carries, given.carries, on.carries),
      ...xs,
    ],
    results: tPrimals.map(({ name, type }) => ({ name: b.names.fresh(`t_${name}`), type })),
    origin: derivativeOrigin(node),
  };
  return {
    results: [...results.carries, ...results.ys.slice(0, own.ys.length), ...results.made],
    tangents: [...spread([...tCarries, ...tYs], linear.results), ...results.made.map(() => undefined)],
    linear: [linear],
  };
}

/** Copies a loop or conditional node into `b` and pushes tangents through it. At least one of its inputs has a tangent. */
export function linearControl(
  session: Session,
  mode: Mode,
  b: Builder,
  node: ControlNode,
  tangents: Tangents,
): LinearControl {
  const floats = tangents.map((tangent, i) => (isFloat((node.inputs[i] as Value).type.dtype) ? tangent : undefined));
  return b.withOrigin(derivativeOrigin(node), () => {
    if (isLoop(node)) return (mode === 'together' ? loopTogether : loopApart)(session, b, node, floats);
    const [together, apart] = node.region.type === 'if' ? [ifTogether, ifApart] : [checkpointTogether, checkpointApart];
    return (mode === 'together' ? together : apart)(session, b, node, floats);
  });
}
