// What building does with the toolkit of CUDA, here a script in its place, so that no nvcc is needed: architectures that it does not know, and
// another version of it.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileModule, type ModuleOptions } from '../../cli/module.js';
import { findReceipt } from '../../cli/receipt.js';
import { ToolchainError } from '../../codegen/build/index.js';
import { packageRoot } from '../../codegen/build/places.js';

process.env.TDSL_CACHE_DIR ??= path.join(packageRoot(), '.cache', 'tdsl');

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-toolkit-'));
const file = path.join(folder, 'model.td');
const options: ModuleOptions = { outDir: path.join(folder, 'out'), mode: 'dev', cuda: 'gpu' };

/** A script that knows sm_80, sm_90, and sm_90a without listing it, and writes its version as the code of a GPU. */
function installNvcc(version: string): void {
  const nvcc = path.join(folder, 'nvcc');
  writeFileSync(
    nvcc,
    `#!/bin/sh
case "$*" in
  --version) echo "Cuda compilation tools, release ${version}"; exit 0;;
  --list-gpu-code) printf 'sm_80\\nsm_90\\n'; exit 0;;
  --list-gpu-arch) printf 'compute_80\\ncompute_90\\n'; exit 0;;
  *_200*) echo "nvcc fatal   : Unsupported gpu architecture 'compute_200'" >&2; exit 1;;
esac
while [ "$1" != -o ]; do shift; done
echo "version ${version} flags $NVCC_PREPEND_FLAGS$NVCC_APPEND_FLAGS." > "$2"
`,
  );
  chmodSync(nvcc, 0o755);
  process.env.NVCC = nvcc;
}

test.before(() => {
  writeFileSync(file, 'export fn f(x: f32[n]) -> f32[n] = x + 1\n');
  installNvcc('13.0');
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const failureOf = (archs: readonly string[]): Promise<Error> =>
  compileModule(file, { ...options, archs }).then(
    () => new Error('it compiles'),
    (error: Error) => error,
  );

test('an architecture that this nvcc does not know is told with those that it knows', async () => {
  const error = await failureOf(['sm_80', 'sm_200']);
  assert.instance(error, ToolchainError);
  assert.match(
    error.message,
    /^cannot compile kernels for sm_80, sm_200: .*nvcc does not know the architecture compute_200; it knows sm_80, sm_90, compute_80, compute_90$/,
  );
  assert.match((error as ToolchainError).hint, /--arch, or install/);
});

test('a missing nvcc is told, and no other one is taken in the place of the one that NVCC names', async () => {
  process.env.NVCC = path.join(folder, 'no-nvcc');
  const error = await failureOf(['sm_80']);
  assert.match(error.message, /^cannot compile kernels for GPUs: nvcc was not found, NVCC names .*no-nvcc$/);
  assert.instance(error, ToolchainError);
  installNvcc('13.0');
});

test('an architecture without the instructions of the kernels is refused before anything is read', async () => {
  for (const arch of ['sm_42', 'sm_75', 'compute_70']) {
    const error = await failureOf(['sm_80', arch]);
    assert.is(error.message, `--arch takes sm_80 and later, whose instructions the kernels need, got '${arch}'`);
  }
});

test('architectures of later GPUs and of one kind of GPU go to nvcc as they are', async () => {
  for (const arch of ['sm_90a', 'sm_100', 'sm_100f', 'compute_120'])
    assert.equal((await compileModule(file, { ...options, archs: [arch] })).entries, ['f']);
});

test('a compile that would change nothing is left out, and another version of nvcc makes another module', async () => {
  const archs = ['sm_80'];
  const first = await compileModule(file, { ...options, archs });
  const isKnown = async (): Promise<boolean> =>
    (await findReceipt({ file, options: { ...options, archs } })) !== undefined;
  assert.ok(await isKnown());
  installNvcc('13.1');
  assert.not.ok(await isKnown());
  const second = await compileModule(file, { ...options, archs });
  assert.not.ok(second.artefact.cached);
  assert.is.not(second.artefact.file, first.artefact.file);
  assert.ok(readFileSync(second.artefact.file).includes('version 13.1'), 'it holds what the new nvcc wrote');
  installNvcc('13.0');
  assert.is((await compileModule(file, { ...options, archs })).artefact.file, first.artefact.file);
});

test('flags for nvcc in the environment change nothing', async () => {
  const { file: plain } = (await compileModule(file, { ...options, archs: ['sm_90'] })).artefact;
  process.env.NVCC_APPEND_FLAGS = '-use_fast_math';
  const outDir = path.join(folder, 'other');
  const { artefact } = await compileModule(file, { ...options, outDir, archs: ['sm_90'] });
  delete process.env.NVCC_APPEND_FLAGS;
  assert.is(path.basename(artefact.file), path.basename(plain));
  assert.ok(readFileSync(artefact.file).includes('version 13.0 flags .'));
});

test.run();
