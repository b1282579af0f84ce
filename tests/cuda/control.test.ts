// Control flow that depends on data: what the device decides agrees with the interpreter, a loop at its bound leaves the state as it was, and calls
// can be captured in graphs that are replayed with other data. All of it twice: with a size that is known only when running, where the host launches
// what each trip does, and with a known one, where one block runs the loops.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BackendName, instantiate, interpret } from '../../cli/backends.js';
import { build, lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { buildStandIn } from '../../codegen/build/cuda.js';
import { findNvcc } from '../../codegen/build/nvcc.js';
import { packageRoot } from '../../codegen/build/places.js';
import { hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { inEveryOrder } from './orders.js';

const test = suite('control flow on a GPU');
const root = packageRoot();
process.env.TDSL_CACHE_DIR ??= path.join(root, '.cache', 'tdsl');
const variants = [{}, { N: 3 }].map((dims) => ({
  how: 'N' in dims ? 'in one block' : 'by launches',
  lowered: lower(loadProgram(path.join(root, 'tests', 'cuda', 'control.td'), { dims })),
}));
const nvcc = await findNvcc();
let folder = '';
test.before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-control-'));
});
test.after(() => rmSync(folder, { recursive: true }));

/** Five trips and the first branch, two and the second, none. */
const inputs = [
  [3, 2, 1],
  [1, 2, 30],
  [50, 40, 30],
].map((x) => hostTensor('f32', [3], x));

for (const { how, lowered } of variants) {
  for (const backend of ['cuda-emulated', 'cuda-checked'] satisfies readonly BackendName[]) {
    test(`${backend} ${how} makes as many trips as the interpreter, there and back, in every order of threads`, async () => {
      const instance = await instantiate(lowered, backend);
      inEveryOrder(() => {
        const reference = interpret(lowered.program);
        for (const each of [reference, instance]) each.seed(1);
        for (const x of inputs) {
          for (const name of ['add', 'slope']) {
            const [got, want] = [instance, reference].map((each) => [...(each.run(name, [x])[0]?.data ?? [])]);
            assert.equal(got, want, `${name} of ${x.data}`);
          }
          assert.equal([...(instance.state[0]?.data ?? [])], [...(reference.state[0]?.data ?? [])]);
        }
      });
    });
  }

  test(`${how} a loop at its bound is an error that names it, and leaves the state as it was`, async () => {
    const instance = await instantiate(lowered, 'cuda-emulated');
    instance.seed(1);
    instance.run('add', [inputs[0] as never]);
    const before = [...(instance.state[0]?.data ?? [])];
    assert.throws(() => instance.run('add', [hostTensor('f32', [3], [0.001, 0, 0])]), /control\.td:10:11/);
    assert.equal([...(instance.state[0]?.data ?? [])], before);
  });

  test(`${how} a call is captured and replayed with other data`, async () => {
    if (nvcc === undefined) {
      console.log('SKIP capture: nvcc was not found');
      return;
    }
    const outDir = path.join(folder, how.replaceAll(' ', '-'));
    const options = { outDir, mode: 'dev', cuda: 'gpu', archs: ['sm_90'] } as const;
    const { result, generated } = await build(lowered, { ...options, emit: 'lib' });
    const kernels = new Map([...generated.sources].filter(([name]) => name.endsWith('.cu')));
    const standIn = await buildStandIn(lowered.program.name, kernels, path.join(outDir, 'stand-in'));
    const program = path.join(outDir, 'capture');
    const source = path.join(root, 'tests', 'cuda', 'capture.c');
    const compiled = spawnSync('cc', ['-I', outDir, source, result.file, '-o', program, '-ldl'], { encoding: 'utf8' });
    assert.is(compiled.status, 0, compiled.stderr);
    const env = { ...process.env, LD_LIBRARY_PATH: standIn.folder, TDSL_STAND_IN_KERNELS: standIn.kernels };
    const { stdout } = spawnSync(program, [], { encoding: 'utf8', env });
    const [five, two, bound, none] = stdout.trim().split('\n');
    assert.is(five, '96 64 32 | 96 64 32');
    assert.is(two, '-4 -8 -120 | 92 56 -88');
    assert.match(bound ?? '', /^10 .*control\.td:10:11.* \| 92 56 -88$/);
    assert.is(none, '50 40 30 | 142 96 -58');
  });
}

test.run();
