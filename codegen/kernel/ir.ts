// The kernel IR: what one kernel computes, as loops over buffers. Typed and independent of a target language; text in C or CUDA
// exists only in the emitters.
//
// Values of elements are named temporaries (SSA), computed by scalar IR. Integer arithmetic on positions is a polynomial (`Dim`) over
// loop variables, which are symbols that begin with `$`, and over run-time dimensions, so that offsets are simplified and compared as
// normal forms. A kernel is written for one element at a time; `mark` on a loop says how its iterations run together, and only loops
// without dependences between iterations, other than those of `accumulate`, may be marked.

import { type Dim, dimSymbols } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { Scalar } from '../../compiler/ir/scalar.js';

/** An integer expression over loop variables, looked-up positions and run-time dimensions. */
export type Position = Dim;

/** Memory that a kernel reads or writes. `scratch` belongs to a thread and holds nothing when a chunk of the parallel loop begins. */
export interface Buffer {
  readonly name: string;
  readonly dtype: DType;
  readonly role: 'in' | 'out' | 'scratch' | 'table';
  /** The number of elements. */
  readonly size: Dim;
  /** The elements of a `table`, which is part of the program. */
  readonly data?: readonly (number | bigint)[];
}

/** A named value of one element. */
export interface Temp {
  readonly name: string;
  readonly dtype: DType;
}

/** A condition on positions: the value is ≥ 0, or it is a multiple of a number. */
export type Guard =
  | { readonly kind: 'nonnegative'; readonly value: Position }
  | { readonly kind: 'multiple'; readonly value: Position; readonly of: number };

export type Expr =
  /** The element at an offset; 0 where a guard fails, and then nothing is read. */
  | { readonly kind: 'load'; readonly buffer: Buffer; readonly offset: Position; readonly guards: readonly Guard[] }
  /** A position as the value of an element. */
  | { readonly kind: 'position'; readonly value: Position; readonly dtype: DType }
  /** Scalar IR whose argument k is `args[k]`. */
  | { readonly kind: 'scalar'; readonly body: Scalar; readonly args: readonly Temp[] }
  /** The random bits that a key (two i64) gives at a row-major position, as i32 (compiler/scalar/philox.ts). */
  | { readonly kind: 'random'; readonly key: readonly [Temp, Temp]; readonly position: Position }
  /** a·b + c, rounded once where the machine does that at no cost, else twice: for contractions. */
  | { readonly kind: 'muladd'; readonly a: Temp; readonly b: Temp; readonly c: Temp }
  /** The first where all guards hold, else the second. */
  | { readonly kind: 'choose'; readonly guards: readonly Guard[]; readonly accepted: Temp; readonly otherwise: Temp }
  | { readonly kind: 'register'; readonly register: Register; readonly at: readonly Position[] };

/**
 * Mutable values that live in machine registers. Without a shape: one value, or one in every lane of the vector loop that it is declared in.
 * With a shape: an array, declared outside of vector loops, whose last index is the index of a vector loop of that extent and whose other
 * indices are constants once `unroll` loops are written out.
 */
export interface Register {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * A fold as scalar IR: `step` takes (state…, arguments of the fold statement…), `merge` (left state…, right state…), `finish` (state…).
 * `merge` may join parts in any order, so that a fold may be split among lanes.
 */
export interface Fold {
  readonly name: string;
  readonly state: readonly DType[];
  readonly init: readonly Scalar[];
  readonly step: readonly Scalar[];
  readonly merge: readonly Scalar[];
  readonly finish: readonly Scalar[];
  /** A step with an argument that is 0 because a guard failed leaves the state as it is: true of sums of products. */
  readonly absorbsZero?: boolean;
}

/**
 * serial: in order. parallel: chunks of iterations may run at the same time. vector: iterations run in lanes, and a fold whose
 * `accumulate` lies outside is split among the lanes. unroll: the extent is constant, and every iteration is written out. team: on a GPU,
 * iterations are dealt out to the threads that work on one iteration of the grid together, and folds are split among them. chain: as parallel;
 * each statement of the body is scheduled by itself, after the one before it has ended for this iteration.
 */
export type LoopMark = 'serial' | 'parallel' | 'vector' | 'unroll' | 'team' | 'chain';

/** The state of a running fold after a range of iterations and that after the next one, (left…, right…), give the state after both. */
export interface Scan {
  readonly registers: readonly Register[];
  readonly merge: readonly Scalar[];
}

export interface Loop {
  readonly kind: 'for';
  readonly index: string;
  /** The index runs over 0 ≤ index < extent. */
  readonly extent: Dim;
  readonly mark: LoopMark;
  /** For `vector`: how many vectors are in flight at once. */
  readonly interleave?: number;
  /**
   * A number that a run-time extent never exceeds. A `vector` loop is written out as this many lanes then: those from the extent on, which
   * are idle, lie in the last of its vectors.
   */
  readonly atMost?: number;
  /** For a `serial` loop that is a running fold: its state, and how the states of neighbouring ranges of iterations are joined. */
  readonly scan?: Scan;
  readonly body: readonly Stmt[];
}

/** Folds what the `fold` statements inside its body add up, then defines `results`. */
export interface Accumulate {
  readonly kind: 'accumulate';
  readonly name: string;
  readonly fold: Fold;
  readonly results: readonly Temp[];
  readonly body: readonly Stmt[];
}

export type Stmt =
  | { readonly kind: 'let'; readonly temp: Temp; readonly value: Expr }
  | {
      readonly kind: 'store';
      readonly buffer: Buffer;
      readonly offset: Position;
      readonly value: Temp;
      /** In a vector loop at the top: whether it may go past the caches where the result is larger than they are. */
      readonly isPast?: boolean;
    }
  | Loop
  | Accumulate
  /** One step of the enclosing `accumulate` of this name, where the guards hold. */
  | { readonly kind: 'fold'; readonly into: string; readonly args: readonly Temp[]; readonly guards: readonly Guard[] }
  /**
   * Makes an integer element a position called `index`. A value outside 0 ≤ value < size is reported as fault `site` at `position`, and
   * the index is 0 then.
   */
  | {
      readonly kind: 'lookup';
      readonly index: string;
      readonly value: Temp;
      readonly size: Dim;
      readonly site: number;
      readonly position: Position;
      readonly guards: readonly Guard[];
    }
  /** Reports fault `site` unless all guards hold. */
  | { readonly kind: 'check'; readonly guards: readonly Guard[]; readonly site: number }
  /** Names a position that is computed once; it runs over 0 ≤ index < extent. */
  | { readonly kind: 'define'; readonly index: string; readonly value: Position; readonly extent: Dim }
  /**
   * Asks for what is read from a buffer later, or written where it is an `out`: what lies at the offset or, with `row`, so many elements behind it,
   * or somewhat more or less. Nothing need lie there. It changes no result.
   */
  | { readonly kind: 'fetch'; readonly buffer: Buffer; readonly offset: Position; readonly row?: Dim }
  /** Declares registers. `crowded`: loops that use them need nearly all that a machine has, so that nothing else should stay in registers there. */
  | { readonly kind: 'registers'; readonly register: Register; readonly crowded?: boolean }
  /**
   * Sorts the first `length` elements of `keys`, signed integers, upwards: element i of `order`, for i < `count`, is then the position of the one
   * that comes to place `start + i`, the first of equal ones before the others. Both have room for 2 · length elements, and hold nothing else
   * afterwards.
   */
  | {
      readonly kind: 'sort';
      readonly keys: Buffer;
      readonly order: Buffer;
      readonly length: Dim;
      readonly start: Dim;
      readonly count: Dim;
    }
  /** Exchanges the indices of a register array that has as many rows as a vector has lanes. */
  | { readonly kind: 'transpose'; readonly register: Register }
  | { readonly kind: 'assign'; readonly register: Register; readonly at: readonly Position[]; readonly value: Temp }
  | { readonly kind: 'if'; readonly guards: readonly Guard[]; readonly body: readonly Stmt[] };

export interface Kernel {
  readonly buffers: readonly Buffer[];
  /** Run-time dimensions that occur in the body, sorted. */
  readonly sizes: readonly string[];
  readonly body: readonly Stmt[];
  /** The number of fault sites that it may report; the kernel's own numbers count from 0. */
  readonly faults: number;
}

/** A kernel from its parts: finds out which run-time dimensions occur in it. */
export function kernelOf(buffers: readonly Buffer[], body: readonly Stmt[], faults: number): Kernel {
  const symbols = new Set<string>();
  for (const stmt of walk(body)) for (const position of stmtPositions(stmt)) dimSymbols(position, symbols);
  const sizes = [...symbols].filter((symbol) => !isPositionName(symbol)).sort();
  return { buffers, sizes, body, faults };
}

/** All positions that a statement itself computes with, those of the statements inside it left out. */
export function stmtPositions(stmt: Stmt): readonly Position[] {
  switch (stmt.kind) {
    case 'let':
      return exprPositions(stmt.value);
    case 'store':
      return [stmt.offset];
    case 'for':
      return [stmt.extent];
    case 'sort':
      return [stmt.length, stmt.start, stmt.count];
    case 'fold':
    case 'if':
    case 'check':
      return stmt.guards.map((guard) => guard.value);
    case 'lookup':
      return [stmt.size, stmt.position, ...stmt.guards.map((guard) => guard.value)];
    case 'define':
      return [stmt.value, stmt.extent];
    case 'fetch':
      return stmt.row === undefined ? [stmt.offset] : [stmt.offset, stmt.row];
    case 'assign':
      return stmt.at;
    case 'accumulate':
    case 'registers':
    case 'transpose':
      return [];
  }
}

/** Whether a symbol is a position of a kernel (a loop variable or a lookup) and not a run-time dimension. */
export const isPositionName = (symbol: string): boolean => symbol.startsWith('$');

/** The dtype of what an expression gives. */
export function exprType(expr: Expr): DType {
  switch (expr.kind) {
    case 'load':
      return expr.buffer.dtype;
    case 'position':
      return expr.dtype;
    case 'scalar':
      return expr.body.dtype;
    case 'random':
      return 'i32';
    case 'muladd':
      return expr.c.dtype;
    case 'choose':
      return expr.accepted.dtype;
    case 'register':
      return expr.register.dtype;
  }
}

/** The temporaries that an expression reads. */
export function exprTemps(expr: Expr): readonly Temp[] {
  switch (expr.kind) {
    case 'scalar':
      return expr.args;
    case 'random':
      return expr.key;
    case 'muladd':
      return [expr.a, expr.b, expr.c];
    case 'choose':
      return [expr.accepted, expr.otherwise];
    default:
      return [];
  }
}

/** All positions that an expression computes with. */
export function exprPositions(expr: Expr): readonly Position[] {
  switch (expr.kind) {
    case 'load':
      return [expr.offset, ...expr.guards.map((guard) => guard.value)];
    case 'position':
      return [expr.value];
    case 'random':
      return [expr.position];
    case 'choose':
      return expr.guards.map((guard) => guard.value);
    case 'register':
      return expr.at;
    default:
      return [];
  }
}

/** The statements directly inside a statement. */
const stmtBody = (stmt: Stmt): readonly Stmt[] => ('body' in stmt ? stmt.body : []);

/** All statements in a body, outer ones before those inside them. */
export function* walk(body: readonly Stmt[]): Generator<Stmt> {
  for (const stmt of body) {
    yield stmt;
    yield* walk(stmtBody(stmt));
  }
}
