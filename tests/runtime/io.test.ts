// Files: safetensors round trips and damaged files, IDX files, atomic writes.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeAtomically } from '../../runtime/io/files.js';
import { loadIdx, parseIdx } from '../../runtime/io/idx.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  saveSafetensors,
} from '../../runtime/io/safetensors.js';
import { Tensor } from '../../runtime/tensor.js';

const test = suite<{ directory: string }>('io', { directory: '' });

test.before(async (context) => {
  context.directory = await mkdtemp(path.join(os.tmpdir(), 'tdsl-io-'));
});

test.after(async ({ directory }) => {
  await rm(directory, { recursive: true });
});

const everyDType: Record<string, Tensor> = {
  'net.weight': Tensor.from(
    [
      [1.5, -2],
      [Number.NaN, Number.POSITIVE_INFINITY],
    ],
    { dtype: 'f32' },
  ),
  bool: Tensor.from([true, false, true]),
  u8: Tensor.from([0, 255], { dtype: 'u8' }),
  i8: Tensor.from([-128, 127, 1], { dtype: 'i8' }),
  i16: Tensor.from([-32768], { dtype: 'i16' }),
  i32: Tensor.from([2 ** 31 - 1], { dtype: 'i32' }),
  i64: Tensor.from([2n ** 62n]),
  f16: Tensor.from([0.1, 65504], { dtype: 'f16' }),
  bf16: Tensor.from([[0.1]], { dtype: 'bf16' }),
  f64: Tensor.from(Math.PI, { dtype: 'f64' }),
  empty: Tensor.zeros([0, 3]),
  '10': Tensor.from([1]),
  __proto: Tensor.from([2]),
};

const bytesOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

test('safetensors keep every dtype, shape and bit', async ({ directory }) => {
  const file = path.join(directory, 'deep', 'all.safetensors');
  await saveSafetensors(file, everyDType, { epoch: '3' });
  const { tensors, metadata } = await loadSafetensors(file);
  assert.is(metadata.epoch, '3');
  assert.equal(Object.keys(tensors).sort(), Object.keys(everyDType).sort());
  for (const [name, expected] of Object.entries(everyDType)) {
    const found = tensors[name]!;
    assert.is(found.dtype, expected.dtype, name);
    assert.equal(found.shape, expected.shape, name);
    assert.is(bytesOf(found), bytesOf(expected), name);
  }
  assert.equal(await readdir(path.dirname(file)), ['all.safetensors']);
});

test('a name that objects treat specially is a name like any other', () => {
  const tensors = JSON.parse('{"__proto__": 0}') as Record<string, Tensor>;
  Object.defineProperty(tensors, '__proto__', { value: Tensor.from([7]), enumerable: true });
  const decoded = decodeSafetensors(encodeSafetensors({ tensors })).tensors;
  assert.equal(Object.keys(decoded), ['__proto__']);
  assert.throws(() => encodeSafetensors({ tensors: { __metadata__: Tensor.from([1]) } }), /cannot be named/);
});

test('elements that are not aligned are copied', () => {
  const bytes = encodeSafetensors({ tensors: { x: Tensor.from([1, 2, 3]) } });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  assert.equal(decodeSafetensors(shifted.subarray(1)).tensors.x!.toArray(), [1, 2, 3]);
});

function withHeader(header: unknown, elements = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + elements);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}

const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const damaged: [string, Uint8Array, RegExp][] = [
  ['too short', new Uint8Array(5), /it has 5 bytes/],
  [
    'a header beyond the end',
    Buffer.concat([withHeader('{}').subarray(0, 8), Buffer.from('{')]),
    /ends within its header/,
  ],
  ['an enormous header', Buffer.from('ffffffffffffff7f', 'hex'), /header is too long/],
  ['no JSON', withHeader('{"x"'), /not JSON/],
  ['a list', withHeader('[]'), /not an object/],
  ['bad metadata', withHeader({ __metadata__: { a: 1 } }), /metadata "a" is not a text/],
  ['a tensor that is a number', withHeader({ x: 1 }), /"x" is not an object/],
  ['no dtype', withHeader({ x: { shape: [], data_offsets: [0, 4] } }, 4), /has no dtype/],
  ['an unknown dtype', withHeader({ x: f32(0, 4, [1], 'U32') }, 4), /dtype U32, which tdsl does not have/],
  ['a negative size', withHeader({ x: f32(0, 4, [-1]) }, 4), /no valid shape/],
  ['a huge size', withHeader({ x: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), /too many elements/],
  ['a wrong length', withHeader({ x: f32(0, 4, [2]) }, 4), /f32\[2\], which does not take 4 bytes/],
  ['a range that runs backwards', withHeader({ x: f32(4, 0, []) }, 4), /ends before it begins/],
  ['offsets beyond the end', withHeader({ x: f32(0, 8) }, 4), /ends at byte 8 of 4/],
  ['a gap', withHeader({ x: f32(4, 8) }, 8), /no tensor has the bytes before/],
  ['an overlap', withHeader({ x: f32(0, 8), y: f32(4, 8) }, 8), /overlaps another/],
  ['bytes left over', withHeader({ x: f32(0, 4) }, 6), /no tensor has its last 2 bytes/],
  ['a bool of 2', Buffer.concat([withHeader({ x: f32(0, 1, [1], 'BOOL') }), Buffer.of(2)]), /beyond 0 and 1/],
];

for (const [what, bytes, message] of damaged) {
  test(`safetensors with ${what} are refused`, () => {
    assert.throws(() => decodeSafetensors(bytes, 'w.safetensors'), message);
    assert.throws(() => decodeSafetensors(bytes, 'w.safetensors'), /w\.safetensors is not|too many/);
  });
}

test('a write that fails leaves the old file and nothing else', async ({ directory }) => {
  const file = path.join(directory, 'kept.txt');
  await writeAtomically(file, 'old');
  const broken = [new Uint8Array(4), 5 as unknown as Uint8Array];
  let failed = false;
  await writeAtomically(file, broken).catch(() => {
    failed = true;
  });
  assert.ok(failed);
  assert.is(await readFile(file, 'utf8'), 'old');
  assert.equal(
    (await readdir(directory)).filter((name) => name.startsWith('kept')),
    ['kept.txt'],
  );
});

test('IDX files of every type, plain and gzipped', async ({ directory }) => {
  const idx = (type: number, sizes: number[], elements: Buffer) => {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head[2] = type;
    head[3] = sizes.length;
    for (const [axis, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * axis);
    return Buffer.concat([head, elements]);
  };
  const doubles = Buffer.alloc(16);
  doubles.writeDoubleBE(0.5);
  doubles.writeDoubleBE(-2, 8);
  for (const [bytes, dtype, elements] of [
    [
      idx(8, [2, 2], Buffer.of(1, 2, 3, 255)),
      'u8',
      [
        [1, 2],
        [3, 255],
      ],
    ],
    [idx(9, [2], Buffer.of(1, 255)), 'i8', [1, -1]],
    [idx(11, [1], Buffer.of(1, 2)), 'i16', [258]],
    [idx(12, [1], Buffer.of(255, 255, 255, 254)), 'i32', [-2]],
    [idx(13, [1], Buffer.of(0x3f, 0x80, 0, 0)), 'f32', [1]],
    [idx(14, [2], doubles), 'f64', [0.5, -2]],
  ] as const) {
    const file = path.join(directory, `${dtype}.gz`);
    await writeFile(file, gzipSync(bytes));
    for (const tensor of [parseIdx(bytes), await loadIdx(file)]) {
      assert.is(tensor.dtype, dtype);
      assert.equal(tensor.toArray(), elements);
    }
  }
  assert.throws(() => parseIdx(Buffer.from('text'), 'a.idx'), /a\.idx is not an IDX file/);
  assert.throws(() => parseIdx(Buffer.of(0, 0, 8, 2, 0, 0), 'a.idx'), /ends within its IDX header/);
  assert.throws(() => parseIdx(idx(8, [3], Buffer.of(1)), 'a.idx'), /says \[3\], which takes 3 bytes, but holds 1/);
  const file = path.join(directory, 'damaged.gz');
  await writeFile(file, gzipSync(idx(8, [1], Buffer.of(1))).subarray(0, 15));
  const message = await loadIdx(file).then(String, String);
  assert.match(message, /damaged\.gz is a damaged gzip file/);
});

test.run();
