// Tables with named columns of numbers, truth values or text, in which values may be missing: what a data set is before it is a tensor. The
// names and the conventions are those of pandas.

import type { DType } from '../dtype.js';
import { pack, type Scalar } from '../nested.js';
import { Tensor } from '../tensor.js';

/** A value of a table; null where it is missing. */
export type Cell = number | boolean | string | null;

/** What a column holds besides missing values. */
export type ColumnKind = 'number' | 'bool' | 'text';

export interface DummyOptions {
  /** Whether a missing value has an indicator column of its own, `NAME_nan`. */
  readonly dummyNa?: boolean;
  /** The columns to replace; those of text unless given. */
  readonly columns?: readonly string[];
}

type NamedCells = readonly [string, readonly Cell[]];

/** Columns by name, or as pairs of name and values. */
type Columns = { readonly [name: string]: readonly Cell[] } | Iterable<NamedCells>;

/** An immutable table: every method gives a new one. */
export class Table {
  readonly #columns: ReadonlyMap<string, readonly Cell[]>;
  /** The number of rows. */
  readonly length: number;

  /** A table of columns of equal length. Numbers that are NaN count as missing. */
  constructor(columns: Columns) {
    const entries = Symbol.iterator in columns ? [...columns] : Object.entries(columns);
    const length = entries[0]?.[1].length ?? 0;
    for (const [name, cells] of entries) {
      if (cells.length !== length) {
        throw new RangeError(
          `the columns of a table have equally many rows: ${length}, but ${name} has ${cells.length}`,
        );
      }
    }
    this.#columns = new Map(
      entries.map(([name, cells]) => [name, cells.map((cell) => (Number.isNaN(cell) ? null : cell))]),
    );
    this.length = length;
  }

  /** The names of the columns in order. */
  get names(): string[] {
    return [...this.#columns.keys()];
  }

  /** The values of a column; null where one is missing. */
  column(name: string): readonly Cell[] {
    const cells = this.#columns.get(name);
    if (cells === undefined)
      throw new RangeError(`there is no column ${name}; there is ${this.names.join(', ') || 'none'}`);
    return cells;
  }

  /** What a column holds: text where any value is text, bool where all are truth values, else numbers. */
  kind(name: string): ColumnKind {
    const known = this.column(name).filter((cell) => cell !== null);
    if (known.some((cell) => typeof cell === 'string')) return 'text';
    return known.length > 0 && known.every((cell) => typeof cell === 'boolean') ? 'bool' : 'number';
  }

  /** How many values of each column are missing. */
  missing(): Record<string, number> {
    return Object.fromEntries(
      this.names.map((name) => [name, this.column(name).filter((cell) => cell === null).length]),
    );
  }

  /** Some columns, in the order given. */
  select(...columns: readonly string[]): Table {
    return new Table(new Map(columns.map((name) => [name, this.column(name)])));
  }

  /** The columns from position `start` to `end` (not included); negative positions count from the end. */
  columns(start = 0, end?: number): Table {
    return this.select(...this.names.slice(start, end));
  }

  /** The table without some columns. */
  drop(...columns: readonly string[]): Table {
    for (const name of columns) this.column(name);
    return this.select(...this.names.filter((name) => !columns.includes(name)));
  }

  /** The rows from `start` to `end` (not included); negative positions count from the end. */
  rows(start = 0, end?: number): Table {
    return this.#map((cells) => cells.slice(start, end));
  }

  /** The table with further columns, or with others in the place of those of the same name. */
  assign(columns: Readonly<Record<string, readonly Cell[]>>): Table {
    return new Table(new Map([...this.#columns, ...Object.entries(columns)]));
  }

  /** The rows in which no value is missing. */
  dropMissing(): Table {
    const kept = Array.from({ length: this.length }, (_, row) => row).filter((row) =>
      [...this.#columns.values()].every((cells) => cells[row] !== null),
    );
    return this.#map((cells) => kept.map((row) => cells[row] as Cell));
  }

  /** The mean of the known values of each column of numbers; NaN where a column has none. */
  mean(): Record<string, number> {
    const means = this.names
      .filter((name) => this.kind(name) !== 'text')
      .map((name): [string, number] => {
        const known = this.column(name).filter((cell) => cell !== null);
        return [name, known.reduce((sum: number, cell) => sum + Number(cell), 0) / known.length];
      });
    return Object.fromEntries(means);
  }

  /** Puts a value in the place of missing ones: one for all columns, or one for each column that is named: `table.fillna(table.mean())`. */
  fillna(values: Cell | Readonly<Record<string, Cell>>): Table {
    const byName = typeof values === 'object' && values !== null ? values : undefined;
    return this.#map((cells, name) => {
      const value =
        byName === undefined ? (values as Cell) : Object.hasOwn(byName, name) ? (byName[name] as Cell) : null;
      return cells.map((cell) => cell ?? value);
    });
  }

  /**
   * Indicator columns in the place of columns of text: for each value a column `NAME_VALUE` of 0 and 1, in alphabetic order, after the other
   * columns. A missing value is 0 in all of them, and 1 in `NAME_nan` with `dummyNa`.
   */
  getDummies(options: DummyOptions = {}): Table {
    const replaced = options.columns ?? this.names.filter((name) => this.kind(name) === 'text');
    const kept = this.drop(...replaced);
    const indicators = replaced.flatMap((name) => {
      const cells = this.column(name);
      const values = [...new Set(cells.filter((cell) => cell !== null))].sort(compareCells);
      const column = (value: Cell, suffix: string): [string, Cell[]] => [
        `${name}_${suffix}`,
        cells.map((cell) => Number(cell === value)),
      ];
      return [
        ...values.map((value) => column(value, String(value))),
        ...(options.dummyNa ? [column(null, 'nan')] : []),
      ];
    });
    return new Table(new Map([...kept.#columns, ...indicators]));
  }

  /** The columns as a tensor [rows, columns]; f32 unless another dtype is given. Text and missing values are refused. */
  toTensor<D extends DType = 'f32'>(options: { readonly dtype?: D } = {}): Tensor<D, [number, number]> {
    const dtype = options.dtype ?? ('f32' as D);
    const names = this.names;
    const scalars = new Array<Scalar>(this.length * names.length);
    for (const [column, name] of names.entries()) {
      for (const [row, cell] of this.column(name).entries()) {
        if (cell === null || typeof cell === 'string') {
          const what =
            cell === null ? 'missing: fill it in with fillna' : `text, ${JSON.stringify(cell)}: see getDummies`;
          throw new TypeError(`a tensor is made of numbers, but row ${row} of the column ${name} is ${what}`);
        }
        scalars[row * names.length + column] = cell;
      }
    }
    return new Tensor<D, [number, number]>(dtype, [this.length, names.length], pack(dtype, scalars));
  }

  /** The table as lines with the columns underneath each other. */
  toString(): string {
    const text = (cell: Cell): string => (cell === null ? 'NaN' : String(cell));
    const columns = [
      ['', ...Array.from({ length: this.length }, (_, row) => String(row))],
      ...[...this.#columns].map(([name, cells]) => [name, ...cells.map(text)]),
    ];
    const widths = columns.map((lines) => Math.max(...lines.map((line) => line.length)));
    const line = (row: number) =>
      columns.map((lines, i) => (lines[row] as string).padStart(widths[i] as number)).join('  ');
    return Array.from({ length: this.length + 1 }, (_, row) => line(row)).join('\n');
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #map(change: (cells: readonly Cell[], name: string) => readonly Cell[]): Table {
    return new Table(new Map([...this.#columns].map(([name, cells]) => [name, change(cells, name)])));
  }
}

function compareCells(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
