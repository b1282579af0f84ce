// Transforms of images, text as data, made-up data, and loaders that change their batches.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../cli/api.js';
import {
  centerCrop,
  compose,
  DataLoader,
  foldsOf,
  kFolds,
  linearData,
  loadText,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
  resize,
  TensorDataset,
  TextDataset,
  toTensor,
  Vocabulary,
} from '../../runtime/data/index.js';
import { Generator } from '../../runtime/random.js';
import { Tensor } from '../../runtime/tensor.js';

const generator = () => new Generator(3);
const f32 = (values: Parameters<typeof Tensor.from>[0]) => Tensor.from(values, { dtype: 'f32' });
const counted = (...shape: number[]) =>
  Tensor.arange(shape.reduce((a, b) => a * b))
    .reshape(shape)
    .cast('f32');

test('toTensor moves channels and scales bytes', () => {
  const image = Tensor.from(
    [
      [
        [0, 51],
        [102, 255],
      ],
    ],
    { dtype: 'u8' },
  );
  assert.equal(toTensor(image).shape, [2, 1, 2]);
  assert.ok(toTensor(image).allClose(f32([[[0, 0.4]], [[0.2, 1]]])));
  assert.equal(toTensor(image.reshape([1, 1, 2, 2])).toArray(), [toTensor(image).toArray()]);
  assert.equal(toTensor(Tensor.from([[255, 0]], { dtype: 'u8' })).shape, [1, 1, 2]);
  assert.is(toTensor(f32([[2]])).item(), 2);
  assert.throws(() => toTensor(f32([1])), /images have the shape/);
  const [expected] = evaluate('cast(permute(x, dims: [2, 0, 1]), f32) / 255', { x: image });
  assert.ok(toTensor(image).allClose(expected as Tensor));
});

test('normalize takes one number, or one for each channel', () => {
  const x = counted(2, 2, 1, 2);
  assert.equal(normalize(1, 2)(x, generator()).toArray(), [
    [[[-0.5, 0]], [[0.5, 1]]],
    [[[1.5, 2]], [[2.5, 3]]],
  ]);
  assert.equal(normalize([0, 2], [1, 2])(x, generator()).toArray(), [
    [[[0, 1]], [[0, 0.5]]],
    [[[4, 5]], [[2, 2.5]]],
  ]);
  assert.throws(() => normalize([1], [1])(x, generator()), /1 numbers do not go with 2 channels/);
  assert.throws(() => normalize(0, 0)(x, generator()), /above 0, not 0/);
  assert.throws(
    () => normalize(0, 1)(Tensor.arange(8).reshape([2, 2, 2]), generator()),
    /images are f32\[N, C, H, W\]/,
  );
});

test('resize is the bilinear interpolate of the language', () => {
  const x = new Generator(1).normal([2, 3, 5, 4], 0, 1);
  for (const [rows, columns] of [
    [8, 7],
    [3, 2],
    [1, 9],
  ] as const) {
    const [expected] = evaluate(`interpolate(x, size: [${rows}, ${columns}], mode: "bilinear", align_corners: false)`, {
      x,
    });
    assert.ok(resize([rows, columns])(x, generator()).allClose(expected as Tensor, { atol: 1e-6 }));
  }
  assert.equal(resize(2)(x.reshape([6, 5, 4]), generator()).shape, [6, 2, 2]);
});

test('flips and crops', () => {
  const x = counted(1, 1, 2, 3);
  assert.equal(randomHorizontalFlip(1)(x, generator()).toArray(), [
    [
      [
        [2, 1, 0],
        [5, 4, 3],
      ],
    ],
  ]);
  assert.equal(randomVerticalFlip(1)(x, generator()).toArray(), [
    [
      [
        [3, 4, 5],
        [0, 1, 2],
      ],
    ],
  ]);
  assert.ok(randomHorizontalFlip(0)(x, generator()).equals(x));
  assert.equal(centerCrop([2, 1])(x, generator()).toArray(), [[[[1], [4]]]]);
  assert.throws(() => randomHorizontalFlip(2), /between 0 and 1, not 2/);
  assert.throws(() => centerCrop(3)(x, generator()), /3 x 3 does not fit into 2 x 3/);
  const many = Tensor.ones([400, 1, 4, 4]);
  const sums = randomCrop(4, { padding: 1 })(many, generator()).reshape([400, 16]);
  const totals = sums.toArray() as number[][];
  const kinds = new Set(totals.map((row) => row.reduce((a, b) => a + b)));
  assert.equal(
    [...kinds].sort((a, b) => a - b),
    [9, 12, 16],
  );
  const flipped = randomHorizontalFlip()(counted(2000, 1, 1, 2), generator())
    .reshape([2000, 2])
    .toArray() as number[][];
  const share = flipped.filter(([a, b]) => (a as number) > (b as number)).length / 2000;
  assert.ok(Math.abs(share - 0.5) < 0.05, String(share));
});

test('loaders change batches, each epoch in its own way, and repeat an epoch', () => {
  const dataset = new TensorDataset({ x: counted(20, 1, 2, 2), y: Tensor.arange(20) });
  const change = compose(randomHorizontalFlip(), normalize(0, 2));
  const loader = new DataLoader(dataset, {
    batch: 6,
    shuffle: true,
    seed: 5,
    transform: ({ x, y }, random) => ({ images: change(x, random), y }),
  });
  const epoch = () => [...loader].map(({ images, y }) => [images.toArray(), y.toArray()]);
  const [first, second] = [epoch(), epoch()];
  assert.not.equal(first, second);
  loader.epoch = 0;
  assert.equal(epoch(), first);
});

test('folds may be shuffled, and are data sets', () => {
  const folds = kFolds(6, 3, { seed: 1 });
  assert.equal(folds.flatMap(({ valid }) => valid).sort(), [0, 1, 2, 3, 4, 5]);
  assert.not.equal(
    folds.map(({ valid }) => valid),
    kFolds(6, 3).map(({ valid }) => valid),
  );
  const [fold] = foldsOf(new TensorDataset({ x: Tensor.arange(6) }), 3);
  assert.equal(
    [fold?.train.range(0, 4).x.toArray(), fold?.valid.range(0, 2).x.toArray()],
    [
      [2, 3, 4, 5],
      [0, 1],
    ],
  );
});

test('made-up linear data have the weights that they were made with', () => {
  const { x, y } = linearData([2, -3.4], 4.2, { count: 500, seed: 1 }).columns;
  assert.equal(
    [x.shape, y.shape],
    [
      [500, 2],
      [500, 1],
    ],
  );
  const residual = y.toNumbers().map((value, i) => value - (2 * x.at(i, 0) - 3.4 * x.at(i, 1) + 4.2));
  const spread = Math.sqrt(residual.reduce((sum, e) => sum + e * e, 0) / 500);
  assert.ok(Math.abs(spread - 0.01) < 0.002, String(spread));
});

test('text: vocabulary, windows and their next characters', async () => {
  const vocabulary = new Vocabulary('hello é😀');
  assert.is(vocabulary.size, 7);
  assert.equal(vocabulary.characters, [' ', 'e', 'h', 'l', 'o', 'é', '😀']);
  assert.is(vocabulary.decode(vocabulary.encode('hole 😀')), 'hole 😀');
  assert.throws(() => vocabulary.encode('x'), /has no "x"/);
  assert.throws(() => vocabulary.decode([7]), /no character number 7/);
  const data = new TextDataset('abcabcab', 3);
  assert.is(data.length, 5);
  const { x, y } = data.batch([0, 4]);
  assert.equal(
    [x.toArray(), y.toArray()],
    [
      [
        [0, 1, 2],
        [1, 2, 0],
      ],
      [
        [1, 2, 0],
        [2, 0, 1],
      ],
    ],
  );
  const apart = new TextDataset('abcabcab', 3, { stride: 3 });
  assert.equal([apart.length, apart.range(1, 2).x.toArray()], [2, [[0, 1, 2]]]);
  assert.is(new TextDataset('ab', 3).length, 0);
  assert.throws(() => data.batch([5]), /no window 5 among 5/);
  assert.equal(
    [...new DataLoader(data, { batch: 2 })].map((batch) => batch.x.shape),
    [
      [2, 3],
      [2, 3],
      [1, 3],
    ],
  );
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tdsl-text-'));
  try {
    await writeFile(path.join(folder, 't.gz'), gzipSync('déjà vu'));
    assert.is(await loadText(path.join(folder, 't.gz')), 'déjà vu');
    await writeFile(path.join(folder, 'bad'), Uint8Array.of(0xff));
    assert.match(await loadText(path.join(folder, 'bad')).then(String, String), /bad is not a text in UTF-8/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
