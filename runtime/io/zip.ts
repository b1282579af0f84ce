// Zip archives in memory, by fflate, which leaves two checks to its callers: that an archive does not unpack to more than it may, and that
// each file is what its checksum says.

import { crc32 } from 'node:zlib';
import { type Unzipped, unzipSync, type Zippable, zipSync } from 'fflate';
import { MAX_UNPACKED_BYTES } from './files.js';

/** The first bytes of a zip archive. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

/** An archive of files by name, deflated where `compress` says so. The same files make the same bytes at any time. */
export function zip(files: Readonly<Record<string, Uint8Array>>, compress: (name: string) => boolean): Uint8Array {
  const entries = Object.entries(files).map(([name, bytes]): [string, Zippable[string]] => [
    name,
    [bytes, { level: compress(name) ? 6 : 0, mtime: '1980-01-01T00:00:00' }],
  ]);
  return zipSync(Object.fromEntries(entries));
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;

/** The checksums of the files by name, from the directory at the end of an archive. Its numbers beyond 4 GiB are not read. */
function checksums(bytes: Uint8Array, fail: (reason: string) => never): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) fail('it has no directory');
  const count = view.getUint16(end + 10, true);
  const found = new Map<string, number>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== ENTRY) fail('its directory is damaged');
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (found.has(name)) fail(`two files are called ${name}`);
    found.set(name, view.getUint32(at + 16, true));
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

/**
 * The files of an archive by name; `name` is for messages. Refused are damaged archives and such as would take more than `maxBytes` of memory,
 * before they are unpacked.
 */
export function unzip(bytes: Uint8Array, name: string, maxBytes: number = MAX_UNPACKED_BYTES): Map<string, Uint8Array> {
  const fail = (reason: string): never => {
    throw new Error(`${name} is not a valid zip file: ${reason}`);
  };
  const expected = checksums(bytes, fail);
  let total = 0;
  const admit = ({ name: file, originalSize }: { readonly name: string; readonly originalSize: number }): boolean => {
    total += originalSize;
    if (total > maxBytes) fail(`${file} unpacks to more than the ${maxBytes} bytes that are allowed`);
    return true;
  };
  let files: Unzipped;
  try {
    files = unzipSync(bytes, { filter: admit });
  } catch (cause) {
    if (total > maxBytes) throw cause;
    throw new Error(`${name} is a damaged zip file`, { cause });
  }
  for (const [file, content] of Object.entries(files)) {
    if (crc32(content) !== expected.get(file)) fail(`${file} is damaged`);
  }
  if (Object.keys(files).length !== expected.size) fail('files are missing');
  return new Map(Object.entries(files));
}
