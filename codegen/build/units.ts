// Compiles files of C to objects. An object is kept in the cache under a hash of all that it depends on, so that of a program that changed only
// the kernels are compiled that did.

import { existsSync } from 'node:fs';
import { mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { removeOldest } from './files.js';
import { hashOf } from './identity.js';
import { runAll } from './jobs.js';
import { writableCache } from './places.js';
import { compilers, run } from './process.js';

/** A file of C with the options that it is compiled with. */
export interface Unit {
  readonly file: string;
  readonly options: readonly string[];
}

export interface Sources {
  /** A folder that holds the files, in which compilers may write too. */
  readonly folder: string;
  readonly texts: ReadonlyMap<string, string>;
}

/** Objects take 10 to 200 kB. */
const KEPT_OBJECTS = 2000;
/** Precompiled headers take 20 MB. */
const KEPT_HEADERS = 6;

/** Comments say where a kernel comes from and what symbols are called; compilers do not see them. */
const withoutComments = (text: string): string =>
  text.replace(/"(?:\\.|[^"\\])*"|\/\*[\s\S]*?\*\//g, (found) => (found.startsWith('"') ? found : ' '));

/** A text and those of the files that it includes, each once, as the compiler sees them. */
function* closure(file: string, texts: ReadonlyMap<string, string>, seen = new Set<string>()): Generator<string> {
  const text = texts.get(file);
  if (text === undefined || seen.has(file)) return;
  seen.add(file);
  yield withoutComments(text);
  for (const [, included = ''] of text.matchAll(/^#include "([^"]+)"/gm)) yield* closure(included, texts, seen);
}

/** Whether there is a file; it then counts as used now. */
const touch = (file: string): Promise<boolean> =>
  utimes(file, new Date(), new Date()).then(
    () => true,
    () => false,
  );

/**
 * Lets units that begin with `header` find it compiled already, once for each set of options. Only GCC looks for it there, and it passes over one
 * that does not fit or that it cannot load; without it the header is read as text.
 */
export async function precompile(
  header: string,
  units: readonly Unit[],
  sources: Sources,
  identity: string,
): Promise<void> {
  if (units.length === 0) return;
  const cache = path.join(await writableCache(), 'headers');
  const forms = path.join(sources.folder, `${header}.gch`);
  await Promise.all([mkdir(cache, { recursive: true }), mkdir(forms)]);
  const kinds = new Map(units.map(({ options }) => [options.join(' '), options]));
  for (const options of kinds.values()) {
    const key = hashOf([identity, ...options, ...closure(header, sources.texts)]);
    const target = path.join(cache, key);
    if (!(await touch(target))) {
      const { c } = compilers();
      const aside = path.join(forms, `${key}.new`);
      await run([c, ...options, '-x', 'c-header', header, '-o', aside], sources.folder);
      await writeFile(path.join(sources.folder, 'probe.c'), `#include "${header}"\n`);
      const { status } = await run([c, ...options, '-fsyntax-only', 'probe.c'], sources.folder);
      // Some systems place a compiler where its own precompiled headers do not fit; nothing is what it can be relied on to pass over.
      if (status !== 0 || !existsSync(aside)) await writeFile(aside, '');
      await rename(aside, target);
      await removeOldest(cache, KEPT_HEADERS);
    }
    await symlink(target, path.join(forms, key));
  }
}

/** The objects of units, or what the compiler said of the first that it refused; `meanwhile` begins once compilers run. */
export async function compileUnits(
  units: readonly Unit[],
  sources: Sources,
  identity: string,
  meanwhile: () => Promise<void>,
): Promise<{ readonly objects: readonly string[] } | { readonly failure: string }> {
  const cache = path.join(await writableCache(), 'objects');
  await mkdir(cache, { recursive: true });
  const byKey = new Map(
    units.map((unit) => [hashOf([identity, ...unit.options, ...closure(unit.file, sources.texts)]), unit]),
  );
  const objects = new Map([...byKey.keys()].map((key) => [key, path.join(cache, `${key}.o`)]));
  const missing: string[] = [];
  for (const [key, object] of objects) if (!(await touch(object))) missing.push(key);
  const size = (key: string): number => sources.texts.get(byKey.get(key)?.file ?? '')?.length ?? 0;
  const { c } = compilers();
  const compiling = runAll(
    missing
      .sort((a, b) => size(b) - size(a))
      .map((key) => {
        const { file, options } = byKey.get(key) as Unit;
        return [c, ...options, '-c', file, '-o', `${key}.o`];
      }),
    sources.folder,
  );
  const [failure] = await Promise.all([compiling, meanwhile()]);
  if (failure !== undefined) return { failure };
  for (const key of missing) await rename(path.join(sources.folder, `${key}.o`), objects.get(key) as string);
  if (missing.length > 0) await removeOldest(cache, KEPT_OBJECTS);
  return { objects: [...objects.values()] };
}
