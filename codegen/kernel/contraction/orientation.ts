// What follows from the choice of the vector index: the roles of the other indices, and which factors have to be copied.

import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Expr } from '../ir.js';
import { lanesOf, type Machine } from '../machine.js';
import { mentions, stride } from '../positions.js';
import { type Coordinate, extentOf, type Factor, reversed, TYPICAL, typicalExtent } from './copies.js';
import { expressionsOf, type Nest } from './nest.js';
import { neededShare, type Windows, windowsOf } from './windows.js';

type Load = Extract<Expr, { readonly kind: 'load' }>;

/** The part that an outer index plays: in all factors or none, in the factor of columns, or in the other one. */
export type Role = 'batch' | 'column' | 'row';

export interface Copy {
  readonly factor: Factor;
  /** In the order of memory; a vector index is in the last one. */
  readonly coordinates: readonly Coordinate[];
  /** The coordinate along which the source lies in memory. */
  readonly along: Coordinate | undefined;
}

export interface Orientation {
  readonly nest: Nest;
  readonly machine: Machine;
  readonly factors: readonly Factor[];
  readonly vector: string;
  readonly isSummed: boolean;
  readonly lanes: number;
  /** The bytes of an element. */
  readonly bytes: number;
  readonly roles: ReadonlyMap<string, Role>;
  readonly order: readonly string[];
  /** Of each factor. */
  readonly coordinates: readonly (readonly Coordinate[])[];
  readonly copies: readonly (Copy | undefined)[];
  /** The extent of an index, or a typical one. */
  readonly extent: (index: string) => number;
  /** What run-time dimensions count as. */
  readonly size: number;
  /** Of each factor: the constant step of an index through memory where it is read in place. */
  readonly distances: readonly ((index: string) => number | undefined)[];
  /** Where factors are absent, and the share of a summed index that tiles need on average because of that. */
  readonly windows: Windows;
  readonly share: (summed: string, tile: ReadonlyMap<string, number>) => number;
  /** What is read beside the sums, as where parameters are updated, at places that move with the vector index. */
  readonly operands: readonly Load[];
}

/** Rows from which on a copy of the columns pays. */
export const ROWS_PER_COPY = 192;

/**
 * Which factors that could be read in place are copied all the same: columns, so that the vectors of a tile lie together; rows that lie
 * side by side in memory, so that each can be read along the sum; either, so that narrow elements are widened once.
 */
export interface Packing {
  readonly columns: boolean;
  readonly rows: boolean;
}

/** The orientations with one vector index: with and without copies that are not necessary. They differ in their copies alone. */
export function orientations(
  nest: Nest,
  machine: Machine,
  factors: readonly Factor[],
  coordinates: Orientation['coordinates'],
  vector: string,
): readonly Orientation[] {
  const common = orient(nest, machine, factors, coordinates, vector);
  const isSummed = nest.summed.some(({ name }) => name === vector);
  const inPlace = factors.filter((factor) => factor.indices.size > 0 && canReadInPlace(factor, vector));
  const columns = !isSummed && inPlace.some(({ indices }) => indices.has(vector) && indices.size > 1);
  const rows = !isSummed && inPlace.some((factor) => !factor.indices.has(vector) && gainsFromCopy(nest, factor));
  return [
    { columns: false, rows: false },
    { columns: true, rows: false },
    { columns: false, rows: true },
    { columns: true, rows: true },
  ]
    .filter((packing) => (columns || !packing.columns) && (rows || !packing.rows))
    .map((packing) => ({ ...common, copies: copiesOf(common, packing) }));
}

/** What is copied of each factor. */
function copiesOf({ nest, factors, coordinates, vector }: Orientation, packing: Packing): Orientation['copies'] {
  const isCopied = (factor: Factor): boolean => {
    if (!canReadInPlace(factor, vector)) return true;
    if (factor.indices.has(vector)) return packing.columns && factor.indices.size > 1;
    return packing.rows && gainsFromCopy(nest, factor);
  };
  return factors.map((factor, k) =>
    isCopied(factor) ? copyOf(nest, factor, coordinates[k] ?? [], vector) : undefined,
  );
}

/** What follows from the vector index, without copies. */
function orient(
  nest: Nest,
  machine: Machine,
  factors: readonly Factor[],
  coordinates: Orientation['coordinates'],
  vector: string,
): Orientation {
  const bytes = dtypeBytes(nest.sum.dtype);
  const extent = remembered((index) => typicalExtent(extentOf(nest, index)));
  const isSummed = nest.summed.some(({ name }) => name === vector);
  // Of a summed index both factors may have vectors; the columns are then those of the second.
  const columns = factors.findLast(({ indices }) => indices.has(vector)) as Factor;
  const roles = new Map(nest.outer.map(({ name }) => [name, roleOf(name, vector, factors, columns)]));
  const ofRole = (role: Role): readonly string[] =>
    nest.outer.map(({ name }) => name).filter((name) => name !== vector && roles.get(name) === role);
  const order = [...ofRole('batch'), ...ofRole('column'), ...(isSummed ? [] : [vector]), ...ofRole('row')];
  const windows = windowsOf(nest, factors, vector);
  const limiting = new Map(
    [...windows].map(([index, bounds]) => [index, [...new Set(bounds.flatMap(({ outer }) => [...outer.keys()]))]]),
  );
  const shares = memory<number>();
  return {
    nest,
    machine,
    factors,
    vector,
    isSummed,
    lanes: lanesOf(machine, bytes),
    bytes,
    roles,
    order,
    coordinates,
    copies: [],
    extent,
    size: TYPICAL,
    distances: factors.map((factor) => remembered((index) => factor.plain && stride(factor.plain.offset, index))),
    windows,
    operands: operandsOf(nest, vector),
    share: (index, tile) => {
      const bounds = windows.get(index);
      if (bounds === undefined) return 1;
      const sizes = (limiting.get(index) ?? []).map((name) => tile.get(name) ?? 1);
      return shares(`${index} ${sizes.join()}`, () => neededShare(nest, bounds, index, tile));
    },
  };
}

/** What is read beside the factors at places that move with an index. */
export function operandsOf(nest: Nest, vector: string): readonly Load[] {
  const ofFactors = new Set(nest.factors.flatMap((temp) => [...expressionsOf(nest, temp)]));
  return [...nest.values.values()].filter(
    (value): value is Load => value.kind === 'load' && !ofFactors.has(value) && mentions(value.offset, vector),
  );
}

/** What changes where run-time dimensions are of another size. */
export const atSize = ({ nest }: Orientation, size: number): Pick<Orientation, 'size' | 'extent'> => ({
  size,
  extent: remembered((index) => typicalExtent(extentOf(nest, index), size)),
});

/** A table of values that are computed once for each key. */
function memory<T>(): (key: string, compute: () => T) => T {
  const known = new Map<string, T>();
  return (key, compute) => {
    const old = known.get(key);
    if (old !== undefined) return old;
    const value = compute();
    known.set(key, value);
    return value;
  };
}

/** A function of a name that is computed once for each. */
function remembered<T>(compute: (index: string) => T): (index: string) => T {
  const known = memory<T>();
  return (index) => known(index, () => compute(index));
}

function roleOf(index: string, vector: string, factors: readonly Factor[], columns: Factor): Role {
  const count = factors.filter(({ indices }) => indices.has(index)).length;
  if (index !== vector && (count === 0 || count === factors.length)) return 'batch';
  return columns.indices.has(index) ? 'column' : 'row';
}

function canReadInPlace({ indices, plain }: Factor, vector: string): boolean {
  if (indices.size === 0) return true;
  return plain !== undefined && (!indices.has(vector) || stride(plain.offset, vector) === 1);
}

/** The summed index of a factor that runs fastest. */
const innermostOf = (nest: Nest, { indices }: Factor): string | undefined =>
  nest.summed.findLast(({ name }) => indices.has(name))?.name;

/** Whether a factor's neighbours in memory belong to different sums, so that each sum reads at a distance. */
function liesAcross(nest: Nest, factor: Factor): boolean {
  const summed = innermostOf(nest, factor);
  const { plain } = factor;
  if (plain === undefined || summed === undefined || stride(plain.offset, summed) === 1) return false;
  return nest.outer.some(({ name }) => stride(plain.offset, name) === 1);
}

/** Whether the rows that a factor holds may be read faster from a copy. */
const gainsFromCopy = (nest: Nest, factor: Factor): boolean => factor.isNarrow || liesAcross(nest, factor);

function copyOf(nest: Nest, factor: Factor, coordinates: readonly Coordinate[], vector: string): Copy {
  const all = coordinates.map((coordinate) => {
    const own = coordinate.terms.find(({ index }) => index === vector);
    return own !== undefined && own.coefficient < 0 ? reversed(coordinate) : coordinate;
  });
  const along = all.find((coordinate) => liesAlong(factor, coordinate));
  // Vectors are read across the lanes; rows are read along the sum.
  const inner = factor.indices.has(vector) ? vector : innermostOf(nest, factor);
  const last = all.find(({ terms }) => terms.some(({ index }) => index === inner)) ?? along;
  const others = all.filter((coordinate) => coordinate !== last);
  return { factor, coordinates: last === undefined ? others : [...others, last], along };
}

/** Whether neighbours along a coordinate are neighbours in memory. */
function liesAlong({ loads }: Factor, { terms }: Coordinate): boolean {
  const steps = loads.flatMap(({ offset }) =>
    terms.map(({ index, coefficient: c }) => (stride(offset, index) ?? Number.NaN) / c),
  );
  return steps.includes(1) && steps.every((step) => step === 1 || step === 0);
}

/** Vectors of factors that stay in registers while a tile goes through its rows, for each vector of its width. */
export function heldVectors({ factors, roles, vector }: Orientation, tile: ReadonlyMap<string, number>): number {
  const held = factors
    .filter(({ indices }) => indices.has(vector))
    .map(({ indices }) => {
      const own = [...tile].filter(([index]) => indices.has(index));
      if (own.some(([index]) => roles.get(index) === 'row')) return 1;
      return own.reduce((product, [, size]) => product * size, 1);
    });
  return held.reduce((sum, count) => sum + count, 0);
}
