// Moves the nodes of entries into kernels. A kernel is a function that is computed by one loop nest; a `kernel` region calls it.
//
// After this pass an entry, and every function of a loop or branch, holds `kernel` regions, loops, branches, and `reshape` views of values in memory, which cost nothing. Everything else is in
// a kernel: views are index arithmetic there, and constants, counters and sizes are made where they are used.
//
// The results of a kernel are stored; every other node of it is evaluated on demand, at the position at which it is read, and need
// not be stored. The pass guarantees that this never repeats work that costs more than a load: a node is read at most once for each of
// its elements, or it is cheap, or it is constant along the loops inside (hoisting it out of them is up to the code generator).
//
// A kernel has one of these forms (`kernelForm`):
//
//   map          Elementwise nodes, views, gathers, sources, random bits. All results have one shape.
//   contraction  One `contract` node. Its operands are parameters, or views and cheap producers of parameters; elementwise nodes of
//                the contraction's shape follow it (bias, activation, mask, the update of a parameter). All results have that shape.
//   rows         Reductions over whole dimensions, the same dimensions of the same full shape. Nodes have the full shape, or that of
//                the rows (the full shape without the reduced dimensions, or with 1 in their place). Several reductions may
//                follow one another (softmax: maximum, sum, quotient); then the last dimension is among the reduced ones. Results have
//                the row shape or the full shape; with full results, too, the last dimension is a reduced one. A gather may read a
//                full value in its own row (the log-probability of a label).
//   reduction    One reduction over windows, followed by elementwise nodes of its shape.
//   single       One order, scatter, pad, concat or fold_in node; its operands are parameters, or views and cheap producers of them.
//
// Kernels that are equal but for names are one function. Kernels that write a new value of a state leaf come after those that
// read the old one where that is possible, so that the leaf can be updated in place.

import { isControl } from '../ir/control.js';
import type { Func, Module, Node, Value } from '../ir/graph.js';
import { callees, topologicalModule } from '../ir/rewrite.js';
import type { Entry, Program } from '../program.js';
import { partsOf } from './control/levels.js';
import { removeDeadNodes } from './dce.js';
import { Analysis } from './fuse/analysis.js';
import { formGroups } from './fuse/groups.js';
import { KernelTable, outlinePlan, type Plan, planKernels } from './fuse/outline.js';
import { orderKernels } from './fuse/schedule.js';
import type { Pass, PassContext } from './pass.js';

export { type KernelForm, kernelForm } from './fuse/form.js';

/** The parameters of an entry's function that its results replace: pairs of positions (parameter, result) of one state leaf. */
function stateUpdates(entry: Entry): readonly (readonly [number, number])[] {
  return entry.outputs.flatMap((output, result) => {
    if (output.kind !== 'state') return [];
    const param = entry.inputs.findIndex((input) => input.kind === 'state' && input.leaf === output.leaf);
    return param < 0 ? [] : [[param, result] as const];
  });
}

/** What a node is recomputed from, and the nodes on the way: those between it and a value in memory, where all together cost little. */
function recomputation(
  analysis: Analysis,
  node: Node,
  stored: ReadonlySet<Value>,
): { readonly source: Value | 'nothing'; readonly nodes: readonly Node[] } | undefined {
  const nodes = [node];
  const first = analysis.recomputedFrom(node);
  let cost = analysis.cost(node);
  for (let source = first; source !== undefined; ) {
    if (source === 'nothing' || stored.has(source)) return { source, nodes };
    const maker = analysis.definition.get(source);
    source = maker && analysis.recomputedFrom(maker);
    if (maker === undefined || source === undefined) break;
    cost += analysis.cost(maker);
    if (cost > analysis.context.cheapOperations) break;
    nodes.push(maker);
  }
  return first && { source: first, nodes: [node] };
}

/**
 * The stored values that cost less to evaluate where they are read: those that follow from another value in memory, and two or more
 * that follow from one value, which is then stored in their stead.
 */
function needlesslyStored(analysis: Analysis, stored: ReadonlySet<Value>): readonly Node[] {
  const bySource = new Map<Value, Node[]>();
  const found: Node[] = [];
  const left = new Set(stored);
  for (const node of analysis.func.nodes) {
    const chain = node.results.some((result) => stored.has(result)) ? recomputation(analysis, node, left) : undefined;
    if (chain === undefined) continue;
    const { source, nodes } = chain;
    if (source === 'nothing' || left.has(source)) {
      found.push(...nodes);
      for (const result of node.results) left.delete(result);
    } else bySource.set(source, [...(bySource.get(source) ?? []), node]);
  }
  // What is recomputed from a value that is recomputed itself waits for the next round.
  return found.length > 0 ? found : [...bySource.values()].filter((nodes) => nodes.length > 1).flat();
}

/**
 * How often kernels are formed again. Models take one or two rounds. Where a chain is longer than a kernel may be, what is pulled moves the ends of
 * all kernels after it, where other values are stored needlessly: rounds without a bound would be as many as kernels.
 */
const maxRounds = 4;

/** The kernels of a function: formed again without what is needlessly stored, until nothing is or what is left is not worth it. */
function planFunction(func: Func, context: PassContext): { plan: Plan; analysis: Analysis } {
  const pulled = new Set<Node>();
  for (let round = 0; ; round++) {
    const analysis = new Analysis(func, context, pulled);
    const plan = planKernels(analysis, formGroups(analysis));
    const stored = new Set([...func.params, ...plan.kernels.flatMap((kernel) => kernel.results)]);
    const needless = needlesslyStored(analysis, stored);
    if (needless.length === 0 || round === maxRounds) return { plan, analysis };
    for (const node of needless) pulled.add(node);
  }
}

/** A function of which kernels, loops and branches are left. Without an entry it is the function of a loop or branch. */
function fuseFunction(func: Func, entry: Entry | undefined, kernels: KernelTable, context: PassContext): Func {
  const live = removeDeadNodes(func);
  const control = live.nodes.filter(isControl);
  const parts = control.length === 0 ? [live] : partsOf(live);
  const called = parts.flatMap((part) => {
    const { plan, analysis } = planFunction(part, context);
    return outlinePlan(plan, analysis, kernels);
  });
  const nodes = [...called, ...control];
  const updates = (entry === undefined ? [] : stateUpdates(entry)).flatMap(([param, result]) => {
    const [from, to] = [live.params[param], live.results[result]];
    return from === undefined || to === undefined || from === to ? [] : [{ from, to }];
  });
  return { ...live, nodes: orderKernels(nodes, updates) };
}

function run(program: Program, context: PassContext): Program {
  const kernels = new KernelTable();
  const fused = new Map<string, Func>();
  const fuseNamed = (name: string, entry?: Entry): void => {
    const func = program.module.functions.get(name);
    if (func === undefined)
      throw new Error(`there is no function @${name}${entry ? ` for the entry ${entry.name}` : ''}`);
    if (fused.has(name)) return;
    fused.set(name, fuseFunction(func, entry, kernels, context));
    for (const callee of callees(func)) fuseNamed(callee);
  };
  for (const entry of program.entries) fuseNamed(entry.fn, entry);
  const module: Module = topologicalModule([...kernels.functions, ...fused.values()]);
  return { ...program, module };
}

export const fuse: Pass = {
  name: 'fuse',
  doc: 'Moves nodes into kernels: elementwise chains, contractions with what follows them, rows of reductions.',
  reaches: 'fused',
  run,
};
