// Asks the C compiler what the processor that it compiles for can do.

import { type Machine, machineOf } from '../kernel/machine.js';
import { compilers, run } from './process.js';

/** The option of the C compiler for a CPU: a name that it knows, `native` for this machine, or `generic` for the plainest of the architecture. */
export function cpuOption(cpu: string): string {
  if (process.arch === 'arm64') return `-mcpu=${cpu}`;
  return `-march=${cpu === 'generic' ? 'x86-64' : cpu}`;
}

/** The CPUs that stand for most machines of this architecture: one for each width of vectors. */
const PORTABLE = process.arch === 'x64' ? ['x86-64', 'x86-64-v3', 'x86-64-v4'] : ['generic'];

/** The CPUs that `--cpu` names: one, several with commas between them, or `portable`. */
export const cpusOf = (text: string): readonly string[] => [
  ...new Set(text.split(',').flatMap((name) => (name === 'portable' ? PORTABLE : [name.trim()]))),
];

/** The class of processors that code for `cpu` runs on; undefined where the compiler does not know the name, or is not there. */
export async function targetMachine(cpu = 'native'): Promise<Machine | undefined> {
  const { c } = compilers();
  const { status, output } = await run([c, cpuOption(cpu), '-dM', '-E', '-x', 'c', '/dev/null']);
  return status === 0 ? machineOf(output) : undefined;
}
