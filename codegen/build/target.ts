// Asks the C compiler what the processor that it compiles for can do.

import { type Machine, machineOf } from '../kernel/machine.js';
import { compilers, run } from './process.js';

/** The class of processors that code for `cpu` runs on; undefined where the compiler does not tell. */
export async function targetMachine(cpu = 'native'): Promise<Machine | undefined> {
  const { c } = compilers();
  const option = process.arch === 'arm64' ? `-mcpu=${cpu}` : `-march=${cpu}`;
  const { status, output } = await run([c, option, '-dM', '-E', '-x', 'c', '/dev/null']);
  return status === 0 ? machineOf(output) : undefined;
}
