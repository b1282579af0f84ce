// Prints a sort as a call of td_sort_chunks or td_merge_runs (rts/cuda/tdsl_sort.cuh), with the keys and the results as functions.

import { type Dim, dimConst, dimEquals, dimMul, isDimConst } from '../../../compiler/ir/dims.js';
import type { Sorting } from '../../kernel/gpu/sort.js';
import type { Loop } from '../../kernel/ir.js';
import { neededValues } from '../../kernel/schedule/phases.js';
import { type Lines, operandOf, type Scope, valueNamed } from '../context.js';
import { positionText, sizeText } from '../positions.js';
import { emitBody } from '../statements.js';
import { storageType } from '../types.js';
import { withAxes } from './product.js';

export function emitSort(lines: Lines, sorting: Sorting, scope: Scope): void {
  const { keys, length, runs, part } = sorting;
  lines.unit.define('#sort', () => '#include "tdsl_sort.cuh"\n');
  const type = storageType(keys.dtype);
  emitBody(lines, sorting.values, scope);
  lines.line(`const int64_t length = ${positionText(length, scope.positions)};`);
  emitWrite(lines, sorting, scope);
  const memory =
    runs === undefined
      ? `(${type} *)nullptr, (int64_t *)nullptr`
      : `${lines.bufferName(runs.keys)}, ${lines.bufferName(runs.order)}`;
  if (part === 'merge') {
    lines.line(`td_merge_runs(items, length, width, ${memory}, write);`);
    return;
  }
  emitKey(lines, sorting, scope, type);
  lines.line(`td_sort_chunks(items, length, ${memory}, key, write);`);
}

/** The function that computes the key of an element. */
function emitKey(lines: Lines, { grid, rowValues, fill, keys }: Sorting, scope: Scope, type: string): void {
  lines.block(
    `auto key = [&](int64_t row, int64_t i) -> ${type} `,
    () => {
      const within = withAxes(lines, scope, [
        ['row', grid],
        ['i', [fill]],
      ]);
      const own = fill.body.filter((stmt) => !(stmt.kind === 'store' && stmt.buffer === keys));
      emitBody(lines, [...neededValues(rowValues, fill.body), ...own], within);
      const store = fill.body.find((stmt) => stmt.kind === 'store');
      if (store?.kind !== 'store') throw new Error('a sort without keys');
      lines.line(`return ${operandOf(valueNamed(within, store.value.name), 0).text};`);
    },
    ';',
  );
}

/** The function that is told which element of a row comes to a place. */
function emitWrite(lines: Lines, { grid, rowValues, write, order, length, start }: Sorting, scope: Scope): void {
  const isWhole = isDimConst(start, 0) && dimEquals(write.extent, length);
  lines.block(
    `auto write = [&](int64_t row, int64_t ${isWhole ? 'i' : 'place'}, int64_t at) `,
    () => {
      if (!isWhole) {
        const [first, count] = [start, write.extent].map((size) => positionText(size, scope.positions));
        lines.line(`const int64_t i = place - (${first});`);
        lines.line(`if (i < 0 || i >= ${count}) return;`);
      }
      const within = withAxes(lines, scope, [
        ['row', grid],
        ['i', [write]],
      ]);
      const isRead = (stmt: Loop['body'][number]): boolean =>
        stmt.kind === 'let' && stmt.value.kind === 'load' && stmt.value.buffer === order;
      for (const stmt of write.body)
        if (stmt.kind === 'let' && isRead(stmt)) within.values.set(stmt.temp.name, { texts: ['at'], inLanes: false });
      const own = write.body.filter((stmt) => !isRead(stmt));
      emitBody(lines, [...neededValues(rowValues, own), ...own], within);
    },
    ';',
  );
}

/** The number of pieces of work of a launch: chunks of all rows, or their elements. */
export function sortItems({ part, grid, length }: Sorting, sizeName: (symbol: string) => string): string {
  const rows = grid.reduce((product: Dim, { extent }) => dimMul(product, extent), dimConst(1));
  const own = sizeText(length, sizeName);
  return part === 'merge'
    ? sizeText(dimMul(rows, length), sizeName)
    : `(${sizeText(rows, sizeName)}) * ((${own} + TDSL_SORT_CHUNK - 1) / TDSL_SORT_CHUNK)`;
}
