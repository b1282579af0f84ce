// NumPy's formats: npy, a header in Python's notation and the elements of one array, and npz, a zip archive of npy files.
//
// Elements are read in either byte order and in either order of dimensions; they are written little-endian and row-major.

import { readFile } from 'node:fs/promises';
import { byteSize, DTYPES, type DType, viewOf } from '../dtype.js';
import { formatShape, stridesOf } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type FilePath, writeAtomically } from './files.js';
import { statedCount } from './sizes.js';
import { isZip, unzip, zip } from './zip.js';

/** NumPy's names of our dtypes, without the byte order. NumPy itself has no bf16; the package ml_dtypes writes it under this name. */
const KINDS = {
  bool: 'b1',
  u8: 'u1',
  i8: 'i1',
  i16: 'i2',
  i32: 'i4',
  i64: 'i8',
  f16: 'f2',
  bf16: 'V2',
  f32: 'f4',
  f64: 'f8',
} as const satisfies Record<DType, string>;

const DTYPE_OF_KIND = new Map(Object.entries(KINDS).map(([dtype, kind]) => [kind as string, dtype as DType]));

/** Unsigned integers that we do not have are read as the next wider signed ones. */
const WIDENED: ReadonlyMap<string, { readonly bytes: number; readonly dtype: 'i32' | 'i64' }> = new Map([
  ['u2', { bytes: 2, dtype: 'i32' }],
  ['u4', { bytes: 4, dtype: 'i64' }],
  ['u8', { bytes: 8, dtype: 'i64' }],
]);

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;

/** How large a header may be; those of arrays are below 1 KiB. */
const MAX_HEADER_BYTES = 1 << 20;

const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/** The bytes of an npy file, version 1. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const { dtype, data } = tensor;
  const shape = tensor.shape as readonly number[];
  const order = byteSize(dtype) === 1 ? '|' : '<';
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const header = `{'descr': '${order}${KINDS[dtype]}', 'fortran_order': False, 'shape': ${sizes}, }`;
  // The elements begin at a multiple of 64; the header ends with a line end.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  bytes.set(new TextEncoder().encode(`${header.padEnd(length - 1)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return bytes;
}

/** The tensor in the bytes of an npy file; `name` is for messages. */
export function decodeNpy(bytes: Uint8Array, name = 'the data'): Tensor {
  const fail: Fail = (reason) => {
    throw new Error(`${name} is not a valid npy file: ${reason}`);
  };
  if (!isNpy(bytes)) fail('it does not begin as one');
  const { text, start } = headerText(bytes, fail);
  const { descr, fortran, shape } = readHeader(text, fail);
  const type = /^([<>|=])([a-zA-Z]\d+)$/.exec(descr);
  const kind = type?.[2] ?? '';
  const widened = WIDENED.get(kind);
  const dtype =
    widened?.dtype ?? DTYPE_OF_KIND.get(kind) ?? fail(`its elements are '${descr}', which tdsl does not have`);
  const size = widened?.bytes ?? byteSize(dtype);
  const count = statedCount(shape, fail);
  if (bytes.length - start !== count * size) {
    fail(`'${descr}' of shape ${formatShape(shape)} takes ${count * size} bytes, but it has ${bytes.length - start}`);
  }
  const elements = new Uint8Array(bytes.subarray(start));
  if (type?.[1] === '>') swapBytes(elements, size);
  const data = widened === undefined ? viewOf(dtype, elements.buffer, 0, count) : widen(elements, widened, fail);
  if (dtype === 'bool' && data.some((byte: number | bigint) => byte > 1)) fail('it has bools beyond 0 and 1');
  const tensor = new Tensor(dtype, fortran ? [...shape].reverse() : shape, data);
  return fortran ? reverseDimensions(tensor) : tensor;
}

type Fail = (reason: string) => never;

function headerText(bytes: Uint8Array, fail: Fail): { text: string; start: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? fail('it ends after its magic number');
  if (version < 1 || version > 3) fail(`its version is ${version}`);
  const wide = version > 1;
  const begin = wide ? 12 : 10;
  if (bytes.length < begin) fail('it ends within its header');
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > MAX_HEADER_BYTES) fail(`its header has ${length} bytes`);
  if (bytes.length < begin + length) fail('it ends within its header');
  // Versions 1 and 2 are Latin-1; of what a header of ours may say, all is ASCII.
  return {
    text: new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(begin, begin + length)),
    start: begin + length,
  };
}

/** Reads the dictionary of a header, which has exactly these three keys in any order. */
function readHeader(text: string, fail: Fail): { descr: string; fortran: boolean; shape: number[] } {
  const body = /^\s*\{([\s\S]*)\}\s*$/.exec(text)?.[1] ?? fail('its header is not a dictionary');
  const item = /\s*'(\w+)'\s*:\s*(?:'([^']*)'|(True|False)|\(([\d\sL,]*)\)|([^,]*))\s*(?:,|$)/y;
  const found = new Map<string, { text?: string; bool?: string; sizes?: string }>();
  while (item.lastIndex < body.length && body.slice(item.lastIndex).trim() !== '') {
    const match = item.exec(body);
    if (match === null) return fail('its header cannot be read');
    const [, key = '', string, bool, sizes, other] = match;
    if (other !== undefined) fail(`'${key}' in its header is ${other.trim().slice(0, 40) || 'missing'}`);
    found.set(key, {
      ...(string !== undefined && { text: string }),
      ...(bool !== undefined && { bool }),
      ...(sizes !== undefined && { sizes }),
    });
  }
  const descr = found.get('descr')?.text ?? fail("'descr' in its header is missing, or names no single type");
  const fortran = found.get('fortran_order')?.bool ?? fail("'fortran_order' in its header is missing");
  const sizes = found.get('shape')?.sizes ?? fail("'shape' in its header is missing");
  const parts = sizes.split(',').map((part) => part.trim().replace(/L$/, ''));
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : fail(`its shape is (${sizes})`)));
  return { descr, fortran: fortran === 'True', shape };
}

/** Turns the byte order of each element around. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let begin = 0; begin < bytes.length; begin += size) bytes.subarray(begin, begin + size).reverse();
}

function widen(bytes: Uint8Array, { bytes: size, dtype }: { bytes: number; dtype: 'i32' | 'i64' }, fail: Fail) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / size;
  if (dtype === 'i32') return Int32Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true));
  if (size === 4) return BigInt64Array.from({ length: count }, (_, i) => BigInt(view.getUint32(4 * i, true)));
  return BigInt64Array.from({ length: count }, (_, i) => {
    const value = view.getBigUint64(8 * i, true);
    return value < 2n ** 63n ? value : fail(`it holds ${value}, which is beyond i64`);
  });
}

/** The row-major tensor whose dimensions are those of another in reverse order. */
function reverseDimensions(tensor: Tensor): Tensor {
  const from = tensor.shape as readonly number[];
  const shape = [...from].reverse();
  const strides = stridesOf(from).reverse();
  const result = new Tensor(tensor.dtype, shape, new DTYPES[tensor.dtype].array(tensor.size) as typeof tensor.data);
  const [source, target] = [tensor.data, result.data as { [index: number]: number | bigint }];
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, offset = 0; i < source.length; i++) {
    target[i] = source[offset]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Writes an npy file, in full or not at all. */
export async function saveNpy(file: FilePath, tensor: Tensor): Promise<void> {
  await writeAtomically(file, encodeNpy(tensor));
}

/** Reads an npy file. */
export async function loadNpy(file: FilePath): Promise<Tensor> {
  return decodeNpy(await readFile(file), String(file));
}

export interface NpzWriteOptions {
  /** Whether the arrays are deflated, as by `numpy.savez_compressed`. */
  readonly compress?: boolean;
}

export interface NpzReadOptions {
  /** How many bytes the arrays may take when unpacked; 2 GiB unless given. */
  readonly maxBytes?: number;
}

/** The bytes of an npz file. */
export function encodeNpz(tensors: Readonly<Record<string, Tensor>>, options: NpzWriteOptions = {}): Uint8Array {
  const files = Object.entries(tensors).map(([name, tensor]): [string, Uint8Array] => [
    `${name}.npy`,
    encodeNpy(tensor),
  ]);
  return zip(Object.fromEntries(files), () => options.compress ?? false);
}

/** The tensors in the bytes of an npz file by name; `name` is for messages. The record has no prototype, so that any name is safe. */
export function decodeNpz(bytes: Uint8Array, name = 'the data', options: NpzReadOptions = {}): Record<string, Tensor> {
  if (!isZip(bytes)) throw new Error(`${name} is not a valid npz file: it does not begin as a zip file`);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const [file, content] of unzip(bytes, name, options.maxBytes)) {
    if (!file.endsWith('.npy')) throw new Error(`${name} is not a valid npz file: it holds ${file}`);
    tensors[file.slice(0, -'.npy'.length)] = decodeNpy(content, `${name}: ${file}`);
  }
  return tensors;
}

/** Writes tensors as an npz file, in full or not at all. */
export async function saveNpz(
  file: FilePath,
  tensors: Readonly<Record<string, Tensor>>,
  options: NpzWriteOptions = {},
): Promise<void> {
  await writeAtomically(file, encodeNpz(tensors, options));
}

/** Reads the tensors of an npz file by name. */
export async function loadNpz(file: FilePath, options: NpzReadOptions = {}): Promise<Record<string, Tensor>> {
  return decodeNpz(await readFile(file), String(file), options);
}
