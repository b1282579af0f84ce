// Prints the kernel of a product for the tensor cores of sm_90a (rts/cuda/tdsl_wgmma.cuh), and the host code that describes its factors and decides
// whether it runs.

import { type Dim, dimConst } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Matrices, Matrix } from '../../kernel/gpu/matrix.js';
import type { Axis, Product } from '../../kernel/gpu/product.js';
import type { Buffer } from '../../kernel/ir.js';
import type { Lines, Scope } from '../context.js';
import { loopName, positionText, sizeText } from '../positions.js';
import { computeType, scalarForm } from '../types.js';
import { emitOut, extentOf, kinds, withAxes } from './product.js';

/** Tiles, stages of the ring and threads: those of tdsl_wgmma.cuh. */
const [ROWS, COLUMNS, STAGES, ROW_BYTES, BARRIER_BYTES] = [128, 256, 4, 128, 8];
/** The depth of a panel of bf16, which is how many rows are copied at once where not the depth is contiguous. */
const PANEL = 64;
export const WGMMA = {
  threads: 384,
  sharedBytes: STAGES * ((ROWS + COLUMNS) * ROW_BYTES + 2 * BARRIER_BYTES),
} as const;

/** Parameters of a kernel that others do not have, and the addresses of their values. */
export interface OwnParams {
  readonly texts: readonly string[];
  readonly addresses: readonly string[];
}

export const wgmmaParams: OwnParams = {
  texts: ['const TD_CONSTANT td_tensor_map left_map', 'const TD_CONSTANT td_tensor_map right_map'],
  addresses: ['&left_map', '&right_map'],
};

export function emitWgmma(lines: Lines, product: Product, { left, right }: Matrices, scope: Scope): void {
  const { batches, rows, columns, depth, arithmetic, dtype } = product;
  const size = (axes: readonly Axis[]): string => positionText(extentOf(axes), scope.positions);
  lines.line(`const int64_t rows = ${size(rows)}, columns = ${size(columns)}, depth = ${size(depth)};`);
  lines.block(
    'auto place = [&](int64_t batch, int (&at)[3]) ',
    () => {
      withAxes(lines, scope, [['batch', batches]]);
      batches.forEach(({ index }, i) => {
        lines.line(`at[${i}] = (int)${loopName(index)};`);
      });
    },
    ';',
  );
  emitOut(lines, product, scope, computeType(lines.unit, dtype, scalarForm));
  const call = `td_wgmma_product<${kinds[arithmetic]}, ${WGMMA.sharedBytes}, ${left.isDeep}, ${right.isDeep}>`;
  lines.line(`${call}(items, rows, columns, depth, left_map, right_map, place, out);`);
}

/** Host code: the number of large tiles, and the condition under which they are computed by this kernel, whose number is given. */
export function wgmmaChoice(
  product: Product,
  { left, right }: Matrices,
  number: number,
  sizeName: (symbol: string) => string,
  argumentOf: (buffer: Buffer) => string,
): { readonly tiles: string; readonly declarations: readonly string[]; readonly condition: string } {
  const { batches, rows, columns, depth, arithmetic } = product;
  const text = (dim: Dim): string => sizeText(dim, sizeName);
  const size = (axes: readonly Axis[]): string => text(extentOf(axes));
  const matrix = (name: string, { buffer, start, isDeep, steps }: Matrix, along: readonly Axis[]): string => {
    const address = `(const char *)${argumentOf(buffer)} + (${text(start)}) * ${dtypeBytes(buffer.dtype)}`;
    const sides = isDeep ? [depth, along] : [along, depth];
    const sizes = [...[...sides, ...batches.map((axis) => [axis])].map(size), '1', '1', '1'].slice(0, 5);
    // Along a dimension of size 1 any step will do that the hardware takes.
    const distances = [...steps, ...Array.from({ length: 3 }, () => dimConst(ROW_BYTES))].slice(0, 4).map(text);
    return `const tdsl_matrix ${name} = {${address}, ${Number(arithmetic === 'tf32')}, {${sizes.join(', ')}}, {${distances.join(', ')}}};`;
  };
  const map = (name: string, { isDeep }: Matrix, along: number): string =>
    `tdsl_gpu_map(&${name}, ${isDeep ? along : PANEL}, &${name}_map)`;
  return {
    tiles: `(${size(batches)}) * ((${size(rows)} + ${ROWS - 1}) / ${ROWS}) * ((${size(columns)} + ${COLUMNS - 1}) / ${COLUMNS})`,
    declarations: [matrix('left', left, rows), matrix('right', right, columns), 'tdsl_tensor_map left_map, right_map;'],
    condition: `tdsl_gpu_fills(args->call, ${number}, items) && ${map('left', left, ROWS)} && ${map('right', right, COLUMNS)}`,
  };
}
