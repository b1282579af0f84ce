// Prints a chain as the steps of td_chain (rts/cuda/tdsl_chain.cuh): for every sweep a loop over tiles of columns, with the copies, products and
// barriers around what elements.ts prints.

import type { Dim } from '../../../compiler/ir/dims.js';
import { COLUMN, ROW } from '../../kernel/gpu/chain/rows.js';
import type { Sweep, Sweeps } from '../../kernel/gpu/chain/sweeps.js';
import type { Factor, Product } from '../../kernel/gpu/product.js';
import { type FoldState, inner, type Lines, type Scope, withRange } from '../context.js';
import { declareState, finishFold } from '../folds.js';
import { loopName, positionText } from '../positions.js';
import { emitBody } from '../statements.js';
import { ElementPrinter, IS_FIRST, TEAM, textOf, typeOf } from './elements.js';
import { emitFactor, emitOut, extentOf, kinds } from './product.js';
import { joinWarp } from './statements.js';

export function emitSweeps(lines: Lines, phase: Sweeps, outer: Scope): void {
  const { program, layout } = phase;
  const { scores, mixed, blocks } = program;
  const sides = `${layout.depth}, ${scores.left.isDeep}, ${scores.right.isDeep}`;
  const first = `${kinds[scores.arithmetic]}, ${typeOf(lines, scores.dtype)}, ${sides}`;
  const second = `${kinds[mixed.arithmetic]}, ${typeOf(lines, mixed.dtype)}, ${layout.features}, ${mixed.right.isDeep}`;
  lines.line(`td_chain<${first}, ${second}, ${layout.columns}, ${layout.kept}, ${layout.bytes}> chain;`);
  const item = loopName(blocks.index);
  const ranges: readonly (readonly [string, Dim])[] = [
    [blocks.index, blocks.extent],
    ...program.defines.map(({ index, extent }) => [index, extent] as const),
    [ROW, program.rows],
    [COLUMN, program.columns],
  ];
  const positions = ranges.reduce(
    (known, [index, extent]) => withRange({ ...outer, positions: known }, index, extent),
    outer.positions,
  );
  lines.block(`for (int64_t ${item} = block; ${item} < items; ${item} += blocks) `, () => {
    new BlockPrinter(lines, phase, inner(outer, { positions })).print();
  });
}

/** Prints what is done with one block of rows. */
class BlockPrinter {
  readonly #states = new Map<string, FoldState>();
  readonly #elements: ElementPrinter;
  /** The levels whose values of the row are printed. */
  #known = 0;

  constructor(
    readonly lines: Lines,
    readonly phase: Sweeps,
    readonly scope: Scope,
  ) {
    this.#elements = new ElementPrinter(lines, phase, this.#states);
  }

  print(): void {
    const { lines, scope } = this;
    const { program, sweeps, rowStores, layout } = this.phase;
    const { scores, mixed, defines, rows, columns, checks } = program;
    emitBody(lines, defines, scope);
    const text = (dim: Dim): string => positionText(dim, scope.positions);
    lines.line(`const int64_t height = ${text(rows)}, width = ${text(columns)};`);
    lines.line(`const int64_t depth = ${text(extentOf(scores.depth))}, features = ${text(extentOf(mixed.columns))};`);
    const left = this.#factor('left', scores.left, scores, scores.rows);
    const right = this.#factor('right', scores.right, scores, scores.columns);
    const values = this.#factor('values', mixed.right, mixed, mixed.columns);
    lines.line(`chain.bring_left(${left}, height, depth);`);
    // Threads behind the last row know what the last one knows, and have no columns.
    lines.line(`const int64_t ${loopName(ROW)} = tdsl_min(chain.row(), height - 1);`);
    lines.line('const int64_t own_width = chain.row() < height ? width : 0;');
    if (sweeps.length > 1) lines.line(`const bool kept = width <= ${layout.kept * layout.columns};`);
    emitBody(lines, checks, scope);
    for (const [number, sweep] of sweeps.entries()) this.#sweep(sweep, number, right, values);
    this.#rowValues(sweeps.length);
    if (rowStores.length > 0) {
      const print = (): void => emitBody(lines, rowStores, inner(scope, {}));
      lines.block(`if (chain.row() < height && ${IS_FIRST}) `, print);
    }
    this.#results();
  }

  #factor(name: string, factor: Factor, { depth, dtype, batches }: Product, along: Product['rows']): string {
    const type = typeOf(this.lines, dtype);
    return emitFactor(this.lines, this.scope, name, factor, { batches, along, depth, type });
  }

  /** Values of the row that are known before a sweep. */
  #rowValues(sweep: number): void {
    const { program, levels } = this.phase;
    const own = program.values.filter(({ temp }) => {
      const level = levels.of(temp);
      return !levels.isElement(temp) && level >= this.#known && level <= sweep;
    });
    this.#known = sweep + 1;
    emitBody(this.lines, own, this.scope);
  }

  /** Prints a sweep. Later ones multiply scores only where not all of the row's have room. */
  #sweep(sweep: Sweep, number: number, right: string, values: string): void {
    const { lines, scope, phase } = this;
    const { sweeps, weight } = phase;
    const tile = phase.layout.columns;
    const isLast = number === sweeps.length - 1;
    const [multiplies, more] = number === 0 ? ['', ''] : ['if (!kept) ', '!kept && '];
    this.#rowValues(number);
    const { folds, online } = sweep;
    const states = [...folds, ...(online === undefined ? [] : [online.largest, ...online.sums])].map(
      ({ accumulate }) => {
        const state = declareState(lines, accumulate, scope);
        this.#states.set(accumulate.name, state);
        return state;
      },
    );
    if (isLast) lines.line('chain.sums.clear();');
    lines.line(`${multiplies}chain.bring_right(${right}, 0, width, depth);`);
    lines.line('td_copy_commit();');
    lines.block(`for (int64_t start = 0; start < width; start += ${tile}) `, () => {
      lines.line(`const int slot = ${sweeps.length > 1 ? `kept ? (int)(start / ${tile}) : 0` : '0'};`);
      // From here on the right factor of the scores is there, and the tile before is used up.
      lines.line('td_copy_wait<0>();');
      lines.line('__syncthreads();');
      if (isLast) lines.line(`chain.bring_mixed(${values}, features, start, width);`);
      if (isLast) lines.line('td_copy_commit();');
      lines.line(`${multiplies}chain.multiply(slot);`);
      lines.line('__syncthreads();');
      lines.line(`if (${more}start + ${tile} < width) chain.bring_right(${right}, start + ${tile}, width, depth);`);
      lines.line('td_copy_commit();');
      this.#elements.print(sweep, isLast, scope);
      if (!isLast) return;
      lines.line('td_copy_wait<1>();');
      lines.line('__syncthreads();');
      if (weight !== undefined) lines.line('chain.rescale();');
      lines.line('chain.mix();');
    });
    for (const state of states) {
      // The threads of a row have sought the largest element together.
      if (state.accumulate !== online?.largest.accumulate) joinWarp(lines, state, TEAM);
      finishFold(lines, state.accumulate, state, scope);
    }
  }

  /** The sums of the second product, and what follows them. */
  #results(): void {
    const { lines, phase, scope } = this;
    const { weight, program } = phase;
    const type = typeOf(lines, program.mixed.dtype);
    if (weight !== undefined) {
      const factors = weight.factors.map(({ op, temp }) => ` ${op === 'mul' ? '*' : '/'} ${textOf(scope, temp)}`);
      lines.line(`if (${IS_FIRST}) chain.factors[chain.row()] = ${type}(1)${factors.join('')};`);
      lines.line('__syncthreads();');
    }
    emitOut(lines, program.mixed, scope, type);
    const sum = weight === undefined ? 'sum' : 'sum * chain.factors[row]';
    const print = (): void => lines.line(`if (row < height && column < features) out(0, row, column, ${sum});`);
    lines.block(`chain.sums.each([&](int row, int column, ${type} sum) `, print, ');');
  }
}
