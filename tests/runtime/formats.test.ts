// Files of NumPy and tables: round trips, files that other programs wrote, and damaged files of every format.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { Table } from '../../runtime/data/table.js';
import { formatCsv, loadCsv, parseCsv, saveCsv } from '../../runtime/io/csv.js';
import { unpack } from '../../runtime/io/files.js';
import { parseIdx } from '../../runtime/io/idx.js';
import {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  loadNpy,
  loadNpz,
  saveNpy,
  saveNpz,
} from '../../runtime/io/npy.js';
import { decodeSafetensors, encodeSafetensors } from '../../runtime/io/safetensors.js';
import { Tensor } from '../../runtime/tensor.js';
import { checkDamage } from './damage.js';

type Element = number | boolean | 'nan' | 'inf' | '-inf';

interface Elements {
  readonly shape: readonly number[];
  readonly data: readonly Element[];
}

const reference = JSON.parse(
  readFileSync(path.join(packageRoot, 'tests', 'samples', 'formats', 'npy.json'), 'utf8'),
) as {
  readonly files: readonly (Elements & { readonly name: string; readonly bytes: string })[];
  readonly archives: readonly {
    readonly name: string;
    readonly bytes: string;
    readonly arrays: Record<string, Elements>;
  }[];
  readonly refused: readonly { readonly name: string; readonly bytes: string }[];
};

const special: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': -Infinity };
const numbers = ({ data }: Elements) => data.map((x) => (typeof x === 'string' ? special[x] : Number(x)));
const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

const test = suite<{ folder: string }>('formats', { folder: '' });

test.before((context) => {
  context.folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-formats-'));
});

test.after(({ folder }) => rmSync(folder, { recursive: true }));

for (const file of reference.files) {
  test(`reads the npy file of NumPy: ${file.name}`, () => {
    const tensor = decodeNpy(decode(file.bytes));
    assert.equal(tensor.shape, file.shape);
    assert.equal([...tensor.toNumbers()], numbers(file));
  });
}

test('unsigned integers are read as wider signed ones, others keep their dtype', () => {
  const dtypes = Object.fromEntries(reference.files.map(({ name, bytes }) => [name, decodeNpy(decode(bytes)).dtype]));
  assert.equal([dtypes['u2 v1'], dtypes['u4 v1'], dtypes['u8 big v1']], ['i32', 'i64', 'i64']);
  assert.equal([dtypes['bool v1'], dtypes['f16 v1'], dtypes['i32 big endian v1']], ['bool', 'f16', 'i32']);
});

for (const { name, bytes } of reference.refused) {
  test(`refuses the npy file of NumPy: ${name}`, () => {
    assert.throws(
      () => decodeNpy(decode(bytes), 'a.npy'),
      /a\.npy is not a valid npy file: .*(tdsl does not have|descr)/,
    );
  });
}

for (const { name, bytes, arrays } of reference.archives) {
  test(`reads the npz file of NumPy: ${name}`, () => {
    const found = decodeNpz(decode(bytes));
    assert.equal(Object.keys(found), Object.keys(arrays));
    for (const [key, array] of Object.entries(arrays))
      assert.equal([...(found[key] as Tensor).toNumbers()], numbers(array));
  });
}

const samples: Readonly<Record<string, Tensor>> = {
  f32: Tensor.from(
    [
      [1.5, Number.NaN],
      [-0, Number.POSITIVE_INFINITY],
    ],
    { dtype: 'f32' },
  ),
  bool: Tensor.from([true, false]),
  u8: Tensor.from([255], { dtype: 'u8' }),
  i8: Tensor.from([-1], { dtype: 'i8' }),
  i16: Tensor.from([-32768], { dtype: 'i16' }),
  i32: Tensor.from(7, { dtype: 'i32' }),
  i64: Tensor.from([2n ** 62n]),
  f16: Tensor.from([0.1], { dtype: 'f16' }),
  bf16: Tensor.from([0.1, 3], { dtype: 'bf16' }),
  f64: Tensor.from([Math.E], { dtype: 'f64' }),
  empty: Tensor.zeros([0, 3, 2]),
};
const bitsOf = ({ dtype, shape, data }: Tensor) => [
  dtype,
  shape,
  Buffer.from(data.buffer, data.byteOffset, data.byteLength),
];

test('npy and npz keep every dtype, shape and bit', async ({ folder }) => {
  for (const [name, tensor] of Object.entries(samples)) {
    const file = path.join(folder, `${name}.npy`);
    await saveNpy(file, tensor);
    assert.equal(bitsOf(await loadNpy(file)), bitsOf(tensor), name);
  }
  for (const compress of [false, true]) {
    const file = path.join(folder, 'all.npz');
    await saveNpz(file, samples, { compress });
    const found = await loadNpz(file);
    assert.equal(Object.keys(found), Object.keys(samples));
    for (const [name, tensor] of Object.entries(samples))
      assert.equal(bitsOf(found[name] as Tensor), bitsOf(tensor), name);
  }
  assert.equal(encodeNpz(samples), encodeNpz(samples));
  assert.not.ok((await readdir(folder)).some((name) => name.endsWith('.tmp')));
});

/** An npy file with a header of the test's own. */
const withHeader = (header: string, elements = 0) => {
  const bytes = new Uint8Array(10 + header.length + elements);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
};
const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

for (const [what, bytes, message] of [
  ['another magic number', new Uint8Array(40), /does not begin as one/],
  ['a version of the future', Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0), /its version is 9/],
  ['a header beyond the end', withHeader(header("'<f4'", '(2,)')).slice(0, 30), /ends within its header/],
  ['no dictionary', withHeader('hello'), /not a dictionary/],
  ['no shape', withHeader("{'descr': '<f4', 'fortran_order': False}"), /'shape' in its header is missing/],
  ['a negative size', withHeader(header("'<f4'", '(-2,)')), /'shape' in its header is \(-2/],
  ['an enormous size', withHeader(header("'<f4'", '(99999999999, 99999999999)')), /too many elements/],
  ['sizes beyond its elements', withHeader(header("'<f4'", '(1000000,)'), 8), /takes 4000000 bytes, but it has 8/],
  ['elements left over', withHeader(header("'<f4'", '(1,)'), 8), /takes 4 bytes, but it has 8/],
  ['an unknown type', withHeader(header("'<c16'", '(1,)'), 16), /'<c16', which tdsl does not have/],
  ['a bool of 2', Uint8Array.of(...withHeader(header("'|b1'", '(1,)')), 2), /bools beyond 0 and 1/],
] as const) {
  test(`npy files with ${what} are refused`, () => {
    assert.throws(() => decodeNpy(bytes, 'a.npy'), message);
    assert.throws(() => decodeNpy(bytes, 'a.npy'), /a\.npy is not a valid npy file/);
  });
}

test('archives that unpack to too much are refused before they are unpacked', () => {
  const bomb = zipSync({ 'x.npy': new Uint8Array(10_000_000) }, { level: 9 });
  assert.ok(bomb.length < 100_000);
  assert.throws(
    () => decodeNpz(bomb, 'b.npz', { maxBytes: 1e6 }),
    /b\.npz.*more than the 1000000 bytes that are allowed/,
  );
  assert.throws(() => decodeNpz(bomb, 'b.npz'), /b\.npz: x\.npy is not a valid npy file/);
  assert.throws(() => decodeNpz(zipSync({ 'x.txt': new Uint8Array(3) }), 'b.npz'), /it holds x\.txt/);
  assert.throws(() => decodeNpz(encodeNpy(samples.f32 as Tensor), 'b.npz'), /does not begin as a zip file/);
});

test('an archive whose content was changed is refused', () => {
  const bytes = encodeNpz({ x: Tensor.arange(100) });
  bytes[200] = (bytes[200] as number) ^ 1;
  assert.throws(() => decodeNpz(bytes, 'c.npz'), /c\.npz.*x\.npy is damaged/);
});

test('damaged files are refused with the name of the file, or read', async () => {
  const matrix = Tensor.from([
    [1.5, 2.5],
    [3.5, 4.5],
  ]);
  checkDamage((bytes) => decodeNpy(bytes, 'a.npy'), encodeNpy(matrix), /a\.npy/);
  checkDamage((bytes) => decodeNpz(bytes, 'a.npz', { maxBytes: 1e7 }), encodeNpz({ matrix }), /a\.npz/);
  checkDamage(
    (bytes) => decodeNpz(bytes, 'a.npz', { maxBytes: 1e7 }),
    encodeNpz({ matrix, y: Tensor.arange(500) }, { compress: true }),
    /a\.npz/,
  );
  const safetensors = encodeSafetensors({ tensors: { matrix, y: Tensor.arange(5) }, metadata: { a: 'b' } });
  checkDamage((bytes) => decodeSafetensors(bytes, 'a.safetensors'), safetensors, /a\.safetensors/);
  const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  checkDamage((bytes) => parseIdx(bytes, 'a.idx'), idx, /a\.idx/);
});

test('a gzip file that is damaged or unpacks to too much is refused', async () => {
  const packed = gzipSync(new Uint8Array(10_000_000));
  assert.match(await unpack(packed, 'x.gz', 1e6).then(String, String), /x\.gz unpacks to more than the 1000000 bytes/);
  assert.match(await unpack(packed.subarray(0, 200), 'x.gz').then(String, String), /x\.gz is a damaged gzip file/);
});

const houses = `NumRooms,Alley,Price
NA,Pave,127500
2,NA,106000
4,NA,178100
NA,NA,140000
`;

test('csv: missing values, column means and indicator columns', async ({ folder }) => {
  const file = path.join(folder, 'house.csv');
  await writeFile(file, houses);
  const table = await loadCsv(file);
  assert.equal(table.names, ['NumRooms', 'Alley', 'Price']);
  assert.equal(table.column('NumRooms'), [null, 2, 4, null]);
  assert.equal(table.missing(), { NumRooms: 2, Alley: 3, Price: 0 });
  const inputs = table.columns(0, 2);
  const filled = inputs.fillna(inputs.mean());
  assert.equal(filled.column('NumRooms'), [3, 2, 4, 3]);
  assert.equal(filled.column('Alley'), ['Pave', null, null, null]);
  const dummies = filled.getDummies({ dummyNa: true });
  assert.equal(dummies.names, ['NumRooms', 'Alley_Pave', 'Alley_nan']);
  assert.equal(dummies.toTensor().toArray(), [
    [3, 1, 0],
    [2, 0, 1],
    [4, 0, 1],
    [3, 0, 1],
  ]);
  assert.equal(filled.getDummies().names, ['NumRooms', 'Alley_Pave']);
  assert.equal(table.select('Price').toTensor({ dtype: 'i64' }).toArray(), [[127500], [106000], [178100], [140000]]);
  assert.throws(() => table.toTensor(), /row 0 of the column NumRooms is missing: fill it in/);
  assert.throws(() => filled.toTensor(), /row 0 of the column Alley is text, "Pave"/);
  const copy = path.join(folder, 'new', 'copy.csv');
  await saveCsv(copy, table, { missing: 'NA' });
  assert.is(readFileSync(copy, 'utf8'), houses);
});

test('csv: quotes, delimiters, kinds of columns, and rows', () => {
  const table = parseCsv('\ufeffa;b;c;d\n"x;1";1e3;True; 007 \ny;-.5;false;8\n', { delimiter: ';', text: ['d'] });
  assert.equal(table.names, ['a', 'b', 'c', 'd']);
  assert.equal(table.column('a'), ['x;1', 'y']);
  assert.equal(table.column('b'), [1000, -0.5]);
  assert.equal(table.column('c'), [true, false]);
  assert.equal(table.column('d'), ['007', '8']);
  assert.equal(
    table.names.map((name) => table.kind(name)),
    ['text', 'number', 'bool', 'text'],
  );
  const plain = parseCsv('1,2\n3,\n', { header: false });
  assert.equal(
    [plain.names, plain.column('1')],
    [
      ['0', '1'],
      [2, null],
    ],
  );
  assert.is(plain.dropMissing().length, 1);
  assert.equal(plain.rows(-1).column('0'), [3]);
  assert.equal(parseCsv('1,?\n', { header: ['x', 'y'], missing: ['?'] }).column('y'), [null]);
  assert.is(formatCsv(new Table({ name: ['a "b"', null], n: [1.5, 2] })), 'name,n\n"a ""b""",1.5\n,2\n');
  assert.equal(parseCsv(formatCsv(table), { text: ['d'] }).column('a'), table.column('a'));
  assert.is(String(new Table({ n: [1, null] })), '     n\n0    1\n1  NaN');
});

test('csv: what is no table is refused', async ({ folder }) => {
  assert.throws(() => parseCsv('', {}, 'a.csv'), /a\.csv.*no line that names the columns/);
  assert.throws(() => parseCsv('a,a\n1,2\n', {}, 'a.csv'), /two columns are called "a"/);
  assert.throws(() => parseCsv('a,b\n1,2\n1\n', {}, 'a.csv'), /row 1 has 1 values for 2 columns/);
  assert.throws(() => parseCsv('a\n"x\n', {}, 'a.csv'), /a\.csv is not a valid csv file/);
  assert.throws(() => parseCsv('a\n1\n').column('b'), /no column b; there is a/);
  assert.throws(() => new Table({ a: [1], b: [] }), /equally many rows: 1, but b has 0/);
  const file = path.join(folder, 'latin1.csv');
  await writeFile(file, Uint8Array.of(0x61, 0x0a, 0xe9));
  assert.match(await loadCsv(file).then(String, String), /latin1\.csv.*not UTF-8/);
});

test.run();
