// Softmax regression: cross-entropy by hand and by the library, on 10,000 handwritten digits
import { Tensor } from 'tdsl';
import { DataLoader, evaluate, fit, mnistDigits } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/softmax_regression/index.js';

const s = await create({ seed: 1 });

// What a formula says and what floats do: exp(1010) is infinite.
const scores = Tensor.from([[1010, 1000, 990, 0, 0, 0, 0, 0, 0, 0]], { dtype: 'f32', shape: [1, 10] });
const [naive, stable] = s.twoSoftmaxes({ z: scores });
show({ 'naive softmax': naive, 'stable softmax': stable });

const [entropy, crossEntropy, divergence] = s.entropy({ p: [0.5, 0.25, 0.25], q: [1 / 3, 1 / 3, 1 / 3] });
show({ 'entropy in bits': entropy, 'cross-entropy with equal guesses': crossEntropy, divergence });

const z = Tensor.zeros([2, 10]).set([0, 3], 2);
const [loss, gradient, formula] = s.gradient({ z, y: [3, 0] });
show({ 'loss of two examples': loss, 'gradient is softmax minus one-hot': gradient.allClose(formula) });

const { train, test } = await mnistDigits({ seed: 1 });
const batches = () => new DataLoader(train, { batch: 32, shuffle: true, seed: 1 });
const byHand = await fit(s, { step: 'stepByHand', train: batches(), epochs: 3, progress: false });
const byLibrary = await fit(s, { step: 'trainStep', train: batches(), epochs: 3, progress: false });
show({
  'loss by epoch, by hand': byHand.epochs.map(({ loss }) => loss),
  'loss by epoch, with the library': byLibrary.epochs.map(({ loss }) => loss),
  'test accuracy, by hand': await evaluate(s, test, { predict: 'predictByHand' }),
  'test accuracy, with the library': await evaluate(s, test, { predict: 'predict' }),
});

const images = test.images.slice(0, 8);
show({ predicted: s.predict(images), true: test.labels.slice(0, 8) });
