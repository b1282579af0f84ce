// Sessions of models for GPUs, on the emulator: tensors there and back, state that stays, asynchronous calls, graphs, and faults.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileModule, importModule } from '../../cli/module.js';
import { packageRoot } from '../../codegen/build/places.js';
import { DeviceTensor, type Model, type Session, Tensor } from '../../runtime/index.js';
import type { AsyncMethod, Method } from '../../runtime/method.js';
import { fileOf } from './examples.js';

process.env.TDSL_CACHE_DIR ??= path.join(packageRoot(), '.cache', 'tdsl');

interface Regression extends Session {
  readonly predict: Method<{ x: Tensor | DeviceTensor }, Tensor>;
  readonly trainStep: Method<{ x: Tensor | DeviceTensor; y: Tensor | DeviceTensor }, Tensor>;
  readonly trainStepAsync: AsyncMethod<{ x: Tensor | DeviceTensor; y: Tensor | DeviceTensor }, Tensor>;
}

const test = suite('sessions on a GPU');
let folder = '';
type Module = Pick<Model<Regression>, 'create'>;
let model: Module;
let onCpu: Module;

const load = async (cuda: boolean): Promise<Module> => {
  const outDir = path.join(folder, cuda ? 'cuda' : 'cpu');
  const cudaOption = cuda ? ({ cuda: 'emulated' } as const) : {};
  const compiled = await compileModule(fileOf('linear_regression'), { outDir, mode: 'dev', ...cudaOption });
  return importModule(compiled);
};

test.before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-session-'));
  assert.throws(
    () => Tensor.from([1, 2]).to('cuda'),
    /create a session of a model that was compiled with --target cuda/,
  );
  [model, onCpu] = [await load(true), await load(false)];
});
test.after(() => rmSync(folder, { recursive: true }));

const x = Tensor.from(Array.from({ length: 8 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i / 8]));
const y = Tensor.from(Array.from({ length: 8 }, (_, i) => Math.sin(2 * i)));
const setAll = (session: Session, name: string, value: number): void => {
  (session.stateDict()[name]!.data as Float32Array).fill(value);
};
const close = (a: Tensor, b: Tensor): boolean => a.allClose(b, { rtol: 1e-5, atol: 1e-6 });

test('a tensor goes to the GPU and comes back', async () => {
  await model.create();
  const there = x.to('cuda');
  assert.instance(there, DeviceTensor);
  assert.equal(there.shape, [8, 3]);
  assert.ok(there.to('cpu').equals(x));
  assert.is(there.to('cuda'), there);
  assert.is(x.to('cpu'), x);
  assert.throws(() => there.to('tpu' as 'cpu'), /there is no device 'tpu'/);
});

test('training from host and device tensors gives what the CPU gives, with graphs from the third call on', async () => {
  const [gpu, cpu] = [await model.create({ seed: 3 }), await onCpu.create({ seed: 3 })];
  const [dx, dy] = [x.to('cuda'), y.to('cuda')];
  for (let step = 0; step < 5; step++) {
    const want = cpu.trainStep({ x, y });
    assert.ok(close(step % 2 === 0 ? gpu.trainStep({ x: dx, y: dy }) : gpu.trainStep({ x, y }), want), `step ${step}`);
  }
  for (let step = 0; step < 4; step++) assert.ok(close(gpu.trainStep({ x: dx, y: dy }), cpu.trainStep({ x, y })));
  assert.ok(close(gpu.predict({ x: dx }), cpu.predict({ x })));
  const run = gpu.trainStep.bind({ x: dx, y });
  for (let step = 0; step < 4; step++) assert.ok(close(run(), cpu.trainStep({ x, y })));
  await gpu.trainStepAsync({ x, y: dy });
  cpu.trainStep({ x, y });
  const [state, expected] = [gpu.stateDict(), cpu.stateDict()];
  for (const name of Object.keys(expected)) assert.ok(close(state[name]!, expected[name]!), name);
});

test('state that stays on the GPU is fetched and sent when asked', async () => {
  const [gpu, cpu] = [await model.create({ seed: 4 }), await onCpu.create({ seed: 4 })];
  gpu.keepState(true);
  const [name] = Object.keys(gpu.stateDict()) as [string];
  const before = gpu.stateDict()[name]!.clone();
  for (let step = 0; step < 3; step++) assert.ok(close(gpu.trainStep({ x, y }), cpu.trainStep({ x, y })));
  assert.ok(gpu.stateDict()[name]!.equals(before), 'nothing is copied by itself');
  gpu.fetchState();
  assert.ok(close(gpu.stateDict()[name]!, cpu.stateDict()[name]!));
  setAll(gpu, name, 0.25);
  setAll(cpu, name, 0.25);
  gpu.sendState();
  assert.ok(close(gpu.predict({ x }), cpu.predict({ x })));
  gpu.keepState(false);
  setAll(gpu, name, 0.5);
  setAll(cpu, name, 0.5);
  assert.ok(close(gpu.predict({ x }), cpu.predict({ x })), 'every call takes the state again');
});

test('sessions have streams of their own, on which their calls run at the same time', async () => {
  const seeds = [5, 6, 7];
  const sessions = await Promise.all(seeds.map((seed) => model.create({ seed })));
  const alone = await Promise.all(seeds.map((seed) => onCpu.create({ seed })));
  const [dx, dy] = [x.to('cuda'), y.to('cuda')];
  for (let step = 0; step < 5; step++) {
    const losses = await Promise.all(sessions.map((session) => session.trainStepAsync({ x: dx, y: dy })));
    for (const [i, loss] of losses.entries()) {
      const want = alone[i]?.trainStep({ x, y });
      assert.ok(want !== undefined && close(loss, want), `step ${step} of session ${i}`);
    }
  }
});

test('a tensor of a GPU is refused where it does not fit, and by a model for the CPU', async () => {
  const [gpu, cpu] = [await model.create(), await onCpu.create()];
  const there = x.to('cuda');
  assert.throws(() => gpu.predict({ x: y.to('cuda') }), /argument x/);
  assert.throws(() => cpu.predict({ x: there }), /this model runs on the CPU, the tensor is in the memory of a GPU/);
});

test.run();
