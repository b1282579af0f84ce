// Texts as numbers of characters, and batches of pieces of them.

import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../cli/package.js';
import { Generator, Tensor } from '../../runtime/index.js';

/** The characters of the corpus "tinyshakespeare" (Karpathy 2015), in the order of their codes. */
export const VOCABULARY = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const numberOf = new Map(Array.from(VOCABULARY, (character, i) => [character, BigInt(i)]));

/** The number of each character. Fails with the first character that the vocabulary lacks. */
export function encode(text: string): BigInt64Array {
  return BigInt64Array.from(text, (character, i) => {
    const number = numberOf.get(character);
    if (number === undefined) {
      throw new Error(`the vocabulary has no character ${JSON.stringify(character)} (at place ${i} of the text)`);
    }
    return number;
  });
}

/** The character that a number stands for. */
export const decode = (number: number | bigint): string => VOCABULARY[Number(number)] ?? '\ufffd';

/**
 * The file that a script learns from: the one that it is told, else `$TDSL_DATA` (the file, or a folder that holds `tinyshakespeare.txt`), else the
 * excerpt beside this program.
 */
export function textFile(given?: string): string {
  if (given !== undefined) return given;
  const data = process.env.TDSL_DATA;
  if (data !== undefined && existsSync(data)) {
    const file = statSync(data).isDirectory() ? path.join(data, 'tinyshakespeare.txt') : data;
    if (existsSync(file)) return file;
  }
  return path.join(packageRoot, 'examples', 'text', 'shakespeare.txt');
}

/** A text, of which the first nine tenths train and the rest tests. */
export function readText(file: string): { readonly train: BigInt64Array; readonly test: BigInt64Array } {
  const numbers = encode(readFileSync(file, 'utf8'));
  const split = Math.floor(numbers.length * 0.9);
  return { train: numbers.subarray(0, split), test: numbers.subarray(split) };
}

/** Pieces of a text, `x`, and the same pieces one character further, `y`: what a model should say after each character of `x`. */
export type Pieces = {
  readonly x: Tensor<'i64', [number, number]>;
  readonly y: Tensor<'i64', [number, number]>;
};

export interface PieceOptions {
  /** How many batches there are. */
  readonly count: number;
  /** The pieces of a batch. */
  readonly batch: number;
  /** The characters of a piece. */
  readonly length: number;
}

/** Batches of pieces from random places. Each time they are walked the places are others, and the same for the same seed. */
export class RandomPieces implements Iterable<Pieces> {
  readonly length: number;
  readonly #text: BigInt64Array;
  readonly #options: PieceOptions;
  readonly #generator: Generator;

  constructor(text: BigInt64Array, options: PieceOptions, seed: number) {
    if (text.length <= options.length) {
      throw new Error(`a text of ${text.length} characters has no pieces of ${options.length} and one that follows`);
    }
    this.length = options.count;
    this.#text = text;
    this.#options = options;
    this.#generator = new Generator(seed);
  }

  *[Symbol.iterator](): Iterator<Pieces> {
    const { count, batch, length } = this.#options;
    for (let i = 0; i < count; i++) {
      const [x, y] = [new BigInt64Array(batch * length), new BigInt64Array(batch * length)];
      for (let row = 0; row < batch; row++) {
        const start = this.#generator.below(this.#text.length - length);
        x.set(this.#text.subarray(start, start + length), row * length);
        y.set(this.#text.subarray(start + 1, start + 1 + length), row * length);
      }
      yield { x: new Tensor('i64', [batch, length], x), y: new Tensor('i64', [batch, length], y) };
    }
  }
}
