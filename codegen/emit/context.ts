// What the printer of a kernel knows at a place: the lanes that it computes in, and the C text of every value.

import type { Dim } from '../../compiler/ir/dims.js';
import { dimAdd, dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { Accumulate, Buffer, Position, Stmt } from '../kernel/ir.js';
import { mentions } from '../kernel/positions.js';
import type { Places } from './places.js';
import type { PositionScope } from './positions.js';
import type { Operand, Sink } from './scalar.js';
import type { Form } from './types.js';
import type { Unit } from './unit.js';

/** The lanes of a vector loop. Several vectors (`copies`) may be in flight; only the first `count` lanes of the last one are in the loop. */
export interface Lanes {
  readonly form: Form;
  readonly index: string;
  readonly copies: number;
  readonly count?: string;
  /** Where the loop runs, if that is constant. */
  readonly within?: Within;
}

/** from ≤ index < to */
export interface Within {
  readonly from: number;
  readonly to: number;
}

/** A value: one text, or one for each copy of a vector. */
export interface Value {
  readonly texts: readonly string[];
  readonly inLanes: boolean;
  readonly isLiteral?: boolean;
}

/** The state of a fold in C variables: by copy, by component. */
export interface FoldState {
  readonly accumulate: Accumulate;
  readonly form: Form;
  readonly variables: readonly (readonly string[])[];
  /** Whether the lanes of an inner loop share out the fold. */
  readonly isSplit: boolean;
}

/** The values that are in scope: those of a block and of the blocks around it. */
export class Values {
  readonly #own = new Map<string, Value>();

  constructor(readonly outer?: Values) {}

  get(name: string): Value | undefined {
    return this.#own.get(name) ?? this.outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.#own.set(name, value);
  }
}

export interface Scope {
  readonly lanes?: Lanes;
  readonly positions: PositionScope;
  readonly values: Values;
  /** Loads in this C block whose memory has not been written since, by their text. */
  readonly loads: Map<string, string>;
  readonly folds: ReadonlyMap<string, FoldState>;
  /** The C variable that says whether a store that may go past the caches does. */
  readonly past?: string;
  /** In a loop of products, where its loads begin. */
  readonly places?: Places;
}

/** Prints statements in the way of a target; false for those that are printed as for the CPU. */
export type Override = (lines: Lines, stmt: Stmt, scope: Scope) => boolean;

/** Collects the lines of a C function. */
export class Lines implements Sink {
  readonly #lines: (string | readonly string[])[] = [];
  #indent = '  ';
  #count = 0;

  constructor(
    readonly unit: Unit,
    readonly bufferName: (buffer: Buffer) => string,
    readonly override: Override = () => false,
  ) {}

  line(text: string): void {
    this.#lines.push(`${this.#indent}${text}`);
  }

  /** Leaves room for lines that are found out about later. */
  later(): (text: string) => void {
    const lines: string[] = [];
    const indent = this.#indent;
    this.#lines.push(lines);
    return (text) => lines.push(`${indent}${text}`);
  }

  fresh(stem = 'v'): string {
    return `${stem}${this.#count++}`;
  }

  /** Adds what `body` adds, indented, between braces. */
  block(head: string, body: () => void, tail = ''): void {
    this.line(`${head}{`);
    const outer = this.#indent;
    this.#indent = `${outer}  `;
    body();
    this.#indent = outer;
    this.line(`}${tail}`);
  }

  get text(): string {
    return this.#lines.flat().join('\n');
  }
}

/** A scope inside of another: the same values, and loads kept only where the C block is the same. */
export const inner = (scope: Scope, changes: Partial<Scope>): Scope => ({
  ...scope,
  values: new Values(scope.values),
  loads: new Map(),
  ...changes,
});

/** The scope in which a symbol stands for an expression. */
export function withKnown(scope: Scope, symbol: string, value: Dim): PositionScope {
  return { ...scope.positions, known: new Map([...scope.positions.known, [symbol, value]]) };
}

export const withRange = (scope: Scope, index: string, extent: Dim): PositionScope => ({
  ...scope.positions,
  ranges: new Map([...scope.positions.ranges, [index, extent]]),
});

/** The positions of one copy of the vectors in flight. */
export function copyPositions(scope: Scope, copy: number): PositionScope {
  const { lanes } = scope;
  if (lanes === undefined || copy === 0) return scope.positions;
  const base = scope.positions.known.get(lanes.index) ?? dimSymbol(lanes.index);
  return withKnown(scope, lanes.index, dimAdd(base, dimConst(copy * lanes.form.lanes)));
}

/** Whether a position differs between lanes. */
export const variesInLanes = (position: Position, scope: Scope): boolean =>
  scope.lanes !== undefined && mentions(position, scope.lanes.index);

/** The number of active lanes of a copy, undefined where all are. */
export const activeLanes = (lanes: Lanes, copy: number): string | undefined =>
  copy === lanes.copies - 1 ? lanes.count : undefined;

/** A value as an operand in one copy. */
export function operandOf(value: Value, copy: number): Operand {
  const text = value.texts[value.inLanes ? copy : 0];
  if (text === undefined) throw new Error('a value has no text for a copy of its vector');
  return value.isLiteral === true ? { text, inLanes: false, isLiteral: true } : { text, inLanes: value.inLanes };
}

/** The text of a value that is in scope. */
export function valueNamed(scope: Scope, name: string): Value {
  const value = scope.values.get(name);
  if (value === undefined) throw new Error(`the value ${name} is used outside of its loop`);
  return value;
}
