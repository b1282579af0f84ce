// Deterministic random numbers and tensors for tests.

import type { Dim } from '../../compiler/ir/dims.js';
import { dimEvaluate } from '../../compiler/ir/dims.js';
import { dtypeKind } from '../../compiler/ir/dtype.js';
import { elementCount, type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { TensorType } from '../../compiler/ir/graph.js';

/** A small generator (mulberry32): the same seed gives the same numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in low ≤ n ≤ high. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.int(0, left.length - 1), 1)[0] as T);
  }
}

export const evaluateDims = (shape: readonly Dim[], dims: ReadonlyMap<string, number> = new Map()): number[] =>
  shape.map((size) => dimEvaluate(size, dims));

/** A tensor of random elements: floats in the given range, integers in 0 … 3, booleans. */
export function randomTensor(
  random: Random,
  type: TensorType,
  range: readonly [number, number] = [-1, 1],
  dims?: ReadonlyMap<string, number>,
): HostTensor {
  const shape = evaluateDims(type.shape, dims);
  const kind = dtypeKind(type.dtype);
  const draw = () => (kind === 'float' ? random.uniform(...range) : random.int(0, kind === 'bool' ? 1 : 3));
  return hostTensor(type.dtype, shape, Array.from({ length: elementCount(shape) }, draw));
}
