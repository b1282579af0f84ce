// The inputs of the comparison with PyTorch (mlp_reference.py): the same parameters, batch order and digits, computed here.

import { Generator } from '../../runtime/random.js';
import type { Tensor } from '../../runtime/tensor.js';
import { allDigits } from '../../runtime/train/digits.js';

export const SEED = 1;
export const BATCH = 64;
export const STEPS = 20;

export interface Batch {
  readonly x: Tensor<'f32', [number, 784]>;
  readonly y: Tensor<'i64', [number]>;
}

/** The parameters before the first step, by path. */
export function mlpParameters(): Record<string, Tensor<'f32'>> {
  const generator = new Generator(SEED);
  const draw = (shape: readonly number[], fanIn: number): Tensor<'f32'> => {
    const bound = 1 / Math.sqrt(fanIn);
    return generator.uniform(shape, -bound, bound);
  };
  // One sequence feeds all four, so that their order matters.
  const fc1 = { weight: draw([256, 784], 784), bias: draw([256], 784) };
  const fc2 = { weight: draw([10, 256], 256), bias: draw([10], 256) };
  return { 'fc1.weight': fc1.weight, 'fc1.bias': fc1.bias, 'fc2.weight': fc2.weight, 'fc2.bias': fc2.bias };
}

/** The numbers of the digits of all batches, in the order in which they are taken. */
export function mlpOrder(count: number): Uint32Array {
  return new Generator(SEED, 1).permutation(count).slice(0, BATCH * STEPS);
}

/** The batches of all steps. */
export async function mlpBatches(): Promise<Batch[]> {
  const { pixels, labels } = await allDigits();
  const order = mlpOrder(labels.size);
  return Array.from({ length: STEPS }, (_, step) => {
    const rows = order.subarray(step * BATCH, (step + 1) * BATCH);
    return { x: pixels.gatherRows(rows), y: labels.gatherRows(rows) };
  });
}
