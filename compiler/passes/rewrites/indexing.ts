// Rewrites of gathers and scatters.

import { type Dim, dimConst, dimEquals } from '../../ir/dims.js';
import type { Index, IndexSpace, NodeOf, Subscript, Value } from '../../ir/graph.js';
import { plainIndexOf, plainIndicesOf } from '../../ir/space.js';
import { isAll, isUnit, type Rewrite, resultOf, type Surroundings } from './rewrite.js';

type Lookup = Extract<Subscript, { kind: 'lookup' }>;

interface OneHot {
  /** The dimension that is looked up, the index tensor, and the indices of the space that the other dimensions are read at. */
  readonly dim: number;
  readonly table: Value;
  readonly rows: readonly (number | undefined)[];
}

/**
 * A scatter that writes each update into a row of its own, at a position looked up for that row: all other dimensions are addressed by
 * plain indices of their whole size, which are all the indices of the space but unit ones.
 */
function oneHot(node: NodeOf<'index'>): OneHot | undefined {
  if (node.indexing.type !== 'scatter') return undefined;
  const { access, space } = node.indexing;
  const shape = resultOf(node).type.shape;
  const dim = access.findIndex((subscript) => subscript.kind === 'lookup');
  const rows = access.map((subscript, at) => (at === dim ? undefined : plainIndexOf(subscript)));
  const isPlain = rows.every((index, at) => {
    if (at === dim) return true;
    const size = index === undefined ? undefined : space.indices[index]?.extent;
    return size !== undefined && dimEquals(size, shape[at] as typeof size);
  });
  const covered = space.indices.every((index, i) => rows.includes(i) || isUnit(index.extent));
  if (dim < 0 || !isPlain || !covered || new Set(rows).size < rows.length) return undefined;
  const lookup = access[dim] as Lookup;
  return { dim, table: node.inputs[lookup.operand] as Value, rows };
}

/** Whether the indices read every element of a tensor of this shape once. */
const readsWhole = (indices: readonly number[], shape: readonly Dim[], space: IndexSpace): boolean =>
  indices.every((index, dim) => dimEquals((space.indices[index] as Index).extent, shape[dim] as Dim));

/** A tensor over indices of the space, laid out along the dimensions of the result with size 1 where it has none of their indices. */
function alongRows(value: Value, indices: readonly number[], { rows }: OneHot, { b }: Surroundings): Value {
  const places = indices.map((index) => rows.indexOf(index));
  const kept = places.flatMap((place, at) => (place >= 0 ? [at] : []));
  const order = kept.toSorted((x, y) => (places[x] as number) - (places[y] as number));
  // An index without a row runs over one point.
  const units = places.flatMap((place, at) => (place < 0 ? [at] : []));
  const permuted = b.permute(value, [...order, ...units]);
  const shape = rows.map((index) => {
    const at = index === undefined ? -1 : indices.indexOf(index);
    return at < 0 ? dimConst(1) : (value.type.shape[at] as Dim);
  });
  return b.reshape(permuted, shape);
}

/**
 * Whether a gather before looks every element of the table up in a dimension of this size, and so reports what is out of range. The
 * scatter would report it too; what replaces it would not.
 */
function isCheckedBefore(table: Value, size: Dim, { b }: Surroundings): boolean {
  return b.nodes.some((node) => {
    if (node.kind !== 'index' || node.indexing.type !== 'gather') return false;
    const { access, space } = node.indexing;
    const { shape } = (node.inputs[0] as Value).type;
    return access.some((subscript, dim) => {
      if (subscript.kind !== 'lookup' || node.inputs[subscript.operand] !== table) return false;
      const indices = plainIndicesOf(subscript.subscripts);
      return (
        indices !== undefined && readsWhole(indices, table.type.shape, space) && dimEquals(shape[dim] as Dim, size)
      );
    });
  });
}

const scatterOneHot: Rewrite<'index'> = {
  name: 'scatter-one-hot',
  doc: 'Adding one update to each row of zeros, at a position that a gather looked up before, is a selection by comparing positions.',
  kind: 'index',
  apply(node, around) {
    const found = oneHot(node);
    const [base, updates] = node.inputs as readonly [Value, Value];
    if (found === undefined || node.indexing.type !== 'scatter' || !isAll(base, 0, around)) return undefined;
    const { mode, space, access } = node.indexing;
    if (mode !== 'add' && mode !== 'set') return undefined;
    const { shape, dtype } = resultOf(node).type;
    const indices = plainIndicesOf((access[found.dim] as Lookup).subscripts);
    if (indices === undefined || !readsWhole(indices, found.table.type.shape, space)) return undefined;
    if (!isCheckedBefore(found.table, shape[found.dim] as Dim, around)) return undefined;
    const { b, hint } = around;
    const table = alongRows(found.table, indices, found, around);
    const every = space.indices.map((_, index) => index);
    const here = b.elementwise('eq', [b.iota(shape, found.dim, table.type.dtype), table]);
    return [b.elementwise('where', [here, alongRows(updates, every, found, around), b.constant(0, dtype)], hint)];
  },
};

export const indexRewrites: readonly Rewrite<'index'>[] = [scatterOneHot];
