// Views, padding, concatenation, gathers and scatters in the interpreter: nodes that move elements.

import { type Dim, dimEvaluate } from '../dims.js';
import type { NodeOf } from '../graph.js';
import { type AccessContext, absent, accessOffsets } from './access.js';
import { take } from './elementwise.js';
import { EvaluationError } from './error.js';
import { rowMajorStrides, strideOffsets } from './strides.js';
import { allocate, type Elements, elementCount, type HostTensor, type Numbers, roundElements } from './tensor.js';

/** The tensor of a shape whose elements are those of `from` at the given offsets. */
function taken(from: HostTensor, shape: readonly number[], offsets: Int32Array): HostTensor {
  const data = allocate(from.dtype, offsets.length);
  take(data, from.data, offsets, 0, offsets.length);
  return { dtype: from.dtype, shape: [...shape], data };
}

export function evaluateView(
  node: NodeOf<'view'>,
  shape: readonly number[],
  { dims, inputs, origin }: AccessContext,
): HostTensor {
  const input = inputs[0] as HostTensor;
  const strides = rowMajorStrides(input.shape);
  const { view } = node;
  switch (view.type) {
    case 'reshape':
      if (elementCount(shape) !== input.data.length) {
        throw new EvaluationError(`${input.data.length} elements do not fill the shape [${shape.join(', ')}]`, origin);
      }
      return { ...input, shape: [...shape] };
    case 'permute':
      return taken(
        input,
        shape,
        strideOffsets(
          shape,
          view.permutation.map((from) => strides[from] as number),
        ),
      );
    case 'broadcast': {
      const steps = shape.map((_, to) => {
        const from = view.dims.indexOf(to);
        return from < 0 || input.shape[from] === 1 ? 0 : (strides[from] as number);
      });
      return taken(input, shape, strideOffsets(shape, steps));
    }
    case 'slice': {
      const starts = view.starts.map((start) => dimEvaluate(start, dims));
      starts.forEach((start, dim) => {
        const size = shape[dim] as number;
        const last = start + (size - 1) * (view.steps[dim] as number);
        if (size > 0 && (start < 0 || last >= (input.shape[dim] as number))) {
          throw new EvaluationError(
            `positions ${start} to ${last} are outside dimension ${dim} of size ${input.shape[dim]}`,
            origin,
          );
        }
      });
      const base = starts.reduce((sum, start, dim) => sum + start * (strides[dim] as number), 0);
      return taken(
        input,
        shape,
        strideOffsets(
          shape,
          strides.map((stride, dim) => stride * (view.steps[dim] as number)),
          base,
        ),
      );
    }
    case 'flip': {
      const flipped = (dim: number) => view.dims.includes(dim);
      const base = strides.reduce(
        (sum, stride, dim) => sum + (flipped(dim) ? ((shape[dim] as number) - 1) * stride : 0),
        0,
      );
      return taken(
        input,
        shape,
        strideOffsets(
          shape,
          strides.map((stride, dim) => (flipped(dim) ? -stride : stride)),
          base,
        ),
      );
    }
  }
}

/** Writes the elements of a tensor, in order, at the given offsets. */
function put(into: Elements, from: Elements, offsets: Int32Array): void {
  for (let i = 0; i < offsets.length; i++) into[offsets[i] as number] = from[i] as never;
}

export function evaluateAssemble(
  node: NodeOf<'assemble'>,
  shape: readonly number[],
  { dims, inputs }: AccessContext,
): HostTensor {
  const { assemble } = node;
  const first = inputs[0] as HostTensor;
  const data = allocate(first.dtype, elementCount(shape));
  const strides = rowMajorStrides(shape);
  if (assemble.type === 'pad') {
    data.fill((inputs[1] as HostTensor).data[0] as never);
    const steps = strides.map((stride, dim) => stride * ((assemble.interior[dim] as number) + 1));
    const base = strides.reduce((sum, stride, dim) => sum + stride * dimEvaluate(assemble.low[dim] as Dim, dims), 0);
    put(data, first.data, strideOffsets(first.shape, steps, base));
  } else {
    let start = 0;
    for (const input of inputs) {
      put(data, input.data, strideOffsets(input.shape, strides, start * (strides[assemble.dim] as number)));
      start += input.shape[assemble.dim] as number;
    }
  }
  return { dtype: first.dtype, shape: [...shape], data };
}

export function evaluateIndexing(node: NodeOf<'index'>, shape: readonly number[], context: AccessContext): HostTensor {
  const { indexing } = node;
  const base = context.inputs[0] as HostTensor;
  const offsets = accessOffsets(indexing.space, indexing.access, base.shape, context);
  if (indexing.type === 'gather') {
    const data = allocate(base.dtype, offsets.length);
    // An absent element is 0, which a fresh array already holds.
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i] as number;
      if (offset !== absent) data[i] = base.data[offset] as never;
    }
    return { dtype: base.dtype, shape: [...shape], data };
  }
  const updates = context.inputs[1] as HostTensor;
  return { ...base, data: scatter(indexing.mode, base, updates.data, offsets) };
}

type Scatter = Extract<NodeOf<'index'>['indexing'], { type: 'scatter' }>;

/** Updates in order. Sums of floats accumulate in f64 and are rounded once. */
function scatter(
  mode: Scatter['mode'],
  { dtype, data: base }: HostTensor,
  updates: Elements,
  offsets: Int32Array,
): Elements {
  const data = allocate(dtype, base.length);
  if (data instanceof BigInt64Array) {
    data.set(base as BigInt64Array);
    scatterInto<bigint>(data, updates as BigInt64Array, offsets, bigCombine[mode]);
    return data;
  }
  const isNarrowFloat = data instanceof Float32Array && mode === 'add';
  const sums: Numbers = isNarrowFloat ? new Float64Array(base.length) : data;
  sums.set(base as Numbers);
  scatterInto<number>(sums, updates as Numbers, offsets, combine[mode]);
  if (isNarrowFloat) {
    data.set(sums);
    roundElements(dtype, data);
  }
  return data;
}

function scatterInto<T extends number | bigint>(
  into: { [offset: number]: T },
  updates: { readonly [position: number]: T },
  offsets: Int32Array,
  join: (old: T, update: T) => T,
): void {
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i] as number;
    if (offset !== absent) into[offset] = join(into[offset] as T, updates[i] as T);
  }
}

const combine: Record<Scatter['mode'], (old: number, update: number) => number> = {
  add: (old, update) => old + update,
  set: (_, update) => update,
  max: Math.max,
  min: Math.min,
};

const bigCombine: Record<Scatter['mode'], (old: bigint, update: bigint) => bigint> = {
  add: (old, update) => old + update,
  set: (_, update) => update,
  max: (old, update) => (old > update ? old : update),
  min: (old, update) => (old < update ? old : update),
};
