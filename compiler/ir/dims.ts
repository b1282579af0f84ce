// Dimension expressions: polynomials with integer coefficients over symbols and floor divisions, in a normal form.
//
// A dimension that is known at compile time is the constant polynomial. Two expressions are equal exactly when their
// normal forms are (`key`), so equality of shapes is decided by comparing strings. Floor divisions that cannot be
// carried out are atoms of the polynomial; `max` is an atom as well (a slice clamped at run time needs it), and `min` (memory that
// is needed only up to some size).

/** A factor that arithmetic cannot open up: a run-time dimension by name, a floor division, a maximum or a minimum. */
export type Atom =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'floordiv'; readonly numerator: Dim; readonly denominator: Dim }
  | { readonly kind: 'max'; readonly left: Dim; readonly right: Dim }
  | { readonly kind: 'min'; readonly left: Dim; readonly right: Dim };

interface Term {
  readonly coefficient: number;
  /** Factors sorted by key; a power is a repeated factor. */
  readonly atoms: readonly Atom[];
  /** The keys of the factors, joined. */
  readonly product: string;
}

/** An immutable dimension expression in normal form. Compare with `dimEquals`, never with `===`. */
export interface Dim {
  readonly terms: readonly Term[];
  /** The normal form as text; it also reads back with `parseDim`. */
  readonly key: string;
}

const atomKey = (atom: Atom): string => {
  if (atom.kind === 'symbol') return atom.name;
  if (atom.kind !== 'floordiv') return `${atom.kind}(${atom.left.key}, ${atom.right.key})`;
  const wrap = (d: Dim) => (/^[\w$.]+$/.test(d.key) ? d.key : `(${d.key})`);
  return `(${wrap(atom.numerator)} // ${wrap(atom.denominator)})`;
};

/** A term; `product` is the key of its atoms, kept because terms are compared far more often than they are made. */
const makeTerm = (coefficient: number, atoms: readonly Atom[]): Term => ({
  coefficient,
  atoms,
  product: atoms.map(atomKey).join('*'),
});

function termText({ coefficient, product }: Term): string {
  const magnitude = Math.abs(coefficient);
  if (product === '') return String(magnitude);
  return magnitude === 1 ? product : `${magnitude}*${product}`;
}

/** Constants come last, other terms by degree and then by name, so that `B + 1` prints as people write it. */
const termOrder = (a: Term, b: Term): number =>
  b.atoms.length - a.atoms.length || (a.product < b.product ? -1 : a.product > b.product ? 1 : 0);

/** The dimension of terms that are in order, with distinct products and coefficients that are not 0. */
function fromSorted(terms: readonly Term[]): Dim {
  let key = '';
  for (const term of terms) {
    const sign = term.coefficient < 0 ? '-' : '+';
    if (key === '') key = sign === '-' ? `-${termText(term)}` : termText(term);
    else key += ` ${sign} ${termText(term)}`;
  }
  return { terms, key: key === '' ? '0' : key };
}

function fromTerms(terms: readonly Term[]): Dim {
  if (terms.length === 1) return terms[0]?.coefficient === 0 ? fromSorted([]) : fromSorted(terms);
  const byProduct = new Map<string, Term>();
  for (const term of terms) {
    const known = byProduct.get(term.product);
    byProduct.set(
      term.product,
      known === undefined ? term : { ...known, coefficient: known.coefficient + term.coefficient },
    );
  }
  const kept = [...byProduct.values()].filter((term) => term.coefficient !== 0);
  return fromSorted(kept.sort(termOrder));
}

/** The constant dimension `value`, any integer (differences of dimensions may be negative). */
export const dimConst = (value: number): Dim => {
  if (!Number.isSafeInteger(value)) throw new RangeError(`a dimension must be an integer, got ${value}`);
  return fromTerms([makeTerm(value, [])]);
};

/** The run-time dimension called `name`. */
export const dimSymbol = (name: string): Dim => fromTerms([makeTerm(1, [{ kind: 'symbol', name }])]);

/** A number or a dimension, as a dimension. */
export const toDim = (value: Dim | number): Dim => (typeof value === 'number' ? dimConst(value) : value);

/** The value of a constant dimension, or undefined when it depends on run-time dimensions. */
export function dimValue(dim: Dim): number | undefined {
  if (dim.terms.length === 0) return 0;
  const [only] = dim.terms;
  return dim.terms.length === 1 && only !== undefined && only.atoms.length === 0 ? only.coefficient : undefined;
}

export const dimEquals = (a: Dim, b: Dim): boolean => a.key === b.key;
export const shapeEquals = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => dim.key === b[i]?.key);
export const isDimConst = (dim: Dim, value: number): boolean => dimValue(dim) === value;

export function dimAdd(a: Dim, b: Dim): Dim {
  if (a.terms.length === 0) return b;
  return b.terms.length === 0 ? a : fromTerms([...a.terms, ...b.terms]);
}

const dimScale = (a: Dim, factor: number): Dim =>
  factor === 1
    ? a
    : fromSorted(factor === 0 ? [] : a.terms.map((t) => ({ ...t, coefficient: t.coefficient * factor })));

export const dimNeg = (a: Dim): Dim => dimScale(a, -1);
export const dimSub = (a: Dim, b: Dim): Dim => dimAdd(a, dimNeg(b));

export function dimMul(a: Dim, b: Dim): Dim {
  const [left, right] = [dimValue(a), dimValue(b)];
  if (left !== undefined) return dimScale(b, left);
  if (right !== undefined) return dimScale(a, right);
  const products: Term[] = [];
  for (const s of a.terms) {
    for (const t of b.terms) {
      const atoms = [...s.atoms, ...t.atoms].sort((x, y) => (atomKey(x) < atomKey(y) ? -1 : 1));
      products.push(makeTerm(s.coefficient * t.coefficient, atoms));
    }
  }
  return fromTerms(products);
}

/** The product of all dimensions: the number of elements of a shape. */
export const dimProduct = (dims: readonly Dim[]): Dim => dims.reduce(dimMul, dimConst(1));

/** Removes one occurrence of each atom of `divisor` from `atoms`, or undefined when one is missing. */
function cancelAtoms(atoms: readonly Atom[], divisor: readonly Atom[]): readonly Atom[] | undefined {
  const left = [...atoms];
  for (const atom of divisor) {
    const at = left.findIndex((candidate) => atomKey(candidate) === atomKey(atom));
    if (at < 0) return undefined;
    left.splice(at, 1);
  }
  return left;
}

/** Floor division. Terms that the divisor (a single term) divides exactly leave the division; the rest stays an atom. */
export function dimFloorDiv(a: Dim, b: Dim): Dim {
  const divisor = b.terms.length === 1 ? b.terms[0] : undefined;
  if (b.terms.length === 0) throw new RangeError('a dimension is divided by zero');
  if (dimEquals(a, b)) return dimConst(1);
  const numerator = dimValue(a);
  const denominator = dimValue(b);
  if (numerator !== undefined && denominator !== undefined) return dimConst(Math.floor(numerator / denominator));
  const exact: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    const atoms = divisor === undefined ? undefined : cancelAtoms(term.atoms, divisor.atoms);
    if (divisor !== undefined && atoms !== undefined && term.coefficient % divisor.coefficient === 0) {
      exact.push(makeTerm(term.coefficient / divisor.coefficient, atoms));
    } else rest.push(term);
  }
  const remainder = fromTerms(rest);
  const quotient = fromTerms(exact);
  if (remainder.terms.length === 0) return quotient;
  const left = dimValue(remainder);
  if (left !== undefined && denominator !== undefined)
    return dimAdd(quotient, dimConst(Math.floor(left / denominator)));
  const atom: Atom = { kind: 'floordiv', numerator: remainder, denominator: b };
  return dimAdd(quotient, fromTerms([makeTerm(1, [atom])]));
}

/** `a / b` when it is exact for every value of the symbols (as polynomials with a single-term divisor), else undefined. */
export function dimExactDiv(a: Dim, b: Dim): Dim | undefined {
  if (b.terms.length === 0) return undefined;
  if (dimEquals(a, b)) return dimConst(1);
  const divisor = b.terms[0];
  if (b.terms.length !== 1 || divisor === undefined) return undefined;
  const terms: Term[] = [];
  for (const term of a.terms) {
    const atoms = cancelAtoms(term.atoms, divisor.atoms);
    if (atoms === undefined || term.coefficient % divisor.coefficient !== 0) return undefined;
    terms.push(makeTerm(term.coefficient / divisor.coefficient, atoms));
  }
  return fromTerms(terms);
}

export function dimMax(a: Dim, b: Dim): Dim {
  if (dimEquals(a, b)) return a;
  const difference = dimSub(a, b);
  if (dimIsNonNegative(difference)) return a;
  if (dimIsNonNegative(dimNeg(difference))) return b;
  return extreme('max', a, b);
}

export function dimMin(a: Dim, b: Dim): Dim {
  const difference = dimSub(a, b);
  if (dimIsNonNegative(difference)) return b;
  if (dimIsNonNegative(dimNeg(difference))) return a;
  return extreme('min', a, b);
}

function extreme(kind: 'max' | 'min', a: Dim, b: Dim): Dim {
  const [left, right] = a.key < b.key ? [a, b] : [b, a];
  return fromTerms([makeTerm(1, [{ kind, left, right }])]);
}

/** An expression that neither exceeds where no factor is negative: of each product of factors the larger multiple. */
export function dimBound(a: Dim, b: Dim): Dim {
  const more = dimSub(b, a).terms.filter(({ coefficient }) => coefficient > 0);
  return more.reduce((sum, term) => dimAdd(sum, fromTerms([term])), a);
}

/**
 * Whether the expression is provably ≥ 0 for all values ≥ 0 of its symbols: a conservative answer (false means unknown).
 * Uses that every coefficient is ≥ 0 and that a floor division of such a numerator by a positive constant is ≥ 0.
 */
export function dimIsNonNegative(dim: Dim): boolean {
  return dim.terms.every((term) => term.coefficient >= 0 && term.atoms.every(atomIsNonNegative));
}

function atomIsNonNegative(atom: Atom): boolean {
  if (atom.kind === 'symbol') return true;
  if (atom.kind === 'max') return dimIsNonNegative(atom.left) || dimIsNonNegative(atom.right);
  if (atom.kind === 'min') return dimIsNonNegative(atom.left) && dimIsNonNegative(atom.right);
  return dimIsNonNegative(atom.numerator) && dimIsNonNegative(atom.denominator);
}

/** The names of all run-time dimensions in the expression. */
export function dimSymbols(dim: Dim, into: Set<string> = new Set()): Set<string> {
  for (const term of dim.terms)
    for (const atom of term.atoms) for (const part of atomParts(atom, into)) dimSymbols(part, into);
  return into;
}

function atomParts(atom: Atom, into: Set<string>): readonly Dim[] {
  if (atom.kind === 'symbol') {
    into.add(atom.name);
    return [];
  }
  return atom.kind === 'floordiv' ? [atom.numerator, atom.denominator] : [atom.left, atom.right];
}

/** The name when the expression is one bare symbol. */
export function dimAsSymbol(dim: Dim): string | undefined {
  const term = dim.terms[0];
  if (dim.terms.length !== 1 || term === undefined || term.coefficient !== 1 || term.atoms.length !== 1)
    return undefined;
  const atom = term.atoms[0];
  return atom?.kind === 'symbol' ? atom.name : undefined;
}

/** Replaces symbols by expressions; symbols that the map lacks stay. */
export function dimSubstitute(dim: Dim, values: ReadonlyMap<string, Dim>): Dim {
  if (!mentionsAny(dim, values)) return dim;
  const kept: Term[] = [];
  let sum = fromTerms([]);
  for (const term of dim.terms) {
    if (!term.atoms.some((atom) => atomMentionsAny(atom, values))) {
      kept.push(term);
      continue;
    }
    let product = dimConst(term.coefficient);
    for (const atom of term.atoms) product = dimMul(product, substituteAtom(atom, values));
    sum = dimAdd(sum, product);
  }
  return dimAdd(fromSorted(kept), sum);
}

const mentionsAny = (dim: Dim, symbols: ReadonlyMap<string, Dim>): boolean =>
  dim.terms.some((term) => term.atoms.some((atom) => atomMentionsAny(atom, symbols)));

function atomMentionsAny(atom: Atom, symbols: ReadonlyMap<string, Dim>): boolean {
  if (atom.kind === 'symbol') return symbols.has(atom.name);
  if (atom.kind !== 'floordiv') return mentionsAny(atom.left, symbols) || mentionsAny(atom.right, symbols);
  return mentionsAny(atom.numerator, symbols) || mentionsAny(atom.denominator, symbols);
}

function substituteAtom(atom: Atom, values: ReadonlyMap<string, Dim>): Dim {
  if (atom.kind === 'symbol') return values.get(atom.name) ?? dimSymbol(atom.name);
  if (atom.kind === 'max') return dimMax(dimSubstitute(atom.left, values), dimSubstitute(atom.right, values));
  if (atom.kind === 'min') return dimMin(dimSubstitute(atom.left, values), dimSubstitute(atom.right, values));
  return dimFloorDiv(dimSubstitute(atom.numerator, values), dimSubstitute(atom.denominator, values));
}

/** The value of the expression when every symbol has the given value; throws when a symbol is missing. */
export function dimEvaluate(dim: Dim, values: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const term of dim.terms) {
    let product = term.coefficient;
    for (const atom of term.atoms) product *= evaluateAtom(atom, values);
    sum += product;
  }
  return sum;
}

function evaluateAtom(atom: Atom, values: ReadonlyMap<string, number>): number {
  if (atom.kind === 'symbol') {
    const value = values.get(atom.name);
    if (value === undefined) throw new RangeError(`the run-time dimension ${atom.name} has no value`);
    return value;
  }
  if (atom.kind !== 'floordiv') return Math[atom.kind](dimEvaluate(atom.left, values), dimEvaluate(atom.right, values));
  return Math.floor(dimEvaluate(atom.numerator, values) / dimEvaluate(atom.denominator, values));
}

export const printDim = (dim: Dim): string => dim.key;
export const printShape = (shape: readonly Dim[]): string => shape.map(printDim).join(', ');

/** Reads the text of `printDim` back (also accepts any sum, product, `//`, parentheses, `max(a, b)` and `min(a, b)` over names and integers). */
export function parseDim(text: string): Dim {
  const tokens = text.match(/\d+|[A-Za-z_$][\w$.]*|\/\/|[-+*(),]/g) ?? [];
  let at = 0;
  const peek = () => tokens[at];
  const expect = (token: string) => {
    if (tokens[at++] !== token) throw new SyntaxError(`expected '${token}' in the dimension '${text}'`);
  };
  const primary = (): Dim => {
    const token = tokens[at++];
    if (token === undefined) throw new SyntaxError(`the dimension '${text}' ends early`);
    if (token === '-') return dimNeg(product());
    if (token === '(') {
      const inner = sum();
      expect(')');
      return inner;
    }
    if ((token === 'max' || token === 'min') && peek() === '(') {
      expect('(');
      const left = sum();
      expect(',');
      const right = sum();
      expect(')');
      return token === 'max' ? dimMax(left, right) : dimMin(left, right);
    }
    if (/^\d/.test(token)) return dimConst(Number(token));
    if (/^[A-Za-z_$]/.test(token)) return dimSymbol(token);
    throw new SyntaxError(`unexpected '${token}' in the dimension '${text}'`);
  };
  const product = (): Dim => {
    let left = primary();
    for (let op = peek(); op === '*' || op === '//'; op = peek()) {
      at++;
      left = op === '*' ? dimMul(left, primary()) : dimFloorDiv(left, primary());
    }
    return left;
  };
  const sum = (): Dim => {
    let left = product();
    for (let op = peek(); op === '+' || op === '-'; op = peek()) {
      at++;
      left = op === '+' ? dimAdd(left, product()) : dimSub(left, product());
    }
    return left;
  };
  const dim = sum();
  if (at !== tokens.length) throw new SyntaxError(`unexpected '${tokens[at]}' in the dimension '${text}'`);
  return dim;
}
