// Proofs of inequalities between dimension expressions, for masks: conservative (false means unknown), never wrong.

import {
  type Atom,
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimIsNonNegative,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from './dims.js';

/**
 * Whether `dim ≥ 0` for all values of the symbols for which every expression in `positive` is ≥ 1. A loop body may take
 * the extents of its loops as positive, since otherwise it does not run.
 */
export function isProvablyNonNegative(dim: Dim, positive: readonly Dim[] = []): boolean {
  const constant = dimValue(dim);
  if (constant !== undefined) return constant >= 0;
  const bound = boundFloorDivisions(dim);
  if (dimIsNonNegative(dim) || dimIsNonNegative(bound)) return true;
  const facts = positive.map((extent) => dimSub(extent, dimConst(1))).filter((fact) => dimValue(fact) === undefined);
  const substitution = lowestSymbols(facts);
  if ([dim, bound].some((d) => dimIsNonNegative(dimSubstitute(d, substitution)))) return true;
  // A fact that is no bare symbol (B*C - 1 ≥ 0, H//2 - 1 ≥ 0) may be what is missing.
  return facts.some((fact) => [dim, bound].some((d) => dimIsNonNegative(dimSubstitute(dimSub(d, fact), substitution))));
}

/** Whether `dim ≤ limit` for all values of the symbols; maxima, which clamped slices have, are opened for that. */
export function isProvablyAtMost(dim: Dim, limit: number): boolean {
  return holdsOfMaxima(dimSub(dimConst(limit), dim));
}

/** Whether `dim ≥ 0`: where a maximum is taken away for both of its sides, where it is added for one of them. */
function holdsOfMaxima(dim: Dim): boolean {
  for (const term of dim.terms) {
    const atom = term.atoms.length === 1 ? (term.atoms[0] as Atom) : undefined;
    if (atom?.kind !== 'max') continue;
    const rest = dimSub(dim, { terms: [term], key: '' });
    const sides = [atom.left, atom.right].map((side) => dimAdd(rest, dimMul(dimConst(term.coefficient), side)));
    return term.coefficient < 0 ? sides.every(holdsOfMaxima) : sides.some(holdsOfMaxima);
  }
  return isProvablyNonNegative(dim);
}

/** Replaces `±c·(n // d)` by a lower bound without the division where d is constant and divides c: `n - d + 1 ≤ d·(n // d) ≤ n`. */
function boundFloorDivisions(dim: Dim): Dim {
  let bound = dim;
  for (const term of dim.terms) {
    const division = term.atoms.length === 1 ? constantDivision(term.atoms[0] as Atom) : undefined;
    if (division === undefined || term.coefficient % division.denominator !== 0) continue;
    const { numerator, denominator } = division;
    const exact = dimMul(dimConst(term.coefficient), dimFloorDiv(numerator, dimConst(denominator)));
    const slack = term.coefficient > 0 ? denominator - 1 : 0;
    const real = dimMul(dimConst(term.coefficient / denominator), dimSub(numerator, dimConst(slack)));
    bound = dimAdd(dimSub(bound, exact), real);
  }
  return bound;
}

function constantDivision(atom: Atom): { numerator: Dim; denominator: number } | undefined {
  if (atom.kind !== 'floordiv') return undefined;
  const denominator = dimValue(atom.denominator);
  return denominator !== undefined && denominator > 0 ? { numerator: atom.numerator, denominator } : undefined;
}

/** For facts `symbol - c ≥ 0`: the symbol as `symbol + c`, so that the new symbol ranges over all integers ≥ 0. */
function lowestSymbols(facts: readonly Dim[]): ReadonlyMap<string, Dim> {
  const lowest = new Map<string, number>();
  for (const fact of facts) {
    const [first, second] = fact.terms;
    const atom = first?.atoms.length === 1 ? first.atoms[0] : undefined;
    const isShift = fact.terms.length <= 2 && (second === undefined || second.atoms.length === 0);
    if (atom?.kind !== 'symbol' || first?.coefficient !== 1 || !isShift) continue;
    lowest.set(atom.name, Math.max(lowest.get(atom.name) ?? 0, -(second?.coefficient ?? 0)));
  }
  return new Map([...lowest].map(([name, low]) => [name, dimAdd(dimSymbol(name), dimConst(low))]));
}
