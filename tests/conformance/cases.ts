// Reference cases: the format of the files, and reading them. One file a group, as the reference set's own description says.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DType } from '../../compiler/ir/dtype.js';

/** An element of a reference tensor: non-finite numbers are strings. */
export type CaseNumber = number | boolean | 'nan' | 'inf' | '-inf';

export interface CaseTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Absent where only dtype and shape are expected. */
  readonly data?: readonly CaseNumber[];
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** What one random draw must satisfy. */
export interface Statistics {
  readonly min_ge?: number;
  readonly max_lt?: number;
  readonly max_le?: number;
  readonly mean?: number;
  readonly mean_tol?: number;
  readonly std?: number;
  readonly std_tol?: number;
  readonly frac_zero?: number;
  readonly frac_tol?: number;
}

export interface Case {
  readonly id: string;
  readonly group: string;
  readonly kind: 'op' | 'trace' | 'shape' | 'stat' | 'struct' | 'text' | 'error';
  readonly op: string;
  readonly torch: string;
  readonly expr?: string;
  readonly host?: boolean;
  readonly inputs?: readonly CaseTensor[];
  readonly input_shapes?: Readonly<
    Record<string, readonly number[] | { readonly dtype: DType; readonly shape: readonly number[] }>
  >;
  readonly outputs?: readonly CaseTensor[];
  readonly cotangents?: Readonly<Record<string, readonly CaseNumber[]>>;
  readonly grads?: Readonly<Record<string, Omit<CaseTensor, 'name'> | null>>;
  readonly tol?: Tolerance;
  readonly tags?: readonly string[];
  readonly expect?: Statistics;
  readonly value?: unknown;
  readonly text?: string;
  readonly phase?: 'compile' | 'compile-if-constant' | 'run' | 'not-expressible';
  readonly report?: string;
  readonly must_mention?: readonly string[];
}

export interface Group {
  readonly group: string;
  readonly cases: readonly Case[];
}

/** Reads every group of a folder, or one of them. */
export function readGroups(directory: string, only?: string): readonly Group[] {
  if (!existsSync(directory)) throw new Error(`there is no folder '${directory}'`);
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  const groups = files.sort().map((file): Group => {
    const content = JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Group & { format?: unknown };
    if (content.format !== 1) throw new Error(`${file}: format ${String(content.format)} is not 1`);
    return content;
  });
  const selected = only === undefined ? groups : groups.filter(({ group }) => group === only);
  if (selected.length === 0) {
    throw new Error(
      only === undefined
        ? `${directory} holds no group`
        : `${directory} holds no group '${only}'; it has ${groups.map((g) => g.group).join(', ')}`,
    );
  }
  return selected;
}

/** The number that an element stands for. */
export function caseNumber(element: CaseNumber): number {
  if (typeof element === 'number') return element;
  if (typeof element === 'boolean') return element ? 1 : 0;
  return element === 'nan' ? Number.NaN : element === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** The name that a transcription of the case has in a program or module. */
export const functionName = (id: string): string => id.replace(/[^\w]/g, '_');
