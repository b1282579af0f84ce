// Calls of functions whose derivative is stated (`custom_jvp`): tangents come from the stated function instead of from the body.
//
// The call itself stays a call beside its tangents, so that the derivative of the derivative meets it again; when all derivatives are
// taken, the calls that remain are opened.

import type { Builder } from '../../ir/builder.js';
import { isFloat } from '../../ir/dtype.js';
import type { CustomJvpRegion, Func, Module, Node, RegionNode, Value } from '../../ir/graph.js';
import { inlineInto, mapFunction } from '../../ir/rewrite.js';
import { type Linearised, linearise, type Mode } from './linearise.js';
import { DerivativeError, type Session, type Tangents, zeros } from './session.js';

export type CustomNode = RegionNode & { readonly region: CustomJvpRegion };

export const isCustom = (node: Node): node is CustomNode => node.kind === 'region' && node.region.type === 'custom_jvp';

/** The tangents of a node's results, and what they are made of. */
export type CustomTangents = Pick<Linearised, 'tangents' | 'linear' | 'tangentOf'>;

/**
 * Pushes tangents through a node, which is in `b` already. The stated derivative is linear in its tangents, so it is the derivative of
 * itself by them, at any point: at zeros. That way tangents that there are none of cost nothing.
 */
export function customTangents(
  session: Session,
  mode: Mode,
  b: Builder,
  node: CustomNode,
  inputTangents: Tangents,
): CustomTangents {
  const { region, inputs, results } = node;
  const tangents = inputTangents.map((tangent, i) => (isFloat((inputs[i] as Value).type.dtype) ? tangent : undefined));
  const missing = tangents.findIndex((tangent, i) => tangent !== undefined && !region.wrt.includes(i));
  if (missing >= 0) {
    const text = node.origin.text === undefined ? `@${region.fn}` : `\`${node.origin.text}\``;
    throw new DerivativeError(
      'E0508',
      `${text} is differentiated by \`${inputs[missing]?.name}\`, which it closes over, but the derivative that it states says nothing of that: make it a parameter`,
      node.origin,
    );
  }
  const seeds = region.wrt.map((i) => tangents[i]);
  const none = [...inputs, ...results].map(() => undefined);
  if (seeds.every((seed) => seed === undefined))
    return { tangents: results.map(() => undefined), linear: [], tangentOf: new Map() };
  const points = region.wrt.map((i) => zeros(b, inputs[i] as Value));
  const derivative = session.get(region.derivative);
  const made = linearise(session, mode, b, derivative, [...inputs, ...results, ...points], [...none, ...seeds]);
  const given = new Map(region.of.map((result, i) => [result, made.tangents[i]]));
  return { ...made, tangents: results.map((_, i) => given.get(i)) };
}

/** The module with all calls of functions that state their derivative opened. */
export function openCustom(module: Module): Module {
  const functions = new Map<string, Func>();
  for (const func of module.functions.values()) {
    const opened = mapFunction(func, (node, { builder }) =>
      isCustom(node) ? inlineInto(builder, functions.get(node.region.fn) as Func, node.inputs) : undefined,
    );
    functions.set(func.name, opened);
  }
  return { functions };
}
