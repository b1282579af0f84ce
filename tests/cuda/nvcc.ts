// Compiles the kernels of examples with nvcc and reads what its assembler says about registers. Run by itself it takes all examples and both
// architectures, or those that are named: `npm run cuda-examples -- mlp text/gpt`.

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
import { examples } from '../examples/examples.js';
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

/** The same for any program. Products that wait for one another, because registers do not suffice for them, are an error as well. */
export async function usageOfFile(
  nvcc: string,
  source: string,
  arch: string,
  precision: Precision = 'f32',
): Promise<readonly Usage[]> {
  const { program } = lower(loadProgram(source, { dims: {} }));
  const { sources } = generate(program, { target: 'cuda', version: 'test', sourceHash: 'test', files: 1, precision });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-nvcc-'));
  try {
    const file = path.join(folder, 'kernels_0.cu');
    writeFileSync(file, sources.get('kernels_0.cu') ?? '');
    const flags = [...NVCC_FLAGS, '-cubin', `-arch=${arch}`, '-Xptxas', '-v', '-I', cudaFolder()];
    const { status, output } = await run([nvcc, ...flags, file, '-o', path.join(folder, 'kernels.cubin')]);
    if (status !== 0 || output.includes('Performance Loss'))
      throw new Error(`nvcc on the kernels of ${source} for ${arch}:\n${output}`);
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

async function main(): Promise<void> {
  const nvcc = await findNvcc();
  if (nvcc === undefined) {
    console.log('SKIP nvcc was not found');
    return;
  }
  const only = process.argv.slice(2);
  for (const { name } of examples.filter((example) => only.length === 0 || only.includes(example.name))) {
    for (const arch of ['sm_80', 'sm_90a']) {
      const usages = await usageOf(nvcc.program, name, arch);
      const most = Math.max(...usages.map(({ registers }) => registers));
      const bad = usages.filter(({ spilled }) => spilled > MOST_SPILLED);
      console.log(`${name.padEnd(20)} ${arch.padEnd(8)} ${usages.length} kernels, at most ${most} registers`);
      for (const { kernel, spilled } of bad) console.log(`  SPILLS ${kernel}: ${spilled} bytes`);
      if (bad.length > 0) process.exitCode = 1;
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
