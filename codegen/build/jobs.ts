// Runs compilers side by side.

import os from 'node:os';
import { explainFailure } from './doctor.js';
import { run } from './process.js';

/** Signs that not the code but the machine was the reason. */
const MACHINE_FAILURES = /No space left on device|Killed|out of memory|cannot allocate memory|Permission denied/i;

export const isMachineFailure = (status: number | null, output: string): boolean =>
  status === null || MACHINE_FAILURES.test(output);

interface Job {
  readonly command: readonly string[];
  readonly weight: number;
}

/** Commands that run in a folder, as many at once as there are processors. After one that failed, none begins. */
export class Jobs {
  readonly #waiting: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  #failed: { readonly command: readonly string[]; readonly status: number | null; readonly output: string } | undefined;

  constructor(readonly folder: string) {}

  /** Runs a command as soon as a processor is free: at once, or after those that wait with no less weight. */
  add(command: readonly string[], weight = 0): void {
    const lighter = this.#waiting.findIndex((job) => job.weight < weight);
    this.#waiting.splice(lighter < 0 ? this.#waiting.length : lighter, 0, { command, weight });
    this.#next();
  }

  #next(): void {
    if (this.#failed !== undefined || this.#running.size >= os.availableParallelism()) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const running = run(job.command, this.folder).then(({ status, output }) => {
      if (status !== 0) this.#failed ??= { command: job.command, status, output };
      this.#running.delete(running);
      this.#next();
    });
    this.#running.add(running);
  }

  /** Waits until no command runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  /** Waits for all commands; the output of the first that failed, or undefined. A machine that cannot run them gives a ToolchainError. */
  async finished(): Promise<string | undefined> {
    await this.idle();
    if (this.#failed === undefined) return undefined;
    const { command, status, output } = this.#failed;
    if (isMachineFailure(status, output)) throw await explainFailure(command[0] ?? '', output);
    return `${command.join(' ')}\n${output.trim()}`;
  }
}

/** Runs commands in a folder, in their order; see `Jobs`. */
export async function runAll(commands: readonly (readonly string[])[], folder: string): Promise<string | undefined> {
  const jobs = new Jobs(folder);
  for (const command of commands) jobs.add(command);
  return jobs.finished();
}
