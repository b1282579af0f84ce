// Compiles files of C to objects as they come. An object is kept in the cache under a hash of all that it depends on, so that of a program that changed
// only the kernels are compiled that did.

import { existsSync, symlinkSync, utimesSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../runtime/io/folders.js';
import { removeOldest } from './files.js';
import { hashOf } from './identity.js';
import { Jobs } from './jobs.js';
import type { Unit } from './options.js';
import { compilers, run } from './process.js';

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
function touch(file: string): boolean {
  try {
    utimesSync(file, new Date(), new Date());
    return true;
  } catch {
    return false;
  }
}

export interface Surroundings {
  /** A folder that holds the files, in which compilers may write too. */
  readonly folder: string;
  /** The texts of the files; they grow. */
  readonly texts: ReadonlyMap<string, string>;
  /** The folder for what is kept. */
  readonly cache: string;
  /** What identifies compilers and processor. */
  readonly identity: string;
  /** The header that files of kernels begin with: those of the instructions are long. */
  readonly header: string;
}

/** Objects in the making. */
export class Objects {
  readonly #jobs: Jobs;
  /** The file of each object, by the hash of what it depends on. */
  readonly #files = new Map<string, string>();
  readonly #compiled: string[] = [];
  /** By options, the header's compilation; undefined where it was compiled already. */
  readonly #headers = new Map<string, Promise<void> | undefined>();
  /** Units that wait for their header. */
  readonly #late = new Set<Promise<void>>();
  #error: unknown;

  constructor(readonly surroundings: Surroundings) {
    this.#jobs = new Jobs(surroundings.folder);
    makeFolder(path.join(surroundings.cache, 'objects'));
  }

  /** Compiles a unit as soon as a processor is free, unless its object is kept. The files that it includes are there already. */
  add({ file, options }: Unit): void {
    const { texts, cache, identity, header } = this.surroundings;
    const text = texts.get(file) ?? '';
    const key = hashOf([identity, ...options, ...closure(file, texts)]);
    if (this.#files.has(key)) return;
    const object = path.join(cache, 'objects', `${key}.o`);
    this.#files.set(key, object);
    if (touch(object)) return;
    this.#compiled.push(key);
    const start = (): void => this.#jobs.add([compilers().c, ...options, '-c', file, '-o', `${key}.o`], text.length);
    const ready = text.includes(`#include "${header}"`) ? this.#precompiled(options) : undefined;
    if (ready === undefined) {
      start();
      return;
    }
    const failed = (error: unknown): void => {
      this.#error ??= error;
    };
    const late = ready.then(start, failed).then(() => void this.#late.delete(late));
    this.#late.add(late);
  }

  /**
   * Lets units find the header compiled already. Only GCC looks for it there, and it passes over one that does not fit or that it cannot load; without it the
   * header is read as text.
   */
  #precompiled(options: readonly string[]): Promise<void> | undefined {
    const name = options.join(' ');
    if (this.#headers.has(name)) return this.#headers.get(name);
    const { folder, texts, cache, identity, header } = this.surroundings;
    const forms = path.join(folder, `${header}.gch`);
    const kept = path.join(cache, 'headers');
    for (const each of [forms, kept]) makeFolder(each);
    const key = hashOf([identity, ...options, ...closure(header, texts)]);
    const target = path.join(kept, key);
    const link = (): void => symlinkSync(target, path.join(forms, key));
    const ready = touch(target) ? link() : this.#precompile(options, path.join(forms, `${key}.new`), target).then(link);
    this.#headers.set(name, ready ?? undefined);
    return ready ?? undefined;
  }

  async #precompile(options: readonly string[], aside: string, target: string): Promise<void> {
    const { folder, header } = this.surroundings;
    const { c } = compilers();
    await run([c, ...options, '-x', 'c-header', header, '-o', aside], folder);
    await writeFile(path.join(folder, 'probe.c'), `#include "${header}"\n`);
    const { status } = await run([c, ...options, '-fsyntax-only', 'probe.c'], folder);
    // Some systems place a compiler where its own precompiled headers do not fit; nothing is what it can be relied on to pass over.
    if (status !== 0 || !existsSync(aside)) await writeFile(aside, '');
    await rename(aside, target);
    await removeOldest(path.dirname(target), KEPT_HEADERS);
  }

  /** Waits until no compiler runs. */
  async idle(): Promise<void> {
    while (this.#late.size > 0) await Promise.race(this.#late);
    await this.#jobs.idle();
  }

  /** The objects of all units, or what the compiler said of the first that it refused. */
  async finished(): Promise<{ readonly objects: readonly string[] } | { readonly failure: string }> {
    const { folder, cache } = this.surroundings;
    await this.idle();
    if (this.#error !== undefined) throw this.#error;
    const failure = await this.#jobs.finished();
    if (failure !== undefined) return { failure };
    for (const key of this.#compiled) await rename(path.join(folder, `${key}.o`), this.#files.get(key) as string);
    if (this.#compiled.length > 0) await removeOldest(path.join(cache, 'objects'), KEPT_OBJECTS);
    return { objects: [...this.#files.values()] };
  }
}
