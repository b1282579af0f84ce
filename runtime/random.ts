// Random numbers of the host, for shuffling, splitting and initial values: Philox4x32-10 (Salmon and others, "Parallel
// random numbers: as easy as 1, 2, 3", 2011). The n-th number is a function of seed, stream and n alone, so that a
// position can be saved and any other implementation can compute the same numbers.

import { allocate } from './memory.js';
import { elementCount, type SizesOf } from './shape.js';
import { Tensor } from './tensor.js';

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (aHigh * bHigh + Math.floor((aLow * bHigh + middle) / 0x10000)) >>> 0;
}

/** The Philox4x32-10 block function: four random words of a counter of four words and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = [multiplyHigh(MULTIPLIERS[0], c0), Math.imul(MULTIPLIERS[0], c0)];
    const [high1, low1] = [multiplyHigh(MULTIPLIERS[1], c2), Math.imul(MULTIPLIERS[1], c2)];
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1 >>> 0, (high0 ^ c3 ^ k1) >>> 0, low0 >>> 0];
    k0 = (k0 + KEY_STEPS[0]) >>> 0;
    k1 = (k1 + KEY_STEPS[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Low and high 32 bits of a whole number; refuses what is negative or not exact. */
function words(value: number, name: string): [number, number] {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`a ${name} is a whole number from 0 on, not ${value}`);
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}

/** A source of random numbers that is reproducible on every machine. */
export class Generator {
  readonly seed: number;
  readonly stream: number;
  /** How many 32-bit words were drawn; setting it moves to that place of the sequence. */
  position = 0;
  private readonly key: readonly [number, number];
  private readonly streamWords: readonly [number, number];
  private block: readonly number[] = [];
  private blockNumber = -1;

  /** Streams of one seed are independent sequences: an epoch, a worker or a purpose may have its own. */
  constructor(seed: number, stream = 0) {
    this.seed = seed;
    this.stream = stream;
    this.key = words(seed, 'seed');
    this.streamWords = words(stream, 'stream');
  }

  /** 32 random bits. Word n is word n mod 4 of block n div 4, whose counter is that number and the stream. */
  nextUint32(): number {
    const blockNumber = Math.floor(this.position / 4);
    if (blockNumber !== this.blockNumber) {
      this.block = philox([...words(blockNumber, 'position'), ...this.streamWords], this.key);
      this.blockNumber = blockNumber;
    }
    return this.block[this.position++ % 4]!;
  }

  /** A number from 0 to 1 (not included), a multiple of 2^-53. */
  next(): number {
    const high = this.nextUint32() >>> 5;
    return (high * 2 ** 26 + (this.nextUint32() >>> 6)) * 2 ** -53;
  }

  /** A whole number from 0 to bound (not included, at most 2^32), all equally likely. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32)
      throw new RangeError(`no whole number lies below ${bound}`);
    // Words past the last whole multiple of the bound would favour small results and are drawn again.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word = this.nextUint32();
    while (word >= limit) word = this.nextUint32();
    return word % bound;
  }

  /** The numbers 0 to count - 1 in random order: Fisher and Yates' shuffle, from the last place down. */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: elementCount([count]) }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = order[i]!;
      order[i] = order[j]!;
      order[j] = moved;
    }
    return order;
  }

  /** An f32 tensor of numbers evenly spread from low to high (not included, but for rounding). */
  uniform<const T extends readonly number[]>(shape: T, low = 0, high = 1): Tensor<'f32', T> {
    const data = allocate('f32', elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * (this.nextUint32() >>> 8) * 2 ** -24;
    return new Tensor<'f32', T>('f32', shape as unknown as SizesOf<T>, data);
  }

  /** An f32 tensor of normally distributed numbers, by Box and Muller's method. */
  normal<const T extends readonly number[]>(shape: T, mean = 0, std = 1): Tensor<'f32', T> {
    const data = allocate('f32', elementCount(shape));
    for (let i = 0; i < data.length; i += 2) {
      // 1 - u lies above 0, so that the logarithm is finite.
      const radius = std * Math.sqrt(-2 * Math.log(1 - this.next()));
      const angle = 2 * Math.PI * this.next();
      data[i] = mean + radius * Math.cos(angle);
      if (i + 1 < data.length) data[i + 1] = mean + radius * Math.sin(angle);
    }
    return new Tensor<'f32', T>('f32', shape as unknown as SizesOf<T>, data);
  }
}
