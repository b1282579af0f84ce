// The Node-API binding over the sample model: tables, checks of typed arrays, synchronous, asynchronous and bound calls, worker threads.

import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Addon, NativeInstance } from '../../runtime/addon.js';
import type { TypedArray } from '../../runtime/dtype.js';
import { alignedBytes, alignWith, allocate, copyOf } from '../../runtime/memory.js';
import { buildSample, loadSampleAddon, manifest } from './sample.js';

const INIT = 0;
const PREDICT = 1;
const TRAIN = 2;
const WINDOW = 3;
const TOTAL = 4;
const HALVE = 5;
const NAP = 7;

const addon: Addon = await loadSampleAddon();
const none = new Float64Array(0);
const symbols = (...values: number[]) => Float64Array.from(values);

function create(threads = 2): { instance: NativeInstance; state: Uint8Array<ArrayBuffer>; weight: Float32Array } {
  const state = alignedBytes(addon, 320);
  const instance = addon.create({ state, threads });
  instance.run(INIT, none, BigInt64Array.of(1n, 2n));
  return { instance, state, weight: new Float32Array(state.buffer, state.byteOffset, 12) };
}

const code = (expected: string, pattern: RegExp) => (error: Error & { code?: string }) => {
  assert.is(error.code, expected, error.message);
  assert.match(error.message, pattern);
  return true;
};

test('describe tells the tables of the model', () => {
  const model = addon.describe();
  assert.is(model.abiVersion, 1);
  assert.is(model.sourceHash, manifest.sourceHash);
  assert.is(model.stateBytes, manifest.state.bytes);
  assert.equal(model.state, manifest.state.leaves);
  for (const [i, { name, symbols, tensors }] of manifest.entries.entries()) {
    const native = model.entries[i]!;
    assert.is(native.name, name);
    assert.equal(native.symbols, symbols);
    assert.equal(
      native.args,
      tensors.map(({ path, role, dtype, dims }) => ({
        name: path,
        role,
        dtype,
        dims: dims.map((dim) => (typeof dim === 'string' && dim.includes(' ') ? null : dim)),
      })),
    );
  }
  assert.is(model.entries[INIT]!.init, true);
  assert.equal([model.entries[PREDICT]!.writesState, model.entries[TRAIN]!.writesState], [false, true]);
  assert.is(addon.probe(), null);
});

test('a run reads and writes the arena of JavaScript', () => {
  const { instance, weight } = create();
  assert.equal(Array.from(weight.subarray(0, 3)), [0.75, 2.5, 1.5]);
  const out = new Float32Array(6);
  instance.run(PREDICT, symbols(2), Float32Array.of(1, 0, 0, 0, 0, 0, 0, 2), out);
  assert.equal(Array.from(out), [...weight.subarray(0, 3), ...weight.subarray(9).map((w) => 2 * w)]);
  weight.fill(1);
  instance.run(PREDICT, symbols(1), Float32Array.of(1, 2, 3, 4), out.subarray(3));
  assert.equal(Array.from(out.subarray(3)), [10, 10, 10]);
});

test('a batch of none runs', () => {
  const { instance } = create();
  instance.run(PREDICT, symbols(0), new Float32Array(0), new Float32Array(0));
  const sum = Float32Array.of(7);
  instance.run(TRAIN, symbols(0), new Float32Array(0), new BigInt64Array(0), sum);
  assert.is(sum[0], 0);
});

test('views with an offset and shared memory are read in place', () => {
  const { instance, weight } = create();
  weight.fill(1);
  const shared = new Float32Array(new SharedArrayBuffer(64), 4, 4);
  shared.set([1, 2, 3, 4]);
  const out = new Float32Array(5);
  instance.run(PREDICT, symbols(1), shared, out.subarray(1, 4));
  assert.equal(Array.from(out), [0, 10, 10, 10, 0]);
});

test('wrong arrays are refused by name', () => {
  const { instance, weight } = create();
  const x = new Float32Array(8);
  const out = new Float32Array(6);
  const run = (...arrays: TypedArray[]) => instance.run(PREDICT, symbols(2), ...arrays);
  assert.throws(
    () => run(new Float64Array(8), out),
    code('TDSL_ARG', /predict: argument x: expected a Float32Array \(f32\)/),
  );
  assert.throws(
    () => run([1, 2] as unknown as TypedArray, out),
    code('TDSL_ARG', /argument x: expected a Float32Array/),
  );
  assert.throws(() => run(new DataView(x.buffer) as unknown as TypedArray, out), code('TDSL_ARG', /argument x/));
  assert.throws(
    () => run(x, new Float32Array(5)),
    code('TDSL_SHAPE', /output result: expected 6 elements, \[2, 3\], found 5/),
  );
  assert.throws(() => run(x), code('TDSL_ARG', /predict takes 2 typed arrays, 1 given/));
  assert.throws(() => run(x, out, out), code('TDSL_ARG', /3 given/));
  assert.throws(() => run(x, x.subarray(1, 7)), code('TDSL_ARG', /output result shares memory with argument x/));
  assert.throws(
    () => run(x, weight.subarray(0, 6)),
    code('TDSL_ARG', /output result shares memory with the state; pass a copy/),
  );
  const gone = new Float32Array(8);
  structuredClone(gone, { transfer: [gone.buffer] });
  assert.throws(() => run(gone, out), code('TDSL_SHAPE', /argument x: its buffer is detached/));
  const labels = new BigInt64Array(1);
  assert.throws(
    () => instance.run(TRAIN, symbols(1), weight.subarray(0, 4), labels, out.subarray(0, 1)),
    code('TDSL_ARG', /argument x shares memory with the state, which the call writes/),
  );
});

test('wrong symbols and entries are refused', () => {
  const { instance } = create();
  const x = new Float32Array(8);
  assert.throws(() => instance.run(99, none), code('TDSL_ARG', /no such entry/));
  assert.throws(() => instance.run(-1, none), code('TDSL_ARG', /no such entry/));
  assert.throws(() => instance.run(PREDICT, none, x, x), code('TDSL_ARG', /a Float64Array of 1 symbol values/));
  assert.throws(
    () => instance.shape(PREDICT, symbols(2000)),
    code('TDSL_SHAPE', /B = 2000 is above its greatest value 1024/),
  );
  assert.throws(() => instance.shape(PREDICT, symbols(-1)), code('TDSL_SHAPE', /B = -1 is below its least value 0/));
  assert.throws(() => instance.shape(PREDICT, symbols(1.5)), code('TDSL_SHAPE', /B is not an integer/));
  assert.throws(() => instance.shape(PREDICT, symbols(Number.NaN)), code('TDSL_SHAPE', /B is not an integer/));
});

test('derived dimensions and checks on symbols', () => {
  const { instance } = create();
  assert.equal(instance.shape(WINDOW, symbols(5, 3)), [[5], [3], [3], []]);
  assert.equal(instance.shape(WINDOW, symbols(2, 3)), [[2], [3], [0], []]);
  assert.throws(
    () => instance.shape(WINDOW, symbols(2, 5)),
    code('TDSL_SHAPE', /dimension 0 of output result.out, n - m \+ 1, would be -2/),
  );
  assert.throws(
    () => instance.shape(WINDOW, symbols(5, 2)),
    code('TDSL_SHAPE', /window: windows have a centre \(sample.td:9:3\): m % 2 == 1 is needed, but m is 2, for n = 5$/),
  );
  const tooLarge = symbols(2 ** 53, 1);
  assert.equal(instance.shape(WINDOW, tooLarge)[0], [2 ** 53]);
  assert.throws(() =>
    instance.run(WINDOW, tooLarge, new Float32Array(1), new Float32Array(1), new Float32Array(1), new BigInt64Array(1)),
  );
});

test('faults name the place, and leave the state as it was', () => {
  const { instance, weight } = create();
  const before = weight.slice();
  const sum = new Float32Array(1);
  const x = new Float32Array(12);
  const wrong = BigInt64Array.of(0n, -4n, 9n);
  assert.throws(
    () => instance.run(TRAIN, symbols(3), x, wrong, sum),
    code(
      'TDSL_INDEX',
      /train_step: sample.td:5:12: gather: index -4 \(element 1 of the indices\) is out of range for a dimension of size 3/,
    ),
  );
  assert.equal(weight, before);
  instance.run(TRAIN, symbols(3), x, BigInt64Array.of(0n, 1n, 2n), sum);
  assert.not.equal(weight, before);
  const halve = (value: number) =>
    instance.run(HALVE, none, Float64Array.of(value), new Float64Array(1), new BigInt64Array(1));
  halve(256);
  assert.throws(() => halve(257), code('TDSL_LIMIT', /sample.td:14:3: while: the condition still held after 8 rounds/));
});

test('threads do not change a result', () => {
  const x = Float64Array.from({ length: 100_003 }, (_, i) => Math.sin(i) / 3);
  const totals = [1, 2, 7, 0].map((threads) => {
    const out = new Float64Array(1);
    const { instance } = create(threads);
    for (let i = 0; i < 50; i++) instance.run(TOTAL, symbols(x.length), x, out);
    return out[0];
  });
  assert.is(new Set(totals).size, 1, String(totals));
});

test('TDSL_THREADS says how many threads there are where the caller does not', () => {
  if (process.platform !== 'linux') return;
  const before = readdirSync('/proc/self/task').length;
  const old = process.env.TDSL_THREADS;
  process.env.TDSL_THREADS = '5';
  const { instance } = create(0);
  if (old === undefined) delete process.env.TDSL_THREADS;
  else process.env.TDSL_THREADS = old;
  instance.run(TOTAL, symbols(5000), new Float64Array(5000), new Float64Array(1));
  assert.is(readdirSync('/proc/self/task').length, before + 4);
});

test('the workspace grows with the batch', () => {
  const { instance, weight } = create();
  weight.fill(0);
  for (const batch of [1, 1000, 3, 1024]) {
    const sum = new Float32Array(1);
    instance.run(TRAIN, symbols(batch), new Float32Array(4 * batch), new BigInt64Array(batch), sum);
    assert.is(sum[0], 0);
  }
});

test('asynchronous calls queue in order and exclude synchronous ones', async () => {
  const { instance, state } = create();
  const steps = new BigInt64Array(state.buffer, state.byteOffset + 192, 1);
  const order: number[] = [];
  const calls = [30, 1, 1].map((ms, i) => instance.runAsync(NAP, symbols(ms)).then(() => order.push(i)));
  assert.is(instance.pending, 3);
  const x = new Float32Array(4);
  assert.throws(() => instance.run(PREDICT, symbols(1), x, new Float32Array(3)), code('TDSL_BUSY', /await it first/));
  await Promise.all(calls);
  assert.equal(order, [0, 1, 2]);
  assert.is(steps[0], 3n);
  assert.is(instance.pending, 0);
  instance.run(PREDICT, symbols(1), x, new Float32Array(3));
});

test('an asynchronous fault rejects, and the next call runs', async () => {
  const { instance } = create();
  const train = (label: bigint) =>
    instance.runAsync(TRAIN, symbols(1), new Float32Array(4), BigInt64Array.of(label), new Float32Array(1));
  const calls = await Promise.allSettled([train(5n), train(1n)]);
  assert.equal(
    calls.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  assert.match((calls[0] as PromiseRejectedResult).reason.message, /index 5/);
  assert.throws(
    () => instance.runAsync(PREDICT, symbols(1), new Float32Array(3), new Float32Array(3)),
    /argument x: expected 4/,
  );
});

test('asynchronous calls keep their arrays and their instance alive', async () => {
  const outs: Float32Array[] = [];
  const calls = Array.from({ length: 20 }, (_, i) => {
    const { instance, weight } = create();
    weight.fill(i);
    const out = new Float32Array(3);
    outs.push(out);
    void instance.runAsync(NAP, symbols(1));
    return instance.runAsync(PREDICT, symbols(1), Float32Array.of(1, 1, 1, 1), out);
  });
  for (let i = 0; i < 200; i++) new Uint8Array(1 << 20);
  await Promise.all(calls);
  assert.equal(
    outs.map((out) => out[0]),
    outs.map((_, i) => 4 * i),
  );
});

test('a bound call reads its arrays anew, and sees that they are gone', () => {
  const { instance, weight, state } = create();
  weight.fill(1);
  const x = new Float32Array(4);
  const out = new Float32Array(3);
  const run = instance.bind(PREDICT, symbols(1), x, out);
  run();
  assert.is(out[0], 0);
  x.fill(2);
  run();
  assert.is(out[0], 8);
  structuredClone(x, { transfer: [x.buffer] });
  assert.throws(run, code('TDSL_ARG', /argument x: its buffer was detached or resized after bind/));
  const other = instance.bind(PREDICT, symbols(1), new Float32Array(4), out);
  structuredClone(state, { transfer: [state.buffer] });
  assert.throws(other, code('TDSL_ARG', /state's buffer is detached/));
  assert.throws(
    () => instance.run(PREDICT, symbols(1), new Float32Array(4), out),
    code('TDSL_ARG', /state's buffer is detached/),
  );
});

test('create checks the state and the threads', () => {
  const bytes = alignedBytes(addon, 320);
  assert.is(bytes.length, 320);
  assert.throws(
    () => addon.create({ state: alignedBytes(addon, 64), threads: 1 }),
    code('TDSL_ARG', /a Uint8Array of 320 bytes/),
  );
  const buffer = new ArrayBuffer(2048);
  const aligned = [0, 16, 32, 48].map((offset) => new Uint8Array(buffer, offset + 1, 320));
  for (const state of aligned)
    assert.throws(() => addon.create({ state, threads: 1 }), code('TDSL_ARG', /aligned to 64 bytes/));
  assert.throws(() => addon.create({ state: bytes, threads: -1 }), code('TDSL_ARG', /threads/));
  assert.throws(() => addon.create({ state: bytes, threads: 1.5 }), code('TDSL_ARG', /threads/));
  assert.throws(() => addon.alignedOffset(bytes as never), code('TDSL_ARG', /an ArrayBuffer/));
});

test('memory of tensors begins on a line of the cache where native code can tell', () => {
  alignWith(addon);
  for (const length of [1024, 1025, 5000, 1 << 20]) {
    const data = allocate('f32', length);
    assert.is(data.length, length);
    assert.is(data.byteOffset, addon.alignedOffset(data.buffer as ArrayBuffer));
  }
  assert.equal([...copyOf('i64', BigInt64Array.of(1n, 2n))], [1n, 2n]);
  assert.throws(() => allocate('f32', 1e15), code('TDSL_NOMEM', /1000000000000000 elements of f32/));
  assert.throws(() => alignedBytes(addon, 1e15), code('TDSL_NOMEM', /1000000000000000 bytes/));
});

const workerCode = `
const { parentPort, workerData } = require('node:worker_threads');
const addon = require(workerData.file);
const buffer = new ArrayBuffer(384);
const state = new Uint8Array(buffer, addon.alignedOffset(buffer), 320);
const instance = addon.create({ state, threads: 2 });
instance.run(0, new Float64Array(0), BigInt64Array.of(BigInt(workerData.seed), 0n));
const out = new Float32Array(3);
instance.run(1, Float64Array.of(1), Float32Array.of(1, 0, 0, 0), out);
const total = new Float64Array(1);
for (let i = 0; i < 20; i++) instance.run(4, Float64Array.of(50000), new Float64Array(50000).fill(1), total);
if (workerData.nap) for (let i = 0; i < 3; i++) instance.runAsync(7, Float64Array.of(workerData.nap));
parentPort.postMessage({ out, total: total[0] });
`;

test('worker threads load the same module', async () => {
  const { file } = await buildSample();
  const results = await Promise.all(
    [0, 1, 2].map(
      (seed) =>
        new Promise<{ out: Float32Array; total: number }>((resolve, reject) => {
          const worker = new Worker(workerCode, { eval: true, workerData: { file, seed, nap: 0 } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.equal(
    results.map(({ out, total }) => [out[0], total]),
    [0, 1, 2].map((seed) => [seed / 4, 50000]),
  );
});

test('a worker that is terminated during a call leaves cleanly', async () => {
  const { file } = await buildSample();
  const worker = new Worker(workerCode, { eval: true, workerData: { file, seed: 0, nap: 200 } });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  const { instance } = create();
  instance.run(NAP, symbols(0));
});

test.run();
