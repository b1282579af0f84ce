// Reads a lowered chain (kernel/chain) of a product, folds along its rows and a second product as values of an element and of a row: what a stage
// stores and a later one loads is the same value, so that no memory lies between them.

import { type Dim, dimEquals, dimSubstitute, dimSymbol } from '../../../../compiler/ir/dims.js';
import type { DType } from '../../../../compiler/ir/dtype.js';
import {
  type Accumulate,
  type Expr,
  type Guard,
  type Kernel,
  type Loop,
  type Stmt,
  stmtPositions,
  type Temp,
} from '../../ir.js';
import { mentions } from '../../positions.js';
import { exprText } from '../../print.js';
import { mapTemps } from '../../schedule/copies.js';
import { mapPositions, mapStatements } from '../../schedule/rewrite.js';
import { flatNest } from '../independent.js';
import { type Axis, matrixProduct, type Product } from '../product.js';
import type { Precision } from '../schedule.js';

/** The indices of a row of the block and of a column. */
export const ROW = '$at_row';
export const COLUMN = '$at_column';

export type Let = Extract<Stmt, { kind: 'let' }>;
type Define = Extract<Stmt, { kind: 'define' }>;
export type Store = Extract<Stmt, { kind: 'store' }>;

/** A fold along a row: its steps take values of an element. */
export interface RowFold {
  readonly accumulate: Accumulate;
  readonly args: readonly Temp[];
  readonly guards: readonly Guard[];
}

/** What a chain does with a block of rows. */
export interface RowProgram {
  /** The loop over blocks, and the positions that each defines. */
  readonly blocks: Axis;
  readonly defines: readonly Define[];
  readonly rows: Dim;
  readonly columns: Dim;
  /** The product of which rows are made; its sum is `score`. */
  readonly scores: Product;
  readonly score: Temp;
  /** The product whose left factor is `weight`. */
  readonly mixed: Product;
  readonly weight: Temp;
  /** Values in order, none of them twice; those of an element depend on the column or on the score. */
  readonly values: readonly Let[];
  readonly folds: readonly RowFold[];
  /** What the caller gets of elements and rows. */
  readonly stores: readonly Store[];
  readonly checks: readonly Stmt[];
}

/** The chain as a program of rows; undefined where it has another form. */
export function readChain(kernel: Kernel, precision: Precision): RowProgram | undefined {
  const [loop] = kernel.body;
  if (kernel.body.length !== 1 || loop?.kind !== 'for' || loop.mark !== 'chain') return undefined;
  const stages = loop.body.filter((stmt): stmt is Loop => stmt.kind === 'for');
  const defines = loop.body.filter((stmt): stmt is Define => stmt.kind === 'define');
  const [first, pivot, last] = stages.map((stage) => renamed(stage, stage.index, ROW));
  if (first === undefined || pivot === undefined || last === undefined || stages.length > 3) return undefined;
  if (defines.length + stages.length < loop.body.length) return undefined;
  const scores = stageProduct(first, precision);
  const draft = stageProduct(last, precision);
  const [column, depth] = [scores?.columns[0], draft?.depth[0]];
  if (scores === undefined || draft === undefined || column === undefined || depth === undefined) return undefined;
  if (!dimEquals(column.extent, depth.extent) || !dimEquals(last.extent, first.extent)) return undefined;
  // With the names of rows and columns, equal elements have equal offsets.
  const named = stageProduct(renamed(first, column.index, COLUMN), precision) as Product;
  const mixed = stageProduct(renamed(last, depth.index, COLUMN), precision) as Product;
  const sum = sumOf(named);
  const reader = new Reader(column.extent);
  const isRead =
    sum !== undefined &&
    reader.read([...sum.finish, ...named.after], true) &&
    reader.read(flatNest(pivot).loops.length === 1 ? pivot.body : [], false) &&
    reader.folds.length > 0 &&
    mixed.left.guards.length === 0 &&
    reader.read(mixed.left.statements, true);
  if (!isRead) return undefined;
  const needed = [...reader.values, ...mixed.right.statements, ...mixed.after];
  if (needed.some((stmt) => stmt.kind === 'let' && stmt.value.kind === 'load' && reader.isStored(stmt.value)))
    return undefined;
  return {
    blocks: { index: loop.index, extent: loop.extent },
    defines,
    rows: first.extent,
    columns: column.extent,
    scores: named,
    score: sum.score,
    mixed,
    weight: reader.valueOf(mixed.left.temp),
    values: reader.values,
    folds: reader.folds,
    stores: reader.stores,
    checks: reader.checks,
  };
}

/** A statement with another name for a loop variable. */
function renamed<S extends Stmt>(stmt: S, from: string, to: string): S {
  const names = new Map([[from, dimSymbol(to)]]);
  const moved = mapPositions(stmt, (position) => dimSubstitute(position, names));
  const loops = mapStatements([moved], (each) =>
    each.kind === 'for' && each.index === from ? { ...each, index: to } : each,
  );
  return loops[0] as S;
}

/** The product of rows and columns that a stage is; its left factor has the rows, and its columns and depth have one axis each. */
function stageProduct(stage: Loop, precision: Precision): Product | undefined {
  const { loops, body } = flatNest(stage);
  const product = loops.length === 2 ? matrixProduct(loops, [], body, precision) : undefined;
  if (product === undefined || product.batches.length > 0 || product.depth.length > 1) return undefined;
  const turned = product.columns.some(({ index }) => index === ROW)
    ? { ...product, rows: product.columns, columns: product.rows, left: product.right, right: product.left }
    : product;
  return turned.rows.length === 1 && turned.columns.length === 1 ? turned : undefined;
}

/** The sum of a product as a value, and what makes the result of it. */
function sumOf({ accumulate: { fold, results } }: Product): { score: Temp; finish: readonly Stmt[] } | undefined {
  const [finish] = fold.finish;
  const [result] = results;
  if (finish === undefined || result === undefined || results.length > 1) return undefined;
  if (finish.kind === 'argument') return { score: result, finish: [] };
  const score: Temp = { name: `${result.name}_sum`, dtype: fold.state[0] as DType };
  return { score, finish: [{ kind: 'let', temp: result, value: { kind: 'scalar', body: finish, args: [score] } }] };
}

/** Collects the values of statements, one after another. */
class Reader {
  readonly values: Let[] = [];
  readonly folds: RowFold[] = [];
  readonly checks: Stmt[] = [];
  readonly #alias = new Map<string, Temp>();
  readonly #known = new Map<string, Temp>();
  readonly #written = new Map<string, Store>();

  constructor(readonly columns: Dim) {}

  /** The last store to each element that the caller gets. */
  get stores(): readonly Store[] {
    return [...this.#written.values()].filter(({ buffer }) => buffer.role === 'out');
  }

  valueOf(temp: Temp): Temp {
    return this.#alias.get(temp.name) ?? temp;
  }

  isStored(load: Extract<Expr, { kind: 'load' }>): boolean {
    return this.#written.has(load.buffer.name);
  }

  /** Takes statements of a row, or of an element of it; false where they are of another form. */
  read(body: readonly Stmt[], isElement: boolean): boolean {
    return body.every((stmt) => {
      switch (stmt.kind) {
        case 'let':
          return this.#value(stmt);
        case 'store':
          return this.#store(stmt);
        case 'check':
          this.checks.push(stmt);
          return !stmtPositions(stmt).some((position) => mentions(position, COLUMN));
        case 'for':
          return !isElement && stmt.mark === 'parallel' && this.#columns(stmt);
        case 'accumulate':
          return !isElement && this.#fold(stmt);
        default:
          return false;
      }
    });
  }

  #columns(loop: Loop): boolean {
    return dimEquals(loop.extent, this.columns) && this.read(renamed(loop, loop.index, COLUMN).body, true);
  }

  #fold(accumulate: Accumulate): boolean {
    const loops = accumulate.body.filter((stmt): stmt is Loop => stmt.kind === 'for');
    const [loop] = loops;
    if (loop === undefined || loops.length > 1 || !dimEquals(loop.extent, this.columns)) return false;
    const inside = renamed(loop, loop.index, COLUMN).body;
    const steps = inside.filter((stmt): stmt is Extract<Stmt, { kind: 'fold' }> => stmt.kind === 'fold');
    const [step] = steps;
    const others = [
      ...accumulate.body.filter((stmt) => stmt !== loop),
      ...inside.filter((stmt) => !steps.includes(stmt as (typeof steps)[number])),
    ];
    if (step === undefined || steps.length > 1 || step.into !== accumulate.name || !this.read(others, true))
      return false;
    this.folds.push({ accumulate, args: step.args.map((arg) => this.valueOf(arg)), guards: step.guards });
    return true;
  }

  #store(store: Store): boolean {
    const earlier = this.#written.get(store.buffer.name);
    if (earlier !== undefined && earlier.offset.key !== store.offset.key) return false;
    this.#written.set(store.buffer.name, { ...store, value: this.valueOf(store.value) });
    return true;
  }

  #value(stmt: Let): boolean {
    const value = mapTemps(stmt.value, (temp) => this.valueOf(temp));
    if (value.kind === 'register') return false;
    if (value.kind === 'load' && value.buffer.role !== 'in' && value.buffer.role !== 'table') {
      const store = this.#written.get(value.buffer.name);
      if (store === undefined || store.offset.key !== value.offset.key || value.guards.length > 0) return false;
      this.#alias.set(stmt.temp.name, store.value);
      return true;
    }
    const text = `${exprText(value)} ${stmt.temp.dtype}`;
    const known = this.#known.get(text);
    if (known !== undefined) {
      this.#alias.set(stmt.temp.name, known);
      return true;
    }
    this.#known.set(text, stmt.temp);
    this.values.push({ ...stmt, value });
    return true;
  }
}
