// Agreement of a result with a reference: shape and dtype exactly, values within the case's tolerance.

import { dtypeKind } from '../../compiler/ir/dtype.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { type Case, type CaseTensor, caseNumber, type Statistics, type Tolerance } from './cases.js';

const exact: Tolerance = { rtol: 0, atol: 0 };

const printNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

function printValues(values: readonly number[]): string {
  const shown = values.slice(0, 24).map(printNumber).join(', ');
  return `[${shown}${values.length > 24 ? ', …' : ''}]`;
}

export const valuesOf = (tensor: HostTensor): readonly number[] =>
  Array.from(tensor.data as ArrayLike<number | bigint>, Number);

/** NaN agrees with NaN, infinities by sign, finite numbers within atol + rtol·|want|. */
export function agrees(got: number, want: number, { rtol, atol }: Tolerance): boolean {
  if (Number.isNaN(want)) return Number.isNaN(got);
  if (!Number.isFinite(want) || !Number.isFinite(got)) return got === want;
  return Math.abs(got - want) <= atol + rtol * Math.abs(want);
}

interface CompareOptions {
  readonly tolerance?: Tolerance | undefined;
  /** Another accepted value at an element, for example 0 where the reference gradient is NaN. */
  readonly alsoAccept?: (got: number, want: number) => boolean;
}

/** The reason why a result differs from its reference, with both values, or undefined. */
export function difference(
  got: HostTensor,
  want: Omit<CaseTensor, 'name'>,
  options: CompareOptions = {},
): string | undefined {
  const shape = `${want.dtype}[${want.shape.join(', ')}]`;
  if (
    got.dtype !== want.dtype ||
    got.shape.length !== want.shape.length ||
    got.shape.some((n, i) => n !== want.shape[i])
  ) {
    return `got ${got.dtype}[${got.shape.join(', ')}], want ${shape}`;
  }
  if (want.data === undefined) return undefined;
  const wanted = want.data.map(caseNumber);
  const values = valuesOf(got);
  const tolerance = dtypeKind(want.dtype) === 'float' ? (options.tolerance ?? exact) : exact;
  const at = wanted.findIndex((w, i) => {
    const value = values[i] ?? Number.NaN;
    return !agrees(value, w, tolerance) && options.alsoAccept?.(value, w) !== true;
  });
  return at < 0 ? undefined : `element ${at} differs: got ${printValues(values)}, want ${printValues(wanted)}`;
}

/** How a gradient is compared: tags of the case allow what PyTorch itself leaves open. */
export function gradientOptions(testCase: Case): CompareOptions {
  const zeroForNan = testCase.tags?.includes('nan-grad') === true;
  return {
    tolerance: testCase.tol,
    alsoAccept: (got, want) => zeroForNan && Number.isNaN(want) && got === 0,
  };
}

/** Why the statistics of a draw miss the expectation, or undefined. */
export function statisticsDifference(got: HostTensor, expect: Statistics): string | undefined {
  const values = valuesOf(got);
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const min = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const zeros = values.filter((value) => value === 0).length / n;
  const failures = [
    expect.min_ge !== undefined && !(min >= expect.min_ge) && `minimum ${min} is below ${expect.min_ge}`,
    expect.max_lt !== undefined && !(max < expect.max_lt) && `maximum ${max} is not below ${expect.max_lt}`,
    expect.max_le !== undefined && !(max <= expect.max_le) && `maximum ${max} is above ${expect.max_le}`,
    expect.mean !== undefined &&
      !(Math.abs(mean - expect.mean) <= (expect.mean_tol ?? 0)) &&
      `mean ${mean}, want ${expect.mean} ± ${expect.mean_tol}`,
    expect.std !== undefined &&
      !(Math.abs(std - expect.std) <= (expect.std_tol ?? 0)) &&
      `standard deviation ${std}, want ${expect.std} ± ${expect.std_tol}`,
    expect.frac_zero !== undefined &&
      !(Math.abs(zeros - expect.frac_zero) <= (expect.frac_tol ?? 0)) &&
      `fraction of zeros ${zeros}, want ${expect.frac_zero} ± ${expect.frac_tol}`,
  ].filter((failure) => typeof failure === 'string');
  return failures.length === 0 ? undefined : failures.join('; ');
}
