// Views and paddings that a contraction or reduction reads through become part of its subscripts, so that nothing is copied:
// `a @ b.T` reads b, a convolution reads its input without a padded copy.

import { type Dim, dimConst, dimEquals, dimMul, dimSub, dimValue, isDimConst } from '../../ir/dims.js';
import type { Access, Affine, Index, IndexSpace, NodeOf, Value, View } from '../../ir/graph.js';
import {
  type AffineSubscript,
  affineAdd,
  affineConst,
  affineRenumber,
  affineScale,
  affineSub,
  affineSubscript,
  isIdentityAccess,
  plainIndexOf,
  subscriptIndices,
} from '../../ir/space.js';
import { affineAccess, buildSum } from '../../ops/kinds/solve.js';
import { appliedBy, isAll, isUnit, madeBy, type Rewrite, type Surroundings, splat } from './rewrite.js';

interface Operand {
  readonly value: Value;
  readonly access: readonly AffineSubscript[];
}

/** Whether a subscript is inside its dimension at every point, so that it may be dropped or moved without losing a mask. */
const isSure = (s: AffineSubscript): boolean => !s.masked && s.divisor === 1;

/** The subscript `s` of a dimension, changed to `factor · s + offset` of another dimension of `size`. */
const moved = (s: AffineSubscript, factor: number, offset: Dim, size: Dim, space: IndexSpace): AffineSubscript => {
  const shift = affineConst(dimMul(offset, dimConst(s.divisor)));
  return affineSubscript(affineAdd(affineScale(s.expression, factor), shift), s.divisor, size, space.indices);
};

/** Whether a slice leaves out elements of a dimension. */
const isCut = (view: Extract<View, { type: 'slice' }>, dim: number, size: Dim): boolean =>
  view.steps[dim] !== 1 || !isDimConst(view.starts[dim] as Dim, 0) || !dimEquals(view.sizes[dim] as Dim, size);

/** The operand under a view, with subscripts that read the same elements; undefined where a mask would be lost. */
function throughView(node: NodeOf<'view'>, access: readonly AffineSubscript[], space: IndexSpace): Operand | undefined {
  const value = node.inputs[0] as Value;
  const { shape } = value.type;
  const { view } = node;
  const at = (dim: number) => access[dim] as AffineSubscript;
  const first = affineSubscript(affineConst(0), 1, dimConst(1), space.indices);
  switch (view.type) {
    case 'permute':
      return { value, access: shape.map((_, dim) => at(view.permutation.indexOf(dim))) };
    case 'broadcast': {
      const isRepeated = (dim: number) => {
        const from = view.dims.indexOf(dim);
        return from < 0 || !dimEquals(shape[from] as Dim, view.shape[dim] as Dim);
      };
      if (access.some((subscript, dim) => isRepeated(dim) && !isSure(subscript))) return undefined;
      return { value, access: view.dims.map((to) => (isRepeated(to) ? first : at(to))) };
    }
    case 'slice':
      if (access.some((s, dim) => !isSure(s) && isCut(view, dim, shape[dim] as Dim))) return undefined;
      return {
        value,
        access: access.map((s, dim) =>
          moved(s, view.steps[dim] as number, view.starts[dim] as Dim, shape[dim] as Dim, space),
        ),
      };
    case 'flip':
      return {
        value,
        access: access.map((s, dim) =>
          view.dims.includes(dim) ? moved(s, -1, dimSub(shape[dim] as Dim, dimConst(1)), shape[dim] as Dim, space) : s,
        ),
      };
    case 'reshape':
      return throughUnits(value, view.shape, access, space);
  }
}

/** A reshape that only inserts or drops unit dimensions. */
function throughUnits(
  value: Value,
  to: readonly Dim[],
  access: readonly AffineSubscript[],
  space: IndexSpace,
): Operand | undefined {
  const kept = to.flatMap((size, dim) => (isUnit(size) ? [] : [dim]));
  const sizes = value.type.shape.flatMap((size) => (isUnit(size) ? [] : [size]));
  const isSame = kept.length === sizes.length && kept.every((dim, i) => dimEquals(to[dim] as Dim, sizes[i] as Dim));
  if (!isSame || to.some((size, dim) => isUnit(size) && !isSure(access[dim] as AffineSubscript))) return undefined;
  const first = affineSubscript(affineConst(0), 1, dimConst(1), space.indices);
  let next = 0;
  return {
    value,
    access: value.type.shape.map((size) =>
      isUnit(size) ? first : (access[kept[next++] as number] as AffineSubscript),
    ),
  };
}

/** The operand inside a padding by zeros: what is outside of it counts as absent, which in a sum is 0. */
function throughPadding(
  node: NodeOf<'assemble'>,
  access: readonly AffineSubscript[],
  space: IndexSpace,
  around: Surroundings,
): Operand | undefined {
  const [value, filler] = node.inputs as readonly [Value, Value];
  const { assemble } = node;
  if (assemble.type !== 'pad' || Number(splat(filler, around) ?? 1) !== 0) return undefined;
  return {
    value,
    access: access.map(({ expression, divisor }, dim) => {
      const shifted = affineSub(expression, affineConst(dimMul(assemble.low[dim] as Dim, dimConst(divisor))));
      const gap = (assemble.interior[dim] as number) + 1;
      return affineSubscript(shifted, divisor * gap, value.type.shape[dim] as Dim, space.indices);
    }),
  };
}

/** Whether a view leaves out elements: until derivatives are taken it stays, so that the adjoints of all parts of a value can be joined. */
const isPart = ({ view, inputs }: NodeOf<'view'>): boolean =>
  view.type === 'slice' && inputs[0]?.type.shape.some((size, dim) => isCut(view, dim, size)) === true;

/** The operand that is really read, undefined when it is read as it is. */
function absorbed(value: Value, access: Access, space: IndexSpace, around: Surroundings): Operand | undefined {
  const subscripts = affineAccess(access);
  const view = madeBy(value, 'view', around);
  if (view !== undefined) return isPart(view) && !around.isDerived ? undefined : throughView(view, subscripts, space);
  const assemble = madeBy(value, 'assemble', around);
  return assemble && throughPadding(assemble, subscripts, space, around);
}

const absorbIntoContraction: Rewrite<'contract'> = {
  name: 'absorb-into-contraction',
  doc: 'A contraction reads through views and through padding with zeros.',
  kind: 'contract',
  apply(node, around) {
    const found = node.inputs.map((input, k) => absorbed(input, node.accesses[k] ?? [], node.space, around));
    if (found.every((operand) => operand === undefined)) return undefined;
    const factors = node.inputs.map((value, k) => found[k] ?? { value, access: affineAccess(node.accesses[k] ?? []) });
    const { indices, outer } = node.space;
    return [buildSum(around.b, { indices, outer, factors, guards: node.guards }, [], around.hint)];
  },
};

/** Whether a value repeats elements along a dimension that a reduction folds. */
function repeatsFolded(node: NodeOf<'reduce'>, view: View | undefined): boolean {
  if (view?.type !== 'broadcast') return false;
  return node.access.some((subscript, dim) => {
    const isFolded = subscriptIndices(subscript).some((index) => index >= node.space.outer);
    return isFolded && !view.dims.includes(dim);
  });
}

const absorbIntoReduction: Rewrite<'reduce'> = {
  name: 'absorb-into-reduction',
  doc: 'A reduction along a repeated dimension reads what is repeated; a sum reads through padding with zeros.',
  kind: 'reduce',
  apply(node, around) {
    const input = node.inputs[0] as Value;
    const isPadded = node.op === 'sum' && madeBy(input, 'assemble', around) !== undefined;
    if (!isPadded && !repeatsFolded(node, madeBy(input, 'view', around)?.view)) return undefined;
    const operand = absorbed(input, node.access, node.space, around);
    return operand && around.b.reduceOver(node.op, operand.value, node.space, operand.access, around.hint);
  },
};

const dropOnes: Rewrite<'contract'> = {
  name: 'drop-ones',
  doc: 'A factor of ones that is read inside its bounds everywhere drops out of a product.',
  kind: 'contract',
  apply(node, around) {
    if (node.inputs.length < 2) return undefined;
    const isOnes = (k: number) =>
      isAll(node.inputs[k] as Value, 1, around) && affineAccess(node.accesses[k] ?? []).every(isSure);
    const ones = [0, 1].find(isOnes);
    if (ones === undefined) return undefined;
    const kept = 1 - ones;
    const factor = { value: node.inputs[kept] as Value, access: affineAccess(node.accesses[kept] ?? []) };
    const { indices, outer } = node.space;
    return [buildSum(around.b, { indices, outer, factors: [factor], guards: node.guards }, [], around.hint)];
  },
};

const contractionOfOne: Rewrite<'contract'> = {
  name: 'contraction-of-one',
  doc: 'A contraction of one operand is a view or a sum where that says it all.',
  kind: 'contract',
  apply({ space, inputs, accesses, guards }, { b, hint }) {
    const [value, second] = inputs;
    if (value === undefined || second !== undefined || guards.length > 0) return undefined;
    const access = affineAccess(accesses[0] ?? []);
    const plain = access.map((subscript) => plainIndexOf(subscript));
    const isWhole = plain.every((index, dim) => {
      return index !== undefined && dimEquals((space.indices[index] as Index).extent, value.type.shape[dim] as Dim);
    });
    const isView = isWhole && new Set(plain).size === plain.length;
    const isSum = space.indices.slice(space.outer).some((index) => !isUnit(index.extent));
    if (!isView && !isSum) return undefined;
    return [buildSum(b, { ...space, factors: [{ value, access }], guards }, [], hint)];
  },
};

/** Operations whose fold of equal elements is that element. */
const idempotent = new Set(['max', 'min', 'any', 'all']);

const reduceRepeated: Rewrite<'reduce'> = {
  name: 'reduce-repeated',
  doc: 'A sum along a repeated dimension is a product with its size; the largest of equal elements is each of them.',
  kind: 'reduce',
  apply(node, around) {
    const { op, space, access, inputs } = node;
    const used = new Set(affineAccess(access).flatMap((s) => s.expression.terms.map((term) => term.index)));
    const unused = space.indices.findIndex((_, i) => i >= space.outer && !used.has(i));
    if (unused < 0 || node.results.length > 1) return undefined;
    const extent = (space.indices[unused] as Index).extent;
    const isIdempotent = idempotent.has(op) && !isDimConst(extent, 0) && dimValue(extent) !== undefined;
    if (op !== 'sum' && !isIdempotent) return undefined;
    const to = (i: number) => (i > unused ? i - 1 : i);
    const indices = space.indices.filter((_, i) => i !== unused);
    const renumbered = affineAccess(access).map((s) => ({
      ...s,
      expression: { ...s.expression, terms: s.expression.terms.map((term) => ({ ...term, index: to(term.index) })) },
    }));
    const { b, hint } = around;
    const once = b.reduceOver(op, inputs[0] as Value, { indices, outer: space.outer }, renumbered, hint)[0] as Value;
    if (op !== 'sum') return [once];
    return [b.elementwise('mul', [once, b.size(extent, once.type.dtype)], hint)];
  },
};

const reduceNothing: Rewrite<'reduce'> = {
  name: 'reduce-nothing',
  doc: 'A sum over no index is a view; the largest of one element is that element.',
  kind: 'reduce',
  apply(node, { b, hint }) {
    const { op, space, access, inputs } = node;
    const value = inputs[0] as Value;
    if (space.indices.length > space.outer) return undefined;
    if (idempotent.has(op) && isIdentityAccess(access, value.type.shape, space)) return [value];
    if (op !== 'sum') return undefined;
    return [buildSum(b, { ...space, factors: [{ value, access: affineAccess(access) }], guards: [] }, [], hint)];
  },
};

const withoutPosition: Readonly<Record<string, string>> = { max_with_index: 'max', min_with_index: 'min' };

const dropPosition: Rewrite<'reduce'> = {
  name: 'drop-position',
  doc: 'An extreme element whose position nobody reads is found without it.',
  kind: 'reduce',
  apply({ op, space, access, inputs, results }, { b, isRead, isDerived, hint }) {
    const plain = withoutPosition[op];
    const position = results[1];
    if (!isDerived || plain === undefined || position === undefined || isRead(position)) return undefined;
    const [element] = b.reduceOver(plain, inputs[0] as Value, space, access, hint);
    return [element as Value, b.constant(0, position.type.dtype, position.type.shape)];
  },
};

const reluBehindExtreme: Rewrite<'reduce'> = {
  name: 'relu-behind-extreme',
  doc: 'The largest of values made no less than 0 is the largest of the values, made no less than 0.',
  kind: 'reduce',
  apply({ op, space, access, inputs: [input] }, around) {
    const { b, hint, isDerived, isReadOnce } = around;
    if (!isDerived || (op !== 'max' && op !== 'min') || input === undefined || !isReadOnce(input)) return undefined;
    const [inside] = appliedBy(input, 'relu', around)?.inputs ?? [];
    return inside && [b.elementwise('relu', b.reduceOver(op, inside, space, access), hint)];
  },
};

/** Renumbers the outer indices of a space: index `order[i]` becomes index i. */
function reorderOuter(
  node: NodeOf<'contract'>,
  order: readonly number[],
): Pick<NodeOf<'contract'>, 'space' | 'accesses' | 'guards'> {
  const { space, accesses, guards } = node;
  const all = [...order, ...space.indices.map((_, i) => i).slice(space.outer)];
  const renumber = (e: Affine) => affineRenumber(e, (index) => all.indexOf(index));
  return {
    space: { indices: all.map((index) => space.indices[index] as Index), outer: space.outer },
    accesses: accesses.map((access) => affineAccess(access).map((s) => ({ ...s, expression: renumber(s.expression) }))),
    guards: guards.map(renumber),
  };
}

const permuteContraction: Rewrite<'view'> = {
  name: 'permute-contraction',
  doc: 'A contraction that only a permutation reads gives its result in that order.',
  kind: 'view',
  apply({ view, inputs: [input] }, around) {
    const node = input && around.isReadOnce(input) ? madeBy(input, 'contract', around) : undefined;
    if (view.type !== 'permute' || node === undefined) return undefined;
    const { space, accesses, guards } = reorderOuter(node, view.permutation);
    return [around.b.contract(space, accesses, node.inputs, guards, around.hint)];
  },
};

export const contractRewrites: readonly Rewrite<'contract'>[] = [absorbIntoContraction, dropOnes, contractionOfOne];
export const reduceRewrites: readonly Rewrite<'reduce'>[] = [
  absorbIntoReduction,
  reduceRepeated,
  reduceNothing,
  dropPosition,
  reluBehindExtreme,
];
export const outputRewrites: readonly Rewrite<'view'>[] = [permuteContraction];
