// Schedules a lowered kernel for a machine: joins loops, chooses vector loops, and names the loop whose iterations may be shared out.

import { scheduleContraction } from '../contraction/index.js';
import type { Kernel, Stmt } from '../ir.js';
import type { Machine } from '../machine.js';
import { collapseLoops } from './collapse.js';
import { mapStatements } from './rewrite.js';
import { simplifyBody } from './simplify.js';
import { blockTransposes } from './transpose.js';
import { splitRemainders, unrollWindows } from './unroll.js';
import { vectoriseLoops } from './vectorise.js';

/** The kernel as it will run. Loops that stay marked `parallel` or `vector` at the top may be run in chunks. */
export function scheduleKernel(kernel: Kernel, machine: Machine): Kernel {
  const contraction = scheduleContraction(kernel, machine);
  if (contraction !== undefined) return contraction;
  const body = vectoriseLoops(
    blockTransposes(simplifyBody(unrollWindows(splitRemainders(collapseLoops(kernel.body)))), machine),
    machine,
  );
  return { ...kernel, body: serialise(body) };
}

/** Takes the mark `parallel` from loops inside of others. */
const serialise = (body: readonly Stmt[]): readonly Stmt[] =>
  body.map((stmt) =>
    'body' in stmt
      ? {
          ...stmt,
          body: mapStatements(stmt.body, (inner) =>
            inner.kind === 'for' && inner.mark === 'parallel' ? { ...inner, mark: 'serial' } : inner,
          ),
        }
      : stmt,
  );
