// Rewrites of views: compositions of two become one, and views that change nothing, or only unit dimensions, become reshapes.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimExactDiv,
  dimMul,
  dimProduct,
  isDimConst,
  shapeEquals,
} from '../../ir/dims.js';
import type { NodeOf, Places, Value, View } from '../../ir/graph.js';
import { orderOp } from '../../ops/table.js';
import { isUnit, madeBy, type Rewrite, resultOf, type Surroundings, splat } from './rewrite.js';

type ViewOf<T extends View['type']> = Extract<View, { type: T }>;

/** A rewrite of one type of view. */
const onView = <T extends View['type']>(
  type: T,
  name: string,
  doc: string,
  apply: (view: ViewOf<T>, input: Value, around: Surroundings, node: NodeOf<'view'>) => Value | undefined,
): Rewrite<'view'> => ({
  name,
  doc,
  kind: 'view',
  apply(node, around) {
    if (node.view.type !== type) return undefined;
    const value = apply(node.view as ViewOf<T>, node.inputs[0] as Value, around, node);
    return value && [value];
  },
});

/** The view of a certain type that computes a value, with what it views. */
function viewedBy<T extends View['type']>(
  value: Value,
  type: T,
  around: Surroundings,
): { view: ViewOf<T>; input: Value } | undefined {
  const node = madeBy(value, 'view', around);
  return node?.view.type === type ? { view: node.view as ViewOf<T>, input: node.inputs[0] as Value } : undefined;
}

const viewOfConstant: Rewrite<'view'> = {
  name: 'view-of-constant',
  doc: 'A view of one repeated number is that number in another shape.',
  kind: 'view',
  apply(node, around) {
    const number = splat(node.inputs[0] as Value, around);
    const { dtype, shape } = resultOf(node).type;
    return number === undefined ? undefined : [around.b.constant(number, dtype, shape)];
  },
};

/** Whether a view gives every element back where it was. */
function changesNothing(view: View, input: Value): boolean {
  const { shape } = input.type;
  switch (view.type) {
    case 'reshape':
    case 'broadcast':
      return shapeEquals(view.shape, shape);
    case 'permute':
      return view.permutation.every((from, to) => from === to);
    case 'slice':
      return (
        shapeEquals(view.sizes, shape) &&
        view.starts.every((start) => isDimConst(start, 0)) &&
        view.steps.every((step) => step === 1)
      );
    case 'flip':
      return view.dims.every((dim) => isUnit(shape[dim]));
  }
}

const identityView: Rewrite<'view'> = {
  name: 'identity-view',
  doc: 'A view that changes nothing is its operand.',
  kind: 'view',
  apply: ({ view, inputs: [input] }) => (input !== undefined && changesNothing(view, input) ? [input] : undefined),
};

const reshapeTwice = onView(
  'reshape',
  'reshape-twice',
  'A reshape of a reshape is one reshape.',
  (view, input, around) => {
    const inner = viewedBy(input, 'reshape', around);
    return inner && around.b.reshape(inner.input, view.shape, around.hint);
  },
);

const permuteTwice = onView(
  'permute',
  'permute-twice',
  'A permutation of a permutation is one.',
  (view, input, around) => {
    const inner = viewedBy(input, 'permute', around);
    if (inner === undefined) return undefined;
    const permutation = view.permutation.map((from) => inner.view.permutation[from] as number);
    return around.b.permute(inner.input, permutation, around.hint);
  },
);

const flipTwice = onView('flip', 'flip-twice', 'Flipping a dimension twice changes nothing.', (view, input, around) => {
  const inner = viewedBy(input, 'flip', around);
  if (inner === undefined) return undefined;
  const once = (a: readonly number[], b: readonly number[]) => a.filter((dim) => !b.includes(dim));
  const dims = [...once(view.dims, inner.view.dims), ...once(inner.view.dims, view.dims)];
  return dims.length === 0 ? inner.input : around.b.view(inner.input, { type: 'flip', dims }, around.hint);
});

const sliceTwice = onView('slice', 'slice-twice', 'A slice of a slice is one slice.', (view, input, around) => {
  const inner = viewedBy(input, 'slice', around);
  if (inner === undefined) return undefined;
  const steps = view.steps.map((step, dim) => step * (inner.view.steps[dim] as number));
  const starts = view.starts.map((start, dim) =>
    dimAdd(inner.view.starts[dim] as Dim, dimMul(start, dimConst(inner.view.steps[dim] as number))),
  );
  return around.b.view(inner.input, { type: 'slice', starts, steps, sizes: view.sizes }, around.hint);
});

const placesOfSort = onView(
  'slice',
  'places-of-sort',
  'A slice of the positions that sort is a sort for these places alone, which need not put the others in order.',
  (view, input, around) => {
    const node = madeBy(input, 'order', around);
    if (node === undefined || orderOp(node.op).method !== 'sort' || !around.isReadOnce(input)) return undefined;
    const isWhole = ({ start, size }: Places, dim: number) =>
      isDimConst(start, 0) && dimEquals(size, input.type.shape[dim] as Dim);
    const taken = view.starts.map((start, dim): Places => ({ start, size: view.sizes[dim] as Dim }));
    if (view.steps[node.dim] !== 1 || taken.some((places, dim) => dim !== node.dim && !isWhole(places, dim)))
      return undefined;
    const { start, size } = taken[node.dim] as Places;
    const places = { start: dimAdd(start, node.places?.start ?? dimConst(0)), size };
    const { op, dim, reverse, inputs } = node;
    return around.b.add({ kind: 'order', op, dim, reverse, places, inputs }, around.hint)[0];
  },
);

const broadcastTwice = onView(
  'broadcast',
  'broadcast-twice',
  'A broadcast of a broadcast is one.',
  (view, input, around) => {
    const inner = viewedBy(input, 'broadcast', around);
    if (inner === undefined) return undefined;
    const dims = inner.view.dims.map((dim) => view.dims[dim] as number);
    return around.b.view(inner.input, { type: 'broadcast', shape: view.shape, dims }, around.hint);
  },
);

/** For each dimension of `from`, the dimension of `to` that it is; undefined unless `to` is `from` with more unit dimensions. */
function insertedUnits(from: readonly Dim[], to: readonly Dim[]): readonly number[] | undefined {
  const dims: number[] = [];
  for (const [at, size] of to.entries()) {
    const next = from[dims.length];
    if (next !== undefined && dimEquals(size, next)) dims.push(at);
    else if (!isUnit(size)) return undefined;
  }
  return dims.length === from.length ? dims : undefined;
}

const broadcastOfInsertedUnits = onView(
  'broadcast',
  'broadcast-of-inserted-units',
  'Inserting unit dimensions and repeating along them is one broadcast.',
  (view, input, around) => {
    const inner = viewedBy(input, 'reshape', around);
    const inserted = inner && insertedUnits(inner.input.type.shape, inner.view.shape);
    if (inner === undefined || inserted === undefined) return undefined;
    const dims = inserted.map((dim) => view.dims[dim] as number);
    return around.b.view(inner.input, { type: 'broadcast', shape: view.shape, dims }, around.hint);
  },
);

/** The dimension of `from` that `to` splits into several, with their sizes; all others are the same. */
function splitDimension(from: readonly Dim[], to: readonly Dim[]): { dim: number; sizes: readonly Dim[] } | undefined {
  const count = to.length - from.length + 1;
  const dim = from.findIndex((size, d) => !dimEquals(size, to[d] ?? dimConst(-1)));
  if (dim < 0 || count < 2) return undefined;
  const rest = to.slice(dim + count);
  const isSame =
    rest.length === from.length - dim - 1 && rest.every((size, d) => dimEquals(size, from[dim + 1 + d] as Dim));
  return isSame ? { dim, sizes: to.slice(dim, dim + count) } : undefined;
}

const splitOfSlice = onView(
  'reshape',
  'split-of-slice',
  'A slice of whole groups that is split into groups is a slice of what is split first, which nothing has to be copied for.',
  (view, input, around) => {
    const inner = viewedBy(input, 'slice', around);
    const split = splitDimension(input.type.shape, view.shape);
    if (inner === undefined || split === undefined || inner.view.steps[split.dim] !== 1) return undefined;
    const { dim, sizes } = split;
    const group = dimProduct(sizes.slice(1));
    const { shape } = inner.input.type;
    const [groups, first] = [shape[dim] as Dim, inner.view.starts[dim] as Dim].map((size) => dimExactDiv(size, group));
    if (groups === undefined || first === undefined) return undefined;
    const replaced = <T>(of: readonly T[], here: readonly T[]): readonly T[] => [
      ...of.slice(0, dim),
      ...here,
      ...of.slice(dim + 1),
    ];
    const inside = sizes.slice(1);
    const whole = around.b.reshape(inner.input, replaced(shape, [groups, ...inside]));
    return around.b.view(
      whole,
      {
        type: 'slice',
        starts: replaced(inner.view.starts, [first, ...inside.map(() => dimConst(0))]),
        steps: replaced(
          inner.view.steps,
          sizes.map(() => 1),
        ),
        sizes: view.shape,
      },
      around.hint,
    );
  },
);

const reshapeOfBroadcast = onView(
  'reshape',
  'reshape-of-broadcast',
  'Inserting unit dimensions into a broadcast, or reshaping a repeated scalar, is another broadcast.',
  (view, input, around) => {
    const inner = viewedBy(input, 'broadcast', around);
    if (inner === undefined) return undefined;
    const isScalar = inner.input.type.shape.length === 0;
    const inserted = isScalar ? [] : insertedUnits(inner.view.shape, view.shape);
    const dims = inserted && inner.view.dims.map((dim) => inserted[dim] as number);
    return dims && around.b.view(inner.input, { type: 'broadcast', shape: view.shape, dims }, around.hint);
  },
);

const broadcastByUnits = onView(
  'broadcast',
  'broadcast-by-units',
  'A broadcast that only adds unit dimensions is a reshape.',
  (view, input, around) => {
    const { shape } = input.type;
    const grows = view.dims.some((to, from) => !dimEquals(view.shape[to] as Dim, shape[from] as Dim));
    const adds = view.shape.some((size, to) => !view.dims.includes(to) && !isUnit(size));
    return grows || adds ? undefined : around.b.reshape(input, view.shape, around.hint);
  },
);

const permuteUnits = onView(
  'permute',
  'permute-units',
  'A permutation that keeps the order of all dimensions but unit ones is a reshape.',
  (view, input, around, node) => {
    const moved = view.permutation.filter((from) => !isUnit(input.type.shape[from]));
    const isOrdered = moved.every((from, i) => i === 0 || from > (moved[i - 1] as number));
    return isOrdered ? around.b.reshape(input, resultOf(node).type.shape, around.hint) : undefined;
  },
);

const emptyConcat: Rewrite<'assemble'> = {
  name: 'trivial-assemble',
  doc: 'Joining one operand, or padding by nothing, is the operand; empty operands of a concatenation drop out.',
  kind: 'assemble',
  apply({ assemble, inputs }, { b, hint }) {
    if (assemble.type === 'pad') {
      const isNothing = [...assemble.low, ...assemble.high].every((width) => isDimConst(width, 0));
      return isNothing && assemble.interior.every((width) => width === 0) ? [inputs[0] as Value] : undefined;
    }
    const filled = inputs.filter((input) => !isDimConst(input.type.shape[assemble.dim] as Dim, 0));
    if (filled.length === 1) return filled;
    return filled.length < inputs.length && filled.length > 0 ? [b.concat(filled, assemble.dim, hint)] : undefined;
  },
};

/** The operand of a broadcast with unit dimensions where it repeats, so that broadcasting by NumPy's rules does the same. */
function alignedOperand(value: Value, around: Surroundings): Value | undefined {
  const broadcast = viewedBy(value, 'broadcast', around);
  if (broadcast === undefined) return undefined;
  const { view, input } = broadcast;
  const first = view.dims.length === 0 ? view.shape.length : (view.dims[0] as number);
  const shape = view.shape.slice(first).map((_, i) => {
    const from = view.dims.indexOf(first + i);
    return from < 0 ? dimConst(1) : (input.type.shape[from] as Dim);
  });
  return around.b.reshape(input, shape);
}

const computeOnce: Rewrite<'elementwise'> = {
  name: 'compute-once',
  doc: 'An operation on values that are repeated in the same way is computed once, and its result repeated.',
  kind: 'elementwise',
  apply(node, around) {
    const repeated = node.inputs.map((value) => viewedBy(value, 'broadcast', around));
    const first = repeated.find((each) => each !== undefined);
    const fits = node.inputs.every((value, i) => {
      const each = repeated[i];
      if (each === undefined) return value.type.shape.length === 0;
      const isSame =
        shapeEquals(each.view.shape, first?.view.shape ?? []) && each.view.dims.join() === first?.view.dims.join();
      return isSame && shapeEquals(each.input.type.shape, first?.input.type.shape ?? []);
    });
    if (first === undefined || !fits) return undefined;
    const inputs = node.inputs.map((value, i) => repeated[i]?.input ?? value);
    const [once] = around.b.add(
      { kind: 'elementwise', op: node.op, inputs, ...(node.dtype && { dtype: node.dtype }) },
      around.hint,
    );
    return [around.b.view(once as Value, first.view, around.hint)];
  },
};

const implicitBroadcast: Rewrite<'elementwise'> = {
  name: 'implicit-broadcast',
  doc: 'An operand that is repeated to the shape of the others is read as it is: elementwise operations broadcast by themselves.',
  kind: 'elementwise',
  apply(node, around) {
    const { shape } = resultOf(node).type;
    const isRepeated = (value: Value) => viewedBy(value, 'broadcast', around) !== undefined;
    const isWhole = (value: Value) => shapeEquals(value.type.shape, shape);
    const keepsShape = node.inputs.some((value) => isWhole(value) && !isRepeated(value));
    // One operand must keep the shape of the result; of several repeated ones the first does.
    const keeper = keepsShape ? -1 : node.inputs.findIndex(isWhole);
    if (!node.inputs.some((value, i) => i !== keeper && isRepeated(value))) return undefined;
    if (!keepsShape && keeper < 0) return undefined;
    const inputs = node.inputs.map((value, i) => (i === keeper ? value : (alignedOperand(value, around) ?? value)));
    return around.b.add(
      { kind: 'elementwise', op: node.op, inputs, ...(node.dtype && { dtype: node.dtype }) },
      around.hint,
    );
  },
};

export const viewRewrites: readonly Rewrite<'view'>[] = [
  viewOfConstant,
  identityView,
  reshapeTwice,
  permuteTwice,
  flipTwice,
  sliceTwice,
  placesOfSort,
  broadcastTwice,
  broadcastOfInsertedUnits,
  splitOfSlice,
  reshapeOfBroadcast,
  broadcastByUnits,
  permuteUnits,
];

export const assembleRewrites: readonly Rewrite<'assemble'>[] = [emptyConcat];
export const broadcastRewrites: readonly Rewrite<'elementwise'>[] = [computeOnce, implicitBroadcast];
