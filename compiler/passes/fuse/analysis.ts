// Sorts the nodes of a function into those that kernels are made of (members), those that are free (views, constants) and those that are
// evaluated again wherever they are read (pulled), because that costs no more than a load.

import { isProvablyNonNegative } from '../../ir/bounds.js';
import { type Dim, dimConst, dimMul, dimProduct, dimSub, dimValue, isDimConst, shapeEquals } from '../../ir/dims.js';
import type { ContractNode, Func, Node, ReduceNode, Value, View } from '../../ir/graph.js';
import type { PassContext } from '../pass.js';
import { operationCost } from './cost.js';

export type Role = 'member' | 'free' | 'pulled';

export interface Analysis {
  readonly func: Func;
  readonly definition: ReadonlyMap<Value, Node>;
  readonly readers: ReadonlyMap<Value, readonly Node[]>;
  readonly roleOf: ReadonlyMap<Node, Role>;
  /** Values that the function returns, or that it returns under another shape. */
  readonly visible: ReadonlySet<Value>;
  /** The position of a node in the function. */
  readonly position: ReadonlyMap<Node, number>;
  readonly context: PassContext;
}

/** Evaluating this many operations for one scalar before a kernel's loops is cheaper than a kernel of its own. */
const scalarChain = 24;

const isConstantSource = (node: Node): boolean => node.kind === 'source' && node.inputs.length === 0;
const isFree = (node: Node): boolean => node.kind === 'view' || isConstantSource(node);
export const isReshape = (node: Node | undefined): boolean => node?.kind === 'view' && node.view.type === 'reshape';

/** Nodes that can be evaluated at any one element. */
export const isPointwise = (node: Node): boolean =>
  node.kind === 'elementwise' ||
  (node.kind === 'index' && node.indexing.type === 'gather') ||
  (node.kind === 'source' && node.source.type === 'random_bits');

const repeats = (view: View): boolean => view.type === 'broadcast';
/** Whether a reshape changes nothing but dimensions of size 1. */
export function addsOnlyUnits(node: Node): boolean {
  if (node.kind !== 'view' || node.view.type !== 'reshape') return false;
  const sizes = (shape: readonly Dim[]) => shape.filter((size) => !isDimConst(size, 1));
  return shapeEquals(sizes(node.view.shape), sizes((node.inputs[0] as Value).type.shape));
}

const rank = (value: Value): number => value.type.shape.length;

/** The value under a chain of reshapes. */
export function aliasBase(value: Value, definition: ReadonlyMap<Value, Node>): Value {
  const node = definition.get(value);
  return node !== undefined && isReshape(node) ? aliasBase(node.inputs[0] as Value, definition) : value;
}

/** Whether a contraction or reduction reads each element of operand `k` at most once. */
function readsOnce(node: ContractNode | ReduceNode, k: number): boolean {
  const access = node.kind === 'contract' ? (node.accesses[k] ?? []) : node.access;
  const divisors = access.reduce((product, s) => product * (s.kind === 'affine' ? s.divisor : 1), 1);
  const points = dimProduct(node.space.indices.map((index) => index.extent));
  const elements = dimProduct((node.inputs[k] as Value).type.shape);
  return isProvablyNonNegative(dimSub(dimMul(elements, dimConst(divisors)), points));
}

const pointCount = (node: ContractNode | ReduceNode): number =>
  dimValue(dimProduct(node.space.indices.map((index) => index.extent))) ?? Number.POSITIVE_INFINITY;

class Classifier {
  readonly definition = new Map<Value, Node>();
  readonly readers = new Map<Value, Node[]>();
  readonly visible: ReadonlySet<Value>;
  readonly roleOf = new Map<Node, Role>();
  readonly #costs = new Map<Node, number>();

  constructor(
    readonly func: Func,
    readonly context: PassContext,
  ) {
    for (const node of func.nodes) {
      for (const result of node.results) this.definition.set(result, node);
      for (const input of new Set(node.inputs)) this.readers.set(input, [...(this.readers.get(input) ?? []), node]);
    }
    this.visible = new Set(func.results.flatMap((result) => [result, aliasBase(result, this.definition)]));
  }

  classify(): void {
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

  #sameCount(a: Value, b: Value): boolean {
    const difference = dimSub(dimProduct(a.type.shape), dimProduct(b.type.shape));
    return dimValue(difference) === 0;
  }

  /** Operations that evaluating a node at one element takes, down to values in memory. */
  #cost(node: Node): number {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    const below = node.inputs.map((input) => {
      const definition = this.definition.get(input);
      if (definition === undefined || this.#isMember(definition)) return 0;
      // A scalar is computed before the loops over elements.
      return rank(input) === 0 && rank(node.results[0] as Value) > 0 ? 0 : this.#cost(definition);
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
    const result = node.results[0] as Value;
    if (this.#isVisible(node)) return false;
    const cost = this.#cost(node);
    if (rank(result) === 0) return cost <= scalarChain;
    if (cost > this.context.cheapOperations) return false;
    const leaves = [...new Set(node.inputs.flatMap((input) => [...this.#leaves(input)]))];
    const large = leaves.filter((leaf) => this.#sameCount(leaf, result));
    if (large.length > 1 || !large.every((leaf) => this.#isSurelyInMemory(leaf))) return false;
    return [...this.#reads(result)].every(({ reader, value }) => this.#toleratesRecomputing(reader, value));
  }

  /** Whether a value is stored whatever is decided: parameters, and what some reader can only read from memory. */
  #isSurelyInMemory(value: Value): boolean {
    const node = this.definition.get(value);
    if (node === undefined || this.visible.has(value)) return true;
    return [...this.#reads(value)].some(({ reader, value: read }) => {
      if (reader.kind === 'contract') return !readsOnce(reader, reader.inputs.indexOf(read));
      return reader.kind === 'reduce' && (node.kind === 'contract' || !isWholeReduction(reader));
    });
  }

  #toleratesRecomputing(reader: Node, value: Value): boolean {
    if (reader.kind !== 'contract' && reader.kind !== 'reduce') return true;
    if (reader.kind === 'reduce' && isWholeReduction(reader)) return true;
    const isSmall = pointCount(reader) <= this.context.smallContraction;
    return isSmall || reader.inputs.every((input, k) => input !== value || readsOnce(reader, k));
  }
}

/** Whether a reduction reads every dimension of its operand at an index of its own: whole dimensions and no windows. */
export function isWholeReduction(node: ReduceNode): boolean {
  return wholeDims(node) !== undefined;
}

/** The dimensions of the operand that a reduction over whole dimensions folds, in order; undefined for windows and other accesses. */
export function wholeDims(node: ReduceNode): readonly number[] | undefined {
  const { space, access } = node;
  const operand = (node.inputs[0] as Value).type.shape;
  if (access.length !== space.indices.length) return undefined;
  const indices = access.map((s, dim) => {
    if (s.kind !== 'affine' || s.divisor !== 1 || s.masked || s.expression.terms.length !== 1) return -1;
    const [term] = s.expression.terms;
    const isPlain = term?.coefficient === 1 && s.expression.offset.key === '0';
    if (term === undefined || !isPlain) return -1;
    return space.indices[term.index]?.extent.key === operand[dim]?.key ? term.index : -1;
  });
  if (indices.includes(-1) || new Set(indices).size !== indices.length) return undefined;
  const outer = indices.filter((index) => index < space.outer);
  // The result keeps the other dimensions in their order.
  if (outer.some((index, i) => i > 0 && index < (outer[i - 1] as number))) return undefined;
  return indices.flatMap((index, dim) => (index >= space.outer ? [dim] : []));
}

/** Finds out which nodes are members of kernels, which are free, and which are evaluated wherever they are read. */
export function analyse(func: Func, context: PassContext): Analysis {
  const classifier = new Classifier(func, context);
  classifier.classify();
  const { definition, readers, roleOf, visible } = classifier;
  return {
    func,
    context,
    definition,
    readers,
    roleOf,
    visible,
    position: new Map(func.nodes.map((node, i) => [node, i])),
  };
}
