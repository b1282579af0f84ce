// Models for GPUs on a machine without one: they build with nvcc, are small, load, and say why they cannot run, through Node, C and Python; and
// with the emulator standing in for the driver the same file runs. Without nvcc this is skipped.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build, type Lowered, lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { compileModule, importModule } from '../../cli/module.js';
import { buildStandIn } from '../../codegen/build/cuda.js';
import { findNvcc } from '../../codegen/build/nvcc.js';
import { packageRoot } from '../../codegen/build/places.js';
import { TdslError } from '../../runtime/errors.js';
import type { Model } from '../../runtime/load.js';
import { alignedBytes } from '../../runtime/memory.js';
import { examples } from '../examples/examples.js';

const test = suite('CUDA without a driver');
const root = packageRoot();
process.env.TDSL_CACHE_DIR ??= path.join(root, '.cache', 'tdsl');
const nvcc = await findNvcc();
const hasDriver = spawnSync('sh', ['-c', 'ldconfig -p | grep -q libcuda.so.1']).status === 0;
let folder = '';
let lowered: Lowered;

test.before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-driver-'));
  lowered = lower(loadProgram(examples.find(({ name }) => name === 'linear_regression')?.file as string, { dims: {} }));
});
test.after(() => rmSync(folder, { recursive: true }));

function execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env });
  assert.is(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** One architecture is enough here, and quick. */
const make = async (emit: 'addon' | 'lib'): Promise<string> =>
  (await build(lowered, { outDir: folder, mode: 'dev', emit, cuda: 'gpu', archs: ['sm_90'] })).result.file;

const asks = `
import ctypes, sys
model = ctypes.CDLL(sys.argv[1])
why = ctypes.create_string_buffer(300)
instance = ctypes.c_void_p()
print(model.tdsl_probe(0, why, 300), why.value.decode(), model.tdsl_create(None, ctypes.byref(instance)))
`;

const program = `
#include <stdio.h>
#include "tdsl_model.h"
int main(void) {
  char why[300];
  tdsl_instance *instance;
  tdsl_status status = tdsl_probe(0, why, sizeof why);
  printf("%d %s %d", status, why, tdsl_create(NULL, &instance));
  return 0;
}
`;

if (nvcc === undefined) {
  test('skipped', () => {
    console.log('SKIP CUDA without a driver: nvcc was not found');
  });
} else {
  test('a library loads, is small, and tells C and Python that there is no driver', async () => {
    const library = await make('lib');
    assert.ok(statSync(library).size < 400_000, `${statSync(library).size} bytes`);
    const needed = execute('sh', ['-c', `readelf -d ${library} | grep NEEDED`]);
    assert.not.match(needed, /cuda|stdc\+\+/);
    writeFileSync(path.join(folder, 'asks.c'), program);
    execute('cc', ['-I', folder, 'asks.c', library, '-o', 'asks']);
    if (hasDriver) return;
    const answer = /^5 no CUDA driver: libcuda\.so\.1: cannot open .* 5$/;
    assert.match(execute(path.join(folder, 'asks'), []), answer);
    if (spawnSync('python3', ['--version']).status === 0)
      assert.match(execute('python3', ['-c', asks, library]), answer);
  });

  test('an addon tells Node, and creating an instance is an error with a code', async () => {
    const addon = createRequire(import.meta.url)(await make('addon'));
    if (hasDriver) return;
    assert.is(addon.describe().device, 'cuda');
    assert.match(addon.probe(), /^no CUDA driver: libcuda\.so\.1/);
    assert.throws(
      () => addon.create({ state: alignedBytes(addon, addon.describe().stateBytes), threads: 0 }),
      (error: { code?: string }) => error.code === 'TDSL_NO_DEVICE',
    );
  });

  test('a module is imported, tells what it is and why it cannot run, and creating a session is an error that says so', async () => {
    const outDir = path.join(folder, 'module');
    const file = examples.find(({ name }) => name === 'linear_regression')?.file as string;
    const compiled = await compileModule(file, { outDir, mode: 'dev', cuda: 'gpu', archs: ['sm_90'] });
    const model = await importModule<Pick<Model, 'manifest' | 'probe' | 'create'>>(compiled);
    assert.is(model.manifest.target, 'cuda');
    if (hasDriver) return;
    const reason = model.probe();
    assert.match(reason ?? '', /^no CUDA driver: libcuda\.so\.1/);
    const error = await model.create().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.instance(error, TdslError);
    assert.is((error as TdslError).code, 'TDSL_NO_DEVICE');
    assert.is((error as TdslError).message, reason);
  });

  test('with a stand-in for the driver the same addon trains as in the interpreter', async () => {
    const file = await make('addon');
    const standIn = await buildStandIn(lowered.program.name, await deviceFiles(), path.join(folder, 'stand-in'));
    const script = path.join(root, 'dist', 'tests', 'cuda', 'stand-in.js');
    const env = { ...process.env, LD_LIBRARY_PATH: standIn.folder, TDSL_STAND_IN_KERNELS: standIn.kernels };
    assert.is(execute(process.execPath, [script, file, 'linear_regression'], env), 'ok');
  });
}

async function deviceFiles(): Promise<ReadonlyMap<string, string>> {
  const { generated } = await build(lowered, {
    outDir: path.join(folder, 'source'),
    mode: 'dev',
    emit: 'source',
    cuda: 'gpu',
  });
  assert.ok(existsSync(path.join(folder, 'source', 'kernels_0.cu')));
  return new Map([...generated.sources].filter(([name]) => name.endsWith('.cu')));
}

test.run();
