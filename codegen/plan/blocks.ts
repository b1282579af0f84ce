// Plans a list of steps: where every value lies, and what is copied at the end. The steps of an entry, of a loop's function and of a
// branch are blocks; a block inside of another one has its values in the workspace of the entry, too.
//
// All steps of an entry are numbered in one sequence, those of a loop or branch between the steps before and after it, so one plan of
// lifetimes serves all blocks: a value of a trip lives from its step to its last reader in the trip, and what a loop carries,
// reads or gives lives as long as the loop.

import { type Dim, dimConst, dimEquals, dimMax, dimMul, dimSubstitute, dimValue } from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Func, Module, TensorType, Value } from '../../compiler/ir/graph.js';
import { regionFunctions } from '../../compiler/ir/rewrite.js';
import type { Kernel } from '../kernel/ir.js';
import type { FaultSite } from '../kernel/lower/values.js';
import { mayOverwrite } from '../kernel/overwrite.js';
import { chainSteps } from './chains.js';
import { type PlannedControl, planControl } from './control.js';
import { planWorkspace, type Workspace } from './memory.js';
import { type LaunchStep, type Step, stepsOf } from './steps.js';

/**
 * Where a value lies: a tensor of the caller (by position in the entry's table), a state leaf, a slot of the workspace, or where a pointer
 * of the emitted code points: the slice or carry of the current trip, by number.
 */
export type Place =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'state'; readonly leaf: number }
  | { readonly kind: 'workspace'; readonly slot: number }
  | { readonly kind: 'pointer'; readonly number: number }
  /** The position of the current trip of a loop, by the number of the loop. */
  | { readonly kind: 'position'; readonly loop: number };

/** Memory that a kernel needs for itself while it runs: once, or once on each thread that runs a part of it. */
export interface Scratch {
  readonly bytes: Dim;
  readonly per: 'launch' | 'thread';
}

/** What the planner must know of the kernel of a step. */
export interface StepKernel {
  /** As lowered, for what it reads and writes. */
  readonly kernel: Kernel;
  readonly faults: readonly FaultSite[];
  readonly scratch: () => Scratch | undefined;
}

export interface PlannedLaunch {
  readonly kind: 'launch';
  readonly step: LaunchStep;
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  /** Scratch memory of the launch; that of threads lies behind the workspace. */
  readonly scratch: readonly Place[];
}

/** Launches of the same form that are made at once. */
export interface PlannedGroup {
  readonly kind: 'group';
  readonly launches: readonly PlannedLaunch[];
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
}

export type PlannedStep = PlannedLaunch | PlannedGroup | PlannedControl;

export interface Copy {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: Dim;
}

export interface Block {
  readonly steps: readonly PlannedStep[];
  /** Run after all steps, in order. */
  readonly copies: readonly Copy[];
  /** Where each result is before the copies. */
  readonly results: readonly Place[];
}

/** Where a result of a block must be at its end. */
export interface Target {
  readonly result: number;
  readonly to: Place;
  /** Whether the step that makes the result may write it there, told by the step's position. */
  readonly mayWrite: (at: number, steps: readonly Step[]) => boolean;
}

export const byteSize = (type: TensorType): Dim => type.shape.reduce(dimMul, dimConst(dtypeBytes(type.dtype)));

export const samePlace = (a: Place | undefined, b: Place): boolean =>
  a !== undefined && JSON.stringify(a) === JSON.stringify(b);

/** The steps of a function, known before they are planned. */
export interface Outline {
  readonly func: Func;
  readonly steps: readonly Step[];
  readonly root: (value: Value) => Value;
}

/** Plans the blocks of one entry. */
export class Planner {
  readonly #lifetimes: { bytes: Dim; first: number; last: number }[] = [];
  readonly #outlines = new Map<string, Outline>();
  #clock = 0;
  #numbers = 0;
  readonly #threadScratch = new Map<string, Dim>();

  constructor(
    readonly module: Module,
    readonly kernelOf: (fn: Func) => StepKernel,
    /** Whether kernels that work on the same rows one after another become this one. */
    readonly takesChain: (kernel: Kernel) => boolean,
  ) {}

  /** The number of the step that comes next. */
  get now(): number {
    return this.#clock;
  }

  /** A number for a pointer or loop. */
  number(): number {
    return this.#numbers++;
  }

  /** Memory from one step to another. */
  memory(bytes: Dim, first: number, last: number): Place {
    this.#lifetimes.push({ bytes, first, last });
    return { kind: 'workspace', slot: this.#lifetimes.length - 1 };
  }

  /** The place in the workspace, for longer. */
  #extended(place: Place | undefined, last: number): Place | undefined {
    if (place?.kind !== 'workspace') return undefined;
    (this.#lifetimes[place.slot] as { last: number }).last = last;
    return place;
  }

  /** The workspace; its `slotOf` maps the slots of places to slots of memory. */
  workspace(): Workspace {
    return planWorkspace(this.#lifetimes);
  }

  /** Bytes of scratch memory that a thread needs: kernels run one after another and use the same. */
  get threadScratch(): Dim {
    const sizes = [...this.#threadScratch.values()];
    const constant = dimConst(Math.max(0, ...sizes.map((size) => dimValue(size) ?? 0)));
    return sizes.filter((size) => dimValue(size) === undefined).reduce(dimMax, constant);
  }

  outline(name: string): Outline {
    const known = this.#outlines.get(name);
    if (known !== undefined) return known;
    const func = this.module.functions.get(name);
    if (func === undefined) throw new Error(`there is no function @${name}`);
    const { steps, root } = stepsOf(this.module, func);
    const returned = new Set(func.results.map(root));
    const chained = chainSteps(steps, returned, (fn) => this.kernelOf(fn).kernel, this.takesChain);
    const outline = { func, steps: chained, root };
    this.#outlines.set(name, outline);
    return outline;
  }

  /** How many places a step has where it may report a fault. */
  faultsOf(step: Step): number {
    if (step.kind === 'launch') return this.kernelOf(step.fn).faults.length;
    const { region } = step.node;
    const inner = (name: string) => this.outline(name).steps.reduce((sum, each) => sum + this.faultsOf(each), 0);
    const isBounded =
      region.type === 'loop' && region.length !== undefined && (region.counted || region.condition !== undefined);
    return regionFunctions(region).reduce((sum, name) => sum + inner(name), isBounded ? 1 : 0);
  }

  /** Whether a step may write one of its outputs where its inputs `old` lie. */
  mayOverwrite(step: Step, value: Value, old: (input: Value) => boolean): boolean {
    if (step.kind === 'control') return false;
    const { kernel } = this.kernelOf(step.fn);
    const target = `out${step.outputs.indexOf(value)}`;
    return step.inputs.every((input, k) => !old(input) || mayOverwrite(kernel, `in${k}`, target));
  }

  /** Plans a block whose parameters lie at the given places. */
  block({ func, steps, root }: Outline, params: readonly Place[], targets: readonly Target[]): Block {
    const places = new Map<Value, Place>(func.params.map((param, i) => [param, params[i] as Place]));
    const maker = new Map(steps.flatMap((step, at) => step.outputs.map((value) => [value, at] as const)));
    const pending: { readonly value: Value; readonly to: Place }[] = [];
    for (const { result, to, mayWrite } of targets) {
      const value = root(func.results[result] as Value);
      if (samePlace(places.get(value), to)) continue;
      const at = maker.get(value);
      if (at !== undefined && !places.has(value) && mayWrite(at, steps)) places.set(value, to);
      else pending.push({ value, to });
    }
    // The steps are numbered before they are planned: a value must know the number of its last reader.
    const first: number[] = [];
    let number = this.#clock;
    for (const step of steps) {
      first.push(number);
      number += this.#count(step);
    }
    const end = number;
    const lastUse = new Map<Value, number>();
    steps.forEach((step, at) => {
      const last = (first[at] as number) + this.#count(step) - 1;
      for (const value of [...step.inputs, ...step.outputs]) lastUse.set(value, last);
    });
    for (const value of [...pending.map((copy) => copy.value), ...func.results.map(root)]) lastUse.set(value, end);
    steps.forEach((step, at) => {
      const [begin, written] = [first[at] as number, new Set<Place>()];
      for (const value of step.outputs) {
        if (places.has(value)) continue;
        const end = lastUse.get(value) as number;
        const isDying = (input: Value): boolean => maker.has(input) && lastUse.get(input) === begin;
        const old = step.inputs.find(
          (input) =>
            isDying(input) &&
            !written.has(places.get(input) as Place) &&
            dimEquals(byteSize(input.type), byteSize(value.type)) &&
            this.mayOverwrite(step, value, (other) => other === input),
        );
        const place = (old && this.#extended(places.get(old), end)) ?? this.memory(byteSize(value.type), begin, end);
        written.add(place);
        places.set(value, place);
      }
    });
    const placeOf = (value: Value): Place => {
      const place = places.get(value);
      if (place === undefined) throw new Error(`%${value.name} has no place in memory`);
      return place;
    };
    const planned = steps.map(
      (step): PlannedStep => this.#step(step, step.inputs.map(placeOf), step.outputs.map(placeOf)),
    );
    // What is copied or returned at the end lives until a number that no step has.
    this.#clock = end + 1;
    return {
      steps: planned,
      copies: pending.map(({ value, to }) => ({ from: placeOf(value), to, bytes: byteSize(value.type) })),
      results: func.results.map((result) => placeOf(root(result))),
    };
  }

  #step(step: Step, inputs: readonly Place[], outputs: readonly Place[]): PlannedStep {
    if (step.kind === 'control') {
      // The block before a loop's first step and behind its last has numbers of its own: the loop copies its carries there.
      this.#clock++;
      const planned = planControl(this, step, inputs, outputs);
      this.#clock++;
      return planned;
    }
    const at = this.#clock++;
    const scratch = this.kernelOf(step.fn).scratch();
    const launch = { kind: 'launch', step, inputs, outputs } as const;
    if (scratch === undefined) return { ...launch, scratch: [] };
    const bytes = dimSubstitute(scratch.bytes, step.symbols);
    if (scratch.per === 'launch') return { ...launch, scratch: [this.memory(bytes, at, at)] };
    this.#threadScratch.set(bytes.key, bytes);
    return { ...launch, scratch: [] };
  }

  /** How many numbers a step takes: each block inside of it takes one more for its end, a loop or branch two around them. */
  #count(step: Step): number {
    if (step.kind === 'launch') return 1;
    return this.functionsOf(step).reduce(
      (sum, name) => sum + 1 + this.outline(name).steps.reduce((inner, each) => inner + this.#count(each), 0),
      2,
    );
  }

  /** The functions of a loop or branch in the order in which their blocks are planned. */
  functionsOf({ node: { region } }: Extract<Step, { kind: 'control' }>): readonly string[] {
    return region.type === 'loop' ? regionFunctions(region).toReversed() : regionFunctions(region);
  }

  /** The numbers of a control step that is being planned: from the one before its blocks to the one after them. */
  span(step: Extract<Step, { kind: 'control' }>): { readonly first: number; readonly last: number } {
    const first = this.#clock - 1;
    return { first, last: first + this.#count(step) - 1 };
  }
}
