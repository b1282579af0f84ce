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
import { type FactorTexts, HiddenPrinter } from './hidden.js';
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
  #hidden: HiddenPrinter | undefined;
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
    const { program, sweeps, rowStores, layout, hidden } = this.phase;
    const { scores, mixed, defines, rows, columns, checks } = program;
    emitBody(lines, defines, scope);
    const text = (dim: Dim): string => positionText(dim, scope.positions);
    lines.line(`const int64_t height = ${text(rows)}, width = ${text(columns)};`);
    lines.line(`const int64_t depth = ${text(extentOf(scores.depth))}, features = ${text(extentOf(mixed.columns))};`);
    const factors: FactorTexts = {
      left: this.#factor('left', scores.left, scores, scores.rows),
      right: this.#factor('right', scores.right, scores, scores.columns),
      values: this.#factor('values', mixed.right, mixed, mixed.columns),
    };
    lines.line(`chain.bring_left(${factors.left}, height, depth);`);
    // Threads behind the last row know what the last one knows, and have no columns.
    lines.line(`const int64_t ${loopName(ROW)} = tdsl_min(chain.row(), height - 1);`);
    lines.line('const int64_t own_width = chain.row() < height ? width : 0;');
    if (sweeps.length > 1) lines.line(`const bool kept = width <= ${layout.kept * layout.columns};`);
    emitBody(lines, checks, scope);
    if (hidden !== undefined) {
      this.#hidden = new HiddenPrinter(lines, this.phase, hidden, this.#states, this.#elements, factors);
      this.#hidden.declare(scope);
    }
    for (const [number, sweep] of sweeps.entries()) this.#sweep(sweep, number, factors);
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

  /** Prints a sweep: its folds, and the tiles, of which those that are hidden come last, if they matter. */
  #sweep(sweep: Sweep, number: number, factors: FactorTexts): void {
    const { lines, scope, phase } = this;
    const isLast = number === phase.sweeps.length - 1;
    this.#rowValues(number);
    const { folds, online, idle } = sweep;
    const states = [...folds, ...(online === undefined ? [] : [online.largest, ...online.sums])].map(
      ({ accumulate }) => {
        const state = declareState(lines, accumulate, scope);
        this.#states.set(accumulate.name, state);
        return state;
      },
    );
    if (isLast) lines.line('chain.sums.clear();');
    if (idle === undefined) {
      const loop = { first: '0', stop: 'width', next: `start + ${phase.layout.columns}`, multiplies: '!kept' };
      this.#tiles(sweep, number, factors, loop);
    } else {
      lines.block('for (int part = 0; part < 2; part++) ', () => {
        lines.block('if (part == 1) ', () => this.#hidden?.leave(sweep, idle, isLast, inner(scope, {})));
        // What an earlier sweep has kept are scores that may be seen.
        const multiplies = '(!kept || part == 1)';
        const stop = 'seen.stop(part)';
        this.#tiles(sweep, number, factors, {
          first: 'seen.first(part)',
          stop,
          next: 'seen.after(part, start)',
          multiplies,
        });
      });
    }
    for (const state of states) {
      // The threads of a row have sought the largest element together.
      if (state.accumulate !== online?.largest.accumulate) joinWarp(lines, state, TEAM);
      finishFold(lines, state.accumulate, state, scope);
    }
  }

  /** Prints a loop over tiles. Later sweeps multiply scores only where not all of the row's have room. */
  #tiles(
    sweep: Sweep,
    number: number,
    { right, values }: FactorTexts,
    { first, stop, next, multiplies }: Readonly<Record<'first' | 'stop' | 'next' | 'multiplies', string>>,
  ): void {
    const { lines, scope, phase } = this;
    const { sweeps, weight } = phase;
    const tile = phase.layout.columns;
    const isLast = number === sweeps.length - 1;
    const [condition, more] = number === 0 ? ['', ''] : [`if (${multiplies}) `, `${multiplies} && `];
    lines.line(`if (${more}${first} < ${stop}) chain.bring_right(${right}, ${first}, width, depth);`);
    lines.line('td_copy_commit();');
    lines.block(`for (int64_t start = ${first}, next; start < ${stop}; start = next) `, () => {
      lines.line(`next = ${next};`);
      lines.line(`const int slot = ${sweeps.length > 1 ? `kept ? (int)(start / ${tile}) : 0` : '0'};`);
      // From here on the right factor of the scores is there, and the tile before is used up.
      lines.line('td_copy_wait<0>();');
      lines.line('__syncthreads();');
      if (isLast) lines.line(`chain.bring_mixed(${values}, features, start, width);`);
      if (isLast) lines.line('td_copy_commit();');
      lines.line(`${condition}chain.multiply(slot);`);
      lines.line('__syncthreads();');
      lines.line(`if (${more}next < ${stop}) chain.bring_right(${right}, next, width, depth);`);
      lines.line('td_copy_commit();');
      this.#elements.print(sweep, isLast, scope);
      if (!isLast) return;
      lines.line('td_copy_wait<1>();');
      lines.line('__syncthreads();');
      if (weight !== undefined) lines.line('chain.rescale();');
      lines.line('chain.mix();');
    });
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
