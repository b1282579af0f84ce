// Where things are: the package's own files, and the cache.

import { existsSync, readFileSync } from 'node:fs';
import { access, constants, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../runtime/io/folders.js';
import { ToolchainError } from './errors.js';

/** The folder of the tdsl package. Looked for upwards, because the code may run from `dist/` or from a bundle. */
export function packageRoot(): string {
  const start = path.dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'tdsl')
      return folder;
    if (folder === path.dirname(folder)) throw new Error(`tdsl's package folder was not found above ${start}`);
  }
}

/** The version of the tdsl package. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(path.join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The folder for what is built once a machine: `$TDSL_CACHE_DIR`, or `tdsl` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheDirectory(): string {
  const { TDSL_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  if (TDSL_CACHE_DIR) return path.resolve(TDSL_CACHE_DIR);
  // The specification says that a relative path counts as unset.
  const base = XDG_CACHE_HOME && path.isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : path.join(os.homedir(), '.cache');
  return path.join(base, 'tdsl');
}

/** Makes the cache folder; a ToolchainError where it cannot be written. */
export async function writableCache(): Promise<string> {
  const folder = cacheDirectory();
  try {
    makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolchainError(
      `the cache folder ${folder} cannot be written: ${reason}`,
      'set TDSL_CACHE_DIR to a folder that can be written',
    );
  }
  return folder;
}
