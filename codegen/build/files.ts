// Writes files of builds.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** An error of writing `file` that names it. Errors of writes name no file, and those of copies the one that is read. */
export const naming = (error: unknown, file: string): unknown =>
  error instanceof Error ? Object.assign(error, { path: file, dest: file }) : error;

/** Replaces `target` as a whole: a process that has the old file loaded keeps it. */
export async function publish(file: string, target: string): Promise<void> {
  const aside = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await copyFile(file, aside);
    await rename(aside, target);
  } catch (error) {
    throw naming(error, target);
  } finally {
    await rm(aside, { force: true });
  }
}

/** Writes a file in one step, so that a reader never sees half of it; at once, as handlers of a process's end have to. */
export function writeAtomically(file: string, content: string | Buffer): void {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(aside, content);
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw naming(error, file);
  }
}

/** Writes files by name; returns their paths, and the sum of their sizes. */
export async function writeAll(
  folder: string,
  files: Iterable<readonly [string, string]>,
): Promise<{ readonly files: readonly string[]; readonly bytes: number }> {
  const written: string[] = [];
  let bytes = 0;
  for (const [name, text] of files) {
    const file = path.join(folder, name);
    await writeFile(file, text).catch((error: unknown) => {
      throw naming(error, file);
    });
    written.push(file);
    bytes += Buffer.byteLength(text);
  }
  return { files: written, bytes };
}

/** Removes files of a folder of the cache so that the `kept` that were used last remain. Others may remove them at the same time. */
export async function removeOldest(folder: string, kept: number): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= kept) return;
  const age = (file: string): Promise<number> =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  const files = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      return { file, used: await age(file) };
    }),
  );
  files.sort((a, b) => b.used - a.used);
  await Promise.all(files.slice(kept).map(({ file }) => rm(file, { force: true })));
}
