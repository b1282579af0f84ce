// Runs compilers side by side.

import os from 'node:os';
import { explainFailure } from './doctor.js';
import { run } from './process.js';

/** Signs that not the code but the machine was the reason. */
const MACHINE_FAILURES = /No space left on device|Killed|out of memory|cannot allocate memory|Permission denied/i;

export const isMachineFailure = (status: number | null, output: string): boolean =>
  status === null || MACHINE_FAILURES.test(output);

/**
 * Runs commands in a folder, as many at once as there are processors, in their order; the output of the first that fails, or undefined. A machine
 * that cannot run them gives a ToolchainError.
 */
export async function runAll(commands: readonly (readonly string[])[], folder: string): Promise<string | undefined> {
  const queue = [...commands];
  let failure: string | undefined;
  const worker = async (): Promise<void> => {
    for (let command = queue.shift(); command !== undefined && failure === undefined; command = queue.shift()) {
      const { status, output } = await run(command, folder);
      if (status === 0) continue;
      if (isMachineFailure(status, output)) throw await explainFailure(command[0] ?? '', output);
      failure ??= `${command.join(' ')}\n${output.trim()}`;
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return failure;
}
