// Turns groups into kernel functions and the calls of them.

import { type Func, type Node, nodeName, type RegionNode, type Value } from '../../ir/graph.js';
import { outline } from '../../ir/rewrite.js';
import { functionKey } from '../key.js';
import { type Analysis, addsOnlyUnits, isReshape } from './analysis.js';
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

  need(value: Value): void {
    if (this.#isLoaded(value)) {
      this.loaded.add(value);
      return;
    }
    const node = this.analysis.definition.get(value) as Node;
    if (this.nodes.has(node)) return;
    this.nodes.add(node);
    for (const input of node.inputs) this.need(input);
  }
}

/** Calls of kernels, and reshapes of values in memory, that compute the visible values of a function; not in order yet. */
export function outlineGroups(analysis: Analysis, groups: readonly Group[], kernels: KernelTable): readonly Node[] {
  const { definition, position, func } = analysis;
  const at = (node: Node) => position.get(node) as number;
  const calls: Node[] = [];
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
    const members = [...group.members].sort((a, b) => at(a) - at(b));
    const results = members.flatMap((node) => node.results.filter((result) => wanted.has(result)));
    if (results.length === 0) continue;
    const body = new Body(analysis, group);
    for (const result of results) body.need(result);
    for (const value of body.loaded) want(value);
    const nodes = [...body.nodes].sort((a, b) => at(a) - at(b));
    const origin = members.find((node) => body.nodes.has(node))?.origin ?? {};
    const { func: kernel, args } = outline(kernelName(nodes), nodes, results, origin);
    const region: RegionNode['region'] = { type: 'kernel', fn: kernels.add(kernel) };
    calls.push({ kind: 'region', region, inputs: args, results, origin });
  }
  return [...calls.reverse(), ...reshapes];
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
