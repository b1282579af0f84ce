// Shapes of host tensors: their types, their validation and the arithmetic on them.

/** A shape as a type says it: sizes, and the names of those that are only known when running. */
export type Shape = readonly (number | string)[];

/** The sizes of a tensor of shape `S`: the shape with a number in place of every name. */
export type SizesOf<S extends Shape> = { readonly [K in keyof S]: S[K] extends number ? S[K] : number };

/** The shape of a selection of rows: any number of them in place of the first size. */
export type RowsOf<S extends Shape> = S extends readonly [unknown, ...infer R extends Shape]
  ? readonly [number, ...R]
  : readonly number[];

/** How shapes are written in messages: `[64, 784]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements of a shape; refuses sizes that are not whole numbers from 0 on. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`the sizes of a shape are whole numbers from 0 on, but one of ${formatShape(shape)} is not`);
    }
    count *= size;
  }
  if (!Number.isSafeInteger(count)) throw new RangeError(`the shape ${formatShape(shape)} has too many elements`);
  return count;
}

/** Whether two shapes have the same sizes. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** How far apart, in elements, neighbours along each dimension lie in row-major order. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** Replaces the one size of -1 that a requested shape may hold by what is left over of `count` elements. */
export function resolveShape(requested: readonly number[], count: number): number[] {
  const open = requested.indexOf(-1);
  const known = elementCount(requested.filter((_, i) => i !== open));
  if (open < 0 ? known !== count : known === 0 || count % known !== 0) {
    throw new RangeError(`${count} elements do not make the shape ${formatShape(requested)}`);
  }
  return requested.map((size, i) => (i === open ? count / known : size));
}

/** The row-major position of an element; negative indices count from the end. */
export function offsetOf(shape: readonly number[], index: readonly number[]): number {
  if (index.length !== shape.length) {
    throw new RangeError(`a tensor of shape ${formatShape(shape)} takes ${shape.length} indices, not ${index.length}`);
  }
  let offset = 0;
  for (const [axis, size] of shape.entries()) {
    const given = index[axis]!;
    const position = given < 0 ? given + size : given;
    if (!Number.isInteger(position) || position < 0 || position >= size) {
      throw new RangeError(`index ${given} is out of range for dimension ${axis} of size ${size}`);
    }
    offset = offset * size + position;
  }
  return offset;
}
