// Schedules a lowered kernel for a machine: joins loops, chooses vector loops, and names the loop whose iterations may be shared out.

import type { Kernel, Loop, Stmt } from '../ir.js';
import type { Machine } from '../machine.js';
import { collapseLoops } from './collapse.js';
import { mapStatements } from './rewrite.js';
import { vectoriseLoops } from './vectorise.js';

/** The kernel as it will run. Loops that stay marked `parallel` or `vector` at the top may be run in chunks. */
export function scheduleKernel(kernel: Kernel, machine: Machine): Kernel {
  const body = vectoriseLoops(collapseLoops(kernel.body), machine);
  return { ...kernel, body: serialise(body) };
}

/** The loop of a kernel that may be run in chunks: the only statement at the top that is more than a value. */
export function chunkedLoop(kernel: Kernel): Loop | undefined {
  const parts = kernel.body.filter((stmt) => stmt.kind !== 'let' && stmt.kind !== 'lookup');
  const [loop] = parts;
  return parts.length === 1 && loop?.kind === 'for' && loop.mark !== 'serial' ? loop : undefined;
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
