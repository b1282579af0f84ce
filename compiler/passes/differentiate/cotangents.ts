// Cotangents of linear values: contributions are added up in the order in which they arrive. Two sorts are joined instead.
//
// - Those of all parts of a value are put side by side (see parts.ts).
// - Those that scale one cotangent become one that scales it by the sum of the factors: the derivative of a chain of elementwise functions is
//   then one number for each element, which the forward pass computes beside the value.

import type { Builder } from '../../ir/builder.js';
import type { Node, Value } from '../../ir/graph.js';
import { joinParts, type Part, partOf } from './parts.js';

/** A cotangent that is another one times factors that depend on no cotangent. */
interface Scaled {
  readonly base: Value;
  readonly factors: readonly Value[];
}

export class Cotangents {
  readonly #sums = new Map<Value, Value>();
  readonly #parts = new Map<Value, Part[]>();
  readonly #scaled = new Map<Value, Scaled>();

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
    this.#sums.set(value, sum === undefined ? contribution : this.#total(value, sum, contribution));
  }

  #total(value: Value, sum: Value, contribution: Value): Value {
    const { builder } = this;
    const [a, b] = [this.#scaled.get(sum), this.#scaled.get(contribution)];
    if (a === undefined || b === undefined || a.base !== b.base)
      return builder.elementwise('add', [sum, contribution], this.nameOf(value));
    const [f, g] = [a, b].map(({ factors }) => factors.reduce((x, y) => builder.elementwise('mul', [x, y])));
    const factor = builder.elementwise('add', [f as Value, g as Value]);
    const total = builder.elementwise('mul', [a.base, factor], this.nameOf(value));
    this.#scaled.set(total, { base: a.base, factors: [factor] });
    return total;
  }

  /** Notes the products of a node's cotangent and values that were there before among what a rule has made of it. */
  noteProducts(cotangent: Value, made: readonly Node[]): void {
    const { base, factors } = this.#scaled.get(cotangent) ?? { base: cotangent, factors: [] };
    for (const node of made) {
      if (node.kind !== 'elementwise' || node.op !== 'mul' || node.inputs[0] !== cotangent) continue;
      const [product, factor] = [node.results[0], node.inputs[1]] as [Value, Value];
      this.#scaled.set(product, { base, factors: [...factors, factor] });
    }
  }
}
