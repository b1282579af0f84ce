// What all parts of the elaborator share while it writes one function of the program: the frame, the place in the source,
// the calls that led there, what was assumed about sizes, and the diagnostics.

import type { DiagnosticCode } from '../diagnostics/catalogue.js';
import { type Diagnostic, diagnostic, type Note } from '../diagnostics/report.js';
import { lineStarts, type Source } from '../diagnostics/source.js';
import { isProvablyNonNegative } from '../ir/bounds.js';
import { type Dim, dimConst, dimEquals, dimNeg, dimSub, dimSubstitute, dimSymbols, dimValue } from '../ir/dims.js';
import type { DType } from '../ir/dtype.js';
import type { Func, SourceSite, TensorType, Value } from '../ir/graph.js';
import type { EntryConstraint } from '../program.js';
import type * as ast from '../syntax/ast.js';
import { isShown } from './explain.js';
import { Failure, GaveUp, Restart } from './failure.js';
import { Frame } from './frame.js';
import type { Dense } from './index-notation/dense.js';
import type { IndexTree } from './index-notation/tree.js';
import type { Scope } from './scope.js';
import type { OpenNames, Signature } from './signature.js';
import type { Arg, Blueprint, Cell, Site, Val } from './values.js';
import type { Unit, UnitItem, Workspace } from './workspace.js';

/** The parts of the elaborator that call each other in circles, tied together in `engine.ts`. */
export interface Engine {
  evaluate(cx: Context, expr: ast.Expr, scope: Scope): Val;
  /** Like `evaluate`, but a leaf of the state stays a place that can be assigned to. */
  evaluatePlace(cx: Context, expr: ast.Expr, scope: Scope): Val;
  block(cx: Context, block: ast.Block, scope: Scope, expected?: Expected): Val;
  call(cx: Context, callee: Val, args: readonly Arg[]): Val;
  instantiate(cx: Context, blueprint: Blueprint, path: string): Val;
  constant(cx: Context, item: ast.Constant, unit: Unit): Val;
}

/** A diagnostic as the elaborator says it; the place is the current one unless given. */
export interface Complaint {
  readonly message: string;
  readonly site?: Site | undefined;
  readonly label?: string | undefined;
  readonly notes?: readonly (Note | string)[];
  readonly help?: string | undefined;
}

/** The sizes that an index definition is expected to have, where they are stated. */
export type Expected = () => readonly (Dim | undefined)[] | undefined;

export interface CallFrame {
  readonly name: string;
  readonly site: Site;
}

/** The tensor that an initialiser has to make: what its functions take when they are called without a size. */
export interface Wanted {
  readonly type: TensorType;
}

/** Makes one leaf of the state; `init` computes its initial value. */
export type LeafMaker = (path: string, role: Cell['role'], type: TensorType, site: Site, init: () => Value) => Cell;

export interface ContextOptions {
  readonly defaultFloat: DType;
  /** Run-time dimensions that are fixed, or that others determine, by name. */
  readonly dims: ReadonlyMap<string, Dim>;
  /** Those that were fixed from outside. */
  readonly fixed: ReadonlyMap<string, Dim>;
}

/** Deeper calls are taken for a recursion that does not end when compiling. The stack has room for some more, whatever the functions do. */
export const maxCallDepth = 100;

/** How deep expressions may be nested in each other, those of the functions called included. */
export const maxNesting = 300;

/** What to do about nesting that is too deep. */
export const nestingHelp =
  'a recursion stops under a condition that is known when compiling; many steps are a loop (`fold`, `scan`, `for`) or a reduction such as `sum`';

/** Expressions that may be evaluated, and elements that lists and texts may have together: a large network takes a hundredth of it. */
const maxSteps = 1_000_000;

/** The longest expression that a size may be, as text: those of real programs have some tens of characters. */
const maxSizeText = 4_000;

/** How many characters of a size count as a step of elaboration. */
const charactersPerStep = 64;

/** How many of the calls that lead to an error are shown. */
const maxTrace = 6;

export class Context {
  frame: Frame;
  /** The function of the entry itself. */
  rootFrame: Frame;
  site: Site;
  /** The place in the program's own text that was reached last: where it is at fault when the stack overflows. */
  latest: Site;
  readonly stack: CallFrame[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly functions = new Map<string, Func>();
  readonly constraints = new Map<string, EntryConstraint>();
  readonly constants = new Map<ast.Constant, Val>();
  /** Constants whose values are being computed, and imports that are being followed: to meet one again is to go in a circle. */
  readonly pending = new Set<ast.Constant | UnitItem>();
  /** The open names of signatures that were analysed. */
  readonly signatures = new Map<Signature, OpenNames>();
  /** The signatures of lambdas, made at their first call. */
  readonly lambdas = new Map<ast.Lambda, Signature>();
  /** Sub-models that were given their place, so that one that is named twice is shared. */
  readonly placed = new Map<Blueprint, Val>();
  /** What trees of index expressions were lowered to. */
  readonly lowered = new WeakMap<IndexTree, Dense>();
  /** Whether something read `training` and found it true: then the entry has another form for evaluation. */
  asksForTraining = false;
  /** Makes the leaves of instances: parameters of the entry, or their initial values. Absent where no state may be made. */
  makeLeaf: LeafMaker | undefined;
  /** How many derivatives surround the current place. */
  differentiating = 0;
  /** How often `no_grad` surrounds the current place. */
  withoutGradient = 0;
  wanted: Wanted | undefined;
  /** The key of random draws, made a parameter of the entry at the first draw. */
  randomKey: (() => Value) | undefined;
  /** How many draws there were: each folds its own number into the key. */
  draws = 0;
  /** How many expressions are being evaluated inside of each other. */
  #nesting = 0;
  #steps = 0;
  readonly #functionNames = new Set<string>();
  readonly #lines = new Map<Source, readonly number[]>();

  constructor(
    readonly engine: Engine,
    readonly workspace: Workspace,
    readonly unit: Unit,
    readonly options: ContextOptions,
    /** What replaced run-time dimensions by others, by the dimension. */
    readonly settled: ReadonlyMap<string, EntryConstraint> = new Map(),
  ) {
    this.site = { source: unit.source, span: { start: 0, end: 0 } };
    this.latest = this.site;
    this.rootFrame = new Frame('none');
    this.frame = this.rootFrame;
  }

  /** Begins to write the function of an entry. */
  enterRoot(frame: Frame): void {
    this.rootFrame = frame;
    this.frame = frame;
  }

  /** The function being written. */
  get b(): Frame {
    return this.frame;
  }

  // ---- places -----------------------------------------------------------------------------------------------------

  /** Evaluates something written at a place: errors point there, and nodes made for the user's own text come from there. */
  at<T>(unit: Unit, span: Site['span'], body: () => T): T {
    this.spend(1);
    const outer = this.site;
    this.site = { source: unit.source, span };
    if (this.#nesting >= maxNesting) {
      this.fail('E0408', { message: `expressions nest more than ${maxNesting} levels deep`, help: nestingHelp });
    }
    this.#nesting++;
    try {
      if (unit.isLibrary) return body();
      this.latest = this.site;
      return this.frame.withOrigin(
        { site: this.#siteOf(unit.source, span.start), text: excerpt(unit.source, span) },
        body,
      );
    } finally {
      this.site = outer;
      this.#nesting--;
    }
  }

  /** Runs what is done on behalf of a place, without evaluating what stands there: errors point to it. */
  pointing<T>(site: Site, body: () => T): T {
    const outer = this.site;
    this.site = site;
    try {
      return body();
    } finally {
      this.site = outer;
    }
  }

  #siteOf(source: Source, offset: number): SourceSite {
    let starts = this.#lines.get(source);
    if (starts === undefined) {
      starts = lineStarts(source.text);
      this.#lines.set(source, starts);
    }
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file: source.path, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** Counts steps of elaboration; a program that takes too many is refused. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps <= maxSteps) return;
    const help =
      'what is known when compiling is unrolled: use `fold` or `scan` for long loops, tensors for long lists';
    this.report(this.complain('L0907', { message: 'compiling this takes too many steps', help }));
    throw new GaveUp();
  }

  /** Runs the body of a function on behalf of a call. */
  within<T>(name: string, site: Site, body: () => T): T {
    if (this.stack.length >= maxCallDepth) {
      this.fail('E0408', {
        message: `the calls that lead to \`${name}\` nest more than ${maxCallDepth} levels deep`,
        site,
        help: nestingHelp,
      });
    }
    this.stack.push({ name, site });
    try {
      return body();
    } finally {
      this.stack.pop();
    }
  }

  // ---- diagnostics ------------------------------------------------------------------------------------------------

  fail(code: DiagnosticCode, complaint: Complaint): never {
    throw new Failure(this.complain(code, complaint));
  }

  /** The diagnostic of a complaint: an error inside the library is shown where the program calls it. */
  complain(code: DiagnosticCode, { message, site = this.site, label, notes = [], help }: Complaint): Diagnostic {
    const { place, depth } = this.#blame(site);
    // A note on a line that the frame shows, or on a line of the library, tells the reader nothing.
    const visible = notes.filter((note) => {
      if (typeof note === 'string' || note.span === undefined) return true;
      const { source = place.source, span } = note;
      return !this.workspace.isLibrary(source) && !isShown({ source, span }, place);
    });
    return diagnostic(code, {
      ...place,
      message,
      label,
      notes: [...visible, ...this.#trace(message, place, depth)],
      help,
    });
  }

  /** The function that the program called, where the library is at work on behalf of it; else the name given. */
  actor(own: string): string {
    return this.stack[this.#blame(this.site).depth]?.name ?? own;
  }

  /** Where the program itself is at fault, and how many calls lead there. */
  #blame(site: Site): { readonly place: Site; readonly depth: number } {
    let place = site;
    let depth = this.stack.length;
    while (this.workspace.isLibrary(place.source) && depth > 0) place = (this.stack[--depth] as CallFrame).site;
    return { place, depth };
  }

  /** The function of the library that refuses, and the calls that lead to the place, as far as the frame of the code does not show them. */
  #trace(message: string, place: Site, depth: number): readonly (Note | string)[] {
    const inside = this.stack[depth];
    const refusing = inside === undefined || message.includes(inside.name) ? [] : [`in \`${inside.name}\``];
    const calls = this.stack.slice(0, depth).filter(({ site }) => !isMadeUp(site) && !encloses(site, place));
    const shown = calls.slice(-maxTrace).reverse();
    return [
      ...refusing,
      ...shown.map(({ name, site }): Note | string => {
        const text = `in the call of \`${name}\``;
        return this.workspace.isLibrary(site.source) ? text : { text, ...site };
      }),
      ...(calls.length > maxTrace ? [`and ${calls.length - maxTrace} calls around it`] : []),
    ];
  }

  /** Adds a diagnostic unless the same was reported at the same place before, for another instance of a function say. */
  report(found: Diagnostic): void {
    const isKnown = this.diagnostics.some(
      (d) =>
        d.code === found.code &&
        d.source === found.source &&
        d.span.start === found.span.start &&
        d.span.end === found.span.end,
    );
    if (!isKnown) this.diagnostics.push(found);
  }

  // ---- functions --------------------------------------------------------------------------------------------------

  /** Keeps a name for a function that exists, or that an entry will have. */
  reserveFunctionName(name: string): void {
    this.#functionNames.add(name);
  }

  /** A name for a function of the module that no other has. */
  functionName(hint: string): string {
    const stem = hint.replace(/[^\w.]+/g, '_').replace(/^_+|_+$/g, '') || 'f';
    let name = stem;
    for (let n = 1; this.#functionNames.has(name); n++) name = `${stem}.${n}`;
    this.#functionNames.add(name);
    return name;
  }

  /** Runs `body` with another frame as the function being written. */
  inFrame<T>(frame: Frame, body: () => T): T {
    const outer = this.frame;
    this.frame = frame;
    try {
      return frame.withOrigin(outer.origin, body);
    } finally {
      this.frame = outer;
    }
  }

  // ---- sizes ------------------------------------------------------------------------------------------------------

  /**
   * Whether two sizes are equal. What cannot be decided is assumed: where it determines a run-time dimension, elaboration starts again
   * with that dimension replaced; else it is checked when the entry is called.
   */
  sameSize(left: Dim, right: Dim, why: string): boolean {
    if (dimEquals(left, right)) return true;
    const difference = dimSub(left, right);
    if (dimValue(difference) !== undefined || isPositive(difference) || isPositive(dimNeg(difference))) return false;
    const solution = solve(difference);
    if (solution !== undefined) {
      if (isPositive(dimNeg(solution.size))) return false;
      throw new Restart(solution.symbol, solution.size, this.#constraint(why, left, right));
    }
    this.#constrain(this.#constraint(why, left, right));
    return true;
  }

  /** Whether a size is at least 0; what cannot be decided is checked when the entry is called. */
  nonNegative(size: Dim, why: string): boolean {
    if (isProvablyNonNegative(size)) return true;
    if (dimValue(size) !== undefined || isPositive(dimNeg(size))) return false;
    this.#constrain(this.#constraint(why, size));
    return true;
  }

  #constraint(message: string, left: Dim, right?: Dim): EntryConstraint {
    const { source, span } = this.#blame(this.site).place;
    return { left, ...(right && { right }), message, site: this.#siteOf(source, span.start) };
  }

  /** The size, unless it is an expression that grew without bound; such as are long cost steps. */
  bounded(size: Dim): Dim {
    const { length } = size.key;
    this.spend(Math.floor(length / charactersPerStep));
    if (length <= maxSizeText) return size;
    return this.fail('E0319', {
      message: `a size is an expression of at most ${maxSizeText} characters`,
      label: `this one has ${length}`,
      help: 'let the host give the size: `n: dim` among the parameters',
    });
  }

  /** Whether two sizes are equal, if only because the entry checks that they are. */
  areAssumedEqual(left: Dim, right: Dim): boolean {
    const keys = [constraintKey(left, right), constraintKey(right, left)];
    return dimEquals(left, right) || keys.some((key) => this.constraints.has(key));
  }

  #constrain(constraint: EntryConstraint): void {
    const key = constraintKey(constraint.left, constraint.right);
    if (!this.constraints.has(key)) this.constraints.set(key, constraint);
  }
}

/** The site of a call that the checker makes to see a function by itself: nothing is written there. */
const isMadeUp = ({ span }: Site): boolean => span.start === span.end;

const encloses = (outer: Site, inner: Site): boolean =>
  outer.source === inner.source && outer.span.start <= inner.span.start && inner.span.end <= outer.span.end;

const constraintKey = (left: Dim, right: Dim | undefined): string => `${left.key} ${right?.key ?? ''}`;

const isPositive = (dim: Dim): boolean => isProvablyNonNegative(dimSub(dim, dimConst(1)));

/** A symbol that `dim = 0` determines, and its value. */
function solve(dim: Dim): { readonly symbol: string; readonly size: Dim } | undefined {
  const solutions = dim.terms.flatMap((term) => {
    const [atom] = term.atoms;
    if (term.atoms.length !== 1 || atom?.kind !== 'symbol' || Math.abs(term.coefficient) !== 1) return [];
    const rest = dimSubstitute(dim, new Map([[atom.name, dimConst(0)]]));
    const others = dimSub(dim, { terms: [term], key: '' });
    if (dimSymbols(others).has(atom.name)) return [];
    return [{ symbol: atom.name, size: term.coefficient === 1 ? dimNeg(rest) : rest }];
  });
  // Of several symbols the one that is last in the alphabet goes: any choice would do, but it must not depend on the order of operands.
  return solutions.sort((a, b) => (a.symbol < b.symbol ? 1 : -1))[0];
}

/** How much of a text is looked at for an excerpt of it: the terms of a long sum each begin where the sum does. */
const excerptSource = 400;

/** The text of a span, shortened to one line. */
function excerpt(source: Source, { start, end }: Site['span']): string {
  const text = source.text.slice(start, Math.min(end, start + excerptSource)).replace(/\s+/g, ' ');
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
