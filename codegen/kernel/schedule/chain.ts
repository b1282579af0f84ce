// Schedules a chain: a parallel loop whose iterations run stages one after another. Each stage is scheduled as a kernel of its own.

import { dimMax } from '../../../compiler/ir/dims.js';
import type { Buffer, Kernel, Loop, Stmt } from '../ir.js';
import { KernelNames, type Surroundings } from '../lower/body.js';
import { serialised } from './rewrite.js';

export function scheduleChain(
  kernel: Kernel,
  chain: Loop,
  schedule: (stage: Kernel, around: Surroundings) => Kernel,
): Kernel {
  const ranges = new Map([[chain.index, chain.extent]]);
  for (const stmt of chain.body) if (stmt.kind === 'define') ranges.set(stmt.index, stmt.extent);
  // Schedules make names like those that lowering has made.
  const names = new KernelNames('c');
  const buffers = new Map(kernel.buffers.map((buffer) => [buffer.name, buffer]));
  const body = chain.body.flatMap((stmt): readonly Stmt[] => {
    if (stmt.kind === 'define') return [stmt];
    const scheduled = schedule({ ...kernel, body: [stmt] }, { names, ranges });
    // Stages do not run at the same time, so that all can use the same memory.
    for (const buffer of scheduled.buffers) buffers.set(buffer.name, larger(buffers.get(buffer.name), buffer));
    return serialised(scheduled.body);
  });
  return { ...kernel, buffers: [...buffers.values()], body: [{ ...chain, mark: 'parallel', body }] };
}

const larger = (known: Buffer | undefined, buffer: Buffer): Buffer =>
  known === undefined ? buffer : { ...buffer, size: dimMax(known.size, buffer.size) };
