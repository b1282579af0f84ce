// What data sets of labelled images have in common: columns x and y, and pixels as f32 from 0 to 1.

import { TensorDataset } from '../data/dataset.js';
import { elementCount, formatShape } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** The shape of one image, `[784]` unless asked for otherwise, behind the number of images. */
export type ImageShape<S extends readonly number[]> = readonly [number, ...S];

/** Images and their labels. A batch is `{ x, y }`, what a step takes whose parameters have these names. */
export class ImageDataset<S extends readonly number[] = readonly number[]> extends TensorDataset<{
  readonly x: Tensor<'f32', ImageShape<S>>;
  readonly y: Tensor<'i64', [number]>;
}> {
  constructor(images: Tensor<'f32', ImageShape<S>>, labels: Tensor<'i64', [number]>) {
    super({ x: images, y: labels });
  }

  /** All images. */
  get images(): Tensor<'f32', ImageShape<S>> {
    return this.columns.x;
  }

  /** All labels. */
  get labels(): Tensor<'i64', [number]> {
    return this.columns.y;
  }
}

/** A data set that comes divided. */
export interface ImageData<S extends readonly number[]> {
  readonly train: ImageDataset<S>;
  readonly test: ImageDataset<S>;
}

/** How images are wanted. */
export interface ImageOptions<S extends readonly number[]> {
  /** The shape of one image of 28 x 28 pixels: `[784]` (the default), `[28, 28]` or `[1, 28, 28]`. */
  readonly shape?: S;
}

/** Images of 28 x 28 pixels in the shape that was asked for. */
export function shapeImages<S extends readonly number[]>(
  pixels: Tensor<'f32'>,
  shape: readonly number[] = [784],
): Tensor<'f32', ImageShape<S>> {
  if (elementCount(shape) !== 784)
    throw new RangeError(`images of 28 x 28 pixels do not have the shape ${formatShape(shape)}`);
  return pixels.reshape([pixels.size / 784, ...shape]) as unknown as Tensor<'f32', ImageShape<S>>;
}
