// Prints run-time dimension expressions of entries: as 64-bit integers, and as doubles to find out in time that they would overflow.

import { type Atom, type Dim, dimIsNonNegative, dimValue } from '../../compiler/ir/dims.js';
import { sizeText } from './positions.js';

export type SizeName = (symbol: string) => string;

/** The expression as a double, which cannot wrap. */
export function doubleText(size: Dim, sizeName: SizeName): string {
  if (size.terms.length === 0) return '0.0';
  return size.terms
    .map((term) => [`${term.coefficient}.0`, ...term.atoms.map((atom) => doubleAtom(atom, sizeName))].join(' * '))
    .join(' + ');
}

function doubleAtom(atom: Atom, sizeName: SizeName): string {
  if (atom.kind === 'symbol') return `(double)${sizeName(atom.name)}`;
  if (atom.kind !== 'floordiv')
    return `__builtin_f${atom.kind}(${doubleText(atom.left, sizeName)}, ${doubleText(atom.right, sizeName)})`;
  return `size_quotient(${doubleText(atom.numerator, sizeName)}, ${doubleText(atom.denominator, sizeName)})`;
}

/** The expression as an integer that is at least 0: a dimension that would be negative has no elements. */
export function byteText(size: Dim, sizeName: SizeName): string {
  const text = sizeText(size, sizeName);
  return dimValue(size) !== undefined || dimIsNonNegative(size) ? text : `tdsl_max(0, ${text})`;
}
