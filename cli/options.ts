// Reads the options that several commands share. Nothing of the compiler is loaded for them.

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
