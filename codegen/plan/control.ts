// Plans loops and branches.
//
// A carry is read through a pointer. Where it lies after a trip depends on how its new value is made:
//
//   in place  by a kernel that may overwrite the old value, which nothing reads later: one buffer, filled before the first trip
//   follow    it is also a slice of a stack that the loop gives: the pointer moves along the stack
//   swap      two buffers take turns; in a loop whose number of trips is known the last trip writes to the final place
//
// After the loop the last value is copied to its place where it is not there already. xs and ys are read and written as slices of their
// stacks; nothing is copied for them.

import { argumentsOf, bodyParams, type LoopNode, loopInputs, loopResults } from '../../compiler/ir/control.js';
import type { Dim } from '../../compiler/ir/dims.js';
import type { Origin, Value } from '../../compiler/ir/graph.js';
import { type Block, byteSize, type Outline, type Place, type Planner, type Target } from './blocks.js';
import type { ControlStep, Step } from './steps.js';

export interface PlannedCarry {
  /** The pointer to the current value. */
  readonly pointer: number;
  readonly initial: Place;
  readonly final: Place;
  readonly bytes: Dim;
  readonly next:
    | { readonly kind: 'in place' }
    | { readonly kind: 'follow'; readonly pointer: number }
    /** The pointer to the next value, and the buffer that takes turns with the final place. */
    | { readonly kind: 'swap'; readonly pointer: number; readonly other: Place };
}

/** A stack and the pointer to its slice in the current trip. */
export interface PlannedSlice {
  readonly pointer: number;
  readonly stack: Place;
  readonly bytes: Dim;
}

export interface PlannedLoop {
  readonly kind: 'loop';
  readonly number: number;
  readonly origin: Origin;
  readonly length: Dim | undefined;
  readonly reverse: boolean;
  /** The number of trips asked for. */
  readonly trips: Place | undefined;
  /** Where the number of trips made is written. */
  readonly made: Place | undefined;
  readonly carries: readonly PlannedCarry[];
  readonly xs: readonly PlannedSlice[];
  readonly ys: readonly PlannedSlice[];
  readonly condition: Block | undefined;
  readonly body: Block;
  readonly outputs: readonly Place[];
}

export interface PlannedIf {
  readonly kind: 'if';
  readonly origin: Origin;
  readonly condition: Place;
  readonly whenTrue: Block;
  readonly whenFalse: Block;
  readonly outputs: readonly Place[];
}

/** A block of its own. */
export interface PlannedCheckpoint {
  readonly kind: 'checkpoint';
  readonly origin: Origin;
  readonly block: Block;
  readonly outputs: readonly Place[];
}

export type PlannedControl = PlannedLoop | PlannedIf | PlannedCheckpoint;

const always = (): boolean => true;

/** Conditional nodes and checkpoints. */
function planCalls(
  planner: Planner,
  step: ControlStep,
  inputs: readonly Place[],
  outputs: readonly Place[],
): PlannedIf | PlannedCheckpoint {
  const { origin, node } = step;
  const args = inputs.slice(inputs.length - argumentsOf(node).length);
  const targets = outputs.map((to, result): Target => ({ result, to, mayWrite: always }));
  const [first, second] = planner
    .functionsOf(step)
    .map((name) => planner.block(planner.outline(name), args, targets)) as [Block, Block?];
  if (second === undefined) return { kind: 'checkpoint', origin, block: first, outputs };
  return { kind: 'if', origin, condition: inputs[0] as Place, whenTrue: first, whenFalse: second, outputs };
}

/** Whether the new value of a carry may be written over the old one, of which `param` is the name in the body. */
function isOverwritable(planner: Planner, { func, steps, root }: Outline, result: number, param: Value): boolean {
  const value = root(func.results[result] as Value);
  const at = steps.findIndex((step) => step.outputs.includes(value));
  if (at < 0) return false;
  const isOld = (input: Value): boolean => input === param;
  const isReadLater = steps.slice(at + 1).some((step: Step) => step.inputs.some(isOld));
  const roots = func.results.map(root);
  const isReturned = roots.includes(param) || roots.filter((each) => each === value).length > 1;
  return !isReadLater && !isReturned && planner.mayOverwrite(steps[at] as Step, value, isOld);
}

function planLoop(
  planner: Planner,
  step: ControlStep & { readonly node: LoopNode },
  inputs: readonly Place[],
  outputs: readonly Place[],
): PlannedLoop {
  const { region } = step.node;
  const { first, last } = planner.span(step);
  const given = loopInputs(region, inputs);
  const finals = loopResults(region, outputs);
  const outline = planner.outline(region.fn);
  const { func, root } = outline;
  const params = bodyParams(region, func.params);
  const number = planner.number();
  const slice = (stack: Place, value: Value): PlannedSlice => ({
    pointer: planner.number(),
    stack,
    bytes: byteSize(value.type),
  });
  const xs = given.xs.map((stack, i) => slice(stack, params.xs[i] as Value));
  const ys = finals.ys.map((stack, i) => slice(stack, func.results[region.carries + i] as Value));
  const carries = given.carries.map((initial, k): PlannedCarry => {
    const param = params.carries[k] as Value;
    const value = root(func.results[k] as Value);
    const stack = func.results.slice(region.carries).findIndex((result) => root(result) === value);
    const bytes = byteSize(param.type);
    const pointer = planner.number();
    const next =
      stack >= 0
        ? ({ kind: 'follow', pointer: (ys[stack] as PlannedSlice).pointer } as const)
        : isOverwritable(planner, outline, k, param)
          ? ({ kind: 'in place' } as const)
          : ({ kind: 'swap', pointer: planner.number(), other: planner.memory(bytes, first, last) } as const);
    return { pointer, initial, final: finals.carries[k] as Place, bytes, next };
  });
  const pointerTo = ({ pointer }: { readonly pointer: number }): Place => ({ kind: 'pointer', number: pointer });
  const carried = [{ kind: 'position', loop: number } as const, ...given.constants, ...carries.map(pointerTo)];
  const condition =
    region.condition === undefined ? undefined : planner.block(planner.outline(region.condition), carried, []);
  // Slices come first, so that a carry that is one of them is written there.
  const targets: Target[] = ys.map((y, i) => ({ result: region.carries + i, to: pointerTo(y), mayWrite: always }));
  carries.forEach(({ pointer, next }, result) => {
    if (next.kind === 'in place') targets.push({ result, to: pointerTo({ pointer }), mayWrite: always });
    if (next.kind === 'swap') targets.push({ result, to: pointerTo(next), mayWrite: always });
  });
  const body = planner.block(outline, [...carried, ...xs.map(pointerTo)], targets);
  return {
    kind: 'loop',
    number,
    origin: step.origin,
    length: region.length,
    reverse: region.reverse,
    trips: given.trips[0],
    made: finals.made[0],
    carries,
    xs,
    ys,
    condition,
    body,
    outputs,
  };
}

/** Plans a loop or branch whose inputs and outputs have their places. */
export const planControl = (
  planner: Planner,
  step: ControlStep,
  inputs: readonly Place[],
  outputs: readonly Place[],
): PlannedControl =>
  step.node.region.type === 'loop'
    ? planLoop(planner, step as ControlStep & { readonly node: LoopNode }, inputs, outputs)
    : planCalls(planner, step, inputs, outputs);
