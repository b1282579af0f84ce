// The IDX format of the MNIST family of data sets: two zero bytes, a type, the rank, big-endian sizes and elements.

import { byteSize, type DType } from '../dtype.js';
import { allocate } from '../memory.js';
import { formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type FilePath, readBytes } from './files.js';
import { statedCount } from './sizes.js';

/** The type codes of the format, each with how one big-endian element is read. */
const TYPES: Readonly<Record<number, { dtype: DType; read: (view: DataView, offset: number) => number }>> = {
  8: { dtype: 'u8', read: (view, offset) => view.getUint8(offset) },
  9: { dtype: 'i8', read: (view, offset) => view.getInt8(offset) },
  11: { dtype: 'i16', read: (view, offset) => view.getInt16(offset) },
  12: { dtype: 'i32', read: (view, offset) => view.getInt32(offset) },
  13: { dtype: 'f32', read: (view, offset) => view.getFloat32(offset) },
  14: { dtype: 'f64', read: (view, offset) => view.getFloat64(offset) },
};

/** The tensor in the bytes of an IDX file, already unpacked; `name` is for messages. */
export function parseIdx(bytes: Uint8Array, name = 'the data'): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length >= 4 ? TYPES[bytes[2]!] : undefined;
  if (type === undefined || bytes[0] !== 0 || bytes[1] !== 0) throw new Error(`${name} is not an IDX file`);
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new Error(`${name} ends within its IDX header`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = statedCount(shape, (reason) => {
    throw new Error(`${name} is not a valid IDX file: ${reason}`);
  });
  const size = byteSize(type.dtype);
  if (bytes.length !== start + count * size) {
    const found = bytes.length - start;
    throw new Error(`${name} says ${formatShape(shape)}, which takes ${count * size} bytes, but holds ${found}`);
  }
  if (type.dtype === 'u8') return new Tensor('u8', shape, new Uint8Array(bytes.subarray(start)));
  const data = allocate(type.dtype, count) as { [index: number]: number };
  for (let i = 0; i < count; i++) data[i] = type.read(view, start + i * size);
  return new Tensor(type.dtype, shape, data as ReturnType<typeof allocate>);
}

/** The tensor in an IDX file, which may be gzipped. */
export async function loadIdx(file: FilePath): Promise<Tensor> {
  return parseIdx(await readBytes(file), String(file));
}
