// Builds what bench/gpu/wrappers.py compares: the kernels of wrappers.cu for GPUs, and the results that the emulator has for them.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../cli/package.js';
import { buildStandIn, cudaFolder } from '../../codegen/build/cuda.js';
import { archFlags, findNvcc, NVCC_FLAGS } from '../../codegen/build/nvcc.js';

/** What images of GPU code begin with; the stand-in for a driver takes an image of nothing else. */
const IMAGE = Buffer.from([0x50, 0xed, 0x55, 0xba]);

function execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
}

/** Builds into a folder, in `scratch` what only the results need. Without `archs` there is no code for GPUs, which tests the script. */
export async function buildWrappers(
  directory: string,
  scratch: string,
  archs: readonly string[],
): Promise<NodeJS.ProcessEnv> {
  const source = path.join(packageRoot, 'bench', 'gpu');
  const image = path.join(directory, 'wrappers.fatbin');
  mkdirSync(directory, { recursive: true });
  copyFileSync(path.join(source, 'wrappers.py'), path.join(directory, 'wrappers.py'));
  const text = readFileSync(path.join(source, 'wrappers.cu'), 'utf8');
  const standIn = await buildStandIn('wrappers', new Map([['wrappers.cu', text]]), scratch);
  const env = { ...process.env, LD_LIBRARY_PATH: standIn.folder, TDSL_STAND_IN_KERNELS: standIn.kernels };
  writeFileSync(image, IMAGE);
  execute('python3', [path.join(directory, 'wrappers.py'), directory, '--record'], env);
  if (archs.length === 0) return env;
  const nvcc = await findNvcc();
  if (nvcc === undefined) throw new Error('nvcc was not found');
  const flags = [...NVCC_FLAGS, '-I', cudaFolder(), '-fatbin', ...archFlags(archs)];
  execute(nvcc.program, [...flags, path.join(source, 'wrappers.cu'), '-o', image]);
  return env;
}
