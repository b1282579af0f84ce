// Reading and writing whole files: gzip is recognised by its first bytes, and a file is either written in full or not at all.

import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { makeFolder } from './folders.js';

const gunzipAsync = promisify(gunzip);

/** Where a file lies: a path, or a `file:` URL. */
export type FilePath = string | URL;

/** The bytes of a file, unpacked where it is gzipped. */
export async function readBytes(file: FilePath): Promise<Uint8Array> {
  return unpack(await readFile(file), String(file));
}

/** The largest size that a file is unpacked to unless more is allowed: 2 GiB. */
export const MAX_UNPACKED_BYTES = 2 ** 31;

/** Bytes unpacked where they are gzipped, up to `maxBytes` of them, and as they are otherwise; `name` is for messages. */
export async function unpack(
  bytes: Uint8Array,
  name: string,
  maxBytes: number = MAX_UNPACKED_BYTES,
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await gunzipAsync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
    const reason = tooLarge ? `unpacks to more than the ${maxBytes} bytes that are allowed` : 'is a damaged gzip file';
    throw new Error(`${name} ${reason}`, { cause });
  }
}

/**
 * Writes a file through a temporary one beside it, so that a reader, or a crash, sees the old file or the new one and
 * nothing between. Folders that do not exist are made.
 */
export async function writeAtomically(
  file: FilePath,
  content: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const target = typeof file === 'string' ? path.resolve(file) : fileURLToPath(file);
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  makeFolder(path.dirname(target));
  try {
    const handle = await open(temporary, 'wx');
    try {
      const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
