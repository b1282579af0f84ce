// Turns groups into kernel functions and the calls of them.

import { type Func, type Node, nodeName, type Value } from '../../ir/graph.js';
import { outline } from '../../ir/rewrite.js';
import { functionKey } from '../key.js';
import type { Analysis } from './analysis.js';
import { addsOnlyUnits, isPointwise, isReshape } from './facts.js';
import type { Group } from './groups.js';

/** The kernel functions of a program: equal ones are shared. */
export class KernelTable {
  readonly #byKey = new Map<string, Func>();
  readonly #names = new Set<string>();

  get functions(): readonly Func[] {
    return [...this.#byKey.values()];
  }

  /** The name of the kernel function that computes what `func` does. */
  add(func: Func): string {
    const key = functionKey(func);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.name;
    let name = func.name;
    for (let n = 1; this.#names.has(name); n++) name = `${func.name}.${n}`;
    this.#names.add(name);
    this.#byKey.set(key, { ...func, name });
    return name;
  }
}

/** What a kernel is called after: its contraction, reductions and other nodes of weight, and the operation that comes last. */
function kernelName(nodes: readonly Node[]): string {
  const main = nodes.filter((node) => !['elementwise', 'view', 'source'].includes(node.kind)).slice(0, 3);
  const last = nodes.filter((node) => node.kind === 'elementwise').slice(-1);
  const parts = new Set([...main, ...last].map(nodeName));
  return `k_${parts.size > 0 ? [...parts].join('_') : 'copy'}`;
}

/** Follows what the results of a group need inside of it; what is in memory already becomes a parameter. */
class Body {
  readonly nodes = new Set<Node>();
  readonly loaded = new Set<Value>();

  constructor(
    readonly analysis: Analysis,
    readonly group: Group,
  ) {}

  /** Whether a value comes from memory: a parameter, a value of another group, or one of these in another shape. */
  #isLoaded(value: Value): boolean {
    const node = this.analysis.definition.get(value);
    if (node === undefined) return true;
    if (this.analysis.roleOf.get(node) === 'member') return !this.group.members.has(node);
    // Loops over elements read through added unit dimensions as well as without; a contraction is simpler to schedule with them outside.
    const isInside = this.group.domain.form !== 'contraction' && addsOnlyUnits(node);
    return isReshape(node) && !isInside && this.#isLoaded(node.inputs[0] as Value);
  }

  /** Follows a value to what it is computed from, first operands first; a chain may be longer than the stack is deep. */
  need(result: Value): void {
    const pending = [result];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const node = this.#isLoaded(value) ? undefined : (this.analysis.definition.get(value) as Node);
      if (node === undefined) this.loaded.add(value);
      else if (!this.nodes.has(node)) {
        this.nodes.add(node);
        pending.push(...node.inputs.toReversed());
      }
    }
  }
}

/** A kernel before it becomes a function. */
interface PlannedKernel {
  readonly group: Group;
  /** What it computes, in the order of the function. */
  readonly nodes: readonly Node[];
  /** What it stores. */
  readonly results: readonly Value[];
}

/** The kernels that compute the visible values of a function, consumers first, and the reshapes of values in memory between them. */
export interface Plan {
  readonly kernels: readonly PlannedKernel[];
  readonly reshapes: readonly Node[];
}

/** Finds out what each group must store for the others and for the function's results, and what it computes for that. */
export function planKernels(analysis: Analysis, groups: readonly Group[]): Plan {
  const { definition, position, func } = analysis;
  const inOrder = (nodes: Iterable<Node>) =>
    [...nodes].sort((a, b) => (position.get(a) as number) - (position.get(b) as number));
  const kernels: PlannedKernel[] = [];
  const reshapes = new Set<Node>();
  const wanted = new Set<Value>();

  /** Asks for a value in memory: the reshapes on the way to it stay in the entry. */
  const want = (value: Value): void => {
    const node = definition.get(value);
    if (node !== undefined && isReshape(node) && analysis.roleOf.get(node) === 'free') {
      reshapes.add(node);
      want(node.inputs[0] as Value);
    } else if (node !== undefined) wanted.add(value);
  };
  for (const result of func.results) want(result);

  for (const group of consumersFirst(analysis, groups)) {
    const results = inOrder(group.members).flatMap((node) => node.results.filter((result) => wanted.has(result)));
    if (results.length === 0) continue;
    const body = new Body(analysis, group);
    for (const result of results) body.need(result);
    for (const value of body.loaded) want(value);
    kernels.push({ group, nodes: inOrder(body.nodes), results });
  }
  return { kernels, reshapes: [...reshapes] };
}

/** The node that a kernel is about: its last contraction, reduction or other node of weight, else its last one. */
function mainNode({ group, nodes }: PlannedKernel): Node {
  const members = nodes.filter((node) => group.members.has(node));
  return (members.findLast((node) => !isPointwise(node)) ?? members.at(-1)) as Node;
}

/**
 * The calls of a plan's kernels, and the reshapes, in the order in which the function has what they are about: so gradients are used
 * up soon after they are made, and not when the function comes to the updates. Inputs may still come after their readers.
 */
export function outlinePlan({ kernels, reshapes }: Plan, analysis: Analysis, table: KernelTable): readonly Node[] {
  const placed = kernels.map((kernel): { node: Node; main: Node } => {
    const main = mainNode(kernel);
    const { nodes, results } = kernel;
    const { func, args } = outline(kernelName(nodes), nodes, results, main.origin);
    const region = { type: 'kernel', fn: table.add(func) } as const;
    const node: Node = { kind: 'region', region, inputs: args, results, origin: main.origin };
    return { node, main };
  });
  for (const node of reshapes) placed.push({ node, main: node });
  const at = ({ main }: { readonly main: Node }) => analysis.position.get(main) as number;
  return placed.sort((a, b) => at(a) - at(b)).map(({ node }) => node);
}

/** Groups in an order in which those that read come before those that they read from. */
function consumersFirst(analysis: Analysis, groups: readonly Group[]): readonly Group[] {
  const groupOf = new Map<Node, Group>(
    groups.flatMap((group) => [...group.members].map((node) => [node, group] as const)),
  );
  const order: Group[] = [];
  const seen = new Set<Node | Group>();
  const visitNode = (node: Node): void => {
    const group = groupOf.get(node);
    if (group !== undefined) visitGroup(group);
    else if (!seen.has(node)) {
      seen.add(node);
      visitInputs(node);
    }
  };
  const visitInputs = (node: Node): void => {
    for (const input of node.inputs) {
      const definition = analysis.definition.get(input);
      if (definition !== undefined) visitNode(definition);
    }
  };
  const visitGroup = (group: Group): void => {
    if (seen.has(group)) return;
    seen.add(group);
    for (const member of group.members) visitInputs(member);
    order.push(group);
  };
  for (const group of groups) visitGroup(group);
  return order.reverse();
}
