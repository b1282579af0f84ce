// Builds emitted C into a native module: an addon for Node, a plain shared library, or a folder of sources that needs neither.

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmittedCodeError } from './errors.js';
import { publish, writeAll } from './files.js';
import { compilerIdentity, hashOf, machineIdentity } from './identity.js';
import { runAll } from './jobs.js';
import { runtimeObjects, runtimeSources } from './objects.js';
import { packageRoot, packageVersion, writableCache } from './places.js';
import { compilers } from './process.js';
import { cpuOption } from './target.js';
import { temporaryFolder } from './temporary.js';
import { compileUnits, precompile, type Sources, type Unit } from './units.js';

export { diagnose, type Finding, formatFinding } from './doctor.js';
export { EmittedCodeError, ToolchainError } from './errors.js';

export interface BuildRequest {
  /** Emitted files by name (`model.c`, `kernels_0.c`, …); each C file is a translation unit, and they are compiled side by side. */
  readonly sources: ReadonlyMap<string, string>;
  readonly outDir: string;
  /** The model's name: of the library, and in messages. */
  readonly name: string;
  /** `dev` compiles faster and runs slower. */
  readonly mode?: 'release' | 'dev';
  readonly emit?: 'addon' | 'lib' | 'source';
  /**
   * What `-march` takes; `native`, which it is without any, is this machine. For several, the files `kernels_*.c` are compiled once for each, with
   * TDSL_VERSION as its number, and all others for the plainest CPU.
   */
  readonly cpus?: readonly string[];
  /** Work for this process while the compilers run. */
  readonly meanwhile?: () => Promise<void>;
}

export interface BuildResult {
  /** The addon, the library, or the folder of sources. */
  readonly file: string;
  /** All files that make up the output. */
  readonly files: readonly string[];
  readonly bytes: number;
  readonly milliseconds: number;
  /** True where the output was there already. */
  readonly cached: boolean;
}

/**
 * The flags of emitted code. Contraction is off because fused operations are explicit in the IR; traps and errno are what no kernel looks
 * at; anything of -ffast-math would change results. Predictive commoning carries elements from one iteration to the next, for which tiles
 * have no registers left.
 */
function flags(mode: 'release' | 'dev'): string[] {
  return [
    mode === 'dev' ? '-O1' : '-O2',
    '-fno-math-errno',
    '-fno-trapping-math',
    '-fno-predictive-commoning',
    '-ffp-contract=off',
    '-fwrapv',
  ];
}

/** The CPU of a file that is not compiled for each of several. */
const plainCpu = (cpus: readonly string[]): string => (cpus.length === 1 ? (cpus[0] as string) : 'generic');

/** What every file is compiled with, emitted or not. */
const COMMON_FLAGS = ['-std=gnu11', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off'];

/** Calls inside a library must not reach the functions of another model that is loaded beside it, which is so anyway on macOS. */
const LINK_FLAGS =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-Wl,-Bsymbolic'];

/** The header that files of kernels begin with: those of the instructions are long. */
const INSTRUCTIONS = 'instructions.h';

const isKernels = (file: string): boolean => /^kernels_.*\.c$/.test(file);

/** Emitted files by themselves, with the run-time system and one command line that builds them. */
async function writeSources(request: BuildRequest, started: number): Promise<BuildResult> {
  const { sources, outDir, name, mode = 'release', cpus = ['native'] } = request;
  const rts = await runtimeSources();
  const units = [...sources.keys()].filter((file) => file.endsWith('.c'));
  const parts = [...rts.keys()].filter((file) => file.endsWith('.c'));
  const versions = cpus.length === 1 ? [] : cpus;
  const common = units.filter((file) => versions.length === 0 || !isKernels(file));
  const kernels = units.filter(isKernels);
  const compile = (cpu: string): string => `$CC $common ${[...flags(mode), cpuOption(cpu)].join(' ')}`;
  const objects = [...parts, ...common].map((file) => file.replace(/c$/, 'o'));
  const ofVersion = versions.map((cpu, version) => ({
    line: `for file in ${kernels.join(' ')}; do ${compile(cpu)} -DTDSL_VERSION=${version} -c "$file" -o "\${file%.c}_v${version}.o"; done\n`,
    objects: kernels.map((file) => file.replace(/\.c$/, `_v${version}.o`)),
  }));
  const script = `#!/bin/sh
# Builds lib${name}.so. The run-time system is compiled for the plainest CPU, so that a machine that lacks a feature of the kernels gets an
# error from tdsl_create and not an illegal instruction.
set -e
CC="\${CC:-cc}"
common="${COMMON_FLAGS.join(' ')}"
for file in ${parts.join(' ')}; do $CC $common -O2 -c "$file"; done
for file in ${common.join(' ')}; do ${compile(plainCpu(cpus))} -c "$file"; done
${ofVersion.map(({ line }) => line).join('')}$CC -shared -Wl,-Bsymbolic -o lib${name}.so ${[...objects, ...ofVersion.flatMap((each) => each.objects)].join(' ')} -lm -pthread
`;
  await mkdir(outDir, { recursive: true });
  const { bytes, files } = await writeAll(outDir, [...rts, ...sources, ['build.sh', script]]);
  return { file: outDir, files, bytes, milliseconds: performance.now() - started, cached: false };
}

/** The files to compile, those of kernels once for each CPU where there are several. */
function unitsOf({ sources, mode = 'release', cpus = ['native'] }: BuildRequest): readonly Unit[] {
  const files = [...sources.keys()].filter((file) => file.endsWith('.c'));
  const options = (cpu: string): string[] => [...COMMON_FLAGS, ...flags(mode), cpuOption(cpu)];
  return files.flatMap((file) => {
    if (cpus.length === 1 || !isKernels(file)) return [{ file, options: options(plainCpu(cpus)) }];
    return cpus.map((cpu, version) => ({ file, options: [...options(cpu), `-DTDSL_VERSION=${version}`] }));
  });
}

/** The file that is linked, in the folder of the build. */
const OUTPUT = 'model.so';

interface Link {
  readonly identity: string;
  /** The folder with the objects that all models link. */
  readonly runtime: string;
  readonly emit: 'addon' | 'lib';
  readonly meanwhile: () => Promise<void>;
}

/** Builds the library in the folder of the sources; what the compiler said where it refused them. */
async function compileAndLink(
  units: readonly Unit[],
  sources: Sources,
  { identity, runtime, emit, meanwhile }: Link,
): Promise<string | undefined> {
  const kernels = units.filter(({ file }) => sources.texts.get(file)?.includes(`#include "${INSTRUCTIONS}"`));
  await precompile(INSTRUCTIONS, kernels, sources, identity);
  const compiled = await compileUnits(units, sources, identity, meanwhile);
  if ('failure' in compiled) return compiled.failure;
  const parts = emit === 'addon' ? ['binding', 'rts'] : ['rts'];
  const common = await Promise.all(
    parts.map(async (part) => (await readdir(path.join(runtime, part))).map((file) => path.join(runtime, part, file))),
  );
  const libraries = [
    ...(emit === 'addon' ? [process.platform === 'darwin' ? '-lc++' : '-lstdc++'] : []),
    '-lm',
    '-pthread',
  ];
  const command = [compilers().c, ...LINK_FLAGS, '-o', OUTPUT, ...compiled.objects, ...common.flat(), ...libraries];
  return runAll([command], sources.folder);
}

/**
 * Builds a model. Addons are named by the hash of all that goes into them, `model.<hash>.node`: a loaded addon is never overwritten, and one that is
 * there already is not built again. Throws a ToolchainError where the machine cannot build, and an EmittedCodeError where the compiler
 * refuses the code.
 */
export async function buildAddon(request: BuildRequest): Promise<BuildResult> {
  const started = performance.now();
  const { sources, outDir, name, emit = 'addon', cpus = ['native'], meanwhile = async () => undefined } = request;
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) throw new Error(`'${name}' cannot name a file`);
  const strange = cpus.find((cpu) => !/^[A-Za-z0-9_.+-]+$/.test(cpu));
  if (strange !== undefined) throw new Error(`'${strange}' is not a CPU`);
  if (emit === 'source') return writeSources(request, started);

  const compiler = await compilerIdentity();
  const identity = `${compiler} ${await machineIdentity(cpus)}`;
  const runtime = await runtimeObjects(compiler);
  const units = unitsOf(request);
  const key = hashOf([
    await packageVersion(),
    path.basename(runtime),
    identity,
    ...LINK_FLAGS,
    ...units.flatMap(({ file, options }) => [file, ...options]),
    ...[...sources].sort(([a], [b]) => (a < b ? -1 : 1)).flat(),
  ]);
  const target = path.join(path.resolve(outDir), emit === 'addon' ? `model.${key}.node` : `lib${name}.so`);
  const header = path.join(path.resolve(outDir), 'tdsl_model.h');
  const result = async (cached: boolean): Promise<BuildResult> => ({
    file: target,
    files: emit === 'lib' ? [target, header] : [target],
    bytes: (await stat(target)).size,
    milliseconds: performance.now() - started,
    cached,
  });
  if (emit === 'addon' && existsSync(target)) {
    await meanwhile();
    return result(true);
  }

  const temporary = await temporaryFolder(await writableCache(), `${name}-`);
  const { path: folder } = temporary;
  let keep = false;
  try {
    const headers = [...(await runtimeSources())].filter(([file]) => file.endsWith('.h'));
    const texts = new Map([...headers, ...sources]);
    await Promise.all([writeAll(folder, texts), mkdir(outDir, { recursive: true })]);
    const failure = await compileAndLink(units, { folder, texts }, { identity, runtime, emit, meanwhile });
    if (failure !== undefined) {
      keep = true;
      throw new EmittedCodeError(folder, failure);
    }
    await publish(path.join(folder, OUTPUT), target);
    if (emit === 'lib') await copyFile(path.join(packageRoot(), 'codegen', 'rts', 'tdsl_model.h'), header);
    return await result(false);
  } finally {
    await temporary.release({ keep });
  }
}
