// Groups of launches: what may move up to an earlier launch of its form, and what must not.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EntryPlan, Place, PlannedLaunch, PlannedStep } from '../../codegen/plan/entry.js';
import { columnsOf, groupLaunches } from '../../codegen/plan/groups.js';
import { planWorkspace } from '../../codegen/plan/memory.js';
import { dimConst } from '../../compiler/ir/dims.js';

const test = suite('groups of launches');
const forms = new Map<PlannedLaunch, string>();

const at = (slot: number): Place => ({ kind: 'workspace', slot });
const launch = (form: string, inputs: readonly Place[], outputs: readonly Place[]): PlannedLaunch => {
  const planned = { kind: 'launch', inputs, outputs, scratch: [] } as unknown as PlannedLaunch;
  forms.set(planned, form);
  return planned;
};
const shape = (steps: readonly PlannedStep[]): string =>
  steps
    .map((step) =>
      step.kind === 'group'
        ? step.launches.map((each) => forms.get(each)).join('')
        : step.kind === 'launch'
          ? forms.get(step)
          : '|',
    )
    .join(' ');
/** Values that all live from the first step to the last, and so have memory of their own. */
const apart = Array.from({ length: 20 }, () => ({ bytes: dimConst(64), first: 0, last: 9 }));
const grouped = (steps: readonly PlannedStep[], checkAt = steps.length, lifetimes = apart): EntryPlan => {
  const plan = { steps, checkAt, workspace: planWorkspace(lifetimes) } as unknown as EntryPlan;
  return groupLaunches(plan, (each) => forms.get(each));
};

test('launches of one form join across others', () => {
  const steps = [launch('a', [at(0)], [at(1)]), launch('b', [at(2)], [at(3)]), launch('a', [at(4)], [at(5)])];
  assert.is(shape(grouped(steps).steps), 'aa b');
});

test('a launch waits for what it reads, and for those that read what it overwrites', () => {
  const reads = [launch('a', [at(0)], [at(1)]), launch('b', [at(1)], [at(2)]), launch('a', [at(2)], [at(3)])];
  assert.is(shape(grouped(reads).steps), 'a b a');
  const overwrites = [launch('a', [at(0)], [at(1)]), launch('b', [at(5)], [at(2)]), launch('a', [at(4)], [at(5)])];
  assert.is(shape(grouped(overwrites).steps), 'a b a');
  const twice = [launch('a', [at(0)], [at(1)]), launch('a', [at(2)], [at(1)])];
  assert.is(shape(grouped(twice).steps), 'a a');
});

test('a launch does not move where its result shares memory with what is read in between', () => {
  const steps = [launch('a', [at(0)], [at(1)]), launch('b', [at(2)], [at(3)]), launch('a', [at(4)], [at(5)])];
  const ends = apart.map((lifetime, i) =>
    i === 2 ? { ...lifetime, last: 1 } : i === 5 ? { ...lifetime, first: 2 } : lifetime,
  );
  assert.is(shape(grouped(steps, 3, ends).steps), 'a b a');
});

test('members of a group count as one with what all of them touch', () => {
  const steps = [
    launch('a', [at(0)], [at(1)]),
    launch('a', [at(2)], [at(3)]),
    launch('a', [at(3)], [at(4)]),
    launch('a', [at(6)], [at(7)]),
  ];
  assert.is(shape(grouped(steps).steps), 'aa aa');
});

test('nothing moves across a loop, across the look for faults, or where loops point at memory', () => {
  const loop = { kind: 'loop' } as unknown as PlannedStep;
  const first = launch('a', [at(0)], [at(1)]);
  const second = launch('a', [at(2)], [at(3)]);
  assert.is(shape(grouped([first, loop, second]).steps), 'a | a');
  const checked = grouped([first, launch('a', [at(4)], [at(5)]), second], 2);
  assert.is(shape(checked.steps), 'aa a');
  assert.is(checked.checkAt, 1);
  const pointed = launch('a', [{ kind: 'pointer', number: 0 }], [at(3)]);
  assert.is(shape(grouped([first, pointed]).steps), 'a a');
});

test('operands that are the same everywhere are passed once, and those that lie together share a column', () => {
  const { steps } = grouped([launch('a', [at(0), at(1)], [at(1)]), launch('a', [at(0), at(2)], [at(2)])]);
  const [group] = steps;
  assert.ok(group?.kind === 'group');
  assert.equal(columnsOf(group), [undefined, 0, 0]);
});

test.run();
