// Checks that the type rules of several kinds share.

import { type Dim, dimEquals, dimSub, dimValue, isDimConst, printShape } from '../../ir/dims.js';
import type { Access, IndexSpace, Subscript, TensorType, Value } from '../../ir/graph.js';
import { TypeRuleError } from '../op.js';

/** `f32[B, 10]`: a type as it is printed in messages. */
export const typeText = (type: TensorType): string =>
  type.shape.length === 0 ? type.dtype : `${type.dtype}[${printShape(type.shape)}]`;

export function fail(op: string, problem: string): never {
  throw new TypeRuleError(`${op}: ${problem}`);
}

/** The inputs when there are `count` of them. */
export function expectInputs(op: string, inputs: readonly Value[], count: number): readonly Value[] {
  if (inputs.length !== count) fail(op, `takes ${count} operands, got ${inputs.length}`);
  return inputs;
}

/** The input at a position, which must exist. */
export function inputAt(op: string, inputs: readonly Value[], at: number): Value {
  const input = inputs[at];
  if (input === undefined) fail(op, `has no operand ${at}`);
  return input;
}

/** Whether two sizes can never be equal, whatever the run-time dimensions are. */
export function surelyDiffer(a: Dim, b: Dim): boolean {
  const difference = dimValue(dimSub(a, b));
  return difference !== undefined && difference !== 0;
}

/** The shape that operands broadcast to by NumPy's rules. */
export function broadcastShapes(op: string, shapes: readonly (readonly Dim[])[]): readonly Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, position) => {
    const sizes = shapes.flatMap((shape) => shape[position - rank + shape.length] ?? []);
    const size = sizes.find((candidate) => !isDimConst(candidate, 1)) ?? (sizes[0] as Dim);
    const misfit = sizes.find((other) => !isDimConst(other, 1) && !dimEquals(other, size));
    if (misfit !== undefined) {
      fail(
        op,
        `shapes ${shapes.map((s) => `[${printShape(s)}]`).join(' and ')} do not broadcast: ${misfit.key} against ${size.key}`,
      );
    }
    return size;
  });
}

/** Checks that an access names existing indices and has one subscript for each dimension; lookups are allowed when index tensors are given. */
export function checkAccess(
  op: string,
  access: Access,
  rank: number,
  space: IndexSpace,
  lookups: { readonly inputs: readonly Value[]; readonly first: number } | undefined,
): void {
  if (access.length !== rank) fail(op, `an operand of rank ${rank} is read with ${access.length} subscripts`);
  for (const subscript of access) checkSubscript(op, subscript, space, lookups);
}

function checkSubscript(
  op: string,
  subscript: Subscript,
  space: IndexSpace,
  lookups: { readonly inputs: readonly Value[]; readonly first: number } | undefined,
): void {
  if (subscript.kind === 'affine') {
    if (!Number.isInteger(subscript.divisor) || subscript.divisor < 1)
      fail(op, `the divisor ${subscript.divisor} is not positive`);
    for (const { index, coefficient } of subscript.expression.terms) {
      if (space.indices[index] === undefined) fail(op, `there is no index ${index}`);
      if (coefficient === 0) fail(op, `the coefficient of index ${index} is 0`);
    }
    return;
  }
  if (lookups === undefined) fail(op, 'reads through an index tensor, which only gather and scatter do');
  const table = subscript.operand < lookups.first ? undefined : lookups.inputs[subscript.operand];
  if (table === undefined) fail(op, `operand ${subscript.operand} is no index tensor`);
  if (table.type.dtype !== 'i64' && table.type.dtype !== 'i32')
    fail(op, `an index tensor is i64 or i32, got ${table.type.dtype}`);
  checkAccess(op, subscript.subscripts, table.type.shape.length, space, lookups);
}

export function checkSpace(op: string, space: IndexSpace): void {
  const { indices, outer } = space;
  if (outer < 0 || outer > indices.length)
    fail(op, `a space of ${indices.length} indices cannot have ${outer} outer ones`);
}
