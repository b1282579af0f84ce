// Compiles kernels for GPUs by nvcc: where it is, the flags, and what is said where it is missing or does not know an architecture.

import { ToolchainError } from './errors.js';
import { runAll } from './jobs.js';
import { run } from './process.js';

/** Fused operations are explicit in emitted code, so nvcc makes none of its own. Values that nothing uses are left to nvcc. */
export const NVCC_FLAGS = ['-std=c++17', '-fmad=false', '-diag-suppress', '177', '-Xfatbin', '-compress-all'];

/** `-gencode` options for nvcc. */
export const archFlags = (archs: readonly string[]): readonly string[] =>
  archs.flatMap((arch) => ['-gencode', `arch=${arch.replace(/^sm_/, 'compute_')},code=${arch}`]);

/** nvcc, and what it says of its version. */
interface Nvcc {
  readonly program: string;
  readonly version: string;
}

/** nvcc: `$NVCC` and no other where that is set, else on the path or where CUDA's installer puts it; undefined where there is none. */
export async function findNvcc(): Promise<Nvcc | undefined> {
  const { NVCC } = process.env;
  for (const program of NVCC ? [NVCC] : ['nvcc', '/usr/local/cuda/bin/nvcc']) {
    const { status, output } = await run([program, '--version']);
    if (status === 0) return { program, version: output };
  }
  return undefined;
}

/** How messages say that there is none. */
export const withoutNvcc = (): string => {
  const { NVCC } = process.env;
  return NVCC ? `not found, NVCC names ${NVCC}` : 'not found';
};

async function needNvcc(): Promise<string> {
  const nvcc = await findNvcc();
  if (nvcc !== undefined) return nvcc.program;
  throw new ToolchainError(
    `cannot compile kernels for GPUs: nvcc was ${withoutNvcc()}`,
    'install the CUDA toolkit, or set NVCC to its compiler; --emit source needs none, and --backend cuda-emulated runs the kernels on the CPU',
  );
}

/** The architectures that this nvcc lists. Those with a letter behind the number, which it takes too, are not among them. */
async function knownArchs(nvcc: string): Promise<string> {
  const lists = await Promise.all(['--list-gpu-code', '--list-gpu-arch'].map((list) => run([nvcc, list])));
  return lists.flatMap(({ output }) => output.trim().split(/\s+/)).join(', ');
}

/** Compiles files of kernels in their folder to one fatbin each; what nvcc said where it refused them. */
export async function runNvcc(
  archs: readonly string[],
  options: readonly string[],
  files: readonly string[],
  folder: string,
): Promise<string | undefined> {
  const nvcc = await needNvcc();
  const command = [nvcc, ...NVCC_FLAGS, ...options, '-fatbin', ...archFlags(archs)];
  const failure = await runAll(
    files.map((file) => [...command, file, '-o', file.replace(/cu$/, 'fatbin')]),
    folder,
  );
  const unknown = /Unsupported gpu architecture '(\w+)'/.exec(failure ?? '')?.[1];
  if (unknown === undefined) return failure;
  throw new ToolchainError(
    `cannot compile kernels for ${archs.join(', ')}: ${nvcc} does not know the architecture ${unknown}; it knows ${await knownArchs(nvcc)}`,
    'choose architectures with --arch, or install a CUDA toolkit that knows this one and set NVCC to its compiler',
  );
}
