// Access maps at run time: the element offset that every point of an index space reads, as a table.

import { dimEvaluate } from '../dims.js';
import type { Access, Affine, IndexSpace, Origin, Subscript } from '../graph.js';
import { EvaluationError } from './error.js';
import { forEachPoint, rowMajorStrides, strideOffsets } from './strides.js';
import type { Dims } from './symbols.js';
import type { HostTensor } from './tensor.js';

/** Stands in a table of offsets for an element that is absent. */
export const absent = -1;

/** An affine expression with the values of the run-time dimensions filled in: a coefficient for every index of the space. */
export interface Linear {
  readonly coefficients: readonly number[];
  readonly offset: number;
}

export function evaluateAffine(affine: Affine, space: IndexSpace, dims: Dims): Linear {
  const coefficients = new Array<number>(space.indices.length).fill(0);
  for (const { index, coefficient } of affine.terms) coefficients[index] = coefficient;
  return { coefficients, offset: dimEvaluate(affine.offset, dims) };
}

export const spaceExtents = (space: IndexSpace, dims: Dims): number[] =>
  space.indices.map((index) => Math.max(0, dimEvaluate(index.extent, dims)));

/** What an access needs besides the space: the run-time dimensions, the operands that lookups name, and where errors come from. */
export interface AccessContext {
  readonly dims: Dims;
  readonly inputs: readonly HostTensor[];
  readonly origin: Origin;
}

/** The offset of the element of a tensor of `shape` that each point of the space reads, or `absent`; points in row-major order. */
export function accessOffsets(
  space: IndexSpace,
  access: Access,
  shape: readonly number[],
  context: AccessContext,
): Int32Array {
  const extents = spaceExtents(space, context.dims);
  const strides = rowMajorStrides(shape);
  const isPlain = access.every((s) => s.kind === 'affine' && s.divisor === 1 && !s.masked);
  if (isPlain) {
    const steps = extents.map(() => 0);
    let base = 0;
    access.forEach((subscript, dim) => {
      if (subscript.kind !== 'affine') return;
      const stride = strides[dim] as number;
      const { coefficients, offset } = evaluateAffine(subscript.expression, space, context.dims);
      base += offset * stride;
      coefficients.forEach((c, index) => {
        steps[index] = (steps[index] as number) + c * stride;
      });
    });
    return strideOffsets(extents, steps, base);
  }
  const positions = access.map((subscript, dim) => positionReader(subscript, shape[dim] as number, space, context));
  const offsets = new Int32Array(extents.reduce((product, extent) => product * extent, 1));
  let at = 0;
  forEachPoint(extents, (point) => {
    let offset = 0;
    for (let dim = 0; dim < positions.length; dim++) {
      const position = (positions[dim] as PositionReader)(point);
      if (position === absent) {
        offset = absent;
        break;
      }
      offset += position * (strides[dim] as number);
    }
    offsets[at++] = offset;
  });
  return offsets;
}

/** The position along one dimension that a point reads, or `absent`. */
type PositionReader = (point: readonly number[]) => number;

function positionReader(subscript: Subscript, size: number, space: IndexSpace, context: AccessContext): PositionReader {
  if (subscript.kind === 'lookup') return lookupReader(subscript, size, space, context);
  const { coefficients, offset } = evaluateAffine(subscript.expression, space, context.dims);
  const { divisor } = subscript;
  return (point) => {
    let value = offset;
    for (let i = 0; i < coefficients.length; i++) value += (coefficients[i] as number) * (point[i] as number);
    if (value % divisor !== 0) return absent;
    const position = value / divisor;
    return position >= 0 && position < size ? position : absent;
  };
}

function lookupReader(
  lookup: Extract<Subscript, { kind: 'lookup' }>,
  size: number,
  space: IndexSpace,
  context: AccessContext,
): PositionReader {
  const table = context.inputs[lookup.operand];
  if (table === undefined)
    throw new EvaluationError(`operand ${lookup.operand} of a lookup is missing`, context.origin);
  const strides = rowMajorStrides(table.shape);
  const readers = lookup.subscripts.map((inner, dim) =>
    positionReader(inner, table.shape[dim] as number, space, context),
  );
  return (point) => {
    let offset = 0;
    for (let dim = 0; dim < readers.length; dim++) {
      const position = (readers[dim] as PositionReader)(point);
      if (position === absent) return absent;
      offset += position * (strides[dim] as number);
    }
    const position = Number(table.data[offset]);
    if (position >= 0 && position < size) return position;
    throw new EvaluationError(
      `the index ${position} is out of range: it must be at least 0 and less than ${size}`,
      context.origin,
      'TDSL_INDEX',
    );
  };
}
