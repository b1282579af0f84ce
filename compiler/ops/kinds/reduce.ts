// Reductions: folds over the inner indices of a space. `sum` is linear and transposes like a contraction of one operand;
// the derivatives of the others are in their records.

import { isDimConst } from '../../ir/dims.js';
import type { NodeDraft, TensorType, Value } from '../../ir/graph.js';
import { outerShape } from '../../ir/space.js';
import type { KindRules } from '../op.js';
import { reduceOp } from '../records.js';
import { batchAccess, batchSpace } from './batch.js';
import { checkAccess, checkSpace, expectInputs, fail } from './check.js';
import { transposeOperand } from './contract.js';

type Draft = Extract<NodeDraft, { kind: 'reduce' }>;

function infer({ op, space, access, inputs }: Draft): readonly TensorType[] {
  const record = reduceOp(op);
  const [input] = expectInputs(op, inputs, 1) as readonly [Draft['inputs'][number]];
  if (!record.accepts.includes(input.type.dtype)) fail(op, `does not accept ${input.type.dtype}`);
  checkSpace(op, space);
  checkAccess(op, access, input.type.shape.length, space, undefined);
  if (record.empty === 'error' && space.indices.slice(space.outer).some((index) => isDimConst(index.extent, 0))) {
    fail(op, 'has no value over no elements');
  }
  const shape = outerShape(space);
  return record.results(input.type.dtype).map((dtype) => ({ dtype, shape }));
}

export const reduceRules: KindRules<'reduce'> = {
  kind: 'reduce',
  infer,

  jvp(node, tangents, b) {
    const { derivative } = reduceOp(node.op);
    if (tangents[0] === undefined || derivative.kind === 'none') return node.results.map(() => undefined);
    return derivative.jvp(node, tangents, b);
  },

  transpose(node, _linear, [cotangent], b) {
    if (reduceOp(node.op).linear !== true) fail(node.op, 'is not linear');
    if (cotangent === undefined) return [undefined];
    const { space, access, inputs } = node;
    return [transposeOperand(b, { space, guards: [], accesses: [access], inputs }, 0, cotangent)];
  },

  batch: ({ op, space, access, inputs }, _batched, size, b) =>
    b.reduceOver(op, inputs[0] as Value, batchSpace(space, size), batchAccess(access, true)),
};
