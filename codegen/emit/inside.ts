// Prints a loop as text that a kernel itself runs, for the device: the same as the host would run (run.ts), where launches are calls and what the loop
// is passed has names of its own.

import type { PlannedLoop } from '../plan/control.js';
import type { Block, EntryPlan, Place, PlannedLaunch, PlannedStep } from '../plan/entry.js';
import { type LaunchedKernel, type RunContext, RunPrinter } from './run.js';

/** The text of a loop, and what it is passed: places by the names that it has for them. */
export interface InsideLoop {
  readonly lines: readonly string[];
  readonly params: ReadonlyMap<string, Place>;
  /** The number of loops in it whose positions kernels read. */
  readonly positions: number;
}

/** Prints a loop of an entry's plan. `kernelOf` is asked for every launch in it. */
export function printInside(
  loop: PlannedLoop,
  plan: EntryPlan,
  context: RunContext,
  kernelOf: (planned: PlannedLaunch) => LaunchedKernel,
): InsideLoop {
  const own = declaredIn(loop);
  const params = new Map<string, Place>();
  const place = (at: Place): string => {
    const name = nameOf(at);
    if (!own.has(name)) params.set(name, at);
    return name;
  };
  const launch = (planned: PlannedLaunch, site: number, buffers: readonly string[]): string =>
    `${kernelOf(planned).name}_block(call, ${[site, ...buffers.map((buffer) => `(unsigned char *)(${buffer})`)].join(', ')});`;
  const printer = new RunPrinter(plan, {
    ...context,
    kernelOf,
    resident: undefined,
    decides: false,
    inside: { place, launch },
  });
  printer.printLoop(loop);
  return { lines: printer.lines, params, positions: printer.positions };
}

function nameOf(place: Place): string {
  switch (place.kind) {
    case 'argument':
      return `a${place.index}`;
    case 'state':
      return `s${place.leaf}`;
    case 'workspace':
      return `w${place.slot}`;
    case 'pointer':
      return `p${place.number}`;
    case 'position':
      return `q${place.loop}`;
  }
}

/** The pointers and positions that a loop declares itself. */
function declaredIn(step: PlannedStep): ReadonlySet<string> {
  const all = ({ steps }: Block): readonly string[] => steps.flatMap((inner) => [...declaredIn(inner)]);
  switch (step.kind) {
    case 'launch':
    case 'group':
      return new Set();
    case 'checkpoint':
      return new Set(all(step.block));
    case 'if':
      return new Set([...all(step.whenTrue), ...all(step.whenFalse)]);
    case 'loop': {
      const { number, carries, xs, ys, condition, body } = step;
      const pointers = [
        ...[...carries, ...xs, ...ys].map(({ pointer }) => pointer),
        ...carries.flatMap(({ next }) => (next.kind === 'swap' ? [next.pointer] : [])),
      ];
      return new Set([
        `q${number}`,
        ...pointers.map((pointer) => `p${pointer}`),
        ...(condition === undefined ? [] : all(condition)),
        ...all(body),
      ]);
    }
  }
}
