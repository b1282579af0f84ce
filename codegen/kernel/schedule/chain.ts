// Schedules a chain: a parallel loop whose iterations run stages one after another. Each stage is scheduled as a kernel of its own.

import { type Dim, dimMax } from '../../../compiler/ir/dims.js';
import type { Buffer, Kernel, Loop, Stmt } from '../ir.js';
import { KernelNames, type Surroundings } from '../lower/body.js';
import { serialised } from './rewrite.js';

export function scheduleChain(
  kernel: Kernel,
  chain: Loop,
  schedule: (stage: Kernel, around: Surroundings) => Kernel,
): Kernel {
  const ranges = new Map<string, Dim>();
  // Schedules make names like those that lowering has made.
  const names = new KernelNames('c');
  const buffers = new Map(kernel.buffers.map((buffer) => [buffer.name, buffer]));
  const inside = (loop: Loop): readonly Stmt[] => {
    ranges.set(loop.index, loop.extent);
    return loop.body.flatMap((stmt): readonly Stmt[] => {
      if (stmt.kind === 'define') {
        ranges.set(stmt.index, stmt.extent);
        return [stmt];
      }
      // The blocks of a batch follow each other where a stage sums over them.
      if (stmt.kind === 'for' && stmt.mark === 'chain') return [{ ...stmt, mark: 'serial', body: inside(stmt) }];
      const scheduled = schedule({ ...kernel, body: [stmt] }, { names, ranges: new Map(ranges) });
      // Stages do not run at the same time, so that all can use the same memory.
      for (const buffer of scheduled.buffers) buffers.set(buffer.name, larger(buffers.get(buffer.name), buffer));
      return serialised(scheduled.body);
    });
  };
  const body = inside(chain);
  return { ...kernel, buffers: [...buffers.values()], body: [{ ...chain, mark: 'parallel', body }] };
}

/** The buffer of two of one name that has room for both; what is not scratch memory is the same in all stages. */
const larger = (known: Buffer | undefined, buffer: Buffer): Buffer =>
  known === undefined || buffer.role !== 'scratch' ? buffer : { ...buffer, size: dimMax(known.size, buffer.size) };
