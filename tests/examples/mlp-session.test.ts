// One compiled module, used as a host program does: any batch size, wrong arguments, two sessions, a learning rate that changes.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CompiledModule, compileModule, importModule } from '../../cli/module.js';
import { packageRoot } from '../../cli/package.js';
import { Generator, type Method, readManifest, type Session, Tensor, type TensorInput } from '../../runtime/index.js';

interface Mlp extends Session {
  readonly predict: Method<{ x: TensorInput }, Tensor<'i64'>>;
  readonly predictAsync: (args: { x: TensorInput }) => Promise<Tensor<'i64'>>;
  readonly trainStep: Method<{ x: TensorInput; y: TensorInput }, Tensor<'f32'>>;
  readonly net: { readonly fc1: { readonly weight: Tensor<'f32'> } };
  readonly opt: { lr: number };
}

interface MlpModule {
  create(options?: { seed?: number }): Promise<Mlp>;
}

interface Context {
  folder: string;
  compiled: CompiledModule;
  create: MlpModule['create'];
}

const test = suite<Context>('a compiled MLP');

test.before(async (context) => {
  context.folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-mlp-'));
  context.compiled = await compileModule(path.join(packageRoot, 'examples', 'mlp.td'), { outDir: context.folder });
  context.create = (await importModule<MlpModule>(context.compiled)).create;
});

test.after((context) => rmSync(context.folder, { recursive: true, force: true }));

/** Random images and labels. */
function batch(size: number, seed = 1): { x: Tensor<'f32'>; y: Tensor<'i64'> } {
  const generator = new Generator(seed);
  const labels = BigInt64Array.from({ length: size }, () => BigInt(generator.below(10)));
  return { x: generator.uniform([size, 784], 0, 1), y: new Tensor('i64', [size], labels) };
}

/** The message of the error that a call throws. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the call was accepted');
}

test('one module answers every batch size, and a row does not depend on the others', async ({ create }) => {
  const session = await create({ seed: 1 });
  const { x } = batch(1000);
  const all = session.predict({ x }).toNumbers();
  for (const size of [1, 7, 256, 1000]) {
    const some = session.predict({ x: x.slice(0, size) });
    assert.equal(some.shape, [size]);
    assert.equal(Array.from(some.toNumbers()), Array.from(all).slice(0, size));
  }
  assert.equal(Array.from((await session.predictAsync({ x })).toNumbers()), Array.from(all));
});

test('a batch of 0 is an empty prediction, and the mean of no losses is NaN', async ({ create }) => {
  const session = await create({ seed: 1 });
  assert.equal(session.predict({ x: Tensor.zeros([0, 784]) }).shape, [0]);
  assert.ok(Number.isNaN(session.trainStep(batch(0)).item()));
});

test('wrong arguments are refused by name, and the state is as before', async ({ create }) => {
  const session = await create({ seed: 1 });
  const before = session.net.fc1.weight.clone();
  const { x, y } = batch(4);
  const wrong: readonly [string, () => unknown, RegExp][] = [
    ['dtype', () => session.trainStep({ x: x.cast('f64'), y }), /x.*f32.*f64/s],
    ['rank', () => session.trainStep({ x: x.reshape([4, 28, 28]), y }), /x.*\[B, 784\].*\[4, 28, 28\]/s],
    ['size', () => session.trainStep({ x: Tensor.zeros([4, 783]), y }), /x.*784.*783/s],
    ['batch', () => session.trainStep({ x, y: batch(5).y }), /B.*4.*5|B.*5.*4/s],
    ['missing', () => session.trainStep({ x } as never), /y/],
    ['label', () => session.trainStep({ x, y: Tensor.full([4], 10, { dtype: 'i64' }) }), /index.*10|10.*range/s],
  ];
  for (const [what, call, pattern] of wrong) assert.match(messageOf(call), pattern, what);
  const detached = x.clone();
  structuredClone(detached.data, { transfer: [detached.data.buffer as ArrayBuffer] });
  assert.match(
    messageOf(() => session.trainStep({ x: detached, y })),
    /x.*detached/s,
  );
  assert.ok(session.net.fc1.weight.equals(before), 'the weights are unchanged');
});

test('a NaN in the input shows in the loss', async ({ create }) => {
  const session = await create({ seed: 1 });
  const { x, y } = batch(4);
  x.set([0, 0], Number.NaN);
  assert.ok(Number.isNaN(session.trainStep({ x, y }).item()));
});

test('the same seed gives the same bits; sessions do not share state', async ({ create }) => {
  const [a, b, other] = await Promise.all([create({ seed: 1 }), create({ seed: 1 }), create({ seed: 2 })]);
  assert.ok(a.net.fc1.weight.equals(b.net.fc1.weight));
  assert.not.ok(a.net.fc1.weight.equals(other.net.fc1.weight));
  const data = batch(32);
  const untouched = b.net.fc1.weight.clone();
  const first = [a.trainStep(data).item(), a.trainStep(data).item()];
  assert.ok(b.net.fc1.weight.equals(untouched), 'training one session leaves the other alone');
  assert.equal([b.trainStep(data).item(), b.trainStep(data).item()], first);
  assert.ok(a.net.fc1.weight.equals(b.net.fc1.weight));
});

test('a learning rate of 0 stops learning, without compiling again', async ({ create }) => {
  const session = await create({ seed: 1 });
  const data = batch(32);
  session.opt.lr = 0;
  const before = session.net.fc1.weight.clone();
  session.trainStep(data);
  assert.ok(session.net.fc1.weight.equals(before));
  session.opt.lr = 0.1;
  session.trainStep(data);
  assert.not.ok(session.net.fc1.weight.equals(before));
});

test('in evaluation nothing is dropped; in training every call draws another mask', async ({ create }) => {
  const session = await create({ seed: 1 });
  const data = batch(32);
  session.opt.lr = 0;
  const loss = (): number => session.trainStep(data).item();
  assert.is.not(loss(), loss());
  session.eval();
  assert.is(loss(), loss());
  session.train();
  assert.is.not(loss(), loss());
});

test('a bound call repeats the call', async ({ create }) => {
  const [session, twin] = await Promise.all([create({ seed: 1 }), create({ seed: 1 })]);
  const data = batch(16);
  const step = session.trainStep.bind(data);
  const losses = [step().item(), step().item(), step().item()];
  assert.equal(
    losses,
    [0, 1, 2].map(() => twin.trainStep(data).item()),
  );
});

test('saving and resuming is equal to the bit', async ({ create, folder }) => {
  const [session, resumed] = await Promise.all([create({ seed: 1 }), create({ seed: 9 })]);
  const data = batch(16);
  session.trainStep(data);
  const file = path.join(folder, 'checkpoint.safetensors');
  await session.save(file);
  await resumed.load(file);
  assert.equal(resumed.trainStep(data).item(), session.trainStep(data).item());
  assert.ok(resumed.net.fc1.weight.equals(session.net.fc1.weight));
});

test('a session prints as its functions and models', async ({ create }) => {
  const text = inspect(await create());
  assert.match(text, /^Session of mlp: predict, trainStep\n {2}\(net\): MLP\(\n {4}\(fc1\): Linear\(in_features=784/);
  assert.match(text, /\(key\): i64\[2\]$/);
});

test('the stages of the compile are read only when they are asked for', async ({ create, folder }) => {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as object;
  assert.not.ok('stages' in manifest);
  const session = await create();
  assert.is(Object.keys(session.manifest.stages)[0], 'lower');
  assert.match(session.manifest.stages.lower as string, /train_step/);
});

test('stages that are missing or of another compile are an error that says so', ({ folder }) => {
  const elsewhere = path.join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  copyFileSync(path.join(folder, 'manifest.json'), path.join(elsewhere, 'manifest.json'));
  const read = (): unknown => readManifest(pathToFileURL(path.join(elsewhere, 'manifest.json'))).stages;
  assert.match(messageOf(read), /the stages of mlp cannot be read: .*stages\.json.*; compile it again/);
  writeFileSync(path.join(elsewhere, 'stages.json'), '{"sourceHash":"other","stages":{}}');
  assert.match(messageOf(read), /stages\.json and the manifest are from different compiles/);
});

test('compiling again without a change builds nothing', async ({ folder }) => {
  const again = await compileModule(path.join(packageRoot, 'examples', 'mlp.td'), { outDir: folder });
  assert.ok(again.artefact.cached);
});

test.run();
