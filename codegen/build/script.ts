// Writes emitted files by themselves, with the run-time system and one command line that builds them.

import { makeFolder } from '../../runtime/io/folders.js';
import { writeAll } from './files.js';
import type { BuildResult } from './index.js';
import { runtimeSources } from './objects.js';
import { COMMON_FLAGS, flags, isKernels, type Mode, plainCpu } from './options.js';
import { cpuOption } from './target.js';

export interface ScriptRequest {
  readonly sources: ReadonlyMap<string, string>;
  readonly outDir: string;
  readonly name: string;
  readonly mode: Mode;
  readonly cpus: readonly string[];
}

export async function writeSources(request: ScriptRequest, started: number): Promise<BuildResult> {
  const { sources, outDir, name, mode, cpus } = request;
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
  makeFolder(outDir);
  const { bytes, files } = await writeAll(outDir, [...rts, ...sources, ['build.sh', script]]);
  return { file: outDir, files, bytes, milliseconds: performance.now() - started, cached: false };
}
