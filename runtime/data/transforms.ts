// Changes of images on their way from a data set into a batch: to tensors of f32, normalised, resized, and varied at random. All work on
// whole batches [N, C, H, W], or on one image [C, H, W]; the names are those of torchvision.

import type { Generator } from '../random.js';
import { elementCount, formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';

/** A change of a tensor; what it leaves to chance it draws from the generator. */
export type Transform = (images: Tensor, generator: Generator) => Tensor;

/** One transform after the other. */
export const compose =
  (...transforms: readonly Transform[]): Transform =>
  (images, generator) =>
    transforms.reduce((changed, transform) => transform(changed, generator), images);

/**
 * Pixels as they are stored, u8 [N, H, W, C], [H, W, C] or [H, W], as f32 [N, C, H, W], [C, H, W] or [1, H, W] from 0 to 1. Elements of other
 * dtypes are moved and cast, but not divided.
 */
export function toTensor(images: Tensor): Tensor<'f32'> {
  const shape = images.shape as readonly number[];
  if (shape.length < 2 || shape.length > 4) {
    throw new RangeError(`images have the shape [N, H, W, C], [H, W, C] or [H, W], not ${formatShape(shape)}`);
  }
  const [channels = 1, batch] = [shape.length === 2 ? 1 : shape.at(-1), shape.length === 4 ? shape[0] : undefined];
  const [height, width] = (shape.length === 4 ? shape.slice(1, 3) : shape.slice(0, 2)) as [number, number];
  const area = height * width;
  const from = images.toNumbers();
  const divisor = images.dtype === 'u8' ? 255 : 1;
  const data = new Float32Array(from.length);
  for (let n = 0; n < (batch ?? 1); n++) {
    for (let c = 0; c < channels; c++) {
      const [source, target] = [n * area * channels + c, (n * channels + c) * area];
      for (let i = 0; i < area; i++) data[target + i] = from[source + i * channels]! / divisor;
    }
  }
  return new Tensor('f32', [...(batch === undefined ? [] : [batch]), channels, height, width], data);
}

/** The sizes of a batch of images, or of one. */
function sizesOf(images: Tensor): { count: number; channels: number; height: number; width: number; outer: number[] } {
  const shape = images.shape as readonly number[];
  if (images.dtype !== 'f32' || shape.length < 3 || shape.length > 4) {
    throw new RangeError(`images are f32[N, C, H, W] or f32[C, H, W], not ${images.dtype}${formatShape(shape)}`);
  }
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  const outer = shape.slice(0, -2);
  return { count: shape.length === 4 ? shape[0]! : 1, channels, height, width, outer };
}

const pixelsOf = (images: Tensor): Float32Array => images.data as Float32Array;

/** `(x - mean) / std` of each channel; one number stands for all channels. */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const at = (values: number | readonly number[], channel: number, channels: number): number => {
    if (typeof values === 'number') return values;
    if (values.length !== channels)
      throw new RangeError(`${values.length} numbers do not go with ${channels} channels`);
    return values[channel]!;
  };
  return (images) => {
    const { channels, height, width } = sizesOf(images);
    const area = height * width;
    const [from, data] = [pixelsOf(images), new Float32Array(images.size)];
    for (let plane = 0; plane < data.length / area; plane++) {
      const channel = plane % channels;
      const [m, s] = [at(mean, channel, channels), at(std, channel, channels)];
      if (!(s > 0)) throw new RangeError(`a standard deviation is above 0, not ${s}`);
      for (let i = plane * area; i < (plane + 1) * area; i++) data[i] = (from[i]! - m) / s;
    }
    return new Tensor('f32', images.shape as readonly number[], data);
  };
}

const pair = (size: number | readonly [number, number]): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size;

/** Where each place of `count` lies between two of `size`: half-pixel centres, as in `interpolate` with `align_corners: false`. */
function between(size: number, count: number): { low: number; high: number; share: number }[] {
  return Array.from({ length: count }, (_, i) => {
    const place = Math.max(0, ((i + 0.5) * size) / count - 0.5);
    const low = Math.min(Math.floor(place), size - 1);
    return { low, high: Math.min(low + 1, size - 1), share: place - low };
  });
}

/** Images of another size, bilinearly, without smoothing them first: what `interpolate` gives in a program. */
export function resize(size: number | readonly [number, number]): Transform {
  const [rows, columns] = pair(size);
  elementCount([rows, columns]);
  return (images) => {
    const { height, width, outer } = sizesOf(images);
    if (height === 0 || width === 0) throw new RangeError('an image without pixels cannot be resized');
    const [ys, xs] = [between(height, rows), between(width, columns)];
    const planes = elementCount(outer);
    const [from, data] = [pixelsOf(images), new Float32Array(planes * rows * columns)];
    let to = 0;
    for (let plane = 0; plane < planes; plane++) {
      const start = plane * height * width;
      for (const y of ys) {
        const [upper, lower] = [start + y.low * width, start + y.high * width];
        for (const x of xs) {
          const above = from[upper + x.low]! * (1 - x.share) + from[upper + x.high]! * x.share;
          const below = from[lower + x.low]! * (1 - x.share) + from[lower + x.high]! * x.share;
          data[to++] = above * (1 - y.share) + below * y.share;
        }
      }
    }
    return new Tensor('f32', [...outer, rows, columns], data);
  };
}

/** Fills a new batch pixel by pixel: `source` gives, for each image, where in its plane a pixel comes from; negative is 0. */
function rearrange(
  images: Tensor,
  size: readonly [number, number],
  source: (image: number) => (row: number, column: number) => number,
): Tensor {
  const { count, channels, height, width, outer } = sizesOf(images);
  const [rows, columns] = size;
  const [from, data] = [pixelsOf(images), new Float32Array(count * channels * rows * columns)];
  for (let image = 0; image < count; image++) {
    const place = source(image);
    for (let channel = 0; channel < channels; channel++) {
      const plane = image * channels + channel;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const at = place(row, column);
          data[(plane * rows + row) * columns + column] = at < 0 ? 0 : from[plane * height * width + at]!;
        }
      }
    }
  }
  return new Tensor('f32', [...outer, rows, columns], data);
}

function randomFlip(p: number, horizontal: boolean): Transform {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability is between 0 and 1, not ${p}`);
  return (images, generator) => {
    const { height, width } = sizesOf(images);
    return rearrange(images, [height, width], () => {
      const flips = generator.next() < p;
      return (row, column) =>
        flips && horizontal ? row * width + (width - 1 - column) : (flips ? height - 1 - row : row) * width + column;
    });
  };
}

/** Each image mirrored left to right with probability p. */
export const randomHorizontalFlip = (p = 0.5): Transform => randomFlip(p, true);

/** Each image mirrored top to bottom with probability p. */
export const randomVerticalFlip = (p = 0.5): Transform => randomFlip(p, false);

/** The place of a window in an image that is padded with zeros on all sides. */
function cropped(width: number, height: number, top: number, left: number) {
  return (row: number, column: number): number => {
    const [y, x] = [row + top, column + left];
    return y < 0 || x < 0 || y >= height || x >= width ? -1 : y * width + x;
  };
}

function requireRoom(size: readonly [number, number], height: number, width: number): void {
  if (size[0] > height || size[1] > width) {
    throw new RangeError(`a window of ${size[0]} x ${size[1]} does not fit into ${height} x ${width} pixels`);
  }
}

/** Of each image a window at a random place; `padding` zeros are added on each side first. */
export function randomCrop(
  size: number | readonly [number, number],
  options: { readonly padding?: number } = {},
): Transform {
  const window = pair(size);
  const { padding = 0 } = options;
  return (images, generator) => {
    const { height, width } = sizesOf(images);
    requireRoom(window, height + 2 * padding, width + 2 * padding);
    return rearrange(images, window, () => {
      const top = generator.below(height + 2 * padding - window[0] + 1) - padding;
      const left = generator.below(width + 2 * padding - window[1] + 1) - padding;
      return cropped(width, height, top, left);
    });
  };
}

/** The window in the middle of each image. */
export function centerCrop(size: number | readonly [number, number]): Transform {
  const window = pair(size);
  return (images) => {
    const { height, width } = sizesOf(images);
    requireRoom(window, height, width);
    const [top, left] = [Math.round((height - window[0]) / 2), Math.round((width - window[1]) / 2)];
    return rearrange(images, window, () => cropped(width, height, top, left));
  };
}
