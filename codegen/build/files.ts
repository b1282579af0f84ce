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

/** Writes files by name; returns the sum of their sizes. */
export async function writeAll(folder: string, files: Iterable<readonly [string, string]>): Promise<number> {
  let bytes = 0;
  for (const [name, text] of files) {
    await writeFile(path.join(folder, name), text);
    bytes += Buffer.byteLength(text);
  }
  return bytes;
}
