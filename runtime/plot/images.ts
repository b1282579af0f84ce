// Grids of images with labels and predictions as SVG text.

import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { encodePng } from './png.js';
import { extent } from './scale.js';
import { picture, round, textAt } from './svg.js';

export interface ImageGridOptions {
  /** The text below each image: its label. */
  readonly labels?: readonly string[];
  /** What a model says of each image, below its label; where it differs from the label it is red, else green. */
  readonly predictions?: readonly string[];
  /** Images a row; 8 unless given. */
  readonly columns?: number;
  /** How many pixels of the page an image is wide; 64 unless given. */
  readonly size?: number;
  readonly title?: string;
  /** The values that are black and white; 0 and 1 for floats that lie between, 0 and 255 for bytes, else the least and the largest. */
  readonly range?: readonly [number, number];
}

/** Images [N, H, W], [N, 1, H, W] or [N, 3, H, W] side by side. */
export function imageGrid(images: Tensor, options: ImageGridOptions = {}): string {
  const { labels, predictions, columns = 8, size = 64, title = '' } = options;
  const shape = images.shape as readonly number[];
  const [count = 0, channels = 1] = shape.length === 3 ? [shape[0], 1] : shape;
  const [height = 0, width = 0] = shape.slice(-2);
  if ((shape.length !== 3 && shape.length !== 4) || (channels !== 1 && channels !== 3)) {
    throw new RangeError(`images have the shape [N, H, W], [N, 1, H, W] or [N, 3, H, W], not ${formatShape(shape)}`);
  }
  if (count * height * width === 0) throw new RangeError('there is no image to show');
  for (const [name, texts] of Object.entries({ labels, predictions })) {
    if (texts !== undefined && texts.length !== count)
      throw new RangeError(`there are ${texts.length} ${name} for ${count} images`);
  }
  const values = images.toNumbers();
  const [black, white] = options.range ?? rangeOf(images, values);
  const perRow = Math.min(columns, count);
  const lines = Number(labels !== undefined) + Number(predictions !== undefined);
  const step = { x: Math.max(size + 12, lines > 0 ? 84 : 0), y: (size * height) / width + 10 + 15 * lines };
  const top = title === '' ? 10 : 36;
  const cells = Array.from({ length: count }, (_, i) => {
    const [x, y] = [10 + (i % perRow) * step.x, top + Math.floor(i / perRow) * step.y];
    const middle = x + (step.x - 12) / 2;
    const tall = (size * height) / width;
    const data = Buffer.from(pixelsOf(values, i, channels, height, width, black, white)).toString('base64');
    const [label, prediction] = [labels?.[i], predictions?.[i]];
    const colour = label === undefined || label === prediction ? '#009e73' : '#d62728';
    return [
      `<image x="${round(middle - size / 2)}" y="${round(y)}" width="${size}" height="${round(tall)}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${data}"/>`,
      label === undefined ? '' : textAt(middle, y + tall + 13, label, 'text-anchor="middle"'),
      prediction === undefined
        ? ''
        : textAt(
            middle,
            y + tall + 13 + 14 * Number(label !== undefined),
            prediction,
            `text-anchor="middle" style="fill:${colour}"`,
          ),
    ];
  });
  const [pageWidth, pageHeight] = [8 + perRow * step.x, top + Math.ceil(count / perRow) * step.y];
  return picture(Math.ceil(pageWidth), Math.ceil(pageHeight), [
    textAt(pageWidth / 2, 22, title, 'text-anchor="middle" style="font-size:15px"'),
    ...cells.flat(),
  ]);
}

function rangeOf(images: Tensor, values: Float64Array): readonly [number, number] {
  if (images.dtype === 'u8') return [0, 255];
  const [low, high] = extent(values);
  return low >= 0 && high <= 1 ? [0, 1] : [low, high];
}

/** One image as a PNG file. */
function pixelsOf(
  values: Float64Array,
  image: number,
  channels: number,
  height: number,
  width: number,
  black: number,
  white: number,
): Uint8Array {
  const area = height * width;
  const bytes = new Uint8Array(area * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < area; i++) {
      const share = (values[(image * channels + channel) * area + i]! - black) / (white - black || 1);
      bytes[i * channels + channel] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  return encodePng(bytes, width, height, channels === 3 ? 3 : 1);
}
