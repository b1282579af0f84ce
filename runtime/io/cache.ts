// Where this machine keeps what can be made or fetched again.

import os from 'node:os';
import path from 'node:path';

/** A folder of the cache: `$TDSL_CACHE_DIR`, else `$XDG_CACHE_HOME/tdsl`, else `~/.cache/tdsl`, and the given parts under it. */
export function cacheDirectory(...parts: string[]): string {
  const { TDSL_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  const root = TDSL_CACHE_DIR || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'tdsl');
  return path.join(root, ...parts);
}
