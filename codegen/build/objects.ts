// The objects that every model links: the Node-API binding and the run-time system. Compiled once for each version of tdsl and of the
// compiler, and kept in the cache.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { cmakeBuild } from './cmake.js';
import { explainFailure } from './doctor.js';
import { packageRoot, packageVersion, writableCache } from './places.js';
import { compilers, run } from './process.js';
import { temporaryFolder } from './temporary.js';

/** What identifies the compilers: the same text, the same machine code. */
export async function compilerIdentity(): Promise<string> {
  const { c, cxx } = compilers();
  const versions = await Promise.all([c, cxx].map((program) => run([program, '--version'])));
  if (versions.some(({ status }) => status !== 0)) throw await explainFailure('the compiler', '');
  return versions.map(({ output }) => output.split('\n')[0]).join(', ');
}

/** Names and texts of the files of the run-time system. */
export async function runtimeSources(): Promise<Map<string, string>> {
  const folder = path.join(packageRoot(), 'codegen', 'rts');
  const names = (await readdir(folder)).filter((name) => /\.[ch]$/.test(name)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const)),
  );
}

/** A short hash of texts, for names of files and folders. */
export function hashOf(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** The folder with the objects (`binding/*.o`, `rts/*.o`), built first where the cache lacks them. */
export async function runtimeObjects(identity: string): Promise<string> {
  const root = packageRoot();
  const cache = await writableCache();
  const native = path.join(root, 'runtime', 'native');
  const binding = (await readdir(native)).sort().map((name) => readFile(path.join(native, name), 'utf8'));
  const lists = await readFile(path.join(root, 'CMakeLists.txt'), 'utf8');
  const rts = (await runtimeSources()).values();
  const key = hashOf([await packageVersion(), identity, process.arch, lists, ...(await Promise.all(binding)), ...rts]);
  const target = path.join(cache, `runtime-${key}`);
  if (existsSync(target)) return target;

  // Built aside and renamed, so that two first compiles at once both succeed and a broken one leaves nothing behind.
  const temporary = await temporaryFolder(cache, 'building-');
  const build = temporary.path;
  try {
    const failure = await cmakeBuild(root, build, {});
    if (failure) throw await explainFailure('compiling the Node-API binding', failure.output);
    await mkdir(path.dirname(target), { recursive: true });
    await rename(path.join(build, 'objects'), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await temporary.release();
  }
  return target;
}
