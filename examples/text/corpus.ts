// The text that both models learn from, and batches of pieces of it.

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../cli/package.js';
import type { Tensor } from '../../runtime/index.js';
import { Generator, loadText, TextDataset, Vocabulary } from '../../runtime/train/index.js';

/** The characters of the corpus "tinyshakespeare" (Karpathy 2015), of which the excerpt lacks some. */
export const vocabulary = new Vocabulary("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

const inFolder = (place: string): string =>
  existsSync(place) && statSync(place).isDirectory() ? path.join(place, 'tinyshakespeare.txt') : place;

/**
 * The file that a script learns from: the one that it is told, else that of `$TDSL_DATA` (the file, or a folder that holds `tinyshakespeare.txt`),
 * else the excerpt beside this program.
 */
export function textFile(given?: string): string {
  if (given !== undefined) return inFolder(given);
  const data = process.env.TDSL_DATA;
  const file = data === undefined ? undefined : inFolder(data);
  return file !== undefined && existsSync(file) ? file : path.join(packageRoot, 'examples', 'text', 'shakespeare.txt');
}

/** A text in windows of some length: the first nine tenths train, the rest tests. */
export async function readText(
  file: string,
  window: number,
): Promise<{ readonly train: TextDataset; readonly test: TextDataset }> {
  const text = await loadText(file);
  const split = Math.floor(text.length * 0.9);
  const part = (start: number, end?: number): TextDataset =>
    new TextDataset(text.slice(start, end), window, { vocabulary });
  const [train, test] = [part(0, split), part(split)];
  if (test.length === 0) throw new RangeError(`${file} is too short: a tenth of it is less than ${window} characters`);
  return { train, test };
}

/** Windows, `x`, and the same windows one character further, `y`: what a model should say after each character of `x`. */
export type Pieces = {
  readonly x: Tensor<'i64', [number, number]>;
  readonly y: Tensor<'i64', [number, number]>;
};

/** As many batches as are wanted, of windows at random places: others each time they are walked, and the same for the same seed. */
export class RandomPieces implements Iterable<Pieces> {
  readonly length: number;
  readonly #text: TextDataset;
  readonly #batch: number;
  readonly #generator: Generator;

  constructor(text: TextDataset, count: number, batch: number, seed: number) {
    this.length = count;
    this.#text = text;
    this.#batch = batch;
    this.#generator = new Generator(seed);
  }

  *[Symbol.iterator](): Iterator<Pieces> {
    for (let i = 0; i < this.length; i++) {
      yield this.#text.batch(Array.from({ length: this.#batch }, () => this.#generator.below(this.#text.length)));
    }
  }
}
