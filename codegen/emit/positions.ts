// Prints positions and guards as C over 64-bit integers.

import { type Atom, type Dim, dimSubstitute } from '../../compiler/ir/dims.js';
import { type Guard, isPositionName, type Position } from '../kernel/ir.js';
import { isNonNegative, type Ranges } from '../kernel/positions.js';

/** How symbols print, and what is known of them. */
export interface PositionScope {
  /** Positions that stand for an expression here: a loop that is written out, or one copy of several in flight. */
  readonly known: ReadonlyMap<string, Dim>;
  readonly ranges: Ranges;
  readonly sizeName: (symbol: string) => string;
}

/** A position with the known ones filled in. */
export const resolved = (p: Position, scope: PositionScope): Position => dimSubstitute(p, scope.known);

/** A position as a C expression; atoms and sums in parentheses where they need them. */
export const positionText = (p: Position, scope: PositionScope): string => sumText(resolved(p, scope), scope);

/** A run-time dimension expression as C, outside of any loop. */
export const sizeText = (p: Dim, sizeName: (symbol: string) => string): string =>
  sumText(p, { known: new Map(), ranges: new Map(), sizeName });

function sumText(p: Dim, scope: PositionScope): string {
  if (p.terms.length === 0) return '0';
  return p.terms
    .map((term, i) => {
      const magnitude = Math.abs(term.coefficient);
      const factors = term.atoms.map((atom) => atomText(atom, scope));
      if (magnitude !== 1 || factors.length === 0) factors.push(integerText(magnitude));
      const sign = term.coefficient < 0 ? '-' : i === 0 ? '' : '+';
      return `${i === 0 ? sign : ` ${sign} `}${factors.join(' * ')}`;
    })
    .join('');
}

const integerText = (value: number): string => (value > 0x7fffffff ? `INT64_C(${value})` : String(value));

function atomText(atom: Atom, scope: PositionScope): string {
  if (atom.kind === 'symbol') return symbolText(atom.name, scope);
  if (atom.kind !== 'floordiv') return `tdsl_${atom.kind}(${sumText(atom.left, scope)}, ${sumText(atom.right, scope)})`;
  const numerator = sumText(atom.numerator, scope);
  const denominator = sumText(atom.denominator, scope);
  const isConstant = /^\d+$/.test(denominator);
  if (isConstant && isNonNegative(atom.numerator, scope.ranges)) return `((${numerator}) / ${denominator})`;
  // A dimension that divides may be 0 where nothing is computed.
  return isConstant ? `tdsl_floordiv(${numerator}, ${denominator})` : `tdsl_quotient(${numerator}, ${denominator})`;
}

/** The name of a loop variable in C. */
export const loopName = (index: string): string => index.slice(1);

const symbolText = (name: string, scope: PositionScope): string =>
  isPositionName(name) ? loopName(name) : scope.sizeName(name);

/** A guard as a C condition. */
export function guardText(guard: Guard, scope: PositionScope): string {
  const value = positionText(guard.value, scope);
  return guard.kind === 'nonnegative' ? `${value} >= 0` : `(${value}) % ${guard.of} == 0`;
}

/** All guards as a C condition; true where there are none. */
export const guardsText = (guards: readonly Guard[], scope: PositionScope): string =>
  guards.length === 0 ? '1' : guards.map((guard) => guardText(guard, scope)).join(' && ');
