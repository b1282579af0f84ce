// Plans an entry: where every value lies, which state is written in place, and what is copied at the end.
//
// A failed call must leave the state as it was, so no kernel writes state before all kernels that may report a fault have run. A value that
// replaces a leaf is written to the leaf directly where no later kernel reads the old value and the kernel that makes it
// may overwrite its operand; otherwise it waits in the workspace and is copied at the end.

import { type Dim, dimConst, dimMul, dimSubstitute } from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Func, Module, TensorType, Value } from '../../compiler/ir/graph.js';
import type { Entry } from '../../compiler/program.js';
import type { Kernel } from '../kernel/ir.js';
import { mayOverwrite } from '../kernel/overwrite.js';
import { planWorkspace, type Workspace } from './memory.js';
import { type Step, stepsOf } from './steps.js';

/** Where a value lies: a tensor of the caller (by position in the entry's table), a state leaf, or a slot of the workspace. */
export type Place =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'state'; readonly leaf: number }
  | { readonly kind: 'workspace'; readonly slot: number };

/** What the planner must know of the kernel of a step. */
export interface StepKernel {
  /** As lowered, for what it reads and writes. */
  readonly kernel: Kernel;
  readonly faults: number;
  /** Bytes of memory that it needs for itself while it runs, if any. */
  readonly scratch: Dim | undefined;
}

export interface PlannedStep {
  readonly step: Step;
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  readonly scratch: readonly Place[];
}

export interface Copy {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: Dim;
}

export interface EntryPlan {
  readonly entry: Entry;
  readonly steps: readonly PlannedStep[];
  /** The number of steps before the first that writes state: faults are looked for there. */
  readonly checkAt: number;
  /** Run after all steps, in order. */
  readonly copies: readonly Copy[];
  readonly workspace: Workspace;
}

const byteSize = (type: TensorType): Dim => type.shape.reduce(dimMul, dimConst(dtypeBytes(type.dtype)));

/** Plans one entry. `kernelOf` gives the lowered kernel of a function. */
export function planEntry(module: Module, entry: Entry, kernelOf: (fn: Func) => StepKernel): EntryPlan {
  const func = module.functions.get(entry.fn);
  if (func === undefined) throw new Error(`the entry ${entry.name} has no function @${entry.fn}`);
  const { steps, root } = stepsOf(module, func);
  const places = new Map<Value, Place>();
  let tensors = 0;
  entry.inputs.forEach((input, i) => {
    const place: Place =
      input.kind === 'state' ? { kind: 'state', leaf: input.leaf } : { kind: 'argument', index: tensors++ };
    places.set(func.params[i] as Value, place);
  });

  const maker = new Map(steps.flatMap((step, at) => step.outputs.map((value) => [value, at] as const)));
  const lastFault = steps.findLastIndex((step) => kernelOf(step.fn).faults > 0);
  const pending: { readonly value: Value; readonly to: Place }[] = [];
  entry.outputs.forEach((output, i) => {
    const value = root(func.results[i] as Value);
    const to: Place =
      output.kind === 'state' ? { kind: 'state', leaf: output.leaf } : { kind: 'argument', index: tensors++ };
    if (samePlace(places.get(value), to)) return;
    const at = maker.get(value);
    const isFree = at !== undefined && !places.has(value);
    const isDirect = isFree && (to.kind !== 'state' || (at > lastFault && mayWriteLeaf(to.leaf, value, at)));
    if (isDirect) places.set(value, to);
    else pending.push({ value, to });
  });

  /** Whether the step that makes `value` may write it into the leaf. */
  function mayWriteLeaf(leaf: number, value: Value, at: number): boolean {
    const old = [...places]
      .filter(([, place]) => place.kind === 'state' && place.leaf === leaf)
      .map(([param]) => param);
    const isReadLater = steps.slice(at + 1).some((step) => step.inputs.some((input) => old.includes(input)));
    const isReturned = (func as Func).results.some((result, i) => {
      const output = entry.outputs[i];
      return old.includes(root(result)) && !(output?.kind === 'state' && output.leaf === leaf);
    });
    if (isReadLater || isReturned) return false;
    const step = steps[at] as Step;
    const { kernel } = kernelOf(step.fn);
    const target = `out${step.outputs.indexOf(value)}`;
    return step.inputs.every((input, k) => !old.includes(input) || mayOverwrite(kernel, `in${k}`, target));
  }

  const workspace = new WorkspaceBuilder(steps.length);
  const lastUse = new Map<Value, number>();
  steps.forEach((step, at) => {
    for (const value of [...step.inputs, ...step.outputs]) lastUse.set(value, at);
  });
  for (const { value } of pending) lastUse.set(value, steps.length);
  for (const [value, at] of maker) {
    if (!places.has(value)) {
      places.set(value, workspace.add(byteSize(value.type), at, lastUse.get(value) as number));
    }
  }
  const placeOf = (value: Value): Place => {
    const place = places.get(value);
    if (place === undefined) throw new Error(`%${value.name} has no place in memory`);
    return place;
  };
  const planned = steps.map((step, at): PlannedStep => {
    const { scratch } = kernelOf(step.fn);
    return {
      step,
      inputs: step.inputs.map(placeOf),
      outputs: step.outputs.map(placeOf),
      scratch: scratch === undefined ? [] : [workspace.add(dimSubstitute(scratch, step.symbols), at, at)],
    };
  });
  const writesState = planned.findIndex(({ outputs }) => outputs.some((place) => place.kind === 'state'));
  const copies = orderCopies(
    pending.map(({ value, to }) => ({ from: placeOf(value), to, bytes: byteSize(value.type) })),
    workspace,
  );
  return {
    entry,
    steps: planned,
    checkAt: writesState < 0 ? planned.length : writesState,
    copies,
    workspace: workspace.plan(),
  };
}

const samePlace = (a: Place | undefined, b: Place): boolean =>
  a !== undefined &&
  ((a.kind === 'argument' && b.kind === 'argument' && a.index === b.index) ||
    (a.kind === 'state' && b.kind === 'state' && a.leaf === b.leaf));

/** Copies to the caller first; leaves that are copied to other leaves are set aside before any leaf is written. */
function orderCopies(copies: readonly Copy[], workspace: WorkspaceBuilder): readonly Copy[] {
  const [toLeaves, toCaller] = [
    copies.filter(({ to }) => to.kind === 'state'),
    copies.filter(({ to }) => to.kind !== 'state'),
  ];
  const aside: Copy[] = [];
  const last = toLeaves.map((copy): Copy => {
    if (copy.from.kind !== 'state') return copy;
    const place = workspace.addAtEnd(copy.bytes);
    aside.push({ ...copy, to: place });
    return { ...copy, from: place };
  });
  return [...toCaller, ...aside, ...last];
}

/** Collects lifetimes; slots are known by the number of the lifetime until `plan`. */
class WorkspaceBuilder {
  readonly #lifetimes: { readonly bytes: Dim; readonly first: number; readonly last: number }[] = [];

  constructor(readonly end: number) {}

  add(bytes: Dim, first: number, last: number): Place {
    this.#lifetimes.push({ bytes, first, last });
    return { kind: 'workspace', slot: this.#lifetimes.length - 1 };
  }

  addAtEnd(bytes: Dim): Place {
    return this.add(bytes, this.end, this.end);
  }

  /** The workspace; `slotOf` maps the slots of places to slots of memory. */
  plan(): Workspace {
    return planWorkspace(this.#lifetimes);
  }
}
