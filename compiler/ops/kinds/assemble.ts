// Padding and concatenation. Both are linear: their transpositions are slices.

import type { Builder } from '../../ir/builder.js';
import { type Dim, dimAdd, dimConst, dimEquals, dimMul, dimSub, isDimConst } from '../../ir/dims.js';
import type { Assemble, AssembleNode, NodeDraft, TensorType, Value } from '../../ir/graph.js';
import type { KindRules } from '../op.js';
import { alignBatch, repeatBatch } from './batch.js';
import { expectInputs, fail } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'assemble' }>;
type Pad = Extract<Assemble, { type: 'pad' }>;

function infer({ assemble, inputs }: Draft): readonly TensorType[] {
  return [assemble.type === 'pad' ? inferPad(assemble, inputs) : inferConcat(assemble.dim, inputs)];
}

function inferPad({ low, high, interior }: Pad, inputs: readonly Value[]): TensorType {
  const [x, value] = expectInputs('pad', inputs, 2) as readonly [Value, Value];
  const { dtype, shape } = x.type;
  if (value.type.dtype !== dtype || value.type.shape.length > 0)
    fail('pad', `the padding value must be a ${dtype} of rank 0`);
  if ([low, high, interior].some((list) => list.length !== shape.length))
    fail('pad', 'needs one width for each dimension');
  if (interior.some((count) => !Number.isInteger(count) || count < 0))
    fail('pad', 'interior widths must be at least 0');
  return {
    dtype,
    shape: shape.map((size, dim) => {
      const gaps = isDimConst(size, 0)
        ? dimConst(0)
        : dimMul(dimSub(size, dimConst(1)), dimConst(interior[dim] as number));
      return dimAdd(dimAdd(low[dim] as Dim, high[dim] as Dim), dimAdd(size, gaps));
    }),
  };
}

function inferConcat(dim: number, inputs: readonly Value[]): TensorType {
  const [first, ...others] = inputs;
  if (first === undefined) fail('concat', 'needs an operand');
  const { dtype, shape } = first.type;
  if (shape[dim] === undefined) fail('concat', `there is no dimension ${dim}`);
  for (const { type } of others) {
    if (type.dtype !== dtype) fail('concat', `operands have the dtypes ${dtype} and ${type.dtype}`);
    const fits =
      type.shape.length === shape.length && type.shape.every((d, i) => i === dim || dimEquals(d, shape[i] as Dim));
    if (!fits) fail('concat', `the shapes of the operands differ outside dimension ${dim}`);
  }
  const total = inputs.reduce((sum, { type }) => dimAdd(sum, type.shape[dim] as Dim), dimConst(0));
  return { dtype, shape: shape.map((size, i) => (i === dim ? total : size)) };
}

const zerosLike = (value: Value, b: Builder): Value => b.constant(0, value.type.dtype, value.type.shape);

function transposePad(node: AssembleNode, pad: Pad, linear: readonly boolean[], cotangent: Value, b: Builder) {
  const [x, value] = node.inputs as readonly [Value, Value];
  const slice = () => {
    const steps = pad.interior.map((count) => count + 1);
    return b.view(cotangent, { type: 'slice', starts: pad.low, steps, sizes: x.type.shape });
  };
  // The value's cotangent sums over the padding alone; a difference of two sums would lose small numbers and make inf - inf.
  const around = () => {
    const inner = b.constant(false, 'bool', x.type.shape);
    const isPadding = b.pad(inner, b.constant(true, 'bool'), pad.low, pad.high, pad.interior);
    const padding = b.elementwise('where', [isPadding, cotangent, b.constant(0, value.type.dtype)]);
    return b.sum(
      padding,
      padding.type.shape.map((_, dim) => dim),
    );
  };
  return [linear[0] ? slice() : undefined, linear[1] ? around() : undefined];
}

function transposeConcat(node: AssembleNode, dim: number, linear: readonly boolean[], cotangent: Value, b: Builder) {
  let start = dimConst(0);
  return node.inputs.map((input, i) => {
    const { shape } = input.type;
    const starts = shape.map((_, d) => (d === dim ? start : dimConst(0)));
    start = dimAdd(start, shape[dim] as Dim);
    return linear[i]
      ? b.view(cotangent, { type: 'slice', starts, steps: shape.map(() => 1), sizes: shape })
      : undefined;
  });
}

/** The padding of many operands; where every set has a padding value of its own, that is selected outside of the operands. */
function batchPad(
  pad: Pad,
  [x, value]: readonly [Value, Value],
  batched: readonly boolean[],
  size: Dim,
  b: Builder,
): Value {
  const zero = dimConst(0);
  const widths = [
    [zero, ...pad.low],
    [zero, ...pad.high],
    [0, ...pad.interior],
  ] as const;
  const all = repeatBatch(b, x, batched[0] === true, size);
  if (!batched[1]) return b.pad(all, value, ...widths);
  const padded = b.pad(all, b.constant(0, x.type.dtype), ...widths);
  const inside = b.pad(b.constant(false, 'bool', all.type.shape), b.constant(true, 'bool'), ...widths);
  return b.elementwise('where', [inside, alignBatch(b, value, pad.low.length), padded]);
}

export const assembleRules: KindRules<'assemble'> = {
  kind: 'assemble',
  infer,

  jvp(node, tangents, b) {
    if (tangents.every((tangent) => tangent === undefined)) return [undefined];
    const filled = node.inputs.map((input, i) => tangents[i] ?? zerosLike(input, b));
    return b.add({ kind: 'assemble', assemble: node.assemble, inputs: filled });
  },

  transpose(node, linear, [cotangent], b) {
    if (cotangent === undefined) return node.inputs.map(() => undefined);
    const { assemble } = node;
    return assemble.type === 'pad'
      ? transposePad(node, assemble, linear, cotangent, b)
      : transposeConcat(node, assemble.dim, linear, cotangent, b);
  },

  batch(node, batched, size, b) {
    const { assemble, inputs } = node;
    if (assemble.type === 'pad') return [batchPad(assemble, inputs as readonly [Value, Value], batched, size, b)];
    const parts = inputs.map((input, i) => repeatBatch(b, input, batched[i] === true, size));
    return [b.concat(parts, assemble.dim + 1)];
  },
};
