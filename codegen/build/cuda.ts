// Builds CUDA models: kernels by nvcc for GPUs, or by the C++ compiler for the emulator, and the host code by the C compiler. The compilers
// are called directly: there is little to configure, and nothing of CUDA is linked.

import { existsSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../runtime/io/folders.js';
import { explainFailure } from './doctor.js';
import { EmittedCodeError } from './errors.js';
import { writeAll } from './files.js';
import { compilerIdentity, hashOf, toolchainIdentity } from './identity.js';
import type { BuildRequest, BuildResult } from './index.js';
import { runAll } from './jobs.js';
import { archFlags, NVCC_FLAGS, runNvcc } from './nvcc.js';
import { runtimeObjects, runtimeSources } from './objects.js';
import { Output } from './output.js';
import { packageRoot, packageVersion, writableCache } from './places.js';
import { compilers } from './process.js';
import { temporaryFolder } from './temporary.js';

/** What runs the kernels: a GPU, or the CPU through the emulator, with or without checks of every access. */
export type CudaKind = 'gpu' | 'emulated' | 'checked';

export interface CudaRequest extends Omit<BuildRequest, 'cpu'> {
  readonly kind: CudaKind;
  /** For GPUs, the architectures as nvcc names them: `sm_80` for machine code, `compute_90` for PTX. */
  readonly archs: readonly string[];
}

const HOST_FLAGS = ['-O2', '-std=gnu11', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fwrapv'];
const EMULATED_FLAGS = [
  '-std=c++17',
  '-fPIC',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fwrapv',
  '-fno-math-errno',
];

/** How kernels are compiled for the emulator. Checked code calls a function for every access, which the emulator defines. */
export const emulatedFlags = (kind: CudaKind): readonly string[] =>
  kind === 'checked'
    ? [...EMULATED_FLAGS, '-O1', '-g1', '-fsanitize=thread', '--param', 'tsan-instrument-func-entry-exit=0']
    : [...EMULATED_FLAGS, '-O1', ...(process.arch === 'x64' ? ['-march=native'] : [])];

export const cudaFolder = (): string => path.join(packageRoot(), 'codegen', 'rts', 'cuda');

/** Names and texts of the files of the run-time system for GPUs. */
export async function cudaSources(): Promise<Map<string, string>> {
  const folder = cudaFolder();
  const names = (await readdir(folder)).filter((name) => /\.(c|h|cuh|cpp)$/.test(name)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const)),
  );
}

/** The objects that all CUDA models of a kind link, compiled once a machine and kept in the cache. */
async function cudaObjects(kind: CudaKind, identity: string): Promise<string> {
  const sources = await cudaSources();
  const shared = await runtimeSources();
  const cache = await writableCache();
  const key = hashOf([await packageVersion(), identity, process.arch, kind, ...sources.values(), ...shared.values()]);
  const target = path.join(cache, `cuda-${key}`);
  if (existsSync(target)) return target;
  const temporary = await temporaryFolder(cache, 'building-');
  const folder = temporary.path;
  try {
    const { c, cxx } = compilers();
    const includes = ['-I', cudaFolder(), '-I', path.dirname(cudaFolder())];
    const define = kind === 'checked' ? ['-DTDSL_CHECKED'] : [];
    const units = [...sources.keys()].filter(
      (name) => name.endsWith('.c') || (name.endsWith('.cpp') && kind !== 'gpu'),
    );
    const failure = await runAll(
      units.map((name) => {
        const compiler = name.endsWith('.c') ? [c, ...HOST_FLAGS] : [cxx, ...EMULATED_FLAGS, '-O2', ...define];
        return [...compiler, ...includes, '-c', path.join(cudaFolder(), name), '-o', `${name}.o`];
      }),
      folder,
    );
    if (failure !== undefined) throw await explainFailure('compiling the run-time system for CUDA', failure);
    await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await temporary.release();
  }
  return target;
}

/** Compiles the kernels in a folder that holds them; the failure of a compiler, or undefined. */
function compileKernels(
  { kind, archs }: CudaRequest,
  files: readonly string[],
  folder: string,
): Promise<string | undefined> {
  const include = ['-I', cudaFolder()];
  if (kind === 'gpu') return runNvcc(archs, include, files, folder);
  const { cxx } = compilers();
  const flags = emulatedFlags(kind);
  return runAll(
    files.map((file) => [cxx, ...flags, ...include, '-x', 'c++', '-c', file, '-o', `${file}.o`]),
    folder,
  );
}

/** The folders with the objects that models of a kind link: those of all models, and those of CUDA. */
interface SharedObjects {
  readonly common: string;
  readonly own: string;
}

async function sharedObjects(kind: CudaKind, compilers: Promise<string>): Promise<SharedObjects> {
  const identity = await compilers;
  return { common: await runtimeObjects(identity), own: await cudaObjects(kind, identity) };
}

/** Compiles and links in a folder that holds the sources; the failure of a compiler, or undefined. */
async function compileIn(
  folder: string,
  request: CudaRequest,
  { common, own }: SharedObjects,
  output: string,
): Promise<string | undefined> {
  const { sources, kind, emit = 'addon' } = request;
  const { c, cxx } = compilers();
  const devices = [...sources.keys()].filter((file) => file.endsWith('.cu'));
  const failure = await compileKernels(request, devices, folder);
  if (failure !== undefined) return failure;
  const includes = ['-I', cudaFolder(), '-I', path.dirname(cudaFolder()), '-I', folder];
  const define = kind === 'gpu' ? [] : ['-DTDSL_EMULATED'];
  const hosts = [...sources.keys()].filter((file) => file.endsWith('.c'));
  const failed = await runAll(
    hosts.map((file) => [c, ...HOST_FLAGS, ...define, ...includes, '-c', file, '-o', `${file}.o`]),
    folder,
  );
  if (failed !== undefined) return failed;
  const objects = [
    ...hosts.map((file) => `${file}.o`),
    ...(kind === 'gpu' ? [] : devices.map((file) => `${file}.o`)),
    path.join(common, 'rts', 'tdsl_rts.c.o'),
    ...(await readdir(own)).map((file) => path.join(own, file)),
    ...(emit === 'addon'
      ? (await readdir(path.join(common, 'binding'))).map((f) => path.join(common, 'binding', f))
      : []),
  ];
  // A plain library for GPUs needs nothing but the C library.
  const linker = kind === 'gpu' && emit === 'lib' ? [c] : [cxx];
  return runAll(
    [[...linker, '-shared', '-Wl,-Bsymbolic', '-o', output, ...objects, '-lm', '-ldl', '-pthread']],
    folder,
  );
}

/** Builds a CUDA model; see `buildAddon` for what comes out. */
export async function buildCuda(request: CudaRequest): Promise<BuildResult> {
  const started = performance.now();
  const { sources, name, emit, kind, archs, compilers: asked = compilerIdentity() } = request;
  const { meanwhile = async () => undefined } = request;
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) throw new Error(`'${name}' cannot name a file`);
  if (emit === 'source') return writeCudaSources(request, started);
  const isGpu = kind === 'gpu';
  const shared = await sharedObjects(kind, asked);
  const output = new Output(
    request,
    hashOf([
      await packageVersion(),
      // The emulator's kernels are compiled for this machine.
      await toolchainIdentity(isGpu ? [] : ['native'], isGpu, asked),
      kind,
      ...HOST_FLAGS,
      ...(isGpu ? [...NVCC_FLAGS, ...archFlags(archs)] : emulatedFlags(kind)),
      ...Object.values(shared).map((place) => path.basename(place)),
      ...[...sources].sort(([a], [b]) => (a < b ? -1 : 1)).flat(),
    ]),
  );
  if (output.isThere) {
    await meanwhile();
    return output.result(started);
  }
  const temporary = await temporaryFolder(await writableCache(), `${name}-`);
  const folder = temporary.path;
  let keep = false;
  try {
    await writeAll(folder, sources);
    const [failure] = await Promise.all([
      compileIn(folder, request, shared, path.join(folder, 'model.so')),
      meanwhile(),
    ]);
    if (failure !== undefined) {
      keep = true;
      throw new EmittedCodeError(folder, failure);
    }
    await output.put(path.join(folder, 'model.so'));
    return await output.result(started);
  } finally {
    await temporary.release({ keep });
  }
}

/**
 * Builds a stand-in for the CUDA driver, `libcuda.so.1` over the emulator, and a library with the kernels of a model for it: with both, a
 * model for GPUs runs on a machine without one. For tests of host code.
 */
export async function buildStandIn(
  name: string,
  deviceFiles: ReadonlyMap<string, string>,
  folder: string,
): Promise<{ readonly folder: string; readonly kernels: string }> {
  const { cxx } = compilers();
  makeFolder(folder);
  await writeAll(folder, deviceFiles);
  const include = ['-I', cudaFolder()];
  // The driver exports the emulator, so that the kernels' library registers with it.
  const flags = ['-std=c++17', '-O1', '-fPIC', '-shared', '-DTDSL_STAND_IN', ...include];
  const parts = ['run', 'memory', 'async', 'hopper', 'driver'].map((part) =>
    path.join(cudaFolder(), `tdsl_emu_${part}.cpp`),
  );
  const kernels = path.join(folder, `lib${name}_kernels.so`);
  const driver = [cxx, ...flags, '-Wl,-soname,libcuda.so.1', ...parts, '-o', 'libcuda.so.1', '-ldl', '-pthread'];
  const emulated = ['-fwrapv', '-ffp-contract=off', '-x', 'c++', ...deviceFiles.keys(), '-x', 'none', 'libcuda.so.1'];
  const failure =
    (await runAll([driver], folder)) ?? (await runAll([[cxx, ...flags, ...emulated, '-o', kernels]], folder));
  if (failure !== undefined) throw new EmittedCodeError(folder, failure);
  return { folder, kernels };
}

/** Writes the sources of a model and one command line that builds it with nvcc, or for the emulator with `EMULATED=1` or `CHECKED=1`. */
async function writeCudaSources(request: CudaRequest, started: number): Promise<BuildResult> {
  const { sources, outDir, name, archs } = request;
  const shared = [...(await runtimeSources())].filter(
    ([file]) => /^tdsl_(rts|device|model|cpu)\.[ch]$/.test(file) && file !== 'tdsl_cpu.c',
  );
  const all = new Map([...shared, ...(await cudaSources()), ...sources]);
  const list = (pattern: RegExp): string => [...all.keys()].filter((file) => pattern.test(file)).join(' ');
  const script = `#!/bin/sh
# Builds lib${name}.so: with nvcc for GPUs, with EMULATED=1 for the CPU through the emulator, or with CHECKED=1 for the emulator that watches every access.
set -e
CC="\${CC:-cc}" CXX="\${CXX:-c++}" NVCC="\${NVCC:-nvcc}"
define= objects= link="$CC"
kernels="${emulatedFlags('emulated').join(' ')}" emulator=
if [ -n "$CHECKED" ]; then
  EMULATED=1 kernels="${emulatedFlags('checked').join(' ')}" emulator=-DTDSL_CHECKED
fi
if [ -n "$EMULATED" ]; then
  define=-DTDSL_EMULATED link="$CXX"
  for file in ${list(/\.cu$/)}; do $CXX $kernels -I. -x c++ -c "$file" -o "$file.o"; objects="$objects $file.o"; done
  for file in ${list(/\.cpp$/)}; do $CXX ${EMULATED_FLAGS.join(' ')} -O2 $emulator -c "$file" -o "$file.o"; objects="$objects $file.o"; done
else
  for file in ${list(/\.cu$/)}; do $NVCC ${NVCC_FLAGS.join(' ')} -I. -fatbin ${archFlags(archs).join(' ')} "$file" -o "\${file%.cu}.fatbin"; done
fi
for file in ${list(/\.c$/)}; do $CC ${HOST_FLAGS.join(' ')} $define -I. -c "$file" -o "$file.o"; objects="$objects $file.o"; done
$link -shared -Wl,-Bsymbolic -o lib${name}.so $objects -lm -ldl -pthread
`;
  makeFolder(outDir);
  const { bytes, files } = await writeAll(outDir, [...all, ['build.sh', script]]);
  return { file: outDir, files, bytes, milliseconds: performance.now() - started, cached: false };
}
