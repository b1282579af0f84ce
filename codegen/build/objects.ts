// The objects that every model links: the Node-API binding and the run-time system. Compiled once for each version of tdsl and of the
// compiler, and kept in the cache.

import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../runtime/io/folders.js';
import { cmakeBuild } from './cmake.js';
import { explainFailure } from './doctor.js';
import { hashOf } from './identity.js';
import { LINK_FLAGS } from './options.js';
import { packageRoot, packageVersion, writableCache } from './places.js';
import { compilers, run } from './process.js';
import { temporaryFolder } from './temporary.js';

/** Names and texts of the files of the run-time system. */
export async function runtimeSources(): Promise<Map<string, string>> {
  const folder = path.join(packageRoot(), 'codegen', 'rts');
  const names = (await readdir(folder)).filter((name) => /\.[ch]$/.test(name)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const)),
  );
}

/** Linkers that take a third of the time of the usual one, by the option that chooses them; gold comes with most binutils for x86-64. */
const FAST_LINKERS = process.arch === 'x64' && process.platform === 'linux' ? ['-fuse-ld=gold'] : [];
/** The file beside the objects that holds the option of the linker to use; empty for the usual one. */
const LINKER = 'linker';

/** The option of a fast linker that there is; empty where there is none. */
async function findLinker(folder: string): Promise<string> {
  for (const option of FAST_LINKERS) {
    const probe = ['-x', 'c', '/dev/null', '-o', path.join(folder, 'probe.so')];
    if ((await run([compilers().c, ...LINK_FLAGS, option, ...probe])).status === 0) return option;
  }
  return '';
}

/** The options for the linker that was found when the objects in this folder were made. */
export async function linkerOptions(runtime: string): Promise<readonly string[]> {
  const option = await readFile(path.join(runtime, LINKER), 'utf8');
  return option === '' ? [] : [option];
}

/** The folder with the objects (`binding/*.o`, `rts/*.o`), built first where the cache lacks them. */
export async function runtimeObjects(identity: string): Promise<string> {
  const root = packageRoot();
  const cache = await writableCache();
  const native = path.join(root, 'runtime', 'native');
  const binding = (await readdir(native)).sort().map((name) => readFile(path.join(native, name), 'utf8'));
  const lists = await readFile(path.join(root, 'CMakeLists.txt'), 'utf8');
  const rts = (await runtimeSources()).values();
  const key = hashOf([
    await packageVersion(),
    identity,
    process.arch,
    ...FAST_LINKERS,
    lists,
    ...(await Promise.all(binding)),
    ...rts,
  ]);
  const target = path.join(cache, `runtime-${key}`);
  if (existsSync(target)) return target;

  // Built aside and renamed, so that two first compiles at once both succeed and a broken one leaves nothing behind.
  const temporary = await temporaryFolder(cache, 'building-');
  const build = temporary.path;
  try {
    const failure = await cmakeBuild(root, build);
    if (failure) throw await explainFailure('compiling the Node-API binding', failure.output);
    const objects = path.join(build, 'objects');
    await writeFile(path.join(objects, LINKER), await findLinker(build));
    makeFolder(path.dirname(target));
    await rename(objects, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await temporary.release();
  }
  return target;
}
