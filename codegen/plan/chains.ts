// Finds chains among the steps of a block: a kernel that reduces along rows with the products that make its operands, that take its results
// and that sum over its rows (kernel/chain).

import { dimSymbol, dimSymbols, dimValue } from '../../compiler/ir/dims.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import {
  type Chain,
  nestOf,
  type Placed,
  sharedLoops,
  sharedPlaces,
  staysInBatch,
  summedLoops,
  sumsRows,
} from '../kernel/chain/stages.js';
import { isProduct } from '../kernel/contraction/nest.js';
import { type Kernel, walk } from '../kernel/ir.js';
import type { LaunchStep, Step } from './steps.js';

type KernelOf = (fn: Func) => Kernel;

/** A step as a stage of a chain. */
interface Candidate extends Placed {
  readonly step: LaunchStep;
  readonly isProduct: boolean;
}

/**
 * The steps with chains in place of their stages. `returned` are the values that are needed after the last step, `takes` says of which chains the
 * target makes kernels: if not of the longest around a kernel, then of that with the products next to it.
 */
export function chainSteps(
  steps: readonly Step[],
  returned: ReadonlySet<Value>,
  kernelOf: KernelOf,
  takes: (kernel: Kernel) => boolean,
): readonly Step[] {
  let current = steps;
  for (const step of steps) {
    const pivot = step.kind === 'launch' && current.includes(step) ? candidate(step, kernelOf) : undefined;
    // Without a batch all blocks would read all of the other operands.
    if (pivot === undefined || pivot.isProduct || pivot.nest.loops.length < 2) continue;
    for (const stagesAround of [longest, nearest]) {
      const stages = inOrder(current, stagesAround(current, pivot, kernelOf), pivot);
      if (!stages.some((stage) => stage.isProduct && !sumsRows(stage))) continue;
      const { chain, placed } = joined(current, stages, pivot, returned);
      if (!takes(kernelOf(chain.fn))) continue;
      current = placed;
      break;
    }
  }
  return current;
}

/** A step that reduces rows, or that is a product, with all of its loops; undefined where it is neither. */
function candidate(step: LaunchStep, kernelOf: KernelOf): Candidate | undefined {
  const kernel = kernelOf(step.fn);
  const product = isProduct(kernel);
  if (!product && ![...walk(kernel.body)].some(({ kind }) => kind === 'accumulate')) return undefined;
  const nest = nestOf(step, kernel);
  return nest && { step, nest, shared: nest.loops, isProduct: product };
}

/** A step as a stage beside others, if it can be one. */
function beside(
  stages: readonly Candidate[],
  step: Step,
  kernelOf: KernelOf,
  shareOf: typeof sharedLoops,
): Candidate | undefined {
  const found = step.kind === 'launch' ? candidate(step, kernelOf) : undefined;
  const shared = found && shareOf(stages, found.nest);
  return found && shared && staysInBatch(found.nest, shared) ? { ...found, shared } : undefined;
}

const isAmong = (stages: readonly Candidate[], step: Step): boolean => stages.some((stage) => stage.step === step);
const takesFrom = (step: Step, maker: Step): boolean => step.inputs.some((value) => maker.outputs.includes(value));

/** All that works on the rows of a pivot, and then what sums over them. */
function longest(steps: readonly Step[], pivot: Candidate, kernelOf: KernelOf): readonly Candidate[] {
  const stages = [pivot];
  for (let known = 0; known < stages.length; ) {
    known = stages.length;
    for (const step of steps) {
      const isNext = stages.some((stage) => takesFrom(step, stage.step) || takesFrom(stage.step, step));
      const stage = isNext && !isAmong(stages, step) ? beside(stages, step, kernelOf, sharedLoops) : undefined;
      if (stage !== undefined) stages.push(stage);
    }
  }
  return [...stages, ...sumsOver(steps, stages, kernelOf)];
}

/** A chain of sums over rows runs as many chunks as there are batches: so many keep the processors busy. */
const ENOUGH_BATCHES = 8;

/** The products that sum over the rows of some stages. What they give is complete after the last row, so that no stage may take it. */
function sumsOver(steps: readonly Step[], stages: readonly Candidate[], kernelOf: KernelOf): readonly Candidate[] {
  const [pivot] = stages as [Candidate];
  const batches = pivot.shared.slice(0, -1).map(({ extent }) => dimValue(extent) ?? ENOUGH_BATCHES);
  if (stages.length < 2 || batches.reduce((all, count) => all * count, 1) < ENOUGH_BATCHES) return [];
  const inputs = new Set(stages.flatMap(({ step }) => [...step.inputs, ...step.outputs]));
  const sums = steps.flatMap((step) => {
    const isNext = step.inputs.some((value) => inputs.has(value)) && !isAmong(stages, step);
    return (isNext && beside(stages, step, kernelOf, summedLoops)) || [];
  });
  return sums.filter(({ step }) => ![...stages, ...sums].some((other) => takesFrom(other.step, step)));
}

/** A pivot with the products next to it. They are compared with the pivot alone, so what passes between them has to pass through it. */
function nearest(steps: readonly Step[], pivot: Candidate, kernelOf: KernelOf): readonly Candidate[] {
  const stages = steps.flatMap((step) => {
    const isNext = step !== pivot.step && (takesFrom(step, pivot.step) || takesFrom(pivot.step, step));
    const stage = isNext ? beside([pivot], step, kernelOf, sharedLoops) : undefined;
    return stage?.isProduct ? stage : [];
  });
  return [pivot, ...stages.filter(({ step }) => !stages.some((other) => takesFrom(step, other.step)))];
}

/**
 * Stages around a pivot that can run as one, in order; none where the pivot is not among them. Sums come last: they read columns of what other
 * stages have read by rows, and has come to the cache with less waiting.
 */
function inOrder(steps: readonly Step[], stages: readonly Candidate[], pivot: Candidate): readonly Candidate[] {
  let members = steps.flatMap((step) => stages.find((stage) => stage.step === step) ?? []);
  // What comes between and depends on a member would have to run inside of the chain if a later member depended on it. A member that is left out for
  // that comes between the others itself.
  for (;;) {
    const launches = members.map(({ step }) => step);
    const able = members.filter(({ step }) => !dependsThroughOthers(steps, launches, step));
    if (!able.includes(pivot)) return [];
    if (able.length === members.length)
      return [...able.filter((stage) => !sumsRows(stage)), ...able.filter((stage) => sumsRows(stage))];
    members = able;
  }
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
  members: readonly Candidate[],
  pivot: Candidate,
  returned: ReadonlySet<Value>,
): { readonly chain: LaunchStep; readonly placed: readonly Step[] } {
  const stages = members.map(({ step }) => step);
  const last = Math.max(...stages.map((stage) => steps.indexOf(stage)));
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
    origin: pivot.step.origin,
    stages: members.map(({ step, nest, shared }) => ({ ...step, shared: sharedPlaces(nest, shared) })),
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
    origin: pivot.step.origin,
  };
  return { chain, placed: [...others(before, false), chain, ...others(before, true), ...steps.slice(last + 1)] };
}
