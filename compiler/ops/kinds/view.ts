// Views: the same elements read in another way. All are linear; repeating transposes to a sum, a slice to padding with zeros.

import type { Builder } from '../../ir/builder.js';
import {
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimMul,
  dimProduct,
  dimSub,
  isDimConst,
  printShape,
} from '../../ir/dims.js';
import type { NodeDraft, TensorType, Value, View } from '../../ir/graph.js';
import type { KindRules } from '../op.js';
import { expectInputs, fail, surelyDiffer } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'view' }>;

function infer({ view, inputs }: Draft): readonly TensorType[] {
  const [input] = expectInputs(view.type, inputs, 1) as readonly [Value];
  return [{ dtype: input.type.dtype, shape: viewShape(view, input.type.shape) }];
}

function viewShape(view: View, shape: readonly Dim[]): readonly Dim[] {
  const rank = shape.length;
  const expectRank = (count: number, what: string) => {
    if (count !== rank) fail(view.type, `${count} ${what} for an operand of rank ${rank}`);
  };
  switch (view.type) {
    case 'reshape':
      if (surelyDiffer(dimProduct(view.shape), dimProduct(shape))) {
        fail('reshape', `[${printShape(shape)}] and [${printShape(view.shape)}] have different numbers of elements`);
      }
      return view.shape;
    case 'permute': {
      expectRank(view.permutation.length, 'dimensions');
      const sources = view.permutation.map((from) => shape[from]);
      if (new Set(view.permutation).size < rank || sources.includes(undefined)) {
        fail('permute', `[${view.permutation.join(', ')}] is no permutation`);
      }
      return sources as Dim[];
    }
    case 'broadcast': {
      expectRank(view.dims.length, 'dimensions');
      view.dims.forEach((to, from) => {
        const target = view.shape[to];
        const increases = from === 0 || to > (view.dims[from - 1] as number);
        if (target === undefined || !increases)
          fail('broadcast', `[${view.dims.join(', ')}] are no increasing dimensions`);
        const size = shape[from] as Dim;
        if (!isDimConst(size, 1) && !dimEquals(size, target))
          fail('broadcast', `${size.key} does not repeat to ${target.key}`);
      });
      return view.shape;
    }
    case 'slice':
      expectRank(view.starts.length, 'starts');
      expectRank(view.steps.length, 'steps');
      expectRank(view.sizes.length, 'sizes');
      if (view.steps.some((step) => !Number.isInteger(step) || step < 1)) fail('slice', 'steps must be at least 1');
      return view.sizes;
    case 'flip':
      if (view.dims.some((dim) => shape[dim] === undefined))
        fail('flip', `[${view.dims.join(', ')}] are not all dimensions`);
      return shape;
  }
}

/** Where each dimension of the operand goes under a permutation. */
export const inversePermutation = (permutation: readonly number[]): readonly number[] =>
  permutation.map((_, to) => permutation.indexOf(to));

/** Padding with zeros that puts the elements of a slice back into their places among `shape`. */
function padToShape(
  b: Builder,
  slice: Extract<View, { type: 'slice' }>,
  cotangent: Value,
  shape: readonly Dim[],
): Value {
  if (slice.sizes.some((size) => isDimConst(size, 0))) return b.constant(0, cotangent.type.dtype, shape);
  const one = dimConst(1);
  const high = shape.map((size, dim) => {
    const span = dimAdd(dimMul(dimSub(slice.sizes[dim] as Dim, one), dimConst(slice.steps[dim] as number)), one);
    return dimSub(dimSub(size, slice.starts[dim] as Dim), span);
  });
  const interior = slice.steps.map((step, dim) => (isDimConst(slice.sizes[dim] as Dim, 1) ? 0 : step - 1));
  return b.pad(cotangent, b.constant(0, cotangent.type.dtype), slice.starts, high, interior);
}

/** The view of every set, kept apart by the new first dimension. */
function batchView(view: View, size: Dim): View {
  const after = (dim: number) => dim + 1;
  switch (view.type) {
    case 'reshape':
      return { type: 'reshape', shape: [size, ...view.shape] };
    case 'permute':
      return { type: 'permute', permutation: [0, ...view.permutation.map(after)] };
    case 'broadcast':
      return { type: 'broadcast', shape: [size, ...view.shape], dims: [0, ...view.dims.map(after)] };
    case 'slice':
      return {
        type: 'slice',
        starts: [dimConst(0), ...view.starts],
        steps: [1, ...view.steps],
        sizes: [size, ...view.sizes],
      };
    case 'flip':
      return { type: 'flip', dims: view.dims.map(after) };
  }
}

export const viewRules: KindRules<'view'> = {
  kind: 'view',
  infer,

  jvp: (node, [tangent], b) => [tangent && b.view(tangent, node.view)],

  transpose(node, _linear, [cotangent], b) {
    if (cotangent === undefined) return [undefined];
    const { shape } = (node.inputs[0] as Value).type;
    const { view } = node;
    switch (view.type) {
      case 'reshape':
        return [b.reshape(cotangent, shape)];
      case 'permute':
        return [b.permute(cotangent, inversePermutation(view.permutation))];
      case 'broadcast': {
        const repeated = view.shape.flatMap((size, to) => {
          const from = view.dims.indexOf(to);
          const isRepeated = from < 0 || (isDimConst(shape[from] as Dim, 1) && !isDimConst(size, 1));
          return isRepeated ? [to] : [];
        });
        return [b.reshape(b.sum(cotangent, repeated), shape)];
      }
      case 'slice':
        return [padToShape(b, view, cotangent, shape)];
      case 'flip':
        return [b.view(cotangent, view)];
    }
  },

  batch: ({ view, inputs: [input] }, _batched, size, b) => [b.view(input as Value, batchView(view, size))],
};
