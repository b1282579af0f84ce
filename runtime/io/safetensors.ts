// The safetensors format: eight bytes that give the length of a JSON header, the header, which tells dtype, shape and place
// of each tensor, and the elements, little-endian and without gaps.

import { readFile } from 'node:fs/promises';
import { byteSize, type DataOf, type DType, viewOf } from '../dtype.js';
import { formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type FilePath, writeAtomically } from './files.js';
import { statedCount } from './sizes.js';

/** The format's names of our dtypes. */
const NAMES = {
  bool: 'BOOL',
  u8: 'U8',
  i8: 'I8',
  i16: 'I16',
  i32: 'I32',
  i64: 'I64',
  f16: 'F16',
  bf16: 'BF16',
  f32: 'F32',
  f64: 'F64',
} as const satisfies Record<DType, string>;

const DTYPE_OF_NAME = new Map(Object.entries(NAMES).map(([dtype, name]) => [name as string, dtype as DType]));

const METADATA = '__metadata__';

/** The limit that the format's own reader sets. */
const MAX_HEADER_BYTES = 100_000_000;

/** What a file holds. The record has no prototype, so that any name is safe. */
export interface SafetensorsFile {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/** Tensors by name, and texts that describe the file. */
interface SafetensorsContent {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** The header and the elements of each tensor, in the order in which they follow each other in the file. */
function partsOf({ tensors, metadata }: SafetensorsContent): Uint8Array[] {
  requireLittleEndian();
  // Larger elements go first: then every tensor lies at a multiple of its element size and can be read in place.
  const entries = Object.entries(tensors).sort(([, a], [, b]) => byteSize(b.dtype) - byteSize(a.dtype));
  const header: [string, unknown][] = metadata && Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  const elements: Uint8Array[] = [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === METADATA) throw new Error(`a tensor cannot be named ${METADATA}`);
    const begin = end;
    end += data.byteLength;
    header.push([name, { dtype: NAMES[dtype], shape, data_offsets: [begin, end] }]);
    elements.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  // Written pair by pair, since a record would move names that look like numbers to its front.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(text, 8);
  return [head, ...elements];
}

/** The bytes of a safetensors file. */
export function encodeSafetensors(content: SafetensorsContent): Uint8Array {
  const parts = partsOf(content);
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Writes a safetensors file, in full or not at all. */
export async function saveSafetensors(
  file: FilePath,
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await writeAtomically(file, partsOf({ tensors, metadata }));
}

/**
 * What the bytes of a safetensors file hold; `name` is for messages. The tensors lie in place in the bytes where their
 * alignment permits. A header that does not describe every byte exactly once is refused.
 */
export function decodeSafetensors(bytes: Uint8Array, name = 'the data'): SafetensorsFile {
  requireLittleEndian();
  const fail = (reason: string): never => {
    throw new Error(`${name} is not a valid safetensors file: ${reason}`);
  };
  const { header, start } = readHeader(bytes, fail);
  const tensors: Record<string, Tensor> = Object.create(null);
  const metadata: Record<string, string> = Object.create(null);
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key === METADATA) {
      for (const [field, text] of Object.entries(isRecord(value) ? value : fail('its metadata is not an object'))) {
        metadata[field] = typeof text === 'string' ? text : fail(`its metadata ${JSON.stringify(field)} is not a text`);
      }
      continue;
    }
    const quoted = `the tensor ${JSON.stringify(key)}`;
    const { dtype, shape, begin, end } = readEntry(value, quoted, fail);
    const count = statedCount(shape, fail);
    if (end > bytes.length - start) fail(`${quoted} ends at byte ${end} of ${bytes.length - start}`);
    if (end - begin !== count * byteSize(dtype)) {
      fail(`${quoted} is ${dtype}${formatShape(shape)}, which does not take ${end - begin} bytes`);
    }
    ranges.push({ name: quoted, begin, end });
    const data = elementsAt(bytes, start + begin, dtype, count);
    if (dtype === 'bool' && data.some((byte: number | bigint) => byte > 1)) fail(`${quoted} has bytes beyond 0 and 1`);
    tensors[key] = new Tensor(dtype, shape, data);
  }
  let covered = 0;
  for (const range of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (range.begin !== covered) {
      fail(range.begin < covered ? `${range.name} overlaps another` : `no tensor has the bytes before ${range.name}`);
    }
    covered = range.end;
  }
  if (covered !== bytes.length - start) fail(`no tensor has its last ${bytes.length - start - covered} bytes`);
  return { tensors, metadata };
}

/** Reads a safetensors file. */
export async function loadSafetensors(file: FilePath): Promise<SafetensorsFile> {
  return decodeSafetensors(await readFile(file), String(file));
}

type Fail = (reason: string) => never;

function readHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) fail('its header is too long');
  if (length > bytes.length - 8) fail('it ends within its header');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    fail('its header is not JSON');
  }
  return { header: isRecord(header) ? header : fail('its header is not an object'), start: 8 + length };
}

function readEntry(value: unknown, quoted: string, fail: Fail) {
  const { dtype: name, shape, data_offsets: offsets } = isRecord(value) ? value : fail(`${quoted} is not an object`);
  if (typeof name !== 'string') return fail(`${quoted} has no dtype`);
  const dtype = DTYPE_OF_NAME.get(name) ?? fail(`${quoted} has the dtype ${name}, which tdsl does not have`);
  if (!isSizes(shape)) return fail(`${quoted} has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail(`${quoted} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  if (begin > end) return fail(`${quoted} ends before it begins`);
  return { dtype, shape, begin, end };
}

/** Elements in place where their alignment permits, else copied. */
function elementsAt(bytes: Uint8Array, offset: number, dtype: DType, count: number): DataOf {
  const size = byteSize(dtype);
  const place = bytes.byteOffset + offset;
  if (place % size === 0) return viewOf(dtype, bytes.buffer, place, count);
  return viewOf(dtype, new Uint8Array(bytes.subarray(offset, offset + count * size)).buffer, 0, count);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function requireLittleEndian(): void {
  const lowByteFirst = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (!lowByteFirst) throw new Error('safetensors files are little-endian, and this machine is not');
}
