// Which launches only rearrange what is in memory: the copies that indexing could not absorb.

import type { PlannedStep } from './entry.js';
import type { LaunchStep } from './steps.js';

/** The launches of steps whose kernels compute nothing, those in loops and branches once. */
export const copiesIn = (steps: readonly PlannedStep[]): readonly LaunchStep[] => steps.flatMap(copiesOf);

function copiesOf(step: PlannedStep): readonly LaunchStep[] {
  switch (step.kind) {
    case 'launch':
      return isCopy(step.step) ? [step.step] : [];
    case 'group':
      return copiesIn(step.launches);
    case 'if':
      return copiesIn([...step.whenTrue.steps, ...step.whenFalse.steps]);
    case 'checkpoint':
      return copiesIn(step.block.steps);
    case 'loop':
      return copiesIn([...(step.condition?.steps ?? []), ...step.body.steps]);
  }
}

const isCopy = ({ fn, inputs }: LaunchStep): boolean =>
  inputs.length > 0 &&
  fn.nodes.length > 0 &&
  fn.nodes.every((node) => node.kind === 'view' || node.kind === 'assemble' || node.kind === 'source');
