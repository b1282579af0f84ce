// Row-major strides and tables of element offsets.

/** The distance between neighbours along each dimension of a row-major tensor. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = stride;
    stride *= shape[dim] as number;
  }
  return strides;
}

/** The offset `base + Σ index · stride` of every point of a box, in row-major order of the points. */
export function strideOffsets(extents: readonly number[], strides: readonly number[], base = 0): Int32Array {
  const count = extents.reduce((product, extent) => product * extent, 1);
  const offsets = new Int32Array(count);
  if (count === 0) return offsets;
  offsets[0] = base;
  // Each dimension, from the last, repeats what the ones after it have filled.
  let filled = 1;
  for (let dim = extents.length - 1; dim >= 0; dim--) {
    const stride = strides[dim] as number;
    const extent = extents[dim] as number;
    for (let index = 1; index < extent; index++) {
      const shift = index * stride;
      const start = index * filled;
      for (let i = 0; i < filled; i++) offsets[start + i] = (offsets[i] as number) + shift;
    }
    filled *= extent;
  }
  return offsets;
}

/** Strides with which a tensor is read at the points of a shape that it broadcasts to by NumPy's rules: 0 where it repeats. */
export function broadcastStrides(shape: readonly number[], to: readonly number[]): number[] {
  const strides = rowMajorStrides(shape);
  const missing = to.length - shape.length;
  return to.map((_, dim) => (dim < missing || shape[dim - missing] === 1 ? 0 : (strides[dim - missing] as number)));
}

/** Calls `visit` for every point of a box in row-major order; the array is reused. */
export function forEachPoint(extents: readonly number[], visit: (point: readonly number[]) => void): void {
  if (extents.includes(0)) return;
  const point = new Array<number>(extents.length).fill(0);
  for (;;) {
    visit(point);
    let dim = extents.length - 1;
    for (; dim >= 0; dim--) {
      const next = (point[dim] as number) + 1;
      if (next < (extents[dim] as number)) {
        point[dim] = next;
        break;
      }
      point[dim] = 0;
    }
    if (dim < 0) return;
  }
}
