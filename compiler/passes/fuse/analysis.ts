// Sorts the nodes of a function into those that kernels are made of (members), those that are free (views, constants) and those that are
// evaluated again wherever they are read (pulled), because that costs no more than a load.

import { dimProduct } from '../../ir/dims.js';
import type { Func, Node, Value } from '../../ir/graph.js';
import type { PassContext } from '../pass.js';
import { operationCost } from './cost.js';
import {
  addsOnlyUnits,
  aliasBase,
  isFree,
  isPointwise,
  isReshape,
  isWholeReduction,
  isWidening,
  pointCount,
  readsOnce,
  repeats,
} from './facts.js';

export type Role = 'member' | 'free' | 'pulled';

/** Evaluating this many operations for one scalar before a kernel's loops is cheaper than a kernel of its own. */
const scalarChain = 24;

const rank = (value: Value): number => value.type.shape.length;

/** The readers of a function's values and the roles of its nodes. */
export class Analysis {
  readonly definition: ReadonlyMap<Value, Node>;
  readonly readers: ReadonlyMap<Value, readonly Node[]>;
  /** Values that the function returns, or that it returns under another shape. */
  readonly visible: ReadonlySet<Value>;
  readonly roleOf = new Map<Node, Role>();
  /** The position of a node in the function. */
  readonly position: ReadonlyMap<Node, number>;
  readonly #costs = new Map<Node, number>();
  readonly #counts = new Map<Value, string>();

  /** `pulled` names nodes that are evaluated where they are read whatever else is found. */
  constructor(
    readonly func: Func,
    readonly context: PassContext,
    readonly pulled: ReadonlySet<Node> = new Set(),
  ) {
    const definition = new Map<Value, Node>();
    const readers = new Map<Value, Node[]>();
    for (const node of func.nodes) {
      for (const result of node.results) definition.set(result, node);
      for (const input of new Set(node.inputs)) readers.set(input, [...(readers.get(input) ?? []), node]);
    }
    this.definition = definition;
    this.readers = readers;
    this.position = new Map(func.nodes.map((node, i) => [node, i]));
    this.visible = new Set(func.results.flatMap((result) => [result, aliasBase(result, this.definition)]));
    this.#classify();
  }

  #classify(): void {
    for (const node of this.func.nodes) this.roleOf.set(node, this.#firstRole(node));
    // Consumers are decided before producers: what only a pulled node reads can be pulled along.
    for (const node of this.func.nodes.toReversed()) {
      if (this.#isMember(node) && isPointwise(node) && this.#isReadOnceElsewhere(node)) this.roleOf.set(node, 'pulled');
    }
    // Producers before consumers: the cost of evaluating a node again is known when those below it are decided.
    for (const node of this.func.nodes) {
      if (this.#isMember(node) && node.kind === 'elementwise' && this.#isCheaperThanLoad(node))
        this.roleOf.set(node, 'pulled');
    }
  }

  #isMember(node: Node): boolean {
    return this.roleOf.get(node) === 'member';
  }

  /** What is returned must be in memory, so a kernel stores it, unless it is another shape of something that one stores. */
  #firstRole(node: Node): Role {
    if (this.pulled.has(node)) return 'pulled';
    if (!isFree(node)) return 'member';
    if (isReshape(node)) return 'free';
    return this.#isVisible(node) || this.#feedsProduct(node) ? 'member' : 'free';
  }

  /** Whether a view is reshaped and then read often by a contraction: dividing positions at every read costs more than one copy. */
  #feedsProduct(node: Node): boolean {
    const reshapes = (this.readers.get(node.results[0] as Value) ?? []).filter(
      (reader) => isReshape(reader) && !addsOnlyUnits(reader),
    );
    return reshapes.some((reshape) => {
      const value = reshape.results[0] as Value;
      return (this.readers.get(value) ?? []).some((reader) => {
        if (isReshape(reader)) return this.#feedsProduct(reshape);
        return reader.kind === 'contract' && !this.#toleratesRecomputing(reader, value);
      });
    });
  }

  #isVisible(node: Node): boolean {
    return node.results.some((result) => this.visible.has(result));
  }

  /** The nodes that read a value, through views too; `repeated` when a view on the way repeats elements, `viewed` when one moves any. */
  *#reads(
    value: Value,
    repeated = false,
    viewed = false,
  ): Generator<{ reader: Node; value: Value; repeated: boolean; viewed: boolean }> {
    for (const reader of this.readers.get(value) ?? []) {
      if (reader.kind === 'view' && !this.#isMember(reader)) {
        yield* this.#reads(
          reader.results[0] as Value,
          repeated || repeats(reader.view),
          viewed || !addsOnlyUnits(reader),
        );
      } else yield { reader, value, repeated, viewed };
    }
  }

  /** Whether one other node reads this one, and reads each element at most once, in a way that no shared loop of equal shape could. */
  #isReadOnceElsewhere(node: Node): boolean {
    if (this.#isVisible(node) || node.results.length > 1) return false;
    const reads = [...this.#reads(node.results[0] as Value)];
    const [only] = reads;
    if (only === undefined || reads.length > 1 || only.repeated) return false;
    const { reader, value, viewed } = only;
    const at = reader.inputs.indexOf(value);
    if (reader.inputs.lastIndexOf(value) !== at) return false;
    switch (reader.kind) {
      case 'elementwise': {
        const grows =
          rank(value) < rank(reader.results[0] as Value) || !this.#sameCount(value, reader.results[0] as Value);
        return !grows && (viewed || this.roleOf.get(reader) === 'pulled');
      }
      case 'contract':
        return readsOnce(reader, at);
      case 'reduce':
        // Reductions over whole dimensions join the loops of their producers instead.
        return !isWholeReduction(reader) && readsOnce(reader, at);
      case 'assemble':
      case 'order':
        return true;
      case 'view':
        return !repeats(reader.view);
      case 'index':
        return reader.indexing.type === 'scatter' && at === 1;
      default:
        return false;
    }
  }

  /** Whether two values have equally many elements, whatever the run-time dimensions are. */
  #sameCount(a: Value, b: Value): boolean {
    return this.#count(a) === this.#count(b);
  }

  /** The number of elements in normal form. */
  #count(value: Value): string {
    const known = this.#counts.get(value) ?? dimProduct(value.type.shape).key;
    this.#counts.set(value, known);
    return known;
  }

  /** Operations that evaluating a node at one element takes, down to values in memory. */
  cost(node: Node): number {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    const below = node.inputs.map((input) => {
      const definition = this.definition.get(input);
      if (definition === undefined || this.#isMember(definition)) return 0;
      // A scalar is computed before the loops over elements.
      return rank(input) === 0 && rank(node.results[0] as Value) > 0 ? 0 : this.cost(definition);
    });
    const cost = below.reduce((sum, each) => sum + each, operationCost(node));
    this.#costs.set(node, cost);
    return cost;
  }

  /** The values in memory of rank > 0 that evaluating a node reads. */
  #leaves(value: Value, into: Set<Value> = new Set()): Set<Value> {
    const node = this.definition.get(value);
    if (node === undefined || this.#isMember(node)) {
      if (rank(value) > 0) into.add(value);
    } else for (const input of node.inputs) this.#leaves(input, into);
    return into;
  }

  #isCheaperThanLoad(node: Node): boolean {
    if (rank(node.results[0] as Value) === 0) return !this.#isVisible(node) && this.cost(node) <= scalarChain;
    const source = this.recomputedFrom(node);
    return source === 'nothing' || (source !== undefined && this.#isSurelyInMemory(source));
  }

  /**
   * The one value of a node's size that evaluating the node wherever it is read starts from, if that takes few operations; `nothing` when
   * smaller values are all it takes; undefined when the node is to be computed once.
   */
  recomputedFrom(node: Node): Value | 'nothing' | undefined {
    const result = node.results[0] as Value;
    if (node.kind !== 'elementwise' || this.#isVisible(node)) return undefined;
    const { cheapOperations, cheapConditions } = this.context;
    const cost = this.cost(node);
    if (cost > Math.max(cheapOperations, cheapConditions)) return undefined;
    const leaves = [...new Set(node.inputs.flatMap((input) => [...this.#leaves(input)]))];
    const isCondition = result.type.dtype === 'bool' && leaves.length === 0;
    if (cost > (isCondition ? cheapConditions : cheapOperations)) return undefined;
    const [large, ...others] = leaves.filter((leaf) => this.#sameCount(leaf, result));
    if (others.length > 0) return undefined;
    const isLoad =
      isWidening(node) && large !== undefined && large === aliasBase(node.inputs[0] as Value, this.definition);
    const reads = isLoad ? [] : [...this.#reads(result)];
    if (!reads.every(({ reader, value }) => this.#toleratesRecomputing(reader, value))) return undefined;
    return large ?? 'nothing';
  }

  /** Whether a value is stored whatever is decided: parameters, and what some reader can only read from memory. */
  #isSurelyInMemory(value: Value): boolean {
    const node = this.definition.get(value);
    if (node === undefined || this.visible.has(value)) return true;
    return [...this.#reads(value)].some(({ reader, value: read }) => {
      if (reader.kind === 'contract') return !readsOnce(reader, reader.inputs.indexOf(read));
      if (this.#widensForProduct(reader)) return true;
      return reader.kind === 'reduce' && (node.kind === 'contract' || !isWholeReduction(reader));
    });
  }

  /** Whether a node widens elements that a contraction then reads repeatedly: it is part of the read, and what it widens is in memory. */
  #widensForProduct(node: Node): boolean {
    if (!isWidening(node) || this.#isVisible(node)) return false;
    return [...this.#reads(node.results[0] as Value)].some(
      ({ reader, value }) => reader.kind === 'contract' && !this.#toleratesRecomputing(reader, value),
    );
  }

  #toleratesRecomputing(reader: Node, value: Value): boolean {
    if (this.#widensForProduct(reader)) return false;
    if (reader.kind !== 'contract' && reader.kind !== 'reduce') return true;
    if (reader.kind === 'reduce' && isWholeReduction(reader)) return true;
    const isSmall = pointCount(reader) <= this.context.smallContraction;
    return isSmall || reader.inputs.every((input, k) => input !== value || readsOnce(reader, k));
  }
}
