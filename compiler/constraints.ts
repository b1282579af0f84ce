// Conditions on the run-time sizes of a call that could not be decided when compiling: whether they hold, and what is said where they do not.

import { type Dim, dimAsSymbol, dimEvaluate, dimSymbol, dimSymbols, dimValue, printDim } from './ir/dims.js';
import type { EntryConstraint } from './program.js';

type Sizes = ReadonlyMap<string, number>;

export function constraintHolds({ left, right }: EntryConstraint, sizes: Sizes): boolean {
  const value = dimEvaluate(left, sizes);
  return right === undefined ? value >= 0 : value === dimEvaluate(right, sizes);
}

/** What must hold: `max(0, B - k) = B`. */
export const relationText = ({ left, right }: EntryConstraint): string =>
  right === undefined ? `${printDim(left)} ≥ 0` : `${printDim(left)} = ${printDim(right)}`;

/** Why it must hold, and the place in the program that needs it. */
export const reasonText = ({ message, site }: EntryConstraint): string =>
  site === undefined ? message : `${message} (${site.file}:${site.line}:${site.column})`;

/** What is said about the equalities of an entry where arguments do not agree on some dimensions. */
export const equalityText = (equality: EntryConstraint): string =>
  `${relationText(equality)} is needed: ${reasonText(equality)}`;

/** The most run-time dimensions whose values are told: more do not help, and native code has room for so many. */
const mostTold = 16;

/** The text about a condition that does not hold, with the sizes whose values stand in it at their places. */
export function failureParts(constraint: EntryConstraint): readonly (string | Dim)[] {
  const { left, right } = constraint;
  const sides = [left, ...(right === undefined ? [] : [right])].filter((side) => dimValue(side) === undefined);
  const symbols = new Set<string>();
  for (const side of sides) dimSymbols(side, symbols);
  const values = sides.flatMap((side, i) => [`${i === 0 ? '' : ' and '}${printDim(side)} is `, side]);
  const isPlain = sides.every((side) => dimAsSymbol(side) !== undefined);
  const told = isPlain ? [] : [...symbols].slice(0, mostTold);
  const where = told.flatMap((name, i) => [`${i === 0 ? ', for ' : ', '}${name} = `, dimSymbol(name)]);
  return [`${reasonText(constraint)}: ${relationText(constraint)} is needed, but `, ...values, ...where];
}

/** What is said about a condition that does not hold for these sizes. */
export const failureText = (constraint: EntryConstraint, sizes: Sizes): string =>
  failureParts(constraint)
    .map((part) => (typeof part === 'string' ? part : dimEvaluate(part, sizes)))
    .join('');
