// Sessions of the sample model: methods by name and position, run-time dimensions from shapes, state as nested objects, modes, files, queues.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTYPES, type DType } from '../../runtime/dtype.js';
import { TdslError } from '../../runtime/errors.js';
import { encodeSafetensors } from '../../runtime/io/safetensors.js';
import { keyOfSeed } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';
import { loadSample, manifest, type SampleSession } from './sample.js';

const model = await loadSample();
const create = (seed = 1): Promise<SampleSession> => model.create({ seed, threads: 2 });
const f32 = (...shape: number[]) => Tensor.ones(shape);
const labels = (...values: number[]) => Tensor.from(values, { dtype: 'i64' });

const code = (expected: string, pattern: RegExp) => (error: Error & { code?: string }) => {
  assert.is(error.code, expected, error.message);
  assert.is(error.name, 'TdslError');
  assert.match(error.message, pattern);
  return true;
};
const rejects = async (promise: Promise<unknown>, check: (error: Error) => boolean) => {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  );
  assert.ok(outcome, 'the promise should have been rejected');
  check(outcome);
};

test('a call by name, by position and asynchronously gives the same', async () => {
  const s = await create();
  const x = f32(2, 4);
  const named = s.predict({ x });
  assert.equal(named.shape, [2, 3]);
  assert.ok(named.equals(s.predict(x)));
  assert.ok(named.equals(await s.predictAsync({ x })));
  assert.ok(named.equals(await s.predictAsync(x)));
  assert.is(
    s.trainStep({ x, y: labels(0, 1) }).item(),
    named.toNumbers().reduce((a, b) => a + b),
  );
  assert.equal([s.predict.name, s.predictAsync.name], ['predict', 'predictAsync']);
});

test('inputs may be tensors, lists and typed arrays', async () => {
  const s = await create();
  s.net.weight.fill(1);
  const rows = [
    [1, 2, 3, 4],
    [0, 0, 0, 1],
  ];
  const expected = [
    [10, 10, 10],
    [1, 1, 1],
  ];
  assert.equal(s.predict({ x: rows }).toArray(), expected);
  assert.equal(s.predict({ x: Float32Array.from(rows.flat()) }).toArray(), expected);
  assert.equal(s.predict(Tensor.from(rows, { dtype: 'f32' })).toArray(), expected);
  assert.is(s.trainStep({ x: Float32Array.from(rows.flat()), y: [0, 2] }).item(), 33);
  assert.is(s.trainStep({ x: Float32Array.from(rows.flat()), y: BigInt64Array.of(0n, 2n) }).shape.length, 0);
});

test('tuples, lists, records and dimensions', async () => {
  const s = await create();
  const [half, rounds] = s.halve(12);
  assert.equal([half.item(), rounds.item()], [0.75, 4]);
  const { out, size } = s.window({ pair: { x: [1, 2, 3, 4], k: [1, 0, 1] } });
  assert.equal([out.toArray(), size.item()], [[4, 6], 2]);
  assert.equal(s.window({ pair: { x: Float32Array.of(1, 2, 3), k: Float32Array.of(2) } }).out.toArray(), [2, 4, 6]);
  assert.equal(s.window({ x: [1, 2, 3], k: [1] } as never).out.toArray(), [1, 2, 3]);
  const xs = (Object.keys(DTYPES) as DType[]).map((dtype) => Tensor.from([1, 0], { dtype }));
  s.echo({ xs }).forEach((tensor, i) => {
    assert.ok(tensor.equals(xs[i]!), String(tensor));
  });
  assert.is(s.nap({ ms: 0 }), undefined);
  assert.is(s.nap(0), undefined);
  assert.is(s.opt.steps, 2);
});

test('wrong arguments are refused by name', async () => {
  const s = await create();
  const bad = (pattern: RegExp, call: () => unknown, expected = 'TDSL_ARG') =>
    assert.throws(call, code(expected, pattern));
  const loose = s as unknown as Record<string, (...args: unknown[]) => unknown>;
  bad(/predict takes x; x is missing/, () => loose.predict!({ x: undefined }));
  bad(/trainStep takes x, y; there is no argument z$/, () => loose.trainStep!({ x: 1, y: 1, z: 1 }));
  bad(/trainStep takes x, y; y is missing/, () => loose.trainStep!({ x: f32(1, 4) }));
  bad(/trainStep takes x, y; 3 given/, () => loose.trainStep!(1, 2, 3));
  bad(/predict takes x; 0 given/, () => loose.predict!());
  bad(/argument x: expected f32\[B, 4\], found f64\[1, 4\]/, () => s.predict({ x: f32(1, 4).cast('f64') }));
  bad(/argument x: expected f32\[B, 4\], found a Float64Array; a Float32Array holds f32/, () =>
    s.predict({ x: new Float64Array(4) }),
  );
  bad(/argument x: expected f32\[B, 4\], found a string/, () => loose.predict!('x'));
  bad(/argument y: expected i64\[B\], found a list of 2: 0.5 is not a whole number/, () =>
    s.trainStep({ x: f32(2, 4), y: [0.5, 1] }),
  );
  bad(/argument x: expected f32\[B, 4\], found a list of 2: the lists of a tensor/, () =>
    s.predict({ x: [[1, 2, 3, 4], [1]] }),
  );
  bad(/expected f32\[B, 4\], found f32\[4\]/, () => s.predict({ x: f32(4) }), 'TDSL_SHAPE');
  bad(/found f32\[2, 5\]: dimension 1 is 5, not 4/, () => s.predict({ x: f32(2, 5) }), 'TDSL_SHAPE');
  bad(/found 6 elements, which 4 does not divide/, () => s.predict({ x: new Float32Array(6) }), 'TDSL_SHAPE');
  bad(
    /B is 2 in argument x, but 3 in argument y/,
    () => s.trainStep({ x: f32(2, 4), y: labels(0, 1, 2) }),
    'TDSL_SHAPE',
  );
  bad(/argument x gives B = 1025, which must be from 0 to 1024/, () => s.predict({ x: f32(1025, 4) }), 'TDSL_SHAPE');
  bad(/pair.x: expected f32\[n\], found nothing/, () => loose.window!({ pair: { k: [1] } }));
  bad(/argument pair: there is no field z/, () => loose.window!({ pair: { x: [1], k: [1], z: 1 } }));
  bad(/argument pair: expected an object, found a list of 2/, () => loose.window!({ pair: [1, 2] }));
  bad(/argument xs: expected a list of 10, found a list of 1/, () => s.echo({ xs: [f32(2)] }));
  bad(/argument ms: expected a whole number, found 1\.5/, () => s.nap({ ms: 1.5 }));
  bad(/ms = 1001, which must be from 0 to 1000/, () => s.nap({ ms: 1001 }), 'TDSL_SHAPE');
  bad(/n - m \+ 1, would be -1/, () => s.window({ pair: { x: [1], k: [1, 1, 1] } }), 'TDSL_SHAPE');
  bad(/m % 2 == 1/, () => s.window({ pair: { x: [1, 2], k: [1, 1] } }), 'TDSL_SHAPE');
  bad(/index 3 \(element 1 of the indices\)/, () => s.trainStep({ x: f32(2, 4), y: labels(0, 3) }), 'TDSL_INDEX');
  const x = new Float32Array(4);
  structuredClone(x, { transfer: [x.buffer] });
  assert.is(s.predict({ x: new Float32Array(0) }).size, 0);
  const kept = f32(1, 4);
  structuredClone(kept.data, { transfer: [kept.data.buffer as ArrayBuffer] });
  bad(
    /expected 4 elements \(\[1, 4\]\), found 0; its buffer may be detached/,
    () => s.predict({ x: kept }),
    'TDSL_SHAPE',
  );
});

test('state is nested objects over one arena', async () => {
  const s = await create();
  assert.equal(Object.keys(s.net), ['weight', 'mean', 'head']);
  assert.is(s.net.weight, s.net.weight);
  assert.is(s.net.head.weight, s.net.weight);
  assert.is(s.opt.lr, 0.5);
  s.opt.lr = 0.25;
  const before = s.net.weight.at(0, 0);
  s.trainStep({ x: f32(1, 4), y: labels(0) });
  assert.is(s.net.weight.at(0, 0), before + 0.25);
  assert.is(s.opt.steps, 1);
  s.opt.steps = 7;
  s.nap(0);
  assert.is(s.opt.steps, 8);
  s.net.weight = Tensor.zeros([4, 3]);
  assert.equal(s.predict(f32(1, 4)).toArray(), [[0, 0, 0]]);
  assert.throws(
    () => {
      s.net.weight = Tensor.zeros([3, 4]);
    },
    code('TDSL_SHAPE', /net.weight is f32\[4, 3\], it cannot be set to f32\[3, 4\]/),
  );
  assert.throws(
    () => {
      s.opt.lr = 'fast' as never;
    },
    code('TDSL_ARG', /opt.lr is f32\[\]; it can be set to such a tensor or a number/),
  );
  assert.throws(() => {
    s.opt.steps = 0.5;
  }, /not a whole number/);
  assert.throws(() => {
    (s.opt as { rate?: number }).rate = 1;
  }, /not extensible/);
});

test('sessions are independent, and the seed determines the state', async () => {
  const [a, b, c] = await Promise.all([create(5), create(5), create(6)]);
  assert.ok(a!.net.weight.equals(b!.net.weight));
  assert.not(a!.net.weight.equals(c!.net.weight));
  a!.net.weight.fill(9);
  assert.not(a!.net.weight.equals(b!.net.weight));
  assert.equal(Array.from(c!.rng.data), [6n, 0n]);
  assert.equal(Array.from(keyOfSeed(2n ** 64n - 1n).data), [-1n, 0n]);
  await rejects(model.create({ seed: 0.5 }), code('TDSL_ARG', /a seed is a whole number/));
  await rejects(model.create({ threads: -1 }), code('TDSL_ARG', /threads/));
});

test('modes choose the compiled form', async () => {
  const s = await create();
  const x = f32(1, 4);
  const evaluated = s.predict(x).toNumbers();
  assert.is(s.mode, undefined);
  assert.is(s.train(), s);
  assert.equal(
    s.predict(x).toNumbers(),
    evaluated.map((value) => 2 * value),
  );
  assert.equal((await s.predictAsync(x)).toNumbers(), s.predict(x).toNumbers());
  assert.equal(s.eval().predict(x).toNumbers(), evaluated);
  assert.is(s.mode, 'eval');
});

test('bound calls reuse their tensors', async () => {
  const s = await create();
  s.net.weight.fill(1);
  const x = f32(1, 4);
  const out = Tensor.zeros([1, 3]) as Tensor<'f32', ['B', 3]>;
  const run = s.predict.bind({ x, out });
  assert.is(run(), out);
  assert.equal(out.toArray(), [[4, 4, 4]]);
  x.fill(2);
  run();
  assert.equal(out.toArray(), [[8, 8, 8]]);
  const own = s.halve.bind({ x: Float64Array.of(8) });
  assert.is(own(), own());
  assert.is(own()[1].item(), 3);
  const step = s.trainStep.bind({ x, y: labels(1) });
  assert.is(step().item(), 24);
  assert.throws(
    () => s.predict.bind({ x: [[1, 2, 3, 4]] }),
    code('TDSL_ARG', /a bound call takes tensors and typed arrays/),
  );
  const wrong = Tensor.zeros([2, 3]) as Tensor<'f32', ['B', 3]>;
  assert.throws(
    () => s.predict.bind({ x, out: wrong }),
    code('TDSL_SHAPE', /predict: out: expected a tensor f32\[1, 3\], found f32\[2, 3\]/),
  );
  assert.throws(
    () => s.predict.bind({ x, out: s.net.weight.slice(0, 1) as never })(),
    code('TDSL_ARG', /output result shares memory with the state/),
  );
  assert.throws(() => s.nap.bind({ ms: 1, out: 3 as never }), code('TDSL_ARG', /nap returns nothing/));
});

test('asynchronous calls queue, and exclude everything that touches the state', async () => {
  const s = await create();
  const naps = [s.napAsync(20), s.napAsync(1)];
  const after = s.predictAsync(f32(1, 4));
  const busy = code('TDSL_BUSY', /await it first/);
  assert.throws(() => s.predict(f32(1, 4)), busy);
  assert.throws(() => s.loadStateDict({}), busy);
  assert.throws(() => {
    s.opt.lr = 1;
  }, busy);
  await Promise.all([...naps, after]);
  assert.is(s.opt.steps, 2);
  await rejects(s.trainStepAsync({ x: f32(1, 4), y: labels(3) }), code('TDSL_INDEX', /index 3/));
  await rejects(s.predictAsync({ x: f32(1, 5) }), code('TDSL_SHAPE', /dimension 1 is 5/));
  s.opt.lr = 1;
});

test('state dictionaries', async () => {
  const [a, b] = await Promise.all([create(3), create(4)]);
  assert.equal(Object.keys(a!.stateDict()), [
    'net.weight',
    'net.mean',
    'net.head.weight',
    'opt.lr',
    'opt.steps',
    'rng',
  ]);
  assert.equal(Object.keys(a!.stateDict({ root: 'net' })), ['weight', 'mean', 'head.weight']);
  assert.equal(
    a!.namedParameters().map(([name]) => name),
    ['net.weight'],
  );
  assert.is(a!.parameters()[0], a!.net.weight);
  assert.throws(() => a!.stateDict({ root: 'nut' }), code('TDSL_ARG', /there is no state nut; there is net, opt, rng/));
  b!.loadStateDict(a!.stateDict());
  assert.ok(b!.net.weight.equals(a!.net.weight));
  assert.ok(b!.rng.equals(a!.rng));
  const weight = Tensor.zeros([4, 3]);
  const mean = Tensor.zeros([3]);
  b!.loadStateDict({ 'head.weight': weight, mean }, { root: 'net' });
  assert.is(b!.net.weight.at(3, 2), 0);
  assert.throws(
    () => b!.loadStateDict({ weight: f32(4, 3) }, { root: 'net' }),
    code('TDSL_ARG', /missing: mean; load with/),
  );
  assert.throws(
    () => b!.loadStateDict({ weight, mean, bias: mean }, { root: 'net' }),
    code('TDSL_ARG', /not part of the state: bias/),
  );
  assert.is(b!.net.weight.at(0, 0), 0);
  assert.throws(
    () => b!.loadStateDict({ weight: f32(4, 3), 'head.weight': weight, mean }, { root: 'net' }),
    code('TDSL_VALUE', /is shared/),
  );
  const report = b!.loadStateDict({ weight: f32(4, 3), bias: mean }, { root: 'net', strict: false });
  assert.equal(report, { missing: ['mean'], unexpected: ['bias'] });
  assert.is(b!.net.weight.at(0, 0), 1);
  assert.throws(
    () => b!.loadStateDict({ 'net.weight': f32(3, 4) }, { strict: false }),
    code('TDSL_SHAPE', /net.weight is f32\[4, 3\], the value to load is f32\[3, 4\]/),
  );
});

test('saving and resuming is bit-equal', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tdsl-session-'));
  try {
    const file = path.join(folder, 'state.safetensors');
    const a = await create(8);
    a.trainStep({ x: f32(1, 4), y: labels(2) });
    void a.napAsync(10);
    await a.save(file);
    const expected = Object.fromEntries(Object.entries(a.stateDict()).map(([name, tensor]) => [name, tensor.clone()]));
    assert.is(a.opt.steps, 2);
    a.trainStep({ x: f32(1, 4), y: labels(2) });
    const b = await create(9);
    await b.load(file);
    for (const [name, tensor] of Object.entries(b.stateDict())) assert.ok(tensor.equals(expected[name]!), name);
    const weights = path.join(folder, 'net.safetensors');
    await a.save(weights, { root: 'net' });
    assert.match(await readFile(weights, 'latin1'), /"weight":\{"dtype":"F32"/);
    const c = await create(9);
    await c.load(weights, { root: 'net' });
    assert.ok(c.net.weight.equals(a.net.weight));
    await rejects(c.load(weights), code('TDSL_ARG', /net.safetensors: the names do not match the state/));
    await writeFile(file, encodeSafetensors({ tensors: { 'net.weight': f32(2) } }));
    await rejects(
      c.load(file, { strict: false }),
      code('TDSL_SHAPE', /net.weight is f32\[4, 3\], the value to load is f32\[2\]/),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a module whose parts do not fit is refused', async () => {
  const refused = (changed: Parameters<typeof loadSample>[0], pattern: RegExp) =>
    rejects(loadSample(changed), code('TDSL_ABI', pattern));
  await refused({ format: 1 as 2 }, /a manifest of format 1/);
  await refused({ sourceHash: 'other' }, /different compiles/);
  await refused({ entries: manifest.entries.slice(1) }, /different entries/);
  await refused({ state: { ...manifest.state, bytes: 64 } }, /lay out the state differently/);
  const rename = (jsName: string) => ({ methods: manifest.methods.map((method) => ({ ...method, jsName })) });
  await refused(rename('save'), /save is a name that sessions have themselves/);
  await refused(rename('then'), /then is a name/);
  await refused(rename('net'), /two members of the session would be called net/);
  assert.ok(new TdslError('TDSL_ABI', 'text') instanceof Error);
});

test.run();
