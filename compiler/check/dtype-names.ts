// The names of dtypes in programs: those of the IR, and `real`, which is the default float of the program.

import { type DType, isDType } from '../ir/dtype.js';

const defaultName = 'real';

/** Whether a name stands for a dtype. */
export const isDTypeName = (name: string): boolean => isDType(name) || name === defaultName;

/** The dtype that a name stands for; undefined for other names. */
export function dtypeNamed(name: string, defaultFloat: DType): DType | undefined {
  if (isDType(name)) return name;
  return name === defaultName ? defaultFloat : undefined;
}
