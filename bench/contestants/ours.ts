// The contestant tdsl: a compiled module, whose function is bound to its arguments once, as a training loop does.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BoundMethod, Tensor } from '../../runtime/index.js';
import { inputData } from '../workloads.js';
import { serve } from './protocol.js';

type BindMethod = { bind(args: Record<string, Tensor>): BoundMethod<unknown> };
type Create = (options: { seed: number; threads: number }) => Promise<Record<string, BindMethod>>;

await serve({
  version: () => '',
  load: async (workload, threads, files) => {
    const { create } = (await import(pathToFileURL(path.join(files.module ?? '', 'index.js')).href)) as {
      create: Create;
    };
    const session = await create({ seed: 1, threads });
    const args = workload.inputs.map((input) => [
      input.name,
      // A copy begins on a line of the cache, as all memory of tensors does that the runtime allocates.
      new Tensor(input.dtype, [...input.shape], inputData(input)).clone(),
    ]);
    const method = session[workload.fn];
    if (method === undefined) throw new Error(`no function ${workload.fn}`);
    return method.bind(Object.fromEntries(args) as Record<string, Tensor>);
  },
});
