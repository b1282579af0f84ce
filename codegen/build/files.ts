// Writes files of builds.

import { copyFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Replaces `target` as a whole: a process that has the old file loaded keeps it. */
export async function publish(file: string, target: string): Promise<void> {
  const aside = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await copyFile(file, aside);
    await rename(aside, target);
  } finally {
    await rm(aside, { force: true });
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
    await writeFile(file, text);
    written.push(file);
    bytes += Buffer.byteLength(text);
  }
  return { files: written, bytes };
}
