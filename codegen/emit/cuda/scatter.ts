// Prints a scatter: a warp asks for 32 updates at a time which of them go to rows that it owns, and makes these in order.

import { type Dim, dimConst, dimMul } from '../../../compiler/ir/dims.js';
import type { Axis } from '../../kernel/gpu/product.js';
import { COLUMNS, type Scatter } from '../../kernel/gpu/scatter.js';
import { inner, type Lines, type Scope } from '../context.js';
import { positionText, sizeText } from '../positions.js';
import { emitBody } from '../statements.js';
import { withAxes } from './product.js';

const sizeOf = (axes: readonly Axis[]): Dim =>
  axes.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));

export function emitScatter(lines: Lines, scatter: Scatter, outer: Scope): void {
  const { grid, columns, steps, owners, row, values, head, body } = scatter;
  emitBody(lines, values, outer);
  const size = (axes: readonly Axis[]): string => positionText(sizeOf(axes), outer.positions);
  lines.line(`const int64_t steps = ${size(steps)}, columns = ${size(columns)};`);
  lines.line(`const int64_t parts = (columns + ${COLUMNS - 1}) / ${COLUMNS};`);
  lines.line('const int32_t lane = threadIdx.x & 31, warps = (int32_t)(blockDim.x / 32);');
  lines.block(
    'for (int64_t item = block * warps + (int32_t)(threadIdx.x / 32); item < items; item += blocks * warps) ',
    () => {
      lines.line('const int64_t owned = td_divide(item, parts), part = item - owned * parts;');
      lines.line(`const int64_t cell = td_divide(owned, ${owners}), owner = owned - cell * ${owners};`);
      lines.line(`const int64_t first = part * ${COLUMNS}, last = tdsl_min(columns, first + ${COLUMNS});`);
      const own = withAxes(lines, outer, [['cell', grid]]);
      lines.block('for (int64_t start = 0; start < steps; start += 32) ', () => {
        lines.line('bool is_own = false;');
        lines.block('if (start + lane < steps) ', () => {
          lines.line('const int64_t step = start + lane;');
          const asked = withAxes(lines, inner(own, {}), [['step', steps]]);
          emitBody(lines, head, asked);
          lines.line(`is_own = td_owner(${positionText(row, asked.positions)}, ${owners}) == owner;`);
        });
        lines.line('unsigned found = __ballot_sync(0xffffffffu, is_own);');
        lines.block('for (; found != 0; found &= found - 1) ', () => {
          lines.line('const int64_t step = start + __ffs(found) - 1;');
          lines.block('for (int64_t column = first + lane; column < last; column += 32) ', () => {
            const update = withAxes(lines, inner(own, {}), [
              ['step', steps],
              ['column', columns],
            ]);
            emitBody(lines, body, update);
          });
        });
      });
    },
  );
}

/** The number of warps' shares: rows of places, owners of each, parts of the columns. */
export function scatterItems({ grid, columns, owners }: Scatter, sizeName: (symbol: string) => string): string {
  const parts = `((${sizeText(sizeOf(columns), sizeName)} + ${COLUMNS - 1}) / ${COLUMNS})`;
  return `(${sizeText(sizeOf(grid), sizeName)}) * ${owners} * ${parts}`;
}
