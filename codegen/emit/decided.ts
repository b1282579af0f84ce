// Prints branches and loops that the device itself decides, so that the host need not wait for their conditions: everything inside of them is
// launched, and does nothing where the branch is not taken or the loop has ended. A carry stays in one place, to which each trip copies it.

import { type Dim, dimValue } from '../../compiler/ir/dims.js';
import type { Origin } from '../../compiler/ir/graph.js';
import type { PlannedIf, PlannedLoop, PlannedSlice } from '../plan/control.js';
import type { Block, Copy, Place, PlannedStep } from '../plan/entry.js';

/** What the printer of an entry's steps offers. */
export interface StepPrinter {
  line(text: string): void;
  braces(head: string, body: () => void): void;
  block(block: Block): void;
  copy(copy: Copy, mayCoincide: boolean): void;
  slice(slice: PlannedSlice, position: string): void;
  place(place: Place): string;
  size(size: Dim): string;
  bytes(bytes: Dim): string;
  /** A comment that says where in the program something is, or nothing. */
  comment(origin: Origin): string;
  /** Prints the trips' position for kernels before what `body` prints, where that uses it. */
  positioned(loop: number, body: () => void): void;
  /** The number of a place that the device keeps behind the workspace. */
  slot(): number;
  /** The number of the fault that a loop goes beyond its bound. */
  limitSite(origin: Origin): number;
  isResident: IsResident;
}

/** Whether a loop is one launch, because a kernel runs all of its trips. */
type IsResident = (loop: PlannedLoop) => boolean;

/** A branch is taken by the device when both sides together have at most so many launches. */
const CHEAP = 64;
/** The trips that a loop of run-time length is taken to make. */
const TYPICAL = 16;

/** Whether the device decides a branch or a loop; else the host waits for its condition. */
export function isDecided(step: PlannedStep, isResident: IsResident): step is PlannedIf | PlannedLoop {
  const depends = step.kind === 'if' || (step.kind === 'loop' && (step.condition ?? step.trips) !== undefined);
  return depends && canDecide(step, isResident);
}

/** Whether nothing in a step needs the host to know a condition. */
function canDecide(step: PlannedStep, isResident: IsResident): boolean {
  const all = ({ steps }: Block): boolean => steps.every((inner) => canDecide(inner, isResident));
  switch (step.kind) {
    case 'launch':
    case 'group':
      return true;
    case 'checkpoint':
      return all(step.block);
    case 'if':
      return launches(step, isResident) <= CHEAP && all(step.whenTrue) && all(step.whenFalse);
    case 'loop':
      return (
        isResident(step) ||
        (step.length !== undefined && (step.condition === undefined || all(step.condition)) && all(step.body))
      );
  }
}

/** The launches of a step, about. */
function launches(step: PlannedStep, isResident: IsResident): number {
  const all = ({ steps, copies }: Block): number =>
    steps.reduce((sum, inner) => sum + launches(inner, isResident), copies.length);
  switch (step.kind) {
    case 'launch':
    case 'group':
      return 1;
    case 'checkpoint':
      return all(step.block);
    case 'if':
      return 2 + all(step.whenTrue) + all(step.whenFalse);
    case 'loop':
      if (isResident(step)) return 1;
      return (
        (step.length === undefined ? TYPICAL : (dimValue(step.length) ?? TYPICAL)) * tripLaunches(step, isResident)
      );
  }
}

/** The launches of a trip. */
function tripLaunches({ condition, body, carries }: PlannedLoop, isResident: IsResident): number {
  const blocks = condition === undefined ? [body] : [condition, body];
  const steps = blocks.flatMap((block) => block.steps).reduce((sum, step) => sum + launches(step, isResident), 0);
  return steps + carries.length + 2;
}

/** Prints what belongs to a branch or loop, with the slot that decides it; afterwards the one around it counts again. */
function within(run: StepPrinter, origin: Origin, body: (slot: number, outer: string) => void): void {
  run.braces(run.comment(origin), () => {
    const slot = run.slot();
    run.line(`const void *const outer${slot} = call->active;`);
    body(slot, `outer${slot}`);
    run.line(`call->active = outer${slot};`);
  });
}

export function printDecidedIf(run: StepPrinter, { origin, condition, whenTrue, whenFalse }: PlannedIf): void {
  within(run, origin, (slot, outer) => {
    run.line(`tdsl_control(call, ${slot}, TDSL_IF, ${outer}, ${run.place(condition)}, 0, 0);`);
    run.braces('', () => run.block(whenTrue));
    run.line(`tdsl_control(call, ${slot}, TDSL_ELSE, ${outer}, ${run.place(condition)}, 0, 0);`);
    run.braces('', () => run.block(whenFalse));
  });
}

export function printDecidedLoop(run: StepPrinter, loop: PlannedLoop): void {
  const { origin, carries, ys, made } = loop;
  const length = run.size(loop.length as Dim);
  run.braces('', () => {
    for (const { initial, final, bytes } of carries) run.copy({ from: initial, to: final, bytes }, true);
    // Trips that are not made leave their slices 0.
    for (const { stack, bytes } of ys) {
      if (dimValue(bytes) !== 0)
        run.line(`tdsl_clear(call, (unsigned char *)(${run.place(stack)}), ${length} * (${run.bytes(bytes)}));`);
    }
    for (const { pointer, final } of carries)
      run.line(`unsigned char *const p${pointer} = (unsigned char *)(${run.place(final)});`);
    for (const { pointer } of carries) run.line(`(void)p${pointer};`);
    let place = '';
    within(run, origin, (slot, outer) => {
      if (loop.condition === undefined) printCounted(run, loop, slot, outer, length);
      else printWhile(run, loop, slot, outer, length);
      place = `tdsl_made(call, ${slot})`;
    });
    if (made !== undefined) run.line(`tdsl_copy(call, ${run.place(made)}, ${place}, 8);`);
  });
}

/** A loop that goes on while a condition holds, at most `length` times. */
function printWhile(run: StepPrinter, loop: PlannedLoop, slot: number, outer: string, length: string): void {
  const { number, origin } = loop;
  const condition = loop.condition as Block;
  const holds = run.place(condition.results[0] as Place);
  run.line(`tdsl_control(call, ${slot}, TDSL_BEGIN, ${outer}, NULL, 0, 0);`);
  run.braces(`for (int64_t i${number} = 0;; i${number}++) `, () => {
    run.positioned(number, () => {
      run.block(condition);
      run.braces(`if (i${number} >= ${length}) `, () => {
        run.line(`tdsl_control(call, ${slot}, TDSL_LIMIT, ${outer}, ${holds}, ${length}, ${run.limitSite(origin)});`);
        run.line('break;');
      });
      run.line(`tdsl_control(call, ${slot}, TDSL_WHILE, ${outer}, ${holds}, 0, 0);`);
      run.line(`if (tdsl_ended(call, ${slot}, i${number}, ${length} * ${tripLaunches(loop, run.isResident)})) break;`);
      printTrip(run, loop, `i${number}`);
    });
  });
}

/** A loop whose number of trips is data. Backwards, the trips that are not made come first. */
function printCounted(run: StepPrinter, loop: PlannedLoop, slot: number, outer: string, length: string): void {
  const { number, origin, reverse } = loop;
  const trips = run.place(loop.trips as Place);
  const site = run.limitSite(origin);
  run.line(`tdsl_control(call, ${slot}, TDSL_TRIPS, ${outer}, ${trips}, ${length}, ${site});`);
  run.line(
    `const int64_t most${number} = tdsl_trips(call, ${slot}, ${length}, ${length} * ${tripLaunches(loop, run.isResident)});`,
  );
  run.braces(`for (int64_t trip${number} = 0; trip${number} < most${number}; trip${number}++) `, () => {
    const at = reverse ? `most${number} - 1 - trip${number}` : `trip${number}`;
    run.line(`const int64_t i${number} = ${at};`);
    run.positioned(number, () => {
      run.line(`tdsl_control(call, ${slot}, TDSL_TRIP, ${outer}, NULL, i${number}, 0);`);
      printTrip(run, loop, `i${number}`);
    });
  });
}

/** The body of a loop, which leaves every carry where it was. */
function printTrip(run: StepPrinter, { xs, ys, carries, body }: PlannedLoop, position: string): void {
  for (const slice of [...xs, ...ys]) run.slice(slice, position);
  for (const { next } of carries) {
    if (next.kind === 'swap')
      run.line(`unsigned char *const p${next.pointer} = (unsigned char *)(${run.place(next.other)});`);
  }
  run.block(body);
  for (const { pointer, bytes, next } of carries) {
    if (next.kind === 'in place') continue;
    const [from, to] = [next.pointer, pointer].map((each): Place => ({ kind: 'pointer', number: each }));
    run.copy({ from: from as Place, to: to as Place, bytes }, false);
  }
}
