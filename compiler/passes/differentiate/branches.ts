// Linearisation of conditional nodes and of checkpoints.

import { Builder } from '../../ir/builder.js';
import type { ControlNode } from '../../ir/control.js';
import type { TensorType, Value } from '../../ir/graph.js';
import { typesOf } from '../../ir/rewrite.js';
import { printType } from '../../ir/text/words.js';
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
import type { Mode } from './linearise.js';
import type { Residuals } from './residuals.js';
import { derivativeOrigin, type Session, type Tangents } from './session.js';

/** Both branches linearised. */
function branches(session: Session, mode: Mode, node: ControlNode, tangents: Tangents): readonly [Body, Body] {
  const { fn, otherwise } = node.region as Extract<ControlNode['region'], { type: 'if' }>;
  const active = tangents.slice(1).map((tangent) => tangent !== undefined);
  const of = (name: string) => lineariseBody(session, mode, session.get(name), active);
  return [of(fn), of(otherwise)];
}

/** For each result whether it has a tangent in one of the branches. */
const eitherTangent = ([a, b]: readonly [Body, Body]): readonly boolean[] =>
  a.linearised.tangents.map((tangent, i) => tangent !== undefined || b.linearised.tangents[i] !== undefined);

const isGiven =
  (flags: readonly boolean[]) =>
  (_: unknown, i: number): boolean =>
    flags[i] === true;

/** Forward mode: both branches give the tangents too. */
export function ifTogether(session: Session, b: Builder, node: ControlNode, tangents: Tangents): LinearControl {
  const bodies = branches(session, 'together', node, tangents);
  const active = eitherTangent(bodies);
  const [fn, otherwise] = bodies.map((body) =>
    session.add({
      name: `jvp.${body.b.name}`,
      params: [...body.params, ...defined(body.tangentParams)],
      results: [
        ...body.linearised.results,
        ...seeds(body.b, body.linearised.results, body.linearised.tangents, active),
      ],
      nodes: body.b.nodes,
      origin: node.origin,
    }),
  ) as [string, string];
  const own = node.results;
  const differentiated = own.filter(isGiven(active));
  const made = addRegion(
    b,
    { ...node, region: { type: 'if', fn, otherwise }, inputs: [...node.inputs, ...defined(tangents.slice(1))] },
    typesOf([...own, ...differentiated]),
    [...namesOf(own), ...tangentNames(differentiated)],
  );
  return {
    results: made.results.slice(0, own.length),
    tangents: spread(active, made.results.slice(own.length)),
    linear: [],
  };
}

/** Places for the residuals of both branches: those of one branch use the places of the other where types are equal. */
function sharePlaces(both: readonly [Residuals, Residuals]): {
  readonly types: readonly TensorType[];
  readonly placesOf: readonly (readonly number[])[];
} {
  const types: TensorType[] = [];
  const placesOf = both.map(({ stored }) => {
    const taken = new Set<number>();
    return stored.map(({ type }) => {
      const free = types.findIndex((other, i) => !taken.has(i) && printType(other) === printType(type));
      const place = free >= 0 ? free : types.push(type) - 1;
      taken.add(place);
      return place;
    });
  });
  return { types, placesOf };
}

/** Reverse mode: both branches give what the linear ones read. */
export function ifApart(session: Session, b: Builder, node: ControlNode, tangents: Tangents): LinearControl {
  const bodies = branches(session, 'apart', node, tangents);
  const active = eitherTangent(bodies);
  const both = bodies.map((body) => residuals(body, body.params, [], body.linearised.tangents)) as [
    Residuals,
    Residuals,
  ];
  const { types, placesOf } = sharePlaces(both);
  const own = node.results;
  const [fn, otherwise] = bodies.map((body, k) => {
    const copy = copyOf(body, node);
    const stored = types.map((type, place) => {
      const at = (placesOf[k] as readonly number[]).indexOf(place);
      return both[k]?.stored[at] ?? body.b.constant(0, type.dtype, type.shape);
    });
    return session.add({ ...copy, nodes: body.b.nodes, results: [...copy.results, ...stored] });
  }) as [string, string];
  const primal = addRegion(
    b,
    { ...node, region: { type: 'if', fn, otherwise } },
    [...typesOf(own), ...types],
    namesOf(own),
  );
  const used = node.inputs
    .slice(1)
    .map((_, i) => bodies.some((body, k) => both[k]?.given.has(body.params[i] as Value)));
  const [linearFn, linearOtherwise] = bodies.map((body, k) => {
    const found = both[k] as Residuals;
    const params = types.map((type, place): Value => {
      const at = (placesOf[k] as readonly number[]).indexOf(place);
      return found.stored[at] ?? { name: body.b.names.fresh('unused'), type };
    });
    const ends = new Builder('zeros', body.b.names);
    const results = seeds(ends, body.linearised.results, body.linearised.tangents, active);
    return session.add({
      name: `linear.${body.b.name}`,
      params: [...body.params.filter(isGiven(used)), ...defined(body.tangentParams), ...params],
      nodes: [...found.recomputed, ...ends.nodes, ...body.linearised.linear],
      results,
      origin: node.origin,
    });
  }) as [string, string];
  const results = primal.results.slice(0, own.length);
  const linear: ControlNode = {
    kind: 'region',
    region: { type: 'if', fn: linearFn, otherwise: linearOtherwise },
    inputs: [
      node.inputs[0] as Value,
      ...node.inputs.slice(1).filter(isGiven(used)),
      ...defined(tangents.slice(1)),
      ...primal.results.slice(own.length),
    ],
    results: own.filter(isGiven(active)).map(({ name, type }) => ({ name: b.names.fresh(`t_${name}`), type })),
    origin: derivativeOrigin(node),
  };
  return { results, tangents: spread(active, linear.results), linear: [linear] };
}

/** The function of a checkpoint linearised. */
function sealedBody(session: Session, mode: Mode, node: ControlNode, tangents: Tangents): Body {
  const active = tangents.map((tangent) => tangent !== undefined);
  return lineariseBody(session, mode, session.get(node.region.fn), active);
}

export function checkpointTogether(session: Session, b: Builder, node: ControlNode, tangents: Tangents): LinearControl {
  const body = sealedBody(session, 'together', node, tangents);
  const out = body.linearised;
  const fn = session.add({
    name: `jvp.${body.b.name}`,
    params: [...body.params, ...defined(body.tangentParams)],
    nodes: body.b.nodes,
    results: [...out.results, ...defined(out.tangents)],
    origin: node.origin,
  });
  const own = node.results;
  const differentiated = own.filter((_, i) => out.tangents[i] !== undefined);
  const made = addRegion(
    b,
    { ...node, region: { type: 'checkpoint', fn }, inputs: [...node.inputs, ...defined(tangents)] },
    typesOf([...own, ...differentiated]),
    [...namesOf(own), ...tangentNames(differentiated)],
  );
  const results = made.results.slice(0, own.length);
  return { results, tangents: spread(out.tangents, made.results.slice(own.length)), linear: [] };
}

/** Reverse mode keeps the arguments alone: the linear function computes again all that it reads. */
export function checkpointApart(session: Session, b: Builder, node: ControlNode, tangents: Tangents): LinearControl {
  const body = sealedBody(session, 'apart', node, tangents);
  const out = body.linearised;
  const own = node.results;
  const primal = addRegion(b, node, typesOf(own), namesOf(own));
  const fn = session.add({
    name: `linear.${body.b.name}`,
    params: [...body.params, ...defined(body.tangentParams)],
    nodes: [...body.b.nodes, ...out.linear],
    results: defined(out.tangents),
    origin: node.origin,
  });
  const linear: ControlNode = {
    kind: 'region',
    region: { type: 'checkpoint', fn },
    inputs: [...node.inputs, ...defined(tangents)],
    results: own
      .filter((_, i) => out.tangents[i] !== undefined)
      .map(({ name, type }) => ({ name: b.names.fresh(`t_${name}`), type })),
    origin: derivativeOrigin(node),
  };
  return { results: primal.results, tangents: spread(out.tangents, linear.results), linear: [linear] };
}
