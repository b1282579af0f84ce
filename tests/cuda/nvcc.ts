// Compiles the kernels of examples with nvcc and reads what its assembler says about registers. Run by itself it takes all programs of examples/, or those
// that are named, for both architectures and in every precision: `npm run cuda-examples -- mlp text/gpt`.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { cudaFolder } from '../../codegen/build/cuda.js';
import { findNvcc, NVCC_FLAGS } from '../../codegen/build/nvcc.js';
import { run } from '../../codegen/build/process.js';
import { generate } from '../../codegen/generate.js';
import type { Precision } from '../../codegen/kernel/gpu/schedule.js';
import { chosen, type Example, programs } from '../examples/examples.js';
import { fileOf } from './examples.js';

/** What the assembler says about a kernel. */
export interface Usage {
  readonly kernel: string;
  readonly registers: number;
  /** Bytes that a thread writes to memory because it has too few registers. */
  readonly spilled: number;
}

/** No emitted kernel may spill more than this. */
export const MOST_SPILLED = 64;

/** Compiles all kernels of an example for an architecture; throws with what nvcc says where it refuses one. */
export const usageOf = (nvcc: string, name: string, arch: string): Promise<readonly Usage[]> =>
  usageOfFile(nvcc, fileOf(name), arch);

/** The same for any program. */
export const usageOfFile = (
  nvcc: string,
  source: string,
  arch: string,
  precision: Precision = 'f32',
): Promise<readonly Usage[]> => usageOfKernels(nvcc, kernelsOf(source, precision), `${source} for ${arch}`, arch);

/** The kernels of a program as they are printed. */
function kernelsOf(source: string, precision: Precision): string {
  const { program } = lower(loadProgram(source, { dims: {} }), precision);
  const { sources } = generate(program, { target: 'cuda', version: 'test', sourceHash: 'test', files: 1, precision });
  return sources.get('kernels_0.cu') ?? '';
}

/** Products that wait for one another, because registers do not suffice for them, are an error as well. */
async function usageOfKernels(nvcc: string, text: string, what: string, arch: string): Promise<readonly Usage[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-nvcc-'));
  try {
    const file = path.join(folder, 'kernels_0.cu');
    writeFileSync(file, text);
    const flags = [...NVCC_FLAGS, '-cubin', `-arch=${arch}`, '-Xptxas', '-v', '-I', cudaFolder()];
    const { status, output } = await run([nvcc, ...flags, file, '-o', path.join(folder, 'kernels.cubin')]);
    if (status !== 0 || output.includes('Performance Loss'))
      throw new Error(`nvcc on the kernels of ${what}:\n${output}`);
    return usagesIn(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function usagesIn(output: string): readonly Usage[] {
  const found = output.matchAll(
    /Compiling entry function '(\w+)'[\s\S]*?(\d+) bytes spill stores[\s\S]*?Used (\d+) registers/g,
  );
  return [...found].map(([, kernel = '', spilled, registers]) => ({
    kernel,
    spilled: Number(spilled),
    registers: Number(registers),
  }));
}

/** Compiles an example for an architecture in each precision that changes its kernels, and prints what the assembler says. */
async function report(nvcc: string, { name, file }: Example, arch: string): Promise<void> {
  const seen = new Set<string>();
  for (const precision of ['f32', 'tf32', 'bf16'] as const) {
    const text = kernelsOf(file, precision);
    if (seen.has(text)) continue;
    seen.add(text);
    const usages = await usageOfKernels(nvcc, text, `${name} in ${precision} for ${arch}`, arch);
    const most = Math.max(...usages.map(({ registers }) => registers));
    const spilled = Math.max(...usages.map((usage) => usage.spilled));
    const place = `${name.padEnd(44)} ${arch.padEnd(7)} ${precision.padEnd(5)}`;
    console.log(`${place} ${usages.length} kernels, at most ${most} registers and ${spilled} bytes of spills`);
    for (const usage of usages.filter((each) => each.spilled > MOST_SPILLED)) {
      console.log(`  SPILLS ${usage.kernel}: ${usage.spilled} bytes`);
      process.exitCode = 1;
    }
  }
}

async function main(): Promise<void> {
  const wanted = chosen(programs, process.argv.slice(2));
  const nvcc = await findNvcc();
  if (nvcc === undefined) {
    console.log('SKIP nvcc was not found');
    return;
  }
  for (const example of wanted)
    await Promise.all(['sm_80', 'sm_90a'].map((arch) => report(nvcc.program, example, arch)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main().catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
