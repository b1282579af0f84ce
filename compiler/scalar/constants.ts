// Constants in two parts that exponentials and logarithms share.

import type { ComputeDType } from './function.js';

/** ln 2 = high + low; high has so few bits that its product with an exponent of the dtype is exact. */
export const ln2: Readonly<Record<ComputeDType, readonly [high: number, low: number]>> = {
  f32: [0.693359375, -2.1219444005469057e-4],
  f64: [0.6931471803691238, 1.9082149292705877e-10],
};
