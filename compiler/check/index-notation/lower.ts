// Index expressions as nodes of the graph: products that are summed become contractions, reductions over one tensor read it
// through its subscripts, lookups become gathers, and everything else works on whole tensors over the joint space.

import { type Dim, dimConst, dimEquals, dimMul, dimProduct, dimValue } from '../../ir/dims.js';
import { type DType, isInt } from '../../ir/dtype.js';
import type { Access, IndexSpace, Subscript, Value } from '../../ir/graph.js';
import { affine, affineSubscript, plainAccess, plainIndicesOf } from '../../ir/space.js';
import type { Context } from '../context.js';
import { libraryFunction } from '../lookup.js';
import { binary } from '../operators.js';
import { commonDType, elementwise, isNumeric, type Numeric, toTensor } from '../tensors.js';
import { describe, int, tensor, typeText, type Val } from '../values.js';
import { align, combine, type Dense, extentOf, indicesOf, multiply, neutralOf, one, sorted } from './dense.js';
import {
  type ApplyTree,
  type IndexTree,
  type IndexVar,
  type ReadTree,
  type ReduceTree,
  type SubscriptTree,
  subscriptVars,
  varsOf,
} from './tree.js';

/** An operand of a contraction or reduction: a tensor and how it is read at the variables. */
interface Factor {
  readonly value: Value;
  readonly subscripts: readonly SubscriptTree[];
}

/** The tensor of a tree over exactly the variables `vars`. */
export function lowerTo(cx: Context, tree: IndexTree, vars: readonly IndexVar[]): Value {
  const dense = lower(cx, tree);
  const value = toTensor(cx, dense.value);
  const aligned = align(cx, value, dense.vars, vars);
  return cx.b.broadcastTo(aligned, vars.map(extentOf));
}

/** The tensor of a tree; a tree is lowered once, since its dtype is asked for before it is used. */
function lower(cx: Context, tree: IndexTree): Dense {
  const known = cx.lowered.get(tree);
  if (known !== undefined) return known;
  const dense = lowerNew(cx, tree);
  cx.lowered.set(tree, dense);
  return dense;
}

function lowerNew(cx: Context, tree: IndexTree): Dense {
  switch (tree.kind) {
    case 'value':
      return { vars: [], value: tree.value };
    case 'index': {
      const { index } = tree;
      const positions: Val = tensor(cx.b.iota([extentOf(index)], 0));
      const value = dimValue(index.start) === 0 ? positions : binary(cx, '+', positions, int(index.start));
      return { vars: [index], value: value as Numeric };
    }
    case 'read':
      return read(cx, tree);
    case 'apply':
      return apply(cx, tree);
    case 'reduce':
      return reduce(cx, tree);
  }
}

/** An operation on elements, on whole tensors over the joint variables of its operands. */
function apply(cx: Context, tree: ApplyTree): Dense {
  const operands = tree.operands.map((operand) => lower(cx, operand));
  const vars = sorted(operands.flatMap((operand) => operand.vars));
  const mapped = tree.over === 'vectors' && operands.some(({ value }) => value.kind === 'tensor') && vars.length > 0;
  const shape = vars.map(extentOf);
  const operandOf = (value: Value, own: readonly IndexVar[]): Value => {
    const aligned = align(cx, value, own, vars);
    return mapped ? cx.b.reshape(cx.b.broadcastTo(aligned, shape), [dimProduct(shape)]) : aligned;
  };
  const values = operands.map(({ value, vars: own }) =>
    value.kind === 'tensor' ? tensor(operandOf(value.value, own)) : value,
  );
  const applied = tree.apply(values);
  const result =
    mapped && applied.kind === 'tensor' && applied.value.type.shape.length === 1
      ? tensor(cx.b.reshape(applied.value, shape))
      : applied;
  if (!isNumeric(result))
    return cx.fail('E0320', { message: `an element is a number, not ${describe(result)}`, site: tree.site });
  if (result.kind === 'tensor' && result.value.type.shape.length !== vars.length) {
    cx.fail('E0320', {
      message: `in an index expression this works element by element, but it gives ${typeText(result.value.type)}`,
      site: tree.site,
    });
  }
  return { vars: result.kind === 'tensor' ? vars : [], value: result };
}

// ---- reads --------------------------------------------------------------------------------------------------------------

const isAffineRead = (tree: ReadTree): boolean => tree.subscripts.every((subscript) => subscript.kind === 'affine');

/** The subscripts of an affine read in a space of these variables. */
function accessOf(subscripts: readonly SubscriptTree[], value: Value, vars: readonly IndexVar[]): Access {
  const indices = indicesOf(vars);
  return subscripts.map((subscript, axis): Subscript => {
    if (subscript.kind !== 'affine') throw new Error('a lookup is no affine subscript');
    const terms = [...subscript.terms].map(([index, coefficient]) => ({ index: vars.indexOf(index), coefficient }));
    return affineSubscript(affine(terms, subscript.offset), subscript.divisor, value.type.shape[axis] as Dim, indices);
  });
}

const isMasked = (access: Access): boolean =>
  access.some((subscript) => subscript.kind === 'affine' && (subscript.masked || subscript.divisor !== 1));

function read(cx: Context, tree: ReadTree): Dense {
  const vars = sorted(tree.subscripts.flatMap((subscript) => [...subscriptVars(subscript)]));
  const value = isAffineRead(tree) ? readAffine(cx, tree.tensor, tree.subscripts, vars) : readLookup(cx, tree, vars);
  const zeroOutside: Dense = { vars, value: tensor(value) };
  if (tree.outside === undefined) return zeroOutside;
  const inside = insideOf(cx, tree);
  if (inside === undefined) return zeroOutside;
  const otherwise = lower(cx, tree.outside);
  const all = sorted([...vars, ...otherwise.vars]);
  const common = commonDType(cx, [zeroOutside.value, otherwise.value]);
  const [condition, present, absent] = [inside, zeroOutside, otherwise].map((dense, i) =>
    dense.vars.length === 0 && dense.value.kind !== 'tensor'
      ? toTensor(cx, dense.value, common)
      : align(cx, toTensor(cx, dense.value, i === 0 ? 'bool' : common), dense.vars, all),
  ) as [Value, Value, Value];
  return { vars: all, value: tensor(elementwise(cx, 'where', [condition, present, absent])) };
}

/** A tensor read through affine subscripts, zero where there is no element. */
function readAffine(cx: Context, value: Value, subscripts: readonly SubscriptTree[], vars: readonly IndexVar[]): Value {
  const access = accessOf(subscripts, value, vars);
  const plain = plainIndicesOf(access);
  const isPermutation =
    plain !== undefined &&
    new Set(plain).size === plain.length &&
    plain.length === vars.length &&
    plain.every((at, axis) => dimEquals(extentOf(vars[at] as IndexVar), value.type.shape[axis] as Dim));
  if (isPermutation)
    return cx.b.permute(
      value,
      vars.map((_, at) => plain.indexOf(at)),
    );
  // A contraction multiplies numbers: truth values pass through it as integers.
  const isBool = value.type.dtype === 'bool';
  const numbers = isBool ? cx.b.cast(value, 'u8') : value;
  const result = cx.b.contract({ indices: indicesOf(vars), outer: vars.length }, [access], [numbers]);
  return isBool ? cx.b.elementwise('ne', [result, cx.b.constant(0, 'u8')]) : result;
}

/** Where an affine read finds an element; undefined where it always does. */
function insideOf(cx: Context, tree: ReadTree): Dense | undefined {
  const vars = sorted(
    tree.subscripts.flatMap((subscript) => (subscript.kind === 'affine' ? [...subscript.terms.keys()] : [])),
  );
  const affineAxes = tree.subscripts.flatMap((subscript, axis) => (subscript.kind === 'affine' ? [axis] : []));
  const sizes = affineAxes.map((axis) => tree.tensor.type.shape[axis] as Dim);
  const present = cx.b.constant(1, 'u8', sizes);
  const subscripts = affineAxes.map((axis) => tree.subscripts[axis] as SubscriptTree);
  if (!isMasked(accessOf(subscripts, present, vars))) return undefined;
  const found = readAffine(cx, present, subscripts, vars);
  return { vars, value: tensor(cx.b.elementwise('ne', [found, cx.b.constant(0, 'u8')])) };
}

/** A read with lookups. Masked subscripts are resolved first, so that the gather itself always reads inside. */
function readLookup(cx: Context, tree: ReadTree, vars: readonly IndexVar[]): Value {
  const { operand, subscripts } = withoutMasks(cx, tree);
  const tables: Value[] = [];
  const lookup = (table: IndexTree): Subscript => {
    const dense = lower(cx, table);
    const value = toTensor(cx, dense.value);
    if (!isInt(value.type.dtype))
      cx.fail('E0320', { message: `a subscript is an integer, not ${value.type.dtype}`, site: tree.site });
    const positions = value.type.dtype === 'i32' ? value : cx.b.cast(value, 'i64');
    const at = tables.push(positions);
    return { kind: 'lookup', operand: at, subscripts: plainAccess(dense.vars.map((index) => vars.indexOf(index))) };
  };
  const access = subscripts.map((subscript, axis): Subscript => {
    if (subscript.kind === 'lookup') return lookup(subscript.table);
    const terms = [...subscript.terms].map(([index, coefficient]) => ({ index: vars.indexOf(index), coefficient }));
    return affineSubscript(
      affine(terms, subscript.offset),
      subscript.divisor,
      operand.type.shape[axis] as Dim,
      indicesOf(vars),
    );
  });
  return cx.b.gather({ indices: indicesOf(vars), outer: vars.length }, access, [operand, ...tables]);
}

/** The operand read through its affine subscripts alone where one of them may miss; axes with lookups stay whole. */
function withoutMasks(
  cx: Context,
  tree: ReadTree,
): { readonly operand: Value; readonly subscripts: readonly SubscriptTree[] } {
  const { tensor: operand, subscripts } = tree;
  const placeholders = subscripts.map((subscript, axis): IndexVar | undefined =>
    subscript.kind === 'affine'
      ? undefined
      : {
          name: `axis${axis}`,
          id: -1 - axis,
          site: tree.site,
          start: dimConst(0),
          extent: operand.type.shape[axis] as Dim,
          source: 'lookup',
        },
  );
  const own = subscripts.map((subscript, axis) =>
    placeholders[axis] === undefined ? subscript : one(placeholders[axis] as IndexVar),
  );
  const vars = sorted(own.flatMap((subscript) => [...subscriptVars(subscript)]));
  if (!isMasked(accessOf(own, operand, vars))) return { operand, subscripts };
  const result = readAffine(cx, operand, own, vars);
  return {
    operand: result,
    subscripts: vars.map((index) => {
      const axis = placeholders.indexOf(index);
      return axis < 0 ? one(index) : (subscripts[axis] as SubscriptTree);
    }),
  };
}

// ---- reductions -----------------------------------------------------------------------------------------------------------

function reduce(cx: Context, tree: ReduceTree): Dense {
  switch (tree.reducer) {
    case 'sum':
      return sum(cx, tree.vars, tree.condition === undefined ? tree.body : selected(cx, tree, 0));
    case 'mean':
      return mean(cx, tree);
    case 'logsumexp':
      return logsumexp(cx, tree);
    default:
      return fold(cx, tree);
  }
}

/** The sum divided by how many elements the condition selects; NaN of none. */
function mean(cx: Context, tree: ReduceTree): Dense {
  if (tree.condition === undefined) {
    const count: Dense = { vars: [], value: int(dimProduct(tree.vars.map(extentOf))) as Numeric };
    return combine(cx, '/', sum(cx, tree.vars, tree.body), count);
  }
  const one: IndexTree = { kind: 'value', value: int(dimConst(1)) as Numeric };
  const count = sum(cx, tree.vars, selected(cx, { ...tree, body: one }, 0));
  return combine(cx, '/', sum(cx, tree.vars, selected(cx, tree, 0)), count);
}

/** The function of the library over the axes of the reduction, which knows how to avoid overflow. */
function logsumexp(cx: Context, tree: ReduceTree): Dense {
  const body = tree.condition === undefined ? tree.body : selected(cx, tree, Number.NEGATIVE_INFINITY);
  const dense = lower(cx, body);
  const kept = dense.vars.filter((index) => !tree.vars.includes(index));
  const vars = [...kept, ...tree.vars];
  const value = lowerTo(cx, body, sorted(vars));
  // Variables are in the order of their numbers, and those of a reduction have later ones than all around it.
  const dim: Val = { kind: 'list', items: tree.vars.map((_, i) => int(dimConst(kept.length + i))) };
  const args = [tensor(value), dim].map((arg) => ({ value: arg, site: tree.site }));
  return { vars: kept, value: cx.engine.call(cx, libraryFunction(cx, 'logsumexp'), args) as Numeric };
}

/** The body where the condition holds, and a neutral number elsewhere. */
function selected(cx: Context, tree: ReduceTree, neutral: number): IndexTree {
  const apply = ([condition, body]: readonly Val[]): Val => {
    const values = [condition, body].map((val) => (isNumeric(val as Val) ? (val as Numeric) : undefined));
    const [test, value] = values;
    if (test === undefined || value === undefined)
      return cx.fail('E0320', { message: 'an element is a number', site: tree.site });
    const dtype = commonDType(cx, [value]);
    const parts = [toTensor(cx, test, 'bool'), toTensor(cx, value, dtype), neutralOf(cx, neutral, dtype)];
    return tensor(elementwise(cx, 'where', parts));
  };
  return {
    kind: 'apply',
    operands: [tree.condition as IndexTree, tree.body],
    isProduct: false,
    over: 'tensors',
    apply,
    site: tree.site,
  };
}

/** The factors of a product, through nested products. */
const factorsOf = (tree: IndexTree): readonly IndexTree[] =>
  tree.kind === 'apply' && tree.isProduct ? tree.operands.flatMap(factorsOf) : [tree];

/** Σ over `summed`. What does not depend on it comes out of the sum; two remaining factors are contracted. */
function sum(cx: Context, summed: readonly IndexVar[], body: IndexTree): Dense {
  const factors = factorsOf(body);
  const depends = (factor: IndexTree) => [...varsOf(factor)].some((index) => summed.includes(index));
  const inner = factors.filter(depends);
  const outer = factors.filter((factor) => !depends(factor));
  const common = commonDType(
    cx,
    factors.map((factor) => typeOf(cx, factor)),
  );
  const dtype = common === 'bool' ? 'i64' : common;
  const scale = outer.map((factor) => lower(cx, factor));
  if (inner.length === 0) {
    const count = dimProduct(summed.map(extentOf));
    return multiply(cx, [...scale, { vars: [], value: int(count) as Numeric }]);
  }
  const last = inner.at(-1) as IndexTree;
  const operands =
    inner.length <= 2
      ? inner.map((factor) => asFactor(cx, factor, dtype))
      : [
          denseFactor(
            cx,
            multiply(
              cx,
              inner.slice(0, -1).map((factor) => lower(cx, factor)),
            ),
            dtype,
          ),
          asFactor(cx, last, dtype),
        ];
  const own = sorted(inner.flatMap((factor) => [...varsOf(factor)]));
  const kept = own.filter((index) => !summed.includes(index));
  const vars = [...kept, ...summed];
  const space: IndexSpace = { indices: indicesOf(vars), outer: kept.length };
  const accesses = operands.map(({ value, subscripts }) => accessOf(subscripts, value, vars));
  const total = cx.b.contract(
    space,
    accesses,
    operands.map(({ value }) => value),
  );
  return multiply(cx, [...scale, { vars: kept, value: tensor(total) as Numeric }]);
}

/** A value that has the dtype of a tree, which is what promotion asks of it. */
function typeOf(cx: Context, tree: IndexTree): Numeric {
  if (tree.kind === 'value') return tree.value;
  if (tree.kind === 'read' && tree.outside === undefined) return tensor(tree.tensor) as Numeric;
  return lower(cx, tree).value;
}

/** A factor of a contraction: a read stays a read, anything else is computed first. */
function asFactor(cx: Context, tree: IndexTree, dtype: DType): Factor {
  if (tree.kind === 'read' && isAffineRead(tree) && tree.outside === undefined) {
    return { value: cx.b.cast(tree.tensor, dtype), subscripts: tree.subscripts };
  }
  return denseFactor(cx, lower(cx, tree), dtype);
}

const denseFactor = (cx: Context, { vars, value }: Dense, dtype: DType): Factor => ({
  value: toTensor(cx, value, dtype),
  subscripts: vars.map(one),
});

/** The reduction record of a name, the number that changes nothing, and the name of the record for truth values. */
const folds: Readonly<Record<string, { readonly op: string; readonly neutral: number }>> = {
  prod: { op: 'prod', neutral: 1 },
  max: { op: 'max_with_index', neutral: Number.NEGATIVE_INFINITY },
  amax: { op: 'max', neutral: Number.NEGATIVE_INFINITY },
  min: { op: 'min_with_index', neutral: Number.POSITIVE_INFINITY },
  amin: { op: 'min', neutral: Number.POSITIVE_INFINITY },
  any: { op: 'any', neutral: 0 },
  all: { op: 'all', neutral: 1 },
  argmax: { op: 'argmax', neutral: Number.NEGATIVE_INFINITY },
  argmin: { op: 'argmin', neutral: Number.POSITIVE_INFINITY },
};

/** Reductions other than sums. A read whose outside is the neutral element skips what is outside. */
function fold(cx: Context, tree: ReduceTree): Dense {
  const { op, neutral } = folds[tree.reducer] as { readonly op: string; readonly neutral: number };
  const body = tree.condition === undefined ? tree.body : selected(cx, tree, neutral);
  const direct = body.kind === 'read' && isAffineRead(body) && skipsOutside(body, neutral);
  const factor: Factor = direct
    ? { value: body.tensor, subscripts: body.subscripts }
    : factorOfDense(cx, lower(cx, body));
  const own = sorted(varsOf(body));
  const kept = own.filter((index) => !tree.vars.includes(index));
  const vars = [...kept, ...tree.vars];
  const isLogical = op === 'any' || op === 'all';
  const value =
    isLogical && factor.value.type.dtype !== 'bool'
      ? cx.b.elementwise('ne', [factor.value, cx.b.constant(0, factor.value.type.dtype)])
      : factor.value;
  const space: IndexSpace = { indices: indicesOf(vars), outer: kept.length };
  if (Number.isFinite(neutral) === false && dimValue(tree.vars.map(extentOf).reduce(dimMul, dimConst(1))) === 0) {
    cx.fail('E0325', { message: `\`${tree.reducer}\` over no elements has no value`, site: tree.site });
  }
  const [result] = cx.b.reduceOver(op, value, space, accessOf(factor.subscripts, value, vars));
  return { vars: kept, value: tensor(result as Value) as Numeric };
}

const factorOfDense = (cx: Context, { vars, value }: Dense): Factor => ({
  value: toTensor(cx, value),
  subscripts: vars.map(one),
});

/** Whether leaving out the elements outside is what the read says: they are never met, or they are the neutral element. */
function skipsOutside(tree: ReadTree, neutral: number): boolean {
  const vars = sorted(tree.subscripts.flatMap((subscript) => [...subscriptVars(subscript)]));
  if (!isMasked(accessOf(tree.subscripts, tree.tensor, vars))) return true;
  if (tree.outside === undefined) return neutral === 0;
  return tree.outside.kind === 'value' && tree.outside.value.kind === 'float' && tree.outside.value.value === neutral;
}
