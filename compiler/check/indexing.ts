// `object[items]`: elements of lists and tuples; of tensors integers, slices, new axes and index tensors.

import { isProvablyNonNegative } from '../ir/bounds.js';
import { type Dim, dimAdd, dimConst, dimFloorDiv, dimMax, dimNeg, dimSub, dimValue, printDim } from '../ir/dims.js';
import { isInt } from '../ir/dtype.js';
import type { Access, Index, Value } from '../ir/graph.js';
import { affineConst, affineSubscript, plainSubscript } from '../ir/space.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluate } from './evaluate.js';
import { knownValue } from './known.js';
import { checkMask, maskPositions } from './masks.js';
import { fieldOf, type Scope } from './scope.js';
import { broadcastShape, restate, toTensor } from './tensors.js';
import {
  contents,
  describe,
  int,
  list,
  none,
  numberOf,
  type Site,
  string,
  tensor,
  tuple,
  typeText,
  type Val,
} from './values.js';

export function indexValue(cx: Context, object: Val, expr: ast.Index, scope: Scope): Val {
  if (expr.outside !== undefined) {
    cx.fail('E0320', { message: '`else` after an index belongs in an index expression: `out[i] = x[i + k] else 0`' });
  }
  const site = (node: ast.IndexItem): Site => ({ source: scope.unit.source, span: node.span });
  switch (object.kind) {
    case 'cell':
      return indexValue(cx, tensor(object.cell.value), expr, scope);
    case 'model': {
      const inside = fieldOf(object, contents);
      return inside === undefined ? notIndexed(cx, object) : indexValue(cx, inside, expr, scope);
    }
    case 'record':
      return indexRecord(cx, object, expr, scope);
    case 'list':
    case 'tuple':
    case 'string':
      return indexSequence(cx, object, expr, scope);
    case 'tensor':
      return tensor(
        indexTensor(
          cx,
          object.value,
          expr.items.flatMap((item) => placed(indexItems(cx, item, scope), site(item))),
        ),
      );
    default:
      return notIndexed(cx, object);
  }
}

/** A field of a record by a name that is known when compiling; numbered fields (of a sequence's gradient) by their number. */
function indexRecord(cx: Context, object: Extract<Val, { kind: 'record' }>, expr: ast.Index, scope: Scope): Val {
  const [node] = expr.items;
  const item =
    node === undefined || node.kind === 'Slice' || node.kind === 'Ellipsis' ? none : evaluate(cx, node, scope);
  const name = item.kind === 'string' ? item.value : item.kind === 'int' ? String(dimValue(item.dim) ?? '') : undefined;
  if (name === undefined || expr.items.length !== 1) return notIndexed(cx, object);
  const field = object.fields.get(name);
  return field ?? cx.fail('E0210', { message: `${describe(object)} has no field \`${name}\`` });
}

const notIndexed = (cx: Context, object: Val): never =>
  cx.fail('E0311', { message: `${describe(object)} cannot be indexed` });

type Sequence = Extract<Val, { kind: 'list' | 'tuple' | 'string' }>;

function indexSequence(cx: Context, sequence: Sequence, expr: ast.Index, scope: Scope): Val {
  const [node, ...others] = expr.items;
  if (node === undefined || others.length > 0) cx.fail('E0310', { message: `${describe(sequence)} takes one index` });
  const item = indexItem(cx, node, scope);
  const length = sequence.kind === 'string' ? sequence.value.length : sequence.items.length;
  if (item.kind === 'slice') {
    const fixed = (dim: Dim | undefined, otherwise: number) => (dim === undefined ? otherwise : constant(cx, dim));
    const [start, stop] = [fixed(item.start, 0), fixed(item.stop, length)];
    if (item.step !== 1) cx.fail('E0310', { message: 'slices of lists have no step' });
    if (sequence.kind === 'string') return string(sequence.value.slice(start, stop));
    const items = sequence.items.slice(start, stop);
    return sequence.kind === 'list' ? list(items) : tuple(items);
  }
  const position =
    item.kind === 'int'
      ? constant(cx, item.at)
      : cx.fail('E0310', { message: `${describe(sequence)} takes an int as index` });
  const at = position < 0 ? position + length : position;
  if (at < 0 || at >= length) {
    cx.fail('E0310', {
      message: `index ${position} is outside ${describe(sequence)}`,
      label: `it has ${length} elements`,
    });
  }
  return sequence.kind === 'string' ? string(sequence.value[at] ?? '') : (sequence.items[at] as Val);
}

function constant(cx: Context, dim: Dim): number {
  return dimValue(dim) ?? cx.fail('E0316', { message: `the index ${printDim(dim)} is known only when running` });
}

/** One item between the brackets, evaluated. */
export type Item =
  | { readonly kind: 'int'; readonly at: Dim }
  | { readonly kind: 'slice'; readonly start?: Dim; readonly stop?: Dim; readonly step: number }
  | { readonly kind: 'newAxis' }
  | { readonly kind: 'ellipsis' }
  /** An index tensor; `maskSize` is the size of the axis that a mask was made for. */
  | { readonly kind: 'tensor'; readonly value: Value; readonly maskSize?: number };

export interface PlacedItem {
  readonly item: Item;
  readonly site: Site;
}

export const placed = (items: readonly Item[], site: Site): readonly PlacedItem[] =>
  items.map((item) => ({ item, site }));

function indexItem(cx: Context, node: ast.IndexItem, scope: Scope): Item {
  const [item, ...others] = indexItems(cx, node, scope);
  if (item !== undefined && others.length === 0) return item;
  return cx.fail('E0310', {
    message: 'an element of a list or tuple is taken by one index',
    site: { source: scope.unit.source, span: node.span },
  });
}

function indexItems(cx: Context, node: ast.IndexItem, scope: Scope): readonly Item[] {
  if (node.kind === 'Ellipsis') return [{ kind: 'ellipsis' }];
  if (node.kind === 'Slice') return [sliceItem(cx, node, scope)];
  return itemsOf(cx, evaluate(cx, node, scope), { source: scope.unit.source, span: node.span });
}

/** A value as items of an index: one, or of a mask one for each of its axes. A list of ints or bools is a tensor. */
export function itemsOf(cx: Context, value: Val, site: Site): readonly Item[] {
  switch (value.kind) {
    case 'slice':
    case 'ellipsis':
      return [value];
    case 'none':
      return [{ kind: 'newAxis' }];
    case 'int':
      return [{ kind: 'int', at: value.dim }];
    case 'list': {
      const items = value.items.map(numberOf);
      const isMask = items.length > 0 && value.items.every((item) => item.kind === 'bool');
      if (items.every((item): item is number => item !== undefined && Number.isInteger(item))) {
        const literal = cx.b.literal(items, isMask ? 'bool' : 'i64', [dimConst(items.length)]);
        return itemsOf(cx, tensor(literal), site);
      }
      break;
    }
    case 'tensor': {
      const { dtype } = value.value.type;
      if (dtype === 'bool') return maskPositions(cx, value.value, site).map((along) => ({ kind: 'tensor', ...along }));
      if (isInt(dtype))
        return [{ kind: 'tensor', value: dtype === 'i32' ? value.value : cx.b.cast(value.value, 'i64') }];
    }
  }
  return cx.fail('E0310', {
    message: `an index is an int, a slice, \`none\`, a tensor of integers or a mask, not ${describe(value)}`,
    site,
  });
}

/** The bounds of a slice; its step is positive. */
export function sliceItem(cx: Context, node: ast.Slice, scope: Scope): Extract<Item, { kind: 'slice' }> {
  const bound = (part: ast.Expr | undefined, what: string): Dim | undefined => {
    if (part === undefined) return undefined;
    const value = evaluate(cx, part, scope);
    if (value.kind === 'int') return value.dim;
    if (value.kind === 'none') return undefined;
    return cx.fail('E0310', {
      message: `the ${what} of a slice is an int, not ${describe(value)}`,
      site: { source: scope.unit.source, span: part.span },
    });
  };
  const [start, stop, step] = [bound(node.start, 'start'), bound(node.stop, 'stop'), bound(node.step, 'step')];
  const stride = step === undefined ? 1 : dimValue(step);
  if (stride === undefined || stride < 1) {
    cx.fail('E0310', {
      message: `the step of a slice is a positive int, not ${step === undefined ? '' : printDim(step)}`,
      site: { source: scope.unit.source, span: node.span },
      help: 'to read backwards use flip(x, dims)',
    });
  }
  return {
    kind: 'slice',
    step: stride,
    ...(start === undefined ? {} : { start }),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** What is read along one axis of the operand. */
export interface Range {
  readonly start: Dim;
  readonly step: number;
  readonly size: Dim;
}

/** `x[items]` with evaluated items. */
export function indexTensor(cx: Context, value: Value, given: readonly PlacedItem[]): Value {
  const items = expandEllipsis(cx, value, given);
  const ranges: Range[] = [];
  /** The axes of the result of slicing: a size, or the index tensor that replaces the axis. */
  const axes: { readonly size: Dim; readonly lookup?: Value }[] = [];
  let axis = 0;
  for (const { item, site } of items) {
    if (item.kind === 'newAxis') {
      axes.push({ size: dimConst(1) });
      continue;
    }
    const size = value.type.shape[axis++] as Dim;
    if (item.kind === 'int')
      ranges.push({ start: position(cx, item.at, size, axis - 1, site), step: 1, size: dimConst(1) });
    else if (item.kind === 'slice') {
      ranges.push(sliceRange(cx, item, size));
      axes.push({ size: (ranges.at(-1) as Range).size });
    } else {
      if (item.kind === 'tensor') checkMask(cx, item.maskSize, size, axis - 1, site);
      ranges.push({ start: dimConst(0), step: 1, size });
      axes.push(item.kind === 'tensor' ? { size, lookup: item.value } : { size });
    }
  }
  const sliced = slice(cx, value, ranges);
  const shaped = cx.b.reshape(
    sliced,
    axes.map(({ size }) => size),
  );
  return axes.some(({ lookup }) => lookup !== undefined)
    ? lookUp(
        cx,
        shaped,
        axes.map(({ lookup }) => lookup),
        areApart(items),
      )
    : shaped;
}

/**
 * Whether axes of the result lie between those that index tensors address: the looked up ones then come first, as in PyTorch. An int
 * removes its axis before that is asked.
 */
export function areApart(items: readonly PlacedItem[]): boolean {
  const axes = items.filter(({ item }) => item.kind !== 'int');
  const places = axes.flatMap(({ item }, i) => (item.kind === 'tensor' ? [i] : []));
  return (places.at(-1) ?? 0) - (places[0] ?? 0) + 1 > places.length;
}

export function expandEllipsis(cx: Context, value: Value, given: readonly PlacedItem[]): readonly PlacedItem[] {
  const rank = value.type.shape.length;
  const used = given.filter(({ item }) => item.kind !== 'newAxis' && item.kind !== 'ellipsis').length;
  const at = given.findIndex(({ item }) => item.kind === 'ellipsis');
  if (used > rank) {
    cx.fail('E0310', {
      message: `${typeText(value.type)} has ${rank === 1 ? '1 axis' : `${rank} axes`}, ${used} are indexed`,
    });
  }
  const full: PlacedItem[] = Array.from({ length: rank - used }, () => ({
    item: { kind: 'slice', step: 1 },
    site: cx.site,
  }));
  if (at < 0) return [...given, ...full];
  const after = given.slice(at + 1);
  if (after.some(({ item }) => item.kind === 'ellipsis'))
    cx.fail('E0310', { message: 'an index has one `...` at most' });
  return [...given.slice(0, at), ...full, ...after];
}

/** A position counted from the start; it must lie inside. */
export function position(cx: Context, at: Dim, size: Dim, axis: number, site: Site): Dim {
  const from = isFromEnd(at) ? dimAdd(size, at) : at;
  const inside =
    cx.nonNegative(from, 'an index lies inside') &&
    cx.nonNegative(dimSub(dimSub(size, dimConst(1)), from), 'an index lies inside');
  if (inside) return from;
  return cx.fail('E0310', {
    message: `index ${printDim(at)} is outside axis ${axis}`,
    label: `the axis has size ${printDim(size)}`,
    site,
  });
}

/** Whether a bound counts from the end: it is negative, or minus what is not, as in `x[-k:]`. */
const isFromEnd = (bound: Dim): boolean => {
  const known = dimValue(bound);
  return known === undefined ? isProvablyNonNegative(dimNeg(bound)) : known < 0;
};

/**
 * Slices are clamped to the axis, as in Python. Where the sizes are symbolic, the size says so with a maximum. A start that may be negative only
 * when the entry runs, as in `x[n - k:]`, is an error there: it would mean another end.
 */
export function sliceRange(cx: Context, { start, stop, step }: Extract<Item, { kind: 'slice' }>, size: Dim): Range {
  const zero = dimConst(0);
  const from = start === undefined ? zero : isFromEnd(start) ? dimMax(dimAdd(size, start), zero) : start;
  if (!cx.nonNegative(from, 'a slice starts inside')) {
    cx.fail('E0310', { message: `a slice starts at ${printDim(from)}, before the first element` });
  }
  // For the size neither a start beyond the end nor a stop before the beginning needs to be clamped: both give none.
  const to = stop === undefined ? size : isFromEnd(stop) ? dimAdd(size, stop) : minimum(stop, size);
  const extent = dimMax(dimSub(to, from), zero);
  return {
    start: minimum(from, size),
    step,
    size: cx.bounded(dimFloorDiv(dimAdd(extent, dimConst(step - 1)), dimConst(step))),
  };
}

const minimum = (a: Dim, b: Dim): Dim => {
  if (isProvablyNonNegative(dimSub(b, a))) return a;
  return dimAdd(dimAdd(a, b), dimNeg(dimMax(a, b)));
};

function slice(cx: Context, value: Value, ranges: readonly Range[]): Value {
  const isWhole = ranges.every(
    ({ start, size, step }, axis) => dimValue(start) === 0 && step === 1 && size.key === value.type.shape[axis]?.key,
  );
  if (isWhole) return value;
  return cx.b.view(value, {
    type: 'slice',
    starts: ranges.map(({ start }) => start),
    steps: ranges.map(({ step }) => step),
    sizes: ranges.map(({ size }) => size),
  });
}

/** A slice along one axis. */
export function sliceAxis(cx: Context, value: Value, axis: number, range: Range): Value {
  const whole = (size: Dim): Range => ({ start: dimConst(0), step: 1, size });
  return slice(
    cx,
    value,
    value.type.shape.map((size, i) => (i === axis ? range : whole(size))),
  );
}

/**
 * Reads through index tensors along the axes that have one: they broadcast together, and the result has their axes where the first of
 * them stood, or at the front where they are `apart`. Negative positions count from the end.
 */
export function lookUp(cx: Context, value: Value, lookups: readonly (Value | undefined)[], apart: boolean): Value {
  const given = lookups.flatMap((lookup, axis) => (lookup === undefined ? [] : [{ lookup, axis }]));
  const shape = broadcastShape(
    cx,
    given.map(({ lookup }) => lookup.type.shape),
    (_, a, b) =>
      cx.fail('E0304', {
        message: `index tensors ${given.map(({ lookup }) => typeText(lookup.type)).join(' and ')} do not broadcast`,
        label: `${printDim(a)} against ${printDim(b)}`,
      }),
  );
  const axes = given.map(({ axis }) => axis);
  const front = apart ? 0 : (axes[0] ?? 0);
  const kept = value.type.shape.flatMap((extent, axis) => (lookups[axis] === undefined ? [{ extent, axis }] : []));
  const before = kept.slice(0, front);
  const indices: Index[] = [...before, ...shape.map((extent) => ({ extent, axis: -1 })), ...kept.slice(front)].map(
    ({ extent }, i) => ({
      name: `i${i}`,
      extent,
    }),
  );
  const placeOf = (axis: number): number => {
    const at = kept.findIndex((other) => other.axis === axis);
    return at < front ? at : at + shape.length;
  };
  const tables = given.map(({ lookup, axis }) =>
    restate(cx, nonNegativeIndices(cx, lookup, value.type.shape[axis] as Dim), shape),
  );
  const access: Access = value.type.shape.map((_, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return plainSubscript(placeOf(axis));
    const own = (tables[at] as Value).type.shape;
    const offset = shape.length - own.length;
    const subscripts = own.map((size, i) =>
      dimValue(size) === 1 ? affineSubscript(affineConst(0), 1, size, indices) : plainSubscript(front + offset + i),
    );
    return { kind: 'lookup', operand: at + 1, subscripts };
  });
  return cx.b.gather({ indices, outer: indices.length }, access, [value, ...tables]);
}

/** Index values with negative ones counted from the end. */
export function nonNegativeIndices(cx: Context, index: Value, size: Dim): Value {
  const { dtype } = index.type;
  refuseOutside(cx, index, size, -(dimValue(size) ?? 0));
  const wrapped = cx.b.elementwise('add', [index, toTensor(cx, int(size), dtype)]);
  return cx.b.elementwise('where', [cx.b.elementwise('lt', [index, cx.b.constant(0, dtype)]), wrapped, index]);
}

/** Refuses indices that are known when compiling and leave their axis. */
export function refuseOutside(cx: Context, index: Value, size: Dim, lowest: number): void {
  const length = dimValue(size);
  if (length === undefined) return;
  const outside = knownValue(cx, index)?.data.find((at) => at < lowest || at >= length);
  if (outside === undefined) return;
  cx.fail('E0310', {
    message: `index ${outside} is outside [${lowest}, ${length - 1}]`,
    label: `the axis has size ${length}`,
  });
}
