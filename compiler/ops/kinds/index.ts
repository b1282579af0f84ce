// Gathers and scatters. A gather is linear in what it reads; scattering by `add` and `set` is linear in base and updates together.

import type { Builder } from '../../ir/builder.js';
import { dimEquals, dimProduct } from '../../ir/dims.js';
import type { Access, Indexing, IndexNode, NodeDraft, Subscript, TensorType, Value } from '../../ir/graph.js';
import { outerShape, plainIndexOf } from '../../ir/space.js';
import type { KindRules } from '../op.js';
import { batchAccess, batchSpace, repeatBatch } from './batch.js';
import { checkAccess, checkSpace, fail, inputAt, typeText } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'index' }>;
type Gather = Extract<Indexing, { type: 'gather' }>;
type Scatter = Extract<Indexing, { type: 'scatter' }>;

function infer({ indexing, inputs }: Draft): readonly TensorType[] {
  const { type: op, space, access } = indexing;
  checkSpace(op, space);
  if (space.outer !== space.indices.length) fail(op, 'has no inner indices');
  const base = inputAt(op, inputs, 0);
  const first = op === 'gather' ? 1 : 2;
  checkAccess(op, access, base.type.shape.length, space, { inputs, first });
  const shape = outerShape(space);
  if (op === 'gather') return [{ dtype: base.type.dtype, shape }];
  const updates = inputAt(op, inputs, 1).type;
  const fits =
    updates.shape.length === shape.length && updates.shape.every((d, i) => dimEquals(d, shape[i] as typeof d));
  if (!fits || updates.dtype !== base.type.dtype) {
    fail(op, `updates are ${typeText(updates)}, expected ${typeText({ dtype: base.type.dtype, shape })}`);
  }
  return [base.type];
}

/** The access with the positions of its index tensors moved. */
const moveLookups = (access: Access, by: number): Access =>
  access.map((subscript): Subscript => {
    if (subscript.kind === 'affine') return subscript;
    return { ...subscript, operand: subscript.operand + by, subscripts: moveLookups(subscript.subscripts, by) };
  });

/** Reads, for every update of a scatter, the element of `from` that it is written to. */
const gatherUpdated = (b: Builder, { space, access }: Scatter, from: Value, tables: readonly Value[]): Value =>
  b.gather(space, moveLookups(access, -1), [from, ...tables]);

const zerosLike = (value: Value, b: Builder): Value => b.constant(0, value.type.dtype, value.type.shape);

/** Whether no two updates can meet: every index of the space has a subscript of its own. */
const isInjective = ({ space, access }: Scatter): boolean => {
  const plain = new Set(access.map(plainIndexOf));
  return space.indices.every((_, i) => plain.has(i) || affineAlone(access, i));
};

const affineAlone = (access: Access, index: number): boolean =>
  access.some((s) => s.kind === 'affine' && s.expression.terms.length === 1 && s.expression.terms[0]?.index === index);

/** For a scatter by `set`: true at the updates that no later one overwrites. */
function isLastWriter(b: Builder, scatter: Scatter, base: Value, updates: Value, tables: readonly Value[]): Value {
  const { shape } = updates.type;
  const positions = b.reshape(b.iota([dimProduct(shape)], 0), shape);
  const nobody = b.constant(-1, 'i64', base.type.shape);
  const writer = b.scatter('set', scatter.space, scatter.access, [nobody, positions, ...tables]);
  return b.elementwise('eq', [gatherUpdated(b, scatter, writer, tables), positions]);
}

/** The tangent of a scatter by `max` or `min`: shared equally among the base element and the updates that attain the result. */
function extremumTangent(
  node: IndexNode,
  scatter: Scatter,
  tangents: readonly (Value | undefined)[],
  b: Builder,
): Value {
  const [base, updates, ...tables] = node.inputs as readonly [Value, Value, ...Value[]];
  const result = node.results[0] as Value;
  const { dtype } = base.type;
  const zero = b.constant(0, dtype);
  const baseWins = b.elementwise('eq', [base, result]);
  const updateWins = b.elementwise('eq', [updates, gatherUpdated(b, scatter, result, tables)]);
  const addUp = (inBase: Value, inUpdates: Value) =>
    b.scatter('add', scatter.space, scatter.access, [inBase, inUpdates, ...tables]);
  const count = addUp(b.cast(baseWins, dtype), b.cast(updateWins, dtype));
  const chosen = (wins: Value, tangent: Value | undefined, like: Value) =>
    tangent === undefined ? zerosLike(like, b) : b.elementwise('where', [wins, tangent, zero]);
  const total = addUp(chosen(baseWins, tangents[0], base), chosen(updateWins, tangents[1], updates));
  return b.elementwise('div', [total, count]);
}

function jvpScatter(node: IndexNode, scatter: Scatter, tangents: readonly (Value | undefined)[], b: Builder): Value {
  if (scatter.mode === 'max' || scatter.mode === 'min') return extremumTangent(node, scatter, tangents, b);
  const [base, updates, ...tables] = node.inputs as readonly [Value, Value, ...Value[]];
  const inputs = [tangents[0] ?? zerosLike(base, b), tangents[1] ?? zerosLike(updates, b), ...tables];
  return b.scatter(scatter.mode, scatter.space, scatter.access, inputs);
}

function transposeGather(node: IndexNode, { space, access }: Gather, cotangent: Value, b: Builder): Value {
  const [x, ...tables] = node.inputs as readonly [Value, ...Value[]];
  return b.scatter('add', space, moveLookups(access, 1), [zerosLike(x, b), cotangent, ...tables]);
}

function transposeScatter(node: IndexNode, scatter: Scatter, linear: readonly boolean[], cotangent: Value, b: Builder) {
  const [base, updates, ...tables] = node.inputs as readonly [Value, Value, ...Value[]];
  if (scatter.mode === 'max' || scatter.mode === 'min') fail('scatter', `by ${scatter.mode} is not linear`);
  const untouched = () => {
    if (scatter.mode === 'add') return cotangent;
    return b.scatter('set', scatter.space, scatter.access, [cotangent, zerosLike(updates, b), ...tables]);
  };
  const written = () => {
    const read = gatherUpdated(b, scatter, cotangent, tables);
    if (scatter.mode === 'add' || isInjective(scatter)) return read;
    return b.elementwise('where', [
      isLastWriter(b, scatter, base, updates, tables),
      read,
      b.constant(0, read.type.dtype),
    ]);
  };
  return [linear[0] ? untouched() : undefined, linear[1] ? written() : undefined, ...tables.map(() => undefined)];
}

export const indexRules: KindRules<'index'> = {
  kind: 'index',
  infer,

  jvp(node, tangents, b) {
    const { indexing } = node;
    const [tangent, updateTangent] = tangents;
    if (indexing.type === 'gather') {
      return [tangent && b.gather(indexing.space, indexing.access, [tangent, ...node.inputs.slice(1)])];
    }
    if (tangent === undefined && updateTangent === undefined) return [undefined];
    return [jvpScatter(node, indexing, tangents, b)];
  },

  transpose(node, linear, [cotangent], b) {
    if (cotangent === undefined) return node.inputs.map(() => undefined);
    const { indexing } = node;
    if (indexing.type === 'scatter') return transposeScatter(node, indexing, linear, cotangent, b);
    return node.inputs.map((_, i) => (i === 0 ? transposeGather(node, indexing, cotangent, b) : undefined));
  },

  batch(node, batched, size, b) {
    const { indexing, inputs } = node;
    const space = batchSpace(indexing.space, size);
    if (indexing.type === 'gather')
      return [b.gather(space, batchAccess(indexing.access, batched[0] === true, batched), inputs)];
    const [base, updates, ...tables] = inputs as readonly [Value, Value, ...Value[]];
    const written = [base, updates].map((value, i) => repeatBatch(b, value, batched[i] === true, size));
    const access = batchAccess(indexing.access, true, batched);
    return [b.scatter(indexing.mode, space, access, [...written, ...tables])];
  },
};
