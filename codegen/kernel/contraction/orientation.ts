// What follows from the choice of the vector index: the roles of the other indices, and which factors have to be copied.

import { dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { lanesOf, type Machine } from '../machine.js';
import { coefficient, stride } from '../positions.js';
import { type Coordinate, coordinatesOf, extentOf, type Factor, reversed, typicalExtent } from './copies.js';
import type { Nest } from './nest.js';

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
}

/** Rows from which on a copy of the columns pays. */
export const ROWS_PER_COPY = 192;
/** Rows of a factor at this distance, so many of them, make reading in place slow: each is on a page of its own. */
const [FAR_BYTES, FAR_ROWS] = [4096, 256];

export function orient(nest: Nest, machine: Machine, factors: readonly Factor[], vector: string): Orientation {
  const bytes = dtypeBytes(nest.sum.dtype);
  const extent = (index: string): number => typicalExtent(extentOf(nest, index));
  const isSummed = nest.summed.some(({ name }) => name === vector);
  // Of a summed index both factors may have vectors; the columns are then those of the second.
  const columns = factors.findLast(({ indices }) => indices.has(vector)) as Factor;
  const roles = new Map(nest.outer.map(({ name }) => [name, roleOf(name, vector, factors, columns)]));
  const ofRole = (role: Role): readonly string[] =>
    nest.outer.map(({ name }) => name).filter((name) => name !== vector && roles.get(name) === role);
  const order = [...ofRole('batch'), ...ofRole('column'), ...(isSummed ? [] : [vector]), ...ofRole('row')];
  const rows = ofRole('row').reduce((product, index) => product * extent(index), 1);
  const isFar = (factor: Factor): boolean =>
    !isSummed &&
    rows >= ROWS_PER_COPY &&
    nest.summed.some(({ name }) => isScattered(factor, name, extent(name), bytes));
  const coordinates = factors.map((factor) => coordinatesOf(nest, factor));
  const copies = factors.map((factor, k) =>
    canReadInPlace(factor, vector) && !isFar(factor) ? undefined : copyOf(factor, coordinates[k] ?? [], vector),
  );
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
    copies,
    extent,
  };
}

/** The same where run-time dimensions are of another size. */
export const atSize = (orientation: Orientation, size: number): Orientation => ({
  ...orientation,
  extent: (index) => typicalExtent(extentOf(orientation.nest, index), size),
});

function roleOf(index: string, vector: string, factors: readonly Factor[], columns: Factor): Role {
  const count = factors.filter(({ indices }) => indices.has(index)).length;
  if (index !== vector && (count === 0 || count === factors.length)) return 'batch';
  return columns.indices.has(index) ? 'column' : 'row';
}

function canReadInPlace({ indices, plain }: Factor, vector: string): boolean {
  if (indices.size === 0) return true;
  return plain !== undefined && (!indices.has(vector) || stride(plain.offset, vector) === 1);
}

function isScattered({ plain, indices }: Factor, summed: string, extent: number, bytes: number): boolean {
  const step = plain === undefined || !indices.has(summed) ? undefined : coefficient(plain.offset, summed);
  return extent >= FAR_ROWS && step !== undefined && (dimValue(step) ?? 0) * bytes >= FAR_BYTES;
}

function copyOf(factor: Factor, coordinates: readonly Coordinate[], vector: string): Copy {
  const all = coordinates.map((coordinate) => {
    const own = coordinate.terms.find(({ index }) => index === vector);
    return own !== undefined && own.coefficient < 0 ? reversed(coordinate) : coordinate;
  });
  const along = all.find((coordinate) => liesAlong(factor, coordinate));
  const last = all.find(({ terms }) => terms.some(({ index }) => index === vector)) ?? along;
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
