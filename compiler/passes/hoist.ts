// Moves work out of loops, and constants into loops and branches.

import { topologicalModule } from '../ir/rewrite.js';
import { Hoister } from './control/hoist.js';
import type { Pass } from './pass.js';

export const hoist: Pass = {
  name: 'hoist',
  doc: 'Computes before a loop what is the same in every trip; makes constants where loops and branches use them.',
  run: (program) => ({
    ...program,
    module: topologicalModule(
      new Hoister(program.module).run(),
      program.entries.map((entry) => entry.fn),
    ),
  }),
};
