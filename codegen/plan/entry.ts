// Plans an entry: where every value lies, which state is written in place, and what is copied at the end.
//
// A failed call must leave the state as it was, so no kernel writes state before all kernels that may report a fault have run, but for faults
// that would have been reported before (checks.ts). A value that
// replaces a leaf is written to the leaf directly where no later kernel reads the old value and the kernel that makes it
// may overwrite its operand; otherwise it waits in the workspace and is copied at the end.

import type { Dim } from '../../compiler/ir/dims.js';
import type { Func, Module, Value } from '../../compiler/ir/graph.js';
import type { Entry } from '../../compiler/program.js';
import type { Kernel } from '../kernel/ir.js';
import { type Block, type Copy, type Place, Planner, type StepKernel, type Target } from './blocks.js';
import { lastNewFault } from './checks.js';
import type { Workspace } from './memory.js';
import type { Step } from './steps.js';

export type { Block, Copy, Place, PlannedGroup, PlannedLaunch, PlannedStep, StepKernel } from './blocks.js';

export interface EntryPlan extends Block {
  readonly entry: Entry;
  /** The number of steps before the first that writes state: faults are looked for there. */
  readonly checkAt: number;
  /** Whether any step may report a fault. */
  readonly hasFaults: boolean;
  readonly workspace: Workspace;
  /** Bytes of scratch memory that each thread needs besides. */
  readonly threadScratch: Dim;
}

/** Plans one entry. `kernelOf` gives the lowered kernel of a function; `takesChain`: see `Planner`. */
export function planEntry(
  module: Module,
  entry: Entry,
  kernelOf: (fn: Func) => StepKernel,
  takesChain: (kernel: Kernel) => boolean = () => false,
): EntryPlan {
  const planner = new Planner(module, kernelOf, takesChain);
  const outline = planner.outline(entry.fn);
  const { func, steps, root } = outline;
  let tensors = 0;
  const params = entry.inputs.map(
    (input): Place =>
      input.kind === 'state' ? { kind: 'state', leaf: input.leaf } : { kind: 'argument', index: tensors++ },
  );
  const lastFault = lastNewFault(planner, steps);
  const leafOf = new Map<Value, number>();
  for (const [i, place] of params.entries()) {
    if (place.kind === 'state') leafOf.set(func.params[i] as Value, place.leaf);
  }
  /** The last step that reads the old value of a leaf. */
  const lastReads = new Map<number, number>();
  for (const [at, { inputs }] of steps.entries()) {
    for (const leaf of inputs.map((input) => leafOf.get(input))) if (leaf !== undefined) lastReads.set(leaf, at);
  }

  /** Whether the step that makes `value` may write it into the leaf. */
  function mayWriteLeaf(leaf: number, value: Value, at: number): boolean {
    if (at <= lastFault) return false;
    const isOld = (input: Value): boolean => leafOf.get(input) === leaf;
    const isReadLater = (lastReads.get(leaf) ?? -1) > at;
    const isReturned = func.results.some((result, i) => {
      const output = entry.outputs[i];
      return isOld(root(result)) && !(output?.kind === 'state' && output.leaf === leaf);
    });
    const step = steps[at] as Step;
    // A loop writes its results many times, so it leaves the state alone.
    return step.kind === 'launch' && !isReadLater && !isReturned && planner.mayOverwrite(step, value, isOld);
  }

  const targets = entry.outputs.map((output, result): Target => {
    if (output.kind !== 'state') return { result, to: { kind: 'argument', index: tensors++ }, mayWrite: () => true };
    const { leaf } = output;
    const value = root(func.results[result] as Value);
    return { result, to: { kind: 'state', leaf }, mayWrite: (at) => mayWriteLeaf(leaf, value, at) };
  });
  const block = planner.block(outline, params, targets);
  // The number that the end of the block has.
  const end = planner.now - 1;
  const writesState = block.steps.findIndex(({ outputs }) => outputs.some((place) => place.kind === 'state'));
  return {
    ...block,
    entry,
    checkAt: writesState < 0 ? steps.length : writesState,
    hasFaults: lastFault >= 0,
    copies: orderCopies(block.copies, (bytes) => planner.memory(bytes, end, end)),
    workspace: planner.workspace(),
    threadScratch: planner.threadScratch,
  };
}

/** Copies to the caller first; leaves that are copied to other leaves are set aside before any leaf is written. */
function orderCopies(copies: readonly Copy[], setAside: (bytes: Dim) => Place): readonly Copy[] {
  const [toLeaves, toCaller] = [
    copies.filter(({ to }) => to.kind === 'state'),
    copies.filter(({ to }) => to.kind !== 'state'),
  ];
  const aside: Copy[] = [];
  const last = toLeaves.map((copy): Copy => {
    if (copy.from.kind !== 'state') return copy;
    const place = setAside(copy.bytes);
    aside.push({ ...copy, to: place });
    return { ...copy, from: place };
  });
  return [...toCaller, ...aside, ...last];
}
