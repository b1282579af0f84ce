// Functions of loops and branches linearised, and what their derivatives are put together with.

import { Builder } from '../../ir/builder.js';
import type { ControlNode } from '../../ir/control.js';
import type { Func, Node, TensorType, Value } from '../../ir/graph.js';
import { type Linearised, linearise, type Mode } from './linearise.js';
import { type Residuals, residualsOf } from './residuals.js';
import { type Session, type Tangents, zeros } from './session.js';

/** What stands for a node: values and tangents of its results, and nodes that are kept apart. */
export interface LinearControl {
  readonly results: readonly Value[];
  readonly tangents: Tangents;
  readonly linear: readonly Node[];
}

/** A function beside which its linear part stands, both over the function's own parameters. */
export interface Body {
  readonly b: Builder;
  readonly params: readonly Value[];
  /** The tangent of each parameter that has one. */
  readonly tangentParams: Tangents;
  readonly linearised: Linearised;
}

export function lineariseBody(session: Session, mode: Mode, func: Func, active: readonly boolean[]): Body {
  const b = new Builder(func.name);
  for (const { name } of func.params) b.names.reserve(name);
  const tangentParams = func.params.map((param, i): Value | undefined =>
    active[i] ? { name: b.names.fresh(`t_${param.name}`), type: param.type } : undefined,
  );
  const linearised = linearise(session, mode, b, func, func.params, tangentParams);
  if (mode === 'together') for (const node of linearised.linear) b.push(node);
  return { b, params: func.params, tangentParams, linearised };
}

export const defined = <T>(values: readonly (T | undefined)[]): readonly T[] =>
  values.filter((value) => value !== undefined);

/** The tangents of loop inputs or results that are active, with zeros for those that have none yet. */
export const seeds = (b: Builder, values: readonly Value[], tangents: Tangents, active: readonly boolean[]): Value[] =>
  values.flatMap((value, i) => (active[i] ? [tangents[i] ?? zeros(b, value)] : []));

/** Gives each value of `of` for which there is one the next of `from`. */
export function spread(of: readonly (unknown | undefined)[], from: readonly Value[]): Tangents {
  let at = 0;
  return of.map((value) => (value === undefined || value === false ? undefined : from[at++]));
}

/** Adds a region; its results are named after those that it stands for. */
export function addRegion(
  b: Builder,
  node: ControlNode,
  types: readonly TensorType[],
  names: readonly string[],
): ControlNode {
  const results = types.map((type, i) => ({ name: b.names.fresh(names[i] ?? 'v'), type }));
  const made: ControlNode = { ...node, results };
  b.push(made);
  return made;
}

export const tangentNames = (values: readonly Value[]): readonly string[] => values.map(({ name }) => `t_${name}`);
export const namesOf = (values: readonly Value[]): readonly string[] => values.map(({ name }) => name);

/** What the linear part of a body reads, given the parameters that are at hand later. */
export function residuals(
  { b, linearised }: Body,
  given: readonly Value[],
  kept: readonly Value[],
  results: Tangents,
): Residuals {
  const linear = new Set(linearised.tangentOf.keys());
  for (const node of linearised.linear) for (const result of node.results) linear.add(result);
  const needed = [...linearised.linear.flatMap((node) => node.inputs), ...defined(results)];
  return residualsOf(
    b.nodes,
    new Set(given),
    new Set(kept),
    needed.filter((value) => !linear.has(value)),
  );
}

/** The function of a body without its linear part. */
export const copyOf = ({ b, params, linearised }: Body, { origin }: Node): Func => ({
  name: `store.${b.name}`,
  params,
  nodes: b.nodes,
  results: linearised.results,
  origin,
});
