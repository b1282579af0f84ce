// Products of matrices, vectors and batches of them, as contractions.

import { type Dim, dimEquals, isDimConst, printDim } from '../ir/dims.js';
import type { Access, Index, Value } from '../ir/graph.js';
import { plainSubscript } from '../ir/space.js';
import type { Context } from './context.js';
import { fitted } from './fitting.js';
import { productHint } from './shape-hints.js';
import { broadcastShape, dtypeOf, type Numeric, stateUnits, toTensor } from './tensors.js';
import { tensor, typeText, type Val } from './values.js';

/** `left @ right` by the rules of `torch.matmul`: vectors lose their axis, leading axes broadcast, dtypes must agree. */
export function matmul(cx: Context, left: Numeric, right: Numeric, what: string): Val {
  const given = [left, right].map((val) => toTensor(cx, val, dtypeOf(cx, val)));
  for (const operand of given) {
    if (operand.type.shape.length === 0) {
      cx.fail('E0303', {
        message: `${what} takes tensors of rank 1 or more, not ${typeText(operand.type)} of rank 0`,
        help: 'use `*` for numbers',
      });
    }
  }
  requireSameDType(cx, given, what);
  const leading = stateUnits(
    cx,
    given.map(({ type }) => type.shape.slice(0, -2)),
  );
  const [a, b] = given.map((value, i) =>
    cx.b.reshape(value, [...(leading[i] ?? []), ...value.type.shape.slice(-2)]),
  ) as [Value, Value];
  const [inA, inB] = [a.type.shape.at(-1) as Dim, b.type.shape.at(b.type.shape.length === 1 ? -1 : -2) as Dim];
  if (!cx.sameSize(inA, inB, 'the inner sizes of a product are equal')) {
    cx.fail('E0312', {
      message: 'these shapes do not multiply',
      label: `${typeText(a.type)} @ ${typeText(b.type)}: the inner sizes differ, ${printDim(inA)} against ${printDim(inB)}`,
      help: productHint(a.type.shape, b.type.shape),
    });
  }
  const [batchA, batchB] = [a.type.shape.slice(0, -2), b.type.shape.slice(0, -2)];
  const batch = broadcastShape(cx, [batchA, batchB], (axis, m, n) =>
    cx.fail('E0304', {
      message: `the leading axes of ${typeText(a.type)} and ${typeText(b.type)} do not broadcast`,
      label: `axis ${axis} has ${printDim(m)} and ${printDim(n)}`,
    }),
  );
  const indices: Index[] = batch.map((extent, axis) => ({ name: `b${axis}`, extent }));
  const rows =
    a.type.shape.length > 1 ? indices.push({ name: 'i', extent: a.type.shape.at(-2) as Dim }) - 1 : undefined;
  const columns =
    b.type.shape.length > 1 ? indices.push({ name: 'j', extent: b.type.shape.at(-1) as Dim }) - 1 : undefined;
  const outer = indices.length;
  indices.push({ name: 'k', extent: inA });
  const lead = (own: readonly Dim[]): { kept: number[]; subscripts: Access } => {
    const kept = own
      .map((_, axis) => axis)
      .filter((axis) => !isRepeated(own[axis] as Dim, batch[axis + batch.length - own.length] as Dim));
    return { kept, subscripts: kept.map((axis) => plainSubscript(axis + batch.length - own.length)) };
  };
  const [leadA, leadB] = [lead(batchA), lead(batchB)];
  const accessA = [...leadA.subscripts, ...(rows === undefined ? [] : [plainSubscript(rows)]), plainSubscript(outer)];
  const accessB = [
    ...leadB.subscripts,
    plainSubscript(outer),
    ...(columns === undefined ? [] : [plainSubscript(columns)]),
  ];
  const inputs = [dropAxes(cx, a, leadA.kept), dropAxes(cx, b, leadB.kept)];
  const accesses = [accessA, accessB];
  const fitting = inputs.map((value, i) => fitted(cx, value, accesses[i] ?? [], indices));
  return tensor(cx.b.contract({ indices, outer }, accesses, fitting));
}

/** Whether an axis of a factor repeats: it has size 1 where the result has another size. */
const isRepeated = (own: Dim, size: Dim): boolean => isDimConst(own, 1) && !dimEquals(own, size);

/** The operand without the leading axes of size 1 that repeat. */
function dropAxes(cx: Context, value: Value, kept: readonly number[]): Value {
  const { shape } = value.type;
  const batchRank = Math.max(0, shape.length - 2);
  return cx.b.reshape(value, [...kept.map((axis) => shape[axis] as Dim), ...shape.slice(batchRank)]);
}

/** Products refuse operands of several dtypes: the cast is to be seen in the program. */
export function requireSameDType(cx: Context, operands: readonly Value[], what: string): void {
  const dtypes = [...new Set(operands.map((value) => value.type.dtype))];
  if (dtypes.length > 1) {
    cx.fail('E0305', {
      message: `${what} takes operands of one dtype, not ${dtypes.join(' and ')}`,
      label: operands.map((value) => typeText(value.type)).join(' and '),
      help: `convert one of them: cast(x, ${dtypes[0]})`,
    });
  }
  if (dtypes[0] === 'bool')
    cx.fail('E0311', { message: `${what} is not defined for bools`, help: 'cast them to a number first' });
}
