// Text as data for language models of characters: a vocabulary, and windows of text whose target is the next character at each place.

import { type FilePath, readBytes } from '../io/files.js';
import { Tensor } from '../tensor.js';
import type { Dataset } from './dataset.js';

/** The characters of a text in the order of their code points, and their numbers. */
export class Vocabulary {
  readonly characters: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(characters: Iterable<string>) {
    this.characters = [...new Set(characters)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
    this.#numbers = new Map(this.characters.map((character, number) => [character, number]));
  }

  /** The number of characters. */
  get size(): number {
    return this.characters.length;
  }

  /** The numbers of the characters of a text; one that the vocabulary lacks is an error. */
  encode(text: string): Tensor<'i64', [number]> {
    const numbers = Array.from(text, (character) => {
      const number = this.#numbers.get(character);
      if (number === undefined) throw new RangeError(`the vocabulary has no ${JSON.stringify(character)}`);
      return BigInt(number);
    });
    return new Tensor('i64', [numbers.length], BigInt64Array.from(numbers));
  }

  /** The text of some numbers. */
  decode(numbers: Tensor | ArrayLike<number>): string {
    const list = numbers instanceof Tensor ? numbers.toNumbers() : numbers;
    return Array.from(list, (number) => {
      const character = this.characters[number];
      if (character === undefined) throw new RangeError(`the vocabulary has no character number ${number}`);
      return character;
    }).join('');
  }
}

export interface TextOptions {
  /** The vocabulary; that of the text itself unless given. */
  readonly vocabulary?: Vocabulary;
  /** How far the windows' beginnings lie apart; 1 unless given, so that windows overlap. */
  readonly stride?: number;
}

/** Windows of a text: `x` are the characters at `length` places, `y` those that follow each of them; both i64 [batch, length]. */
export class TextDataset
  implements Dataset<{ x: Tensor<'i64', [number, number]>; y: Tensor<'i64', [number, number]> }>
{
  readonly vocabulary: Vocabulary;
  /** The whole text in numbers. */
  readonly numbers: Tensor<'i64', [number]>;
  /** The number of places of a window. */
  readonly window: number;
  readonly stride: number;

  constructor(text: string, window: number, options: TextOptions = {}) {
    const { stride = 1 } = options;
    if (!Number.isSafeInteger(window) || window < 1)
      throw new RangeError(`a window has at least one place, not ${window}`);
    if (!Number.isSafeInteger(stride) || stride < 1)
      throw new RangeError(`windows lie at least 1 apart, not ${stride}`);
    this.vocabulary = options.vocabulary ?? new Vocabulary(text);
    this.numbers = this.vocabulary.encode(text);
    this.window = window;
    this.stride = stride;
  }

  /** The number of windows. */
  get length(): number {
    return Math.max(0, Math.floor((this.numbers.size - 1 - this.window) / this.stride) + 1);
  }

  batch(indices: ArrayLike<number>): { x: Tensor<'i64', [number, number]>; y: Tensor<'i64', [number, number]> } {
    const { window, stride } = this;
    const of = (shift: number): Tensor<'i64', [number, number]> => {
      const data = new BigInt64Array(indices.length * window);
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!;
        if (!(index >= 0 && index < this.length))
          throw new RangeError(`there is no window ${index} among ${this.length}`);
        const start = index * stride + shift;
        data.set(this.numbers.data.subarray(start, start + window), i * window);
      }
      return new Tensor<'i64', [number, number]>('i64', [indices.length, window], data);
    };
    return { x: of(0), y: of(1) };
  }

  range(start: number, end: number): { x: Tensor<'i64', [number, number]>; y: Tensor<'i64', [number, number]> } {
    return this.batch(Array.from({ length: end - start }, (_, i) => start + i));
  }
}

/** The text of a UTF-8 file, which may be gzipped. */
export async function loadText(file: FilePath): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(file));
  } catch (cause) {
    if (cause instanceof TypeError) throw new Error(`${file} is not a text in UTF-8`, { cause });
    throw cause;
  }
}
