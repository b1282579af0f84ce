// What machine code depends on besides the text of its program: compilers, what the environment tells them, and the processor.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { explainFailure } from './doctor.js';
import { findNvcc } from './nvcc.js';
import { compilers, run } from './process.js';

/** A short hash of texts, for names of files and folders. */
export function hashOf(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** What identifies the compilers: the same text, the same machine code. */
export async function compilerIdentity(): Promise<string> {
  const { c, cxx } = compilers();
  const versions = await Promise.all([c, cxx].map((program) => run([program, '--version'])));
  if (versions.some(({ status }) => status !== 0)) throw await explainFailure('the compiler', '');
  return versions.map(({ output }) => output.split('\n')[0]).join(', ');
}

/** What `native` stands for here: outputs for one machine must not be taken for outputs for another that shares the folder. */
export async function machineIdentity(cpus: readonly string[]): Promise<string> {
  if (!cpus.includes('native')) return '';
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return /^(?:flags|Features)\s*:.*$/m.exec(text)?.[0] ?? os.cpus()[0]?.model ?? '';
}

const nvccIdentity = async (): Promise<string> => (await findNvcc())?.version ?? '';

/** Variables by which the environment changes what compilers and CMake do. */
const ENVIRONMENT =
  /^(?:CC|CXX|NVCC|NVCC_CCBIN|CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|COMPILER_PATH|GCC_EXEC_PREFIX|SDKROOT|MACOSX_DEPLOYMENT_TARGET|CMAKE_\w+)$/;

/** Everything on this machine that native code for CPUs, or for GPUs too, depends on. */
export async function toolchainIdentity(
  cpus: readonly string[],
  forGpu: boolean,
  compilers = compilerIdentity(),
): Promise<string> {
  const [compiler, machine, nvcc] = await Promise.all([compilers, machineIdentity(cpus), forGpu ? nvccIdentity() : '']);
  const environment = Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name));
  const parts = [process.platform, process.arch, compiler, machine, nvcc];
  return hashOf([...parts, ...environment.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('='))]);
}
