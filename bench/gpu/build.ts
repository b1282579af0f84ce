// `npm run bench-gpu-build -- DIR`: builds what bench/gpu/check.py needs, on any machine with nvcc and Python: libraries for GPUs, small enough to copy,
// and the losses of training steps on the CPU. With `--emulated` the libraries run on the CPU, which tests the script itself.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { compileModule } from '../../cli/module.js';
import { packageRoot } from '../../cli/package.js';
import { DEFAULT_ARCHS } from '../../codegen/generate.js';
import { buildConformance } from './conformance.js';
import { buildWrappers } from './wrappers.js';

const precisions = ['f32', 'tf32', 'bf16'] as const;
/** Networks of bench/models that are trained; those that are too much for the emulator are left out there. */
const training = [
  { name: 'mlp', isLarge: false },
  { name: 'lenet', isLarge: false },
  { name: 'vgg', isLarge: true },
  { name: 'gpt', isLarge: true },
] as const;
/** The libraries, copied and all, must fit. */
const MOST_BYTES = 64 * 2 ** 20;

interface Options {
  readonly emulated?: boolean;
  readonly conformance?: string;
  readonly group?: string;
}

async function build(directory: string, { emulated, conformance, group }: Options): Promise<void> {
  const source = path.join(packageRoot, 'bench', 'gpu');
  const cuda = emulated === true ? 'emulated' : 'gpu';
  mkdirSync(directory, { recursive: true });
  for (const precision of precisions) {
    const outDir = path.join(directory, precision);
    const { artefact } = await compileModule(path.join(source, 'workloads.td'), {
      outDir,
      emit: 'lib',
      cuda,
      precision,
    });
    console.log(`${path.relative(directory, artefact.file)} ${Math.round(artefact.bytes / 1024)} KB`);
  }
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'tdsl-bench-gpu-'));
  const trained = training.filter(({ isLarge }) => !(isLarge && cuda === 'emulated'));
  for (const { name } of trained) {
    const file = path.join(packageRoot, 'bench', 'models', `${name}.td`);
    await compileModule(file, { outDir: path.join(scratch, 'training', 'f32', name), emit: 'lib' });
    for (const precision of precisions) {
      const outDir = path.join(directory, 'training', precision, name);
      const { artefact } = await compileModule(file, { outDir, emit: 'lib', cuda, precision });
      console.log(`${path.relative(directory, artefact.file)} ${Math.round(artefact.bytes / 1024)} KB`);
    }
  }
  for (const file of readdirSync(source).filter((name) => name.endsWith('.py'))) {
    copyFileSync(path.join(source, file), path.join(directory, file));
  }
  copyFileSync(path.join(packageRoot, 'bench', 'peers', 'networks.py'), path.join(directory, 'networks.py'));
  recordLosses(directory, scratch);
  if (conformance !== undefined) await buildConformance(conformance, directory, cuda, group);
  mkdirSync(path.join(scratch, 'wrappers'));
  await buildWrappers(directory, path.join(scratch, 'wrappers'), emulated === true ? [] : DEFAULT_ARCHS);
  rmSync(scratch, { recursive: true });
  const bytes = readdirSync(directory, { recursive: true })
    .map((name) => statSync(path.join(directory, String(name))))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
  if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes are more than a GPU machine takes (${MOST_BYTES})`);
}

/** Writes the losses of the programs in `scratch`, which are for the CPU, beside the libraries for GPUs. */
function recordLosses(directory: string, scratch: string): void {
  const script = path.join(directory, 'plain.py');
  const { status, stderr } = spawnSync('python3', ['-B', script, scratch, 'training', '--record'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the losses of training steps on the CPU: ${stderr}`);
  const folder = path.join('training', 'f32');
  for (const name of readdirSync(path.join(scratch, folder))) {
    copyFileSync(path.join(scratch, folder, name, 'losses.json'), path.join(directory, folder, name, 'losses.json'));
  }
}

await new Command('bench-gpu-build')
  .argument('<dir>', 'where the libraries go')
  .option('--emulated', 'libraries that run on the CPU, to test the script')
  .option('--conformance <dir>', 'also the reference cases of a folder')
  .option('--group <name>', 'of these only one group')
  .action(build)
  .parseAsync();
