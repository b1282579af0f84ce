// Schedules a lowered kernel for a machine: joins loops, chooses vector loops, and names the loop whose iterations may be shared out.

import { scheduleContraction } from '../contraction/index.js';
import type { Kernel, Stmt } from '../ir.js';
import type { Surroundings } from '../lower/body.js';
import type { Machine } from '../machine.js';
import { fetchAhead } from './ahead.js';
import { scheduleChain } from './chain.js';
import { collapseLoops } from './collapse.js';
import { groupGuards } from './group.js';
import { narrowResults } from './narrow.js';
import { writePast } from './past.js';
import { serialised } from './rewrite.js';
import { simplifyBody } from './simplify.js';
import { foldTogether } from './together.js';
import { blockTransposes } from './transpose.js';
import { splitRemainders, unrollWindows } from './unroll.js';
import { vectoriseLoops } from './vectorise.js';

/** The kernel as it will run. Loops that stay marked `parallel` or `vector` at the top may be run in chunks. `around`: what it stands in. */
export function scheduleKernel(kernel: Kernel, machine: Machine, around?: Surroundings): Kernel {
  const chain = kernel.body.find((stmt) => stmt.kind === 'for' && stmt.mark === 'chain');
  if (chain?.kind === 'for')
    return scheduleChain(kernel, chain, (stage, inside) => scheduleKernel(stage, machine, inside));
  const contraction = scheduleContraction(kernel, machine, around);
  if (contraction !== undefined) return contraction;
  const simple = simplifyBody(unrollWindows(splitRemainders(collapseLoops(narrowResults(kernel.body)))));
  const body = vectoriseLoops(blockTransposes(foldTogether(simple), machine), machine);
  return { ...kernel, body: writePast(fetchAhead(groupGuards(serialise(body)), machine)) };
}

/** Takes the mark `parallel` from loops inside of others. */
const serialise = (body: readonly Stmt[]): readonly Stmt[] =>
  body.map((stmt) => ('body' in stmt ? { ...stmt, body: serialised(stmt.body) } : stmt));
