// `npm run bench-gpu-build -- DIR`: builds what bench/gpu/check.py needs, on any machine with nvcc: libraries for GPUs, small enough to copy. With
// `--emulated` the libraries run on the CPU, which tests the script itself.

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
  for (const name of ['mlp', 'lenet']) {
    const file = path.join(packageRoot, 'examples', `${name}.td`);
    const { artefact } = await compileModule(file, { outDir: path.join(directory, name), emit: 'lib', cuda });
    console.log(`${path.relative(directory, artefact.file)} ${Math.round(artefact.bytes / 1024)} KB`);
  }
  if (conformance !== undefined) await buildConformance(conformance, directory, cuda, group);
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'tdsl-wrappers-'));
  await buildWrappers(directory, scratch, emulated === true ? [] : DEFAULT_ARCHS);
  rmSync(scratch, { recursive: true });
  copyFileSync(path.join(source, 'check.py'), path.join(directory, 'check.py'));
  const bytes = readdirSync(directory, { recursive: true })
    .map((name) => statSync(path.join(directory, String(name))))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
  if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes are more than a GPU machine takes (${MOST_BYTES})`);
}

await new Command('bench-gpu-build')
  .argument('<dir>', 'where the libraries go')
  .option('--emulated', 'libraries that run on the CPU, to test the script')
  .option('--conformance <dir>', 'also the reference cases of a folder')
  .option('--group <name>', 'of these only one group')
  .action(build)
  .parseAsync();
