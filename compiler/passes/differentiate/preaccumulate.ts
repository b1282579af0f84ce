// Preaccumulation (Griewank and Walther, Evaluating Derivatives, chapter 10): where a chain of elementwise nodes leads from one tangent to
// one other, the forward part computes the product of its partial derivatives, and the linear part multiplies by it once.
//
// GELU, for one, reads three arrays backwards without it (x, erf and exp of parts of x), and one with it. A chain is replaced only where
// that leaves fewer arrays to keep. It never runs through a `where`, whose branch not taken contributes exactly 0.

import type { Builder } from '../../ir/builder.js';
import { shapeEquals } from '../../ir/dims.js';
import type { Node, NodeOf, TensorType, Value } from '../../ir/graph.js';
import { operationCost } from '../fuse/cost.js';

type Elementwise = NodeOf<'elementwise'>;

/** Elementwise nodes that scale one tangent, or add up tangents that are scaled alike. */
interface Chain {
  readonly base: Value;
  readonly nodes: Elementwise[];
}

/** A value that costs no more to compute again, from its operands, than to load. */
const CHEAP = 2;

const hasType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && shapeEquals(a.shape, b.shape);

/** The linear nodes with chains replaced, whose factors are added to `b`. `results` are the values that the function returns. */
export function preaccumulate(
  b: Builder,
  linear: readonly Node[],
  isLinear: ReadonlySet<Value>,
  results: ReadonlySet<Value>,
): readonly Node[] {
  const kept = new Kept(b.nodes, linear, isLinear, results);
  const replaced = new Map<Node, Node | undefined>();
  for (const chain of chains(linear, isLinear)) {
    const exit = onlyExit(chain, linear, results);
    if (exit === undefined || kept.onlyBy(chain) < 2) continue;
    const factor = factorOf(b, chain, exit);
    for (const node of chain.nodes) replaced.set(node, undefined);
    if (factor !== undefined) replaced.set(exit, { ...exit, op: 'mul', inputs: [chain.base, factor] });
  }
  return linear.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : [node]));
}

function chains(linear: readonly Node[], isLinear: ReadonlySet<Value>): Iterable<Chain> {
  const baseOf = new Map<Value, Value>();
  const found = new Map<Value, Chain>();
  for (const node of linear) {
    if (!canContinue(node, isLinear)) continue;
    const result = node.results[0] as Value;
    const operands = node.inputs.filter((input) => isLinear.has(input));
    const [base, ...others] = new Set(operands.map((operand) => baseOf.get(operand) ?? operand));
    if (base === undefined || others.length > 0 || !operands.every(({ type }) => hasType(type, result.type))) continue;
    baseOf.set(result, base);
    const chain = found.get(base) ?? { base, nodes: [] };
    chain.nodes.push(node);
    found.set(base, chain);
  }
  return found.values();
}

function canContinue(node: Node, isLinear: ReadonlySet<Value>): node is Elementwise {
  return node.kind === 'elementwise' && (node.op === 'mul' || node.op === 'div' || isSum(node, isLinear));
}

const isSum = ({ op, inputs }: Elementwise, isLinear: ReadonlySet<Value>): boolean =>
  ['add', 'sub', 'neg'].includes(op) && inputs.every((input) => isLinear.has(input));

/** The node whose result is all that the others see of a chain. */
function onlyExit({ nodes }: Chain, linear: readonly Node[], results: ReadonlySet<Value>): Elementwise | undefined {
  const inside = new Set<Node>(nodes);
  const read = new Set(linear.flatMap((node) => (inside.has(node) ? [] : node.inputs)));
  const exits = nodes.filter(({ results: [value] }) => read.has(value as Value) || results.has(value as Value));
  return exits.length === 1 ? exits[0] : undefined;
}

/** The product of partial derivatives along a chain, added to `b`; undefined where the exit is the base itself. */
function factorOf(b: Builder, { base, nodes }: Chain, exit: Elementwise): Value | undefined {
  const factors = new Map<Value, Value | undefined>([[base, undefined]]);
  const one = (): Value => b.constant(1, base.type.dtype);
  for (const node of nodes) {
    const [first, second] = node.inputs as readonly [Value, Value | undefined];
    const factor = (value: Value): Value => factors.get(value) ?? one();
    const apply = (op: string, ...operands: readonly Value[]): Value => b.elementwise(op, operands, 'partial');
    const made = b.withOrigin(node.origin, () => {
      if (node.op === 'neg') return apply('neg', factor(first));
      const other = second as Value;
      if (node.op === 'add' || node.op === 'sub') return apply(node.op, factor(first), factor(other));
      const [tangent, scale] = factors.has(first) ? [first, other] : [other, first];
      const known = factors.get(tangent);
      if (node.op === 'mul') return known === undefined ? scale : apply('mul', known, scale);
      return apply('div', known ?? one(), scale);
    });
    factors.set(node.results[0] as Value, made);
  }
  return factors.get(exit.results[0] as Value);
}

/** Which values have to be kept from the forward part for the linear part. */
class Kept {
  readonly #maker: ReadonlyMap<Value, Node>;
  /** What is at hand in any case: results, and operands of nodes that do not compute element by element. */
  readonly #stored: ReadonlySet<Value>;
  readonly #linear: readonly Node[];
  readonly #isLinear: ReadonlySet<Value>;

  constructor(
    forward: readonly Node[],
    linear: readonly Node[],
    isLinear: ReadonlySet<Value>,
    results: ReadonlySet<Value>,
  ) {
    this.#maker = new Map(forward.flatMap((node) => node.results.map((result) => [result, node] as const)));
    const others = [...forward, ...linear].filter(({ kind }) => kind !== 'elementwise' && kind !== 'view');
    this.#stored = new Set([...results, ...others.flatMap(({ inputs }) => inputs)]);
    this.#linear = linear;
    this.#isLinear = isLinear;
  }

  /** How many values of the size of a chain's base are kept for this chain alone. */
  onlyBy({ base, nodes }: Chain): number {
    const inside = new Set<Node>(nodes);
    const elsewhere = this.#read(
      this.#linear.filter((node) => !inside.has(node)),
      base.type,
    );
    return [...this.#read(nodes, base.type)].filter((value) => !elsewhere.has(value)).length;
  }

  #read(nodes: readonly Node[], { shape }: TensorType): ReadonlySet<Value> {
    const roots = new Set<Value>();
    const seen = new Set<Value>();
    const visit = (value: Value): void => {
      if (seen.has(value) || this.#isLinear.has(value)) return;
      seen.add(value);
      const node = this.#maker.get(value);
      if (node === undefined || this.#stored.has(value) || !shapeEquals(value.type.shape, shape)) return;
      if (node.kind === 'elementwise' && operationCost(node) <= CHEAP) node.inputs.forEach(visit);
      else if (node.kind !== 'source') roots.add(value);
    };
    for (const node of nodes) node.inputs.forEach(visit);
    return roots;
  }
}
