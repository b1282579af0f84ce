// Prints a product of matrices as a call of td_product (rts/cuda/tdsl_product.cuh), with the factors and what happens to a sum as functions.

import { dimConst, dimMul } from '../../../compiler/ir/dims.js';
import type { Axis, Factor, Product } from '../../kernel/gpu/product.js';
import { inner, type Lines, type Scope, withRange } from '../context.js';
import { guardsText, loopName, positionText } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';

const kinds = { exact: 'TD_EXACT', tf32: 'TD_TF32', bf16: 'TD_BF16' } as const;

/** The number of elements of a group of axes. */
const extentOf = (axes: readonly Axis[]) => axes.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));

export function emitProduct(lines: Lines, product: Product, scope: Scope): void {
  const { batches, rows, columns, depth, left, right, tile, arithmetic, dtype } = product;
  const type = computeType(lines.unit, dtype, scalarForm);
  const size = (axes: readonly Axis[]): string => positionText(extentOf(axes), scope.positions);
  lines.line(`const int64_t rows = ${size(rows)}, columns = ${size(columns)}, depth = ${size(depth)};`);
  const factor = (name: string, own: Factor, along: readonly Axis[]): void => {
    lines.block(
      `auto ${name} = [&](int64_t batch, int64_t along, int64_t deep) -> ${type} `,
      () => {
        const within = withAxes(lines, scope, [
          ['batch', batches],
          ['along', along],
          ['deep', depth],
        ]);
        emitBody(lines, own.statements, within);
        const value = within.values.get(own.temp.name)?.texts[0] ?? '0';
        const text = own.guards.length === 0 ? value : `${guardsText(own.guards, within.positions)} ? ${value} : 0`;
        lines.line(`return ${text};`);
      },
      ';',
    );
  };
  factor('left', left, rows);
  factor('right', right, columns);
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
  const flags = `${left.isDeep}, ${right.isDeep}`;
  lines.line(
    `td_product<${kinds[arithmetic]}, ${type}, ${tile}, ${flags}>(items, rows, columns, depth, left, right, out);`,
  );
}

/** A scope in which the indices of axes are defined from the numbers of their groups, the last axis running fastest. */
function withAxes(lines: Lines, scope: Scope, groups: readonly (readonly [string, readonly Axis[]])[]): Scope {
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
