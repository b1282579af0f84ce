// Finds chains among the steps of a block: a kernel that reduces along rows with the products that make its operands, that take its results
// and that sum over its rows (kernel/chain).

import { dimSymbol, dimSymbols, dimValue } from '../../compiler/ir/dims.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import {
  type Chain,
  CommonValues,
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

/** A step as a stage of a chain. */
interface Candidate extends Placed {
  readonly step: LaunchStep;
  readonly isProduct: boolean;
}

type CandidateOf = (step: LaunchStep) => Candidate | undefined;

/** Steps, and the places among them of those that take or make a value. */
interface Block {
  readonly steps: readonly Step[];
  readonly places: ReadonlyMap<Value, readonly number[]>;
}

function blockOf(steps: readonly Step[]): Block {
  const places = new Map<Value, number[]>();
  for (const [place, { inputs, outputs }] of steps.entries()) {
    for (const value of [...inputs, ...outputs]) {
      const known = places.get(value);
      if (known === undefined) places.set(value, [place]);
      else if (known.at(-1) !== place) known.push(place);
    }
  }
  return { steps, places };
}

/**
 * The steps with chains in place of their stages. `returned` are the values that are needed after the last step, `takes` says of which chains the
 * target makes kernels: if not of the longest around a kernel, then of that with the products next to it.
 */
export function chainSteps(
  steps: readonly Step[],
  returned: ReadonlySet<Value>,
  kernelOf: (fn: Func) => Kernel,
  takes: (kernel: Kernel) => boolean,
): readonly Step[] {
  const known = new Map<LaunchStep, Candidate | undefined>();
  const candidateOf = (step: LaunchStep): Candidate | undefined => {
    if (!known.has(step)) known.set(step, candidate(step, kernelOf(step.fn)));
    return known.get(step);
  };
  let current = blockOf(steps);
  for (const step of steps) {
    const pivot = step.kind === 'launch' && current.steps.includes(step) ? candidateOf(step) : undefined;
    // Without a batch all blocks would read all of the other operands.
    if (pivot === undefined || pivot.isProduct || pivot.nest.loops.length < 2) continue;
    for (const stagesAround of [longest, nearest]) {
      const stages = inOrder(current.steps, stagesAround(current, pivot, candidateOf), pivot);
      if (!stages.some((stage) => stage.isProduct && !sumsRows(stage))) continue;
      const { chain, placed } = joined(current.steps, stages, pivot, returned);
      if (!takes(kernelOf(chain.fn))) continue;
      current = blockOf(placed);
      break;
    }
  }
  return current.steps;
}

/** A step that reduces rows, or that is a product, with all of its loops; undefined where it is neither. */
function candidate(step: LaunchStep, kernel: Kernel): Candidate | undefined {
  const product = isProduct(kernel);
  if (!product && ![...walk(kernel.body)].some(({ kind }) => kind === 'accumulate')) return undefined;
  const nest = nestOf(step, kernel);
  return nest && { step, nest, shared: nest.loops, isProduct: product };
}

/** A step as a stage beside others, if it can be one. */
function beside(
  stages: CommonValues,
  step: Step,
  candidateOf: CandidateOf,
  shareOf: typeof sharedLoops,
): Candidate | undefined {
  const found = step.kind === 'launch' ? candidateOf(step) : undefined;
  const shared = found && shareOf(stages, found.nest);
  return found && shared && staysInBatch(found.nest, shared) ? { ...found, shared } : undefined;
}

const takesFrom = (step: Step, maker: Step): boolean => step.inputs.some((value) => maker.outputs.includes(value));

/** All that works on the rows of a pivot, and then what sums over them. */
function longest({ steps, places }: Block, pivot: Candidate, candidateOf: CandidateOf): readonly Candidate[] {
  const stages = [pivot];
  const members = new Set<Step>([pivot.step]);
  const common = new CommonValues(pivot);
  const taken = new Set<Value>();
  const made = new Set<Value>();
  // Steps are asked again only after what they have in common with the stages has grown.
  const isOpen = new Uint8Array(steps.length);
  const open = ({ inputs, outputs }: Step): void => {
    for (const value of inputs) taken.add(value);
    for (const value of outputs) made.add(value);
    for (const value of [...inputs, ...outputs]) for (const place of places.get(value) ?? []) isOpen[place] = 1;
  };
  const isNext = ({ inputs, outputs }: Step): boolean =>
    inputs.some((value) => made.has(value)) || outputs.some((value) => taken.has(value));
  open(pivot.step);
  for (let known = 0; known < stages.length; ) {
    known = stages.length;
    for (const [place, step] of steps.entries()) {
      if (isOpen[place] === 0) continue;
      isOpen[place] = 0;
      const stage = isNext(step) && !members.has(step) ? beside(common, step, candidateOf, sharedLoops) : undefined;
      if (stage === undefined) continue;
      stages.push(stage);
      members.add(step);
      common.add(stage);
      open(step);
    }
  }
  return [...stages, ...sumsOver(steps, stages, common, candidateOf)];
}

/** A chain of sums over rows runs as many chunks as there are batches: so many keep the processors busy. */
const ENOUGH_BATCHES = 8;

/** The products that sum over the rows of some stages. What they give is complete after the last row, so that no stage may take it. */
function sumsOver(
  steps: readonly Step[],
  stages: readonly Candidate[],
  common: CommonValues,
  candidateOf: CandidateOf,
): readonly Candidate[] {
  const batches = common.shared.slice(0, -1).map(({ extent }) => dimValue(extent) ?? ENOUGH_BATCHES);
  if (stages.length < 2 || batches.reduce((all, count) => all * count, 1) < ENOUGH_BATCHES) return [];
  const members = new Set<Step>(stages.map(({ step }) => step));
  const inputs = new Set(stages.flatMap(({ step }) => [...step.inputs, ...step.outputs]));
  const sums = steps.flatMap((step) => {
    const isNext = step.inputs.some((value) => inputs.has(value)) && !members.has(step);
    return (isNext && beside(common, step, candidateOf, summedLoops)) || [];
  });
  const taken = new Set([...stages, ...sums].flatMap(({ step }) => step.inputs));
  return sums.filter(({ step }) => !step.outputs.some((value) => taken.has(value)));
}

/** A pivot with the products next to it. They are compared with the pivot alone, so what passes between them has to pass through it. */
function nearest({ steps }: Block, pivot: Candidate, candidateOf: CandidateOf): readonly Candidate[] {
  const common = new CommonValues(pivot);
  const stages = steps.flatMap((step) => {
    const isNext = step !== pivot.step && (takesFrom(step, pivot.step) || takesFrom(pivot.step, step));
    const stage = isNext ? beside(common, step, candidateOf, sharedLoops) : undefined;
    return stage?.isProduct ? stage : [];
  });
  return [pivot, ...stages.filter(({ step }) => !stages.some((other) => takesFrom(step, other.step)))];
}

/**
 * Stages around a pivot that can run as one, in order; none where the pivot is not among them. Sums come last: they read columns of what other
 * stages have read by rows, and has come to the cache with less waiting.
 */
function inOrder(steps: readonly Step[], stages: readonly Candidate[], pivot: Candidate): readonly Candidate[] {
  const stageOf = new Map<Step, Candidate>(stages.map((stage) => [stage.step, stage]));
  let members = steps.flatMap((step) => stageOf.get(step) ?? []);
  // What comes between and depends on a member would have to run inside of the chain if a later member depended on it. A member that is left out for
  // that comes between the others itself.
  for (;;) {
    const between = dependents(steps, new Set(members.map(({ step }) => step)));
    const outside = new Set([...between].flatMap(({ outputs }) => outputs));
    const able = members.filter(({ step }) => !step.inputs.some((value) => outside.has(value)));
    if (!able.includes(pivot)) return [];
    if (able.length === members.length)
      return [...able.filter((stage) => !sumsRows(stage)), ...able.filter((stage) => sumsRows(stage))];
    members = able;
  }
}

/** The steps that depend on some steps through others that are not among them. */
function dependents(steps: readonly Step[], members: ReadonlySet<Step>): ReadonlySet<Step> {
  const values = new Set([...members].flatMap(({ outputs }) => outputs));
  const found = new Set<Step>();
  for (const step of steps) {
    if (members.has(step) || !step.inputs.some((value) => values.has(value))) continue;
    found.add(step);
    for (const value of step.outputs) values.add(value);
  }
  return found;
}

/** A chain, and the steps with it where the last of its stages was; what depends on it comes after it. */
function joined(
  steps: readonly Step[],
  members: readonly Candidate[],
  pivot: Candidate,
  returned: ReadonlySet<Value>,
): { readonly chain: LaunchStep; readonly placed: readonly Step[] } {
  const stages = members.map(({ step }) => step);
  const inside = new Set<Step>(stages);
  const last = steps.findLastIndex((step) => inside.has(step));
  const later = dependents(steps, inside);
  const others = (list: readonly Step[], isLater: boolean): readonly Step[] =>
    list.filter((step) => !inside.has(step) && later.has(step) === isLater);
  const before = steps.slice(0, last + 1);
  const made = new Set(stages.flatMap(({ outputs }) => outputs));
  const needed = new Set(steps.flatMap((step) => (inside.has(step) ? [] : step.inputs)));
  const isNeeded = (value: Value): boolean => returned.has(value) || needed.has(value);
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
