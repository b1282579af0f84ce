// Finds chains among the steps of a block: a kernel that reduces along rows with the products that make its operands and that take its results
// (kernel/chain).

import { dimSymbol, dimSymbols } from '../../compiler/ir/dims.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import { type Chain, type Nest, nestOf, sharedLoops, staysInBatch } from '../kernel/chain/stages.js';
import { isProduct } from '../kernel/contraction/nest.js';
import { type Kernel, walk } from '../kernel/ir.js';
import type { LaunchStep, Step } from './steps.js';

type KernelOf = (fn: Func) => Kernel;

/**
 * The steps with chains in place of their stages. `returned` are the values that are needed after the last step, `takes` says of which chains the
 * target makes kernels.
 */
export function chainSteps(
  steps: readonly Step[],
  returned: ReadonlySet<Value>,
  kernelOf: KernelOf,
  takes: (kernel: Kernel) => boolean,
): readonly Step[] {
  let current = steps;
  for (const pivot of steps) {
    const members = pivot.kind === 'launch' && current.includes(pivot) ? membersOf(current, pivot, kernelOf) : [];
    if (members.length < 2) continue;
    const { chain, placed } = joined(current, members, pivot as LaunchStep, returned);
    if (takes(kernelOf(chain.fn))) current = placed;
  }
  return current;
}

/** The stages of the chain around a pivot, in order; none where there is no chain. */
function membersOf(steps: readonly Step[], pivot: LaunchStep, kernelOf: KernelOf): readonly LaunchStep[] {
  const kernel = kernelOf(pivot.fn);
  const nest = reducesRows(kernel) ? nestOf(pivot, kernel) : undefined;
  // Without a batch all blocks would read all of the other operands.
  if (nest === undefined || nest.loops.length < 2) return [];
  const related = steps.filter(
    (step): step is LaunchStep =>
      step.kind === 'launch' &&
      (step.outputs.some((value) => pivot.inputs.includes(value)) ||
        step.inputs.some((value) => pivot.outputs.includes(value))),
  );
  const candidates = related.filter((step) => isStage(nest, step, kernelOf));
  // Stages are compared with the pivot alone, so what passes between them has to pass through it.
  const made = new Set(candidates.flatMap(({ outputs }) => outputs));
  const stages = candidates.filter(({ inputs }) => !inputs.some((value) => made.has(value)));
  let members = steps.filter((step): step is LaunchStep => step === pivot || stages.includes(step as LaunchStep));
  // What comes between and depends on a member would have to run inside of the chain if a later member depended on it. A member that is left out for
  // that comes between the others itself.
  for (;;) {
    const able = members.filter((member) => !dependsThroughOthers(steps, members, member));
    if (!able.includes(pivot)) return [];
    if (able.length === members.length) return able;
    members = able;
  }
}

const reducesRows = (kernel: Kernel): boolean =>
  !isProduct(kernel) && [...walk(kernel.body)].some(({ kind }) => kind === 'accumulate');

function isStage(pivot: Nest, step: LaunchStep, kernelOf: KernelOf): boolean {
  const kernel = kernelOf(step.fn);
  const nest = isProduct(kernel) ? nestOf(step, kernel) : undefined;
  const shared = nest && sharedLoops(pivot, nest);
  return nest !== undefined && shared !== undefined && staysInBatch(nest, shared);
}

/** The steps that depend on some steps through others that are not among them. */
function dependents(steps: readonly Step[], members: readonly Step[]): ReadonlySet<Step> {
  const values = new Set(members.flatMap(({ outputs }) => outputs));
  const found = new Set<Step>();
  for (const step of steps) {
    if (members.includes(step) || !step.inputs.some((value) => values.has(value))) continue;
    found.add(step);
    for (const value of step.outputs) values.add(value);
  }
  return found;
}

function dependsThroughOthers(steps: readonly Step[], members: readonly LaunchStep[], member: LaunchStep): boolean {
  const outside = new Set([...dependents(steps, members)].flatMap(({ outputs }) => outputs));
  return member.inputs.some((value) => outside.has(value));
}

/** A chain, and the steps with it where the last of its stages was; what depends on it comes after it. */
function joined(
  steps: readonly Step[],
  stages: readonly LaunchStep[],
  pivot: LaunchStep,
  returned: ReadonlySet<Value>,
): { readonly chain: LaunchStep; readonly placed: readonly Step[] } {
  const last = steps.indexOf(stages.at(-1) as Step);
  const later = dependents(steps, stages);
  const others = (list: readonly Step[], isLater: boolean): readonly Step[] =>
    list.filter((step) => !stages.includes(step as LaunchStep) && later.has(step) === isLater);
  const before = steps.slice(0, last + 1);
  const outside = steps.filter((step) => !stages.includes(step as LaunchStep));
  const made = new Set(stages.flatMap(({ outputs }) => outputs));
  const isNeeded = (value: Value): boolean =>
    returned.has(value) || outside.some(({ inputs }) => inputs.includes(value));
  const inputs = [...new Set(stages.flatMap((stage) => stage.inputs))].filter((value) => !made.has(value));
  const outputs = [...made].filter(isNeeded);
  const fn: Chain = {
    name: stages.map((stage) => stage.fn.name).join(', '),
    params: inputs,
    nodes: [],
    results: outputs,
    origin: pivot.origin,
    stages,
    pivot: stages.indexOf(pivot),
  };
  const symbols = new Set(
    stages.flatMap((stage) => [...stage.symbols.values()].flatMap((dim) => [...dimSymbols(dim)])),
  );
  const chain: LaunchStep = {
    kind: 'launch',
    fn,
    inputs,
    outputs,
    symbols: new Map([...symbols].map((symbol) => [symbol, dimSymbol(symbol)])),
    origin: pivot.origin,
  };
  return { chain, placed: [...others(before, false), chain, ...others(before, true), ...steps.slice(last + 1)] };
}
