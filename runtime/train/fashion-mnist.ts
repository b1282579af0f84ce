// Fashion-MNIST: 70,000 pictures of clothes (Xiao, Rasul and Vollgraf, 2017; MIT licence), from a folder of this machine, or
// else from the web into the cache.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../io/cache.js';
import { readBytes, unpack, writeAtomically } from '../io/files.js';
import { parseIdx } from '../io/idx.js';
import { formatShape, sameShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type ImageData, ImageDataset, type ImageOptions, shapeImages } from './images.js';

/** The names of the classes, by label. */
export const FASHION_MNIST_LABELS = [
  't-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

/** The sha256 of the unpacked files: packed ones differ from distributor to distributor. */
const FILES = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    shape: [60000, 28, 28],
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    shape: [60000],
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    shape: [10000, 28, 28],
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    shape: [10000],
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
} as const;

type DataFile = (typeof FILES)[keyof typeof FILES];

/** Where Debian's package dataset-fashion-mnist puts the files. */
const SYSTEM_DIRECTORIES = ['/usr/share/datasets/fashion-mnist', '/usr/share/dataset-fashion-mnist'];

const MIRRORS = [
  'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
];

export interface FashionMnistOptions<S extends readonly number[]> extends ImageOptions<S> {
  /** The folder of the files; without it they are looked for in the usual places. */
  readonly directory?: string;
  /** Whether files that are not found may be downloaded (they may, unless a directory is given). */
  readonly download?: boolean;
}

/**
 * The 60,000 images to train on and the 10,000 to test with. The four IDX files, gzipped or not, are looked for in
 * `$TDSL_DATA` and its folder `fashion-mnist`, in the cache, and where Debian's package `dataset-fashion-mnist` puts them;
 * if they are nowhere they are downloaded into the cache (31 MB) and checked.
 */
export async function fashionMnist<const S extends readonly number[] = readonly [784]>(
  options: FashionMnistOptions<S> = {},
): Promise<ImageData<S>> {
  const { directory, download = directory === undefined } = options;
  const places = directory === undefined ? usualPlaces() : [directory];
  const load = async (file: DataFile): Promise<Tensor<'u8'>> => {
    const found = places.flatMap((place) => variants(place, file)).find((candidate) => existsSync(candidate));
    if (found === undefined && !download) throw notFound(file, places, '');
    const bytes = found === undefined ? await fetchFile(file, places) : await readBytes(found);
    const tensor = parseIdx(bytes, found ?? file.name);
    if (tensor.dtype !== 'u8' || !sameShape(tensor.shape, file.shape)) {
      throw new Error(
        `${found ?? file.name} holds ${tensor.dtype}${formatShape(tensor.shape)}, not u8${formatShape(file.shape)}`,
      );
    }
    return tensor as Tensor<'u8'>;
  };
  const part = async (images: DataFile, labels: DataFile) => {
    const pixels = await load(images);
    // A plain loop: over 47 million pixels, Float32Array.from takes seconds.
    const scaled = new Float32Array(pixels.size);
    for (let i = 0; i < scaled.length; i++) scaled[i] = pixels.data[i]! / 255;
    const classes = (await load(labels)).cast('i64') as Tensor<'i64', [number]>;
    return new ImageDataset(shapeImages<S>(new Tensor('f32', pixels.shape, scaled), options.shape), classes);
  };
  return {
    train: await part(FILES.trainImages, FILES.trainLabels),
    test: await part(FILES.testImages, FILES.testLabels),
  };
}

function usualPlaces(): string[] {
  const own = process.env.TDSL_DATA;
  return [
    ...(own ? [path.join(own, 'fashion-mnist'), own] : []),
    cacheDirectory('data', 'fashion-mnist'),
    ...SYSTEM_DIRECTORIES,
  ];
}

function variants(directory: string, file: DataFile): string[] {
  return [path.join(directory, file.name), path.join(directory, `${file.name}.gz`)];
}

/** Downloads one file into the cache, from the first mirror that has it unchanged. */
async function fetchFile(file: DataFile, places: readonly string[]): Promise<Uint8Array> {
  const failures: string[] = [];
  for (const mirror of MIRRORS) {
    const url = `${mirror}${file.name}.gz`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const packed = new Uint8Array(await response.arrayBuffer());
      const bytes = await unpack(packed, url);
      if (createHash('sha256').update(bytes).digest('hex') !== file.sha256) throw new Error('the content has changed');
      await writeAtomically(path.join(cacheDirectory('data', 'fashion-mnist'), `${file.name}.gz`), packed);
      return bytes;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      failures.push(`${url}: ${error instanceof Error ? error.message : error}${cause}`);
    }
  }
  throw notFound(file, places, `; downloads failed (${failures.join('; ')})`);
}

function notFound(file: DataFile, places: readonly string[], downloads: string): Error {
  return new Error(
    `${file.name} of Fashion-MNIST is in none of ${places.join(', ')}${downloads}. ` +
      'Set TDSL_DATA to a folder that has the four files, or install the Debian package dataset-fashion-mnist',
  );
}
