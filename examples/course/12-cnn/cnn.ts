// Convolutional networks: cross-correlation by hand, sizes, pooling, a learned edge detector, and LeNet on digits
import { Tensor } from 'tdsl';
import { DataLoader, fit, mnistDigits, TensorDataset } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/cnn/index.js';

const s = await create({ seed: 1 });

const x = Tensor.arange(9, { dtype: 'f32' }).reshape([3, 3]);
const [byHand, byLibrary] = s.byHand({
  x,
  k: [
    [0, 1],
    [2, 3],
  ],
});
show({ 'cross-correlation by hand': byHand, 'the library agrees': byHand.equals(byLibrary.reshape([2, 2])) });

const rgb = Tensor.arange(12, { dtype: 'f32' }).reshape([3, 2, 2]);
const [onePixel, dense] = s.channels({ x: rgb, k: Tensor.linspace(-1, 1, 6).reshape([2, 3, 1, 1]) });
show({ 'a kernel of one pixel is a linear layer': onePixel.allClose(dense, { atol: 1e-6 }) });

const maps = s.sizes({ x: Tensor.ones([1, 1, 28, 28]), k: Tensor.ones([4, 1, 5, 5]) });
show({ 'sizes of valid, padded, strided, dilated': maps.map(({ shape }) => shape[2]) });

const [largest, mean, padded] = s.pooling({ x: Tensor.arange(16, { dtype: 'f32' }).reshape([1, 4, 4]) });
show({ 'max pooling': largest, 'average pooling': mean, 'max pooling of windows of 3, padded': padded });

// A white square between black margins: the kernel [1, -1] finds its edges, and learning finds the kernel.
const image = Tensor.ones([6, 8]);
for (let row = 0; row < 6; row++) for (let column = 2; column < 6; column++) image.set([row, column], 0);
const edges = Tensor.zeros([6, 7]);
for (let row = 0; row < 6; row++) edges.set([row, 1], 1).set([row, 5], -1);
for (let step = 0; step < 20; step++) s.learnEdges({ x: image, y: edges });
show({ 'the learned kernel': s.edge.kernel });

// 4,000 digits to learn from are enough for a network that knows that digits may be moved.
const { train, test } = await mnistDigits({ seed: 1, shape: [1, 28, 28] });
const some = new TensorDataset({ x: train.images.slice(0, 4000), y: train.labels.slice(0, 4000) });
const batches = new DataLoader(some, { batch: 64, shuffle: true, seed: 1 });
const { epochs } = await fit(s, { step: 'trainStep', train: batches, test, epochs: 3, progress: false });
show({
  'parameters of LeNet': s.parameters({ root: 'net' }).reduce((total, { size }) => total + size, 0),
  'loss by epoch': epochs.map(({ loss }) => loss),
  'test accuracy by epoch': epochs.map(({ accuracy = Number.NaN }) => accuracy),
});
