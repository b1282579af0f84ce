// Runs kernels with threads and blocks in several orders: forwards, backwards, at random.

import * as assert from 'uvu/assert';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { compile, programOf } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';

/** What `run` gives in each order. */
export function inEveryOrder<T>(run: () => T): readonly T[] {
  const before = process.env.TDSL_EMU_ORDER;
  try {
    return ['0', '1', '12345'].map((order) => {
      process.env.TDSL_EMU_ORDER = order;
      return run();
    });
  } finally {
    if (before === undefined) delete process.env.TDSL_EMU_ORDER;
    else process.env.TDSL_EMU_ORDER = before;
  }
}

/** The bits of tensors as text. */
export const bitsOf = (tensors: readonly HostTensor[]): string =>
  tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')).join(' ');

/** Demands the same bits of all results of functions in every order. */
export async function assertSameBits(
  functions: readonly Func[],
  sizes: Readonly<Record<string, number>>,
): Promise<void> {
  const compiled = await compile(programOf(functions), { cuda: 'emulated' });
  const dims = new Map(Object.entries(sizes));
  for (const fn of functions) {
    const [first, ...others] = inEveryOrder(() => bitsOf(compiled.run(fn.name, randomInputs(fn, dims, 5), dims)));
    for (const other of others) assert.is(other, first, fn.name);
  }
}
