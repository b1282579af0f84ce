// Work along one dimension in order (running sums, sorting). Derivatives are in the records; a linear one such as `cumsum`
// transposes to itself in the other direction.

import { type Dim, dimAdd, dimSub, dimValue } from '../../ir/dims.js';
import type { NodeDraft, Places, TensorType, Value } from '../../ir/graph.js';
import type { KindRules } from '../op.js';
import { orderOp } from '../records.js';
import { expectInputs, fail } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'order' }>;

function infer({ op, dim, places, inputs }: Draft): readonly TensorType[] {
  const record = orderOp(op);
  const [input] = expectInputs(op, inputs, 1) as readonly [Value];
  const { dtype, shape } = input.type;
  if (!record.accepts.includes(dtype)) fail(op, `does not accept ${dtype}`);
  if (shape[dim] === undefined) fail(op, `there is no dimension ${dim} in rank ${shape.length}`);
  if (places !== undefined) expectPlaces(op, record.method, places, shape[dim]);
  const own = shape.map((size, d) => (d === dim && places !== undefined ? places.size : size));
  return record.results(dtype).map((result) => ({ dtype: result, shape: own }));
}

function expectPlaces(op: string, method: 'scan' | 'sort', { start, size }: Places, length: Dim): void {
  if (method !== 'sort') fail(op, 'gives all places');
  const rest = dimSub(length, dimAdd(start, size));
  if ([start, size, rest].some((dim) => (dimValue(dim) ?? 0) < 0))
    fail(op, `there are no places ${start.key} to ${dimAdd(start, size).key} of ${length.key}`);
}

export const orderRules: KindRules<'order'> = {
  kind: 'order',
  infer,

  jvp(node, tangents, b) {
    const { derivative } = orderOp(node.op);
    if (tangents[0] === undefined || derivative.kind === 'none') return node.results.map(() => undefined);
    return derivative.jvp(node, tangents, b);
  },

  transpose(node, _linear, [cotangent], b) {
    if (!orderOp(node.op).linear) fail(node.op, 'is not linear');
    if (cotangent === undefined) return [undefined];
    return [b.add({ kind: 'order', op: node.op, dim: node.dim, reverse: !node.reverse, inputs: [cotangent] })[0]];
  },

  batch: ({ op, dim, reverse, places, inputs }, _batched, _size, b) =>
    b.add({ kind: 'order', op, dim: dim + 1, reverse, inputs, ...(places && { places }) }),
};
