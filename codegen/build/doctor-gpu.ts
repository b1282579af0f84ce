// Finds out what this machine has for GPUs. Nothing else needs it, so that what is missing is told and is no failure.

import type { Finding } from './doctor.js';
import { findNvcc, withoutNvcc } from './nvcc.js';
import { run } from './process.js';

async function nvcc(): Promise<Finding> {
  const name = 'nvcc';
  const found = await findNvcc();
  if (found !== undefined) {
    const version = /release [\d.]+(?:, V[\d.]+)?/.exec(found.version)?.[0] ?? 'unknown version';
    return { name, ok: true, found: `${found.program} ${version}` };
  }
  const hint =
    'only --target cuda needs it, for its kernels (--emit source does not): install the CUDA toolkit, or set NVCC to its compiler';
  return { name, ok: false, optional: true, found: withoutNvcc(), hint };
}

/** Loads the driver as models do, in a process of its own; what it says is why not, or that the library is not for Node. */
const LOAD = "try { process.dlopen({ exports: {} }, 'libcuda.so.1') } catch ({ message }) { console.log(message) }";
const IS_LOADED = /did not self-register/;

async function driver(): Promise<Finding> {
  const name = 'CUDA driver';
  const { output } = await run([process.execPath, '-e', LOAD]);
  const hint =
    'only running models for GPUs needs it: install the driver of the GPU; --backend cuda-emulated runs their kernels on the CPU';
  if (!IS_LOADED.test(output)) return { name, ok: false, optional: true, found: output.trim(), hint };
  const query = ['nvidia-smi', '--query-gpu=name,driver_version,compute_cap', '--format=csv,noheader'];
  const { status, output: gpus } = await run(query);
  const devices =
    status === 0 ? gpus.trim().split('\n').join('; ') : `nvidia-smi names no GPUs: ${gpus.trim().split('\n')[0]}`;
  return { name, ok: true, found: `libcuda.so.1, ${devices}` };
}

/** Looks at what compiling for GPUs, and running there, needs. */
export const diagnoseGpu = (): Promise<Finding[]> => Promise.all([nvcc(), driver()]);
