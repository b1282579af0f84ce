// The options that C is compiled and linked with.

import { cpuOption } from './target.js';

export type Mode = 'release' | 'dev';

/**
 * The flags of emitted code. Contraction is off because fused operations are explicit in the IR; traps and errno are what no kernel looks
 * at; anything of -ffast-math would change results. Predictive commoning carries elements from one iteration to the next, for which tiles
 * have no registers left.
 */
export function flags(mode: Mode): readonly string[] {
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
export const plainCpu = (cpus: readonly string[]): string => (cpus.length === 1 ? (cpus[0] as string) : 'generic');

/** What every file is compiled with, emitted or not. */
export const COMMON_FLAGS = ['-std=gnu11', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off'];

/** Calls inside a library must not reach the functions of another model that is loaded beside it, which is so anyway on macOS. */
export const LINK_FLAGS =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-Wl,-Bsymbolic'];

export const isKernels = (file: string): boolean => /^kernels_.*\.c$/.test(file);

/** A file of C with the options that it is compiled with. */
export interface Unit {
  readonly file: string;
  readonly options: readonly string[];
}

/** The units of an emitted file: those of kernels are compiled once for each CPU where there are several, and headers not at all. */
export function unitsOf(file: string, mode: Mode, cpus: readonly string[]): readonly Unit[] {
  if (!file.endsWith('.c')) return [];
  const options = (cpu: string): string[] => [...COMMON_FLAGS, ...flags(mode), cpuOption(cpu)];
  if (cpus.length === 1 || !isKernels(file)) return [{ file, options: options(plainCpu(cpus)) }];
  return cpus.map((cpu, version) => ({ file, options: [...options(cpu), `-DTDSL_VERSION=${version}`] }));
}
