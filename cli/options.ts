// Reads the options that several commands share. Nothing of the compiler is loaded for them.

import type { Precision } from '../codegen/kernel/gpu/schedule.js';
import { type DType, dtypes, isDType, isFloat } from '../compiler/ir/dtype.js';
import { usageError } from './errors.js';

/** `--default-float f64` as an option of the compiler. */
export function parseDefaultFloat(name: string | undefined): { readonly defaultFloat?: DType } {
  if (name === undefined) return {};
  if (isDType(name) && isFloat(name)) return { defaultFloat: name };
  throw usageError(`--default-float takes ${dtypes.filter(isFloat).join(', ')}, got '${name}'`);
}

/** `--dim B=64`, repeated, as a map from dimension to size. */
export function parseDims(settings: readonly string[]): Record<string, number> {
  const entries = settings.map((setting): [string, number] => {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(setting);
    if (match?.[1] === undefined || match[2] === undefined) throw usageError(`--dim takes NAME=SIZE, got '${setting}'`);
    return [match[1], Number(match[2])];
  });
  return Object.fromEntries(entries);
}

/** Where options for GPUs have a meaning, and what was chosen in the place of it. */
export interface Choice {
  readonly isForGpus: boolean;
  readonly wanted: string;
  readonly found: string;
}

/** Ends the command where an option for GPUs is given and nothing is compiled for them. */
export function needGpus(option: string, { isForGpus, wanted, found }: Choice): void {
  if (!isForGpus) throw usageError(`${option} is for ${wanted}, got ${found}: leave it out, or choose ${wanted}`);
}

const precisions = ['f32', 'tf32', 'bf16'] as const satisfies readonly Precision[];

/** `--precision tf32` as an option of the compiler. */
export function parsePrecision(name: string | undefined, choice: Choice): { readonly precision?: Precision } {
  if (name === undefined) return {};
  const precision = precisions.find((known) => known === name);
  if (precision === undefined) throw usageError(`--precision takes ${precisions.join(', ')}, got '${name}'`);
  needGpus('--precision', choice);
  return { precision };
}

/** The oldest GPUs that run the kernels, those of Ampere: copies to shared memory beside computing and products of bf16 are instructions of theirs. */
const LEAST_ARCH = 80;

/** Ends the command where an architecture of GPUs is none that kernels can be compiled for; which of the others there are, nvcc knows. */
export function checkArchs(archs: readonly string[]): void {
  for (const arch of archs) {
    const number = /^(?:sm|compute)_(\d+)[af]?$/.exec(arch)?.[1];
    if (number === undefined) throw usageError(`--arch takes names such as sm_80 and compute_90, got '${arch}'`);
    if (Number(number) < LEAST_ARCH)
      throw usageError(`--arch takes sm_${LEAST_ARCH} and later, whose instructions the kernels need, got '${arch}'`);
  }
}
