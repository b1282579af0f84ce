// Elementwise nodes: types by broadcasting; derivatives from the partial derivatives of the records.

import type { Builder } from '../../ir/builder.js';
import { type DType, isFloat } from '../../ir/dtype.js';
import type { ElementwiseNode, NodeDraft, TensorType, Value } from '../../ir/graph.js';
import type { Formula, KindRules } from '../op.js';
import { elementwiseOp } from '../records.js';
import { alignBatch } from './batch.js';
import { broadcastShapes, expectInputs, fail } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'elementwise' }>;

/** The dtype that the operands without a fixed dtype share. */
export function commonDType(node: Draft): DType {
  const record = elementwiseOp(node.op);
  const shared = node.inputs.find((_, i) => record.fixed?.[i] === undefined);
  if (shared === undefined) fail(node.op, 'has no operand of a free dtype');
  return shared.type.dtype;
}

function infer(node: Draft): readonly TensorType[] {
  const record = elementwiseOp(node.op);
  const inputs = expectInputs(node.op, node.inputs, record.arity);
  const common = commonDType(node);
  if (!record.accepts.includes(common)) fail(node.op, `does not accept ${common}`);
  inputs.forEach((input, i) => {
    const expected = record.fixed?.[i] ?? common;
    if (input.type.dtype !== expected) fail(node.op, `operand ${i} must be ${expected}, got ${input.type.dtype}`);
  });
  if ((node.op === 'cast') !== (node.dtype !== undefined)) fail(node.op, 'exactly a cast has a target dtype');
  const shape = broadcastShapes(
    node.op,
    inputs.map((input) => input.type.shape),
  );
  return [{ dtype: record.result(common, node.dtype), shape }];
}

/** A formula as a value: operands and result are those of the node. */
function evaluate(formula: Formula, node: ElementwiseNode, b: Builder): Value {
  switch (formula.kind) {
    case 'operand':
      return node.inputs[formula.index] as Value;
    case 'result':
      return node.results[0] as Value;
    case 'literal':
      return b.constant(formula.value, commonDType(node));
    case 'apply':
      return b.elementwise(
        formula.op,
        formula.args.map((arg) => evaluate(arg, node, b)),
      );
  }
}

/**
 * `formula · tangent`, undefined when it is zero. Selections and quotients are applied to the tangent itself: `where(c, a, b)` selects
 * among scaled tangents, so that the branch not taken contributes exactly 0; `a / x` divides the scaled tangent, which saves a product.
 */
function scale(formula: Formula, tangent: Value, node: ElementwiseNode, b: Builder): Value | undefined {
  if (formula.kind === 'literal') {
    if (formula.value === 0) return undefined;
    if (formula.value === 1) return tangent;
    if (formula.value === -1) return b.elementwise('neg', [tangent]);
  }
  if (formula.kind === 'apply') {
    const [first, second, third] = formula.args as readonly [Formula, Formula, Formula];
    if (formula.op === 'neg') {
      const scaled = scale(first, tangent, node, b);
      return scaled && b.elementwise('neg', [scaled]);
    }
    if (formula.op === 'div') {
      const scaled = scale(first, tangent, node, b);
      return scaled && b.elementwise('div', [scaled, evaluate(second, node, b)]);
    }
    if (formula.op === 'where') {
      const then = scale(second, tangent, node, b);
      const otherwise = scale(third, tangent, node, b);
      if (then === undefined && otherwise === undefined) return undefined;
      const zero = () => b.constant(0, tangent.type.dtype);
      return b.elementwise('where', [evaluate(first, node, b), then ?? zero(), otherwise ?? zero()]);
    }
  }
  return b.elementwise('mul', [tangent, evaluate(formula, node, b)]);
}

/** A (co)tangent times the partial derivative with respect to one operand, in the dtype `to`; undefined when it is zero. */
function applyPartial(
  node: ElementwiseNode,
  operand: number,
  tangent: Value,
  to: DType,
  b: Builder,
): Value | undefined {
  const partial = elementwiseOp(node.op).partials[operand];
  if (partial === undefined) fail(node.op, `has no partial derivative for operand ${operand}`);
  if (partial.kind === 'none') return undefined;
  const scaled = scale(partial.formula, tangent, node, b);
  return scaled && b.cast(scaled, to);
}

export const elementwiseRules: KindRules<'elementwise'> = {
  kind: 'elementwise',
  infer,

  jvp(node, tangents, b) {
    const [result] = node.results as readonly [Value];
    if (!isFloat(result.type.dtype)) return [undefined];
    const terms = tangents.flatMap((tangent, i) =>
      tangent === undefined ? [] : (applyPartial(node, i, tangent, result.type.dtype, b) ?? []),
    );
    const [first, ...others] = terms;
    if (first === undefined) return [undefined];
    const total = others.reduce((sum, term) => b.elementwise('add', [sum, term]), first);
    return [b.broadcastTo(total, result.type.shape)];
  },

  // A partial derivative with respect to an operand in which the node is linear does not depend on that operand, so it scales
  // the cotangent as it scales the tangent; broadcasting transposes to a sum.
  transpose(node, linear, [cotangent], b) {
    return node.inputs.map((input, i) => {
      if (!linear[i] || cotangent === undefined) return undefined;
      const scaled = applyPartial(node, i, cotangent, input.type.dtype, b);
      return scaled && b.sumToShape(scaled, input.type.shape);
    });
  },

  batch(node, batched, _size, b) {
    const rank = Math.max(...node.inputs.map(({ type }, i) => type.shape.length - (batched[i] ? 1 : 0)));
    const inputs = node.inputs.map((input, i) => (batched[i] ? alignBatch(b, input, rank) : input));
    return b.add({ kind: 'elementwise', op: node.op, inputs, ...(node.dtype && { dtype: node.dtype }) });
  },
};
