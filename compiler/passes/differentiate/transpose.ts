// Transposition: what depends on a tangent is linear by construction, so walking it backwards with the transposition rules of the kinds
// turns cotangents of the results into cotangents of the parameters.

import type { Builder } from '../../ir/builder.js';
import { isControl } from '../../ir/control.js';
import { type Node, nodeName, type Value } from '../../ir/graph.js';
import type { TransposeRule } from '../../ops/op.js';
import { kindRules } from '../../ops/table.js';
import { transposeControl } from './control-transpose.js';
import { Cotangents } from './cotangents.js';
import type { Linearised } from './linearise.js';
import { runRule, type Session, type Tangents } from './session.js';

function applyTranspose(node: Node, linear: readonly boolean[], cotangents: Tangents, b: Builder): Tangents {
  const { transpose } = kindRules(node.kind);
  if (transpose === undefined) throw new Error(`%${node.results[0]?.name} (${nodeName(node)}) has no transposition`);
  return (transpose as TransposeRule<Node['kind']>)(node, linear, cotangents, b);
}

/** Walks linear nodes backwards; what arrives at `inputs` is returned. */
export function transpose(
  session: Session,
  b: Builder,
  { linear, tangentOf }: Pick<Linearised, 'linear' | 'tangentOf'>,
  seeds: readonly (readonly [Value | undefined, Value])[],
  inputs: readonly Value[],
): Tangents {
  const isLinear = new Set<Value>([...inputs, ...linear.flatMap((node) => node.results)]);
  const nameOf = (value: Value): string | undefined => {
    const forward = tangentOf.get(value);
    return forward && `d_${forward.name}`;
  };
  const cotangents = new Cotangents(b, nameOf);
  for (const [tangent, seed] of seeds) if (tangent !== undefined) cotangents.add(tangent, seed);
  for (const node of linear.toReversed()) {
    const incoming = node.results.map((result) => cotangents.get(result));
    if (incoming.every((cotangent) => cotangent === undefined)) continue;
    const flags = node.inputs.map((input) => isLinear.has(input));
    if (isControl(node)) {
      b.withOrigin(node.origin, () => {
        transposeControl(session, b, node, flags, incoming).forEach((contribution, i) => {
          if (contribution !== undefined && flags[i]) cotangents.add(node.inputs[i] as Value, contribution);
        });
      });
      continue;
    }
    const hints = node.inputs.map(nameOf);
    const made = runRule(b.names, node.origin, (scratch) => applyTranspose(node, flags, incoming, scratch), hints);
    for (const each of made.nodes) b.push(each);
    const [cotangent] = incoming;
    if (node.kind === 'elementwise' && cotangent !== undefined) cotangents.noteProducts(cotangent, made.nodes);
    b.withOrigin(node.origin, () => {
      made.values.forEach((contribution, i) => {
        if (contribution !== undefined && flags[i]) cotangents.add(node.inputs[i] as Value, contribution, made.nodes);
      });
    });
  }
  return inputs.map((input) => cotangents.get(input));
}
