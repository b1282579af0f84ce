// Prints a product of matrices as a call of td_product (rts/cuda/tdsl_product.cuh), with the factors and what happens to a sum as functions.

import { type Dim, dimConst, dimMul, dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { FactorMemory } from '../../kernel/gpu/memory.js';
import type { Axis, Factor, Product } from '../../kernel/gpu/product.js';
import type { Buffer } from '../../kernel/ir.js';
import { inner, type Lines, type Scope, withRange } from '../context.js';
import { guardsText, loopName, positionText } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm, storageType } from '../types.js';

export const kinds = { exact: 'TD_EXACT', tf32: 'TD_TF32', bf16: 'TD_BF16' } as const;

/** The number of elements of a group of axes. */
export const extentOf = (axes: readonly Axis[]) =>
  axes.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));

/** The ways of a factor to shared memory. */
const wayOf = ({ memory }: Factor): string =>
  memory === undefined ? 'TD_COMPUTED' : memory.steps === undefined ? 'TD_ELEMENTS' : 'TD_PACKS';

const PACK_BYTES = 16;

/** The dynamic shared memory of a product: what tdsl_tiles.cuh makes of its panels, which the kernel asserts. */
export function productBytes({ arithmetic, tile, dtype, left, right }: Product): number {
  const isExact = arithmetic === 'exact';
  const cell = isExact ? dtypeBytes(dtype) : arithmetic === 'tf32' ? 4 : 2;
  const copied = [left, right].filter(({ memory }) => memory !== undefined).length;
  const depth = arithmetic === 'bf16' ? 32 : isExact && tile === 128 && copied < 2 ? 8 : 16;
  const cells = ({ isDeep }: Factor): number =>
    isDeep && !isExact ? tile * (depth + PACK_BYTES / cell) : depth * (tile + (isExact ? 4 : 8));
  return (copied > 0 ? 3 : 2) * (cells(left) + cells(right)) * cell;
}

export function emitProduct(lines: Lines, product: Product, scope: Scope): void {
  const { batches, rows, columns, depth, left, right, tile, arithmetic, dtype } = product;
  const type = computeType(lines.unit, dtype, scalarForm);
  const size = (axes: readonly Axis[]): string => positionText(extentOf(axes), scope.positions);
  lines.line(`const int64_t rows = ${size(rows)}, columns = ${size(columns)}, depth = ${size(depth)};`);
  const factor = (name: string, own: Factor, along: readonly Axis[]): string =>
    emitFactor(lines, scope, name, own, { batches, along, depth, type });
  const factors = [factor('left', left, rows), factor('right', right, columns)];
  emitOut(lines, product, scope, type);
  lines.line(
    `td_product<${kinds[arithmetic]}, ${type}, ${tile}, ${productBytes(product)}>(items, rows, columns, depth, ${factors.join(', ')}, out);`,
  );
}

/** Prints the function of a factor, and returns the text of the factor. `type` is that of values which are computed. */
export function emitFactor(
  lines: Lines,
  scope: Scope,
  name: string,
  factor: Factor,
  {
    batches,
    along,
    depth,
    type,
  }: Readonly<Record<'batches' | 'along' | 'depth', readonly Axis[]>> & { readonly type: string },
): string {
  const { memory } = factor;
  const result = memory === undefined ? type : `const ${storageType(memory.buffer.dtype)} *`;
  lines.block(
    `auto ${name} = [&](int64_t batch, int64_t along, int64_t deep) -> ${result} `,
    () => {
      const within = withAxes(lines, scope, [
        ['batch', batches],
        ['along', along],
        ['deep', depth],
      ]);
      emitBody(lines, memory?.statements ?? factor.statements, within);
      lines.line(`return ${memory === undefined ? valueText(factor, within) : addressText(lines, memory, within)};`);
    },
    ';',
  );
  const aligned = memory?.steps === undefined ? '' : `, ${alignedText(lines, memory.buffer, memory.steps, scope)}`;
  return `td_factor_of<${wayOf(factor)}, ${factor.isDeep}>(${name}${aligned})`;
}

/** The function that takes a sum: what the fold makes of it, and the statements after it. */
export function emitOut(lines: Lines, product: Product, scope: Scope, type: string): void {
  const { batches, rows, columns } = product;
  lines.block(
    `auto out = [&](int64_t batch, int64_t row, int64_t column, ${type} sum) `,
    () => {
      const within = withAxes(lines, scope, [
        ['batch', batches],
        ['row', rows],
        ['column', columns],
      ]);
      const { fold, results } = product.accumulate;
      const finished = emitScalars(lines, fold.finish, [{ text: 'sum', inLanes: false }], scalarForm);
      results.forEach((temp, i) => {
        within.values.set(temp.name, { texts: [finished[i]?.text ?? 'sum'], inLanes: false });
      });
      emitBody(lines, product.after, within);
    },
    ';',
  );
}

/** The value of a factor that is computed. */
function valueText({ temp, guards }: Factor, scope: Scope): string {
  const value = scope.values.get(temp.name)?.texts[0] ?? '0';
  return guards.length === 0 ? value : `${guardsText(guards, scope.positions)} ? ${value} : 0`;
}

/** The address of a factor's element; null where it is 0. */
function addressText(lines: Lines, { buffer, offset, guards }: FactorMemory, scope: Scope): string {
  const address = `${lines.bufferName(buffer)} + (${positionText(offset, scope.positions)})`;
  return guards.length === 0 ? address : `${guardsText(guards, scope.positions)} ? ${address} : nullptr`;
}

/** Whether all packs of a factor are aligned. */
function alignedText(lines: Lines, buffer: Buffer, steps: readonly Dim[], scope: Scope): string {
  const pack = PACK_BYTES / dtypeBytes(buffer.dtype);
  const open = steps.filter((step) => (dimValue(step) ?? 1) % pack !== 0);
  const distances = open.map((step) => `(${positionText(step, scope.positions)})`).join(' | ');
  const address = `(uintptr_t)${lines.bufferName(buffer)} % ${PACK_BYTES} == 0`;
  return open.length === 0 ? address : `${address} && ((${distances}) & ${pack - 1}) == 0`;
}

/** A scope in which the indices of axes are defined from the numbers of their groups, the last axis running fastest. */
export function withAxes(lines: Lines, scope: Scope, groups: readonly (readonly [string, readonly Axis[]])[]): Scope {
  let positions = scope.positions;
  for (const [, axes] of groups) {
    for (const { index, extent } of axes) positions = withRange({ ...scope, positions }, index, extent);
  }
  for (const [name, axes] of groups) {
    let rest = name;
    axes.toReversed().forEach(({ index, extent }, i) => {
      const own = loopName(index);
      if (i === axes.length - 1) {
        lines.line(`const int64_t ${own} = ${rest};`);
        return;
      }
      const size = positionText(extent, scope.positions);
      const quotient = lines.fresh('rest');
      lines.line(`const int64_t ${quotient} = td_divide(${rest}, ${size});`);
      lines.line(`const int64_t ${own} = ${rest} - ${quotient} * (${size});`);
      rest = quotient;
    });
  }
  return inner(scope, { positions });
}
