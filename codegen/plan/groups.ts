// Makes one launch of many that have the same form and do not depend on each other: the updates of all parameters, the sums of their squares. A
// launch moves up to an earlier one of its form where nothing in between touches the memory that it writes, or writes what it reads.

import type { Place, PlannedGroup, PlannedLaunch, PlannedStep } from './blocks.js';
import type { EntryPlan } from './entry.js';
import { sharedSlots, type Workspace } from './memory.js';

/** The plan of an entry with groups. Launches have the same form where `formOf` gives equal texts; undefined for those that stay alone. */
export function groupLaunches(plan: EntryPlan, formOf: (launch: PlannedLaunch) => string | undefined): EntryPlan {
  const memory = memoryOf(plan.workspace);
  // Faults are looked for between the two parts.
  const [before, after] = [plan.steps.slice(0, plan.checkAt), plan.steps.slice(plan.checkAt)].map((steps) =>
    grouped(steps, memory, formOf),
  ) as [readonly PlannedStep[], readonly PlannedStep[]];
  return { ...plan, steps: [...before, ...after], checkAt: before.length };
}

/** A launch or group with the memory that it reads and writes, or a step that nothing moves across. */
interface Item {
  readonly launches: PlannedLaunch[];
  readonly form: string | undefined;
  /** Memory as keys: all that may be in part the same as what is read or written, and what is written alone. */
  readonly reads: Set<string>;
  readonly touched: Set<string>;
  readonly writes: Set<string>;
  readonly barrier: PlannedStep | undefined;
}

function grouped(
  steps: readonly PlannedStep[],
  memory: Memory,
  formOf: (launch: PlannedLaunch) => string | undefined,
): readonly PlannedStep[] {
  const items: Item[] = [];
  for (const step of steps) {
    if (step.kind !== 'launch') {
      items.push({
        launches: [],
        form: undefined,
        reads: new Set(),
        touched: new Set(),
        writes: new Set(),
        barrier: step,
      });
      continue;
    }
    const item: Item = {
      launches: [step],
      form: isFixed(step) ? formOf(step) : undefined,
      reads: new Set(step.inputs.flatMap(memory.around)),
      touched: new Set([...step.outputs, ...step.scratch].flatMap(memory.around)),
      writes: new Set([...step.outputs, ...step.scratch].map(memory.key)),
      barrier: undefined,
    };
    const group = item.form === undefined ? undefined : groupFor(items, item);
    if (group === undefined) {
      items.push(item);
      continue;
    }
    group.launches.push(step);
    for (const key of item.reads) group.reads.add(key);
    for (const key of item.touched) group.touched.add(key);
    for (const key of item.writes) group.writes.add(key);
  }
  return items.map(({ launches, barrier }): PlannedStep => {
    const [first] = launches;
    if (first === undefined) return barrier as PlannedStep;
    return launches.length === 1 ? first : groupOf(launches);
  });
}

const groupOf = (launches: readonly PlannedLaunch[]): PlannedGroup => ({
  kind: 'group',
  launches,
  inputs: launches.flatMap(({ inputs }) => inputs),
  outputs: launches.flatMap(({ outputs }) => outputs),
});

/** The nearest earlier item of the same form that a launch may move up to. */
function groupFor(items: readonly Item[], own: Item): Item | undefined {
  for (const item of items.toReversed()) {
    if (item.barrier !== undefined || conflict(item, own)) return undefined;
    if (item.form === own.form) return item;
  }
  return undefined;
}

const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some((key) => b.has(key));

const conflict = (a: Item, b: Item): boolean =>
  meet(a.writes, b.reads) || meet(a.writes, b.touched) || meet(a.reads, b.writes);

/** Whether all places of a launch are known to be different memory where they differ: what loops point at is not. */
const isFixed = ({ inputs, outputs, scratch }: PlannedLaunch): boolean =>
  [...inputs, ...outputs, ...scratch].every(({ kind }) => kind !== 'pointer' && kind !== 'position');

/** Names for memory: that of a place, and those of all places that may lie in part at the same memory. */
interface Memory {
  readonly key: (place: Place) => string;
  readonly around: (place: Place) => readonly string[];
}

function memoryOf(workspace: Workspace): Memory {
  const sharing = sharedSlots(workspace);
  const slotKey = (slot: number): string => `slot ${slot}`;
  const slotOf = (place: Place): number | undefined =>
    place.kind === 'workspace' ? workspace.slotOf[place.slot] : undefined;
  const key = (place: Place): string => {
    const slot = slotOf(place);
    return slot === undefined ? JSON.stringify(place) : slotKey(slot);
  };
  const around = (place: Place): readonly string[] => {
    const slot = slotOf(place);
    return slot === undefined ? [key(place)] : (sharing[slot] as readonly number[]).map(slotKey);
  };
  return { key, around };
}

/**
 * Which operands differ between the launches of a group: for each one in the order of a launch's inputs and outputs the number of its column, where
 * operands that lie at the same place in every launch share one, or undefined where all launches have the same.
 */
export function columnsOf({ launches }: PlannedGroup): readonly (number | undefined)[] {
  const operands = launches.map(({ inputs, outputs }) => [...inputs, ...outputs].map((place) => JSON.stringify(place)));
  const known: string[] = [];
  return (operands[0] ?? []).map((_, k) => {
    const column = operands.map((own) => own[k]);
    if (new Set(column).size === 1) return undefined;
    const text = column.join();
    if (!known.includes(text)) known.push(text);
    return known.indexOf(text);
  });
}
