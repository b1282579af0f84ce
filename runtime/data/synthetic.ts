// Data made up, whose truth is known.

import { Generator } from '../random.js';
import { Tensor } from '../tensor.js';
import { TensorDataset } from './dataset.js';

export interface LinearDataOptions {
  /** The number of examples; 1000 unless given. */
  readonly count?: number;
  /** The standard deviation of the noise; 0.01 unless given. */
  readonly noise?: number;
  readonly seed?: number;
}

/** Examples of `y = x · weight + bias + noise` with normally distributed `x`: columns x, f32 [count, features], and y, f32 [count, 1]. */
export function linearData(
  weight: readonly number[],
  bias: number,
  options: LinearDataOptions = {},
): TensorDataset<{ readonly x: Tensor<'f32', [number, number]>; readonly y: Tensor<'f32', [number, 1]> }> {
  const { count = 1000, noise = 0.01, seed = 0 } = options;
  const generator = new Generator(seed);
  const x = generator.normal([count, weight.length] as [number, number], 0, 1);
  const errors = generator.normal([count], 0, noise).data;
  const y = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    y[i] = weight.reduce((sum, w, j) => sum + w * x.data[i * weight.length + j]!, bias) + errors[i]!;
  }
  return new TensorDataset({ x, y: new Tensor<'f32', [number, 1]>('f32', [count, 1], y) });
}
