// Transposition: what depends on a tangent is linear by construction, so walking it backwards with the transposition rules of the kinds
// turns cotangents of the results into cotangents of the parameters.

import type { Builder } from '../../ir/builder.js';
import { isControl } from '../../ir/control.js';
import { type Node, nodeName, type Value } from '../../ir/graph.js';
import type { TransposeRule } from '../../ops/op.js';
import { kindRules } from '../../ops/table.js';
import { transposeControl } from './control-transpose.js';
import type { Linearised } from './linearise.js';
import { joinParts, type Part, partOf } from './parts.js';
import { runRule, type Session, type Tangents } from './session.js';

function applyTranspose(node: Node, linear: readonly boolean[], cotangents: Tangents, b: Builder): Tangents {
  const { transpose } = kindRules(node.kind);
  if (transpose === undefined) throw new Error(`%${node.results[0]?.name} (${nodeName(node)}) has no transposition`);
  return (transpose as TransposeRule<Node['kind']>)(node, linear, cotangents, b);
}

/** Cotangents of linear values: contributions are added up in the order in which they arrive, those of all parts of a value joined first. */
class Cotangents {
  readonly #sums = new Map<Value, Value>();
  readonly #parts = new Map<Value, Part[]>();

  constructor(
    readonly builder: Builder,
    readonly nameOf: (value: Value) => string | undefined,
  ) {}

  /** The sum of the contributions so far. */
  get(value: Value): Value | undefined {
    const parts = this.#parts.get(value) ?? [];
    this.#parts.delete(value);
    const joined = joinParts(this.builder, value, parts, this.nameOf(value));
    for (const contribution of joined === undefined ? parts.map(({ padded }) => padded) : [joined])
      this.add(value, contribution);
    return this.#sums.get(value);
  }

  /** Adds a contribution; `made` are the nodes that compute it. */
  add(value: Value, contribution: Value, made: readonly Node[] = []): void {
    const part = partOf(contribution, made);
    if (part !== undefined) {
      this.#parts.set(value, [...(this.#parts.get(value) ?? []), part]);
      return;
    }
    const sum = this.#sums.get(value);
    const total =
      sum === undefined ? contribution : this.builder.elementwise('add', [sum, contribution], this.nameOf(value));
    this.#sums.set(value, total);
  }
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
    b.withOrigin(node.origin, () => {
      made.values.forEach((contribution, i) => {
        if (contribution !== undefined && flags[i]) cotangents.add(node.inputs[i] as Value, contribution, made.nodes);
      });
    });
  }
  return inputs.map((input) => cotangents.get(input));
}
