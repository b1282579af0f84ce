// Folders that live as long as a build. One that is interrupted, by Ctrl-C or by the process ending, removes its folder too.

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folder, or leaves it for people to look at. */
  release(options?: { readonly keep?: boolean }): Promise<void>;
}

/** Makes a folder in another one, whose name begins with `prefix`. */
export async function temporaryFolder(parent: string, prefix: string): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(parent, prefix));
  // Compilers that were interrupted as well may write for another moment.
  const removeNow = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  const onSignal = (signal: NodeJS.Signals): void => {
    stopWatching();
    removeNow();
    // A handler keeps the signal from ending the process: where this was the only one, it does so now.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const stopWatching = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    process.removeListener('exit', removeNow);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('exit', removeNow);
  return {
    path: folder,
    release: async ({ keep = false } = {}) => {
      stopWatching();
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}
