// Multilayer perceptrons: models of one's own, parameters by name, training, saving and loading
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Generator } from 'tdsl';
import { argmaxRows, DataLoader, evaluate, fit, imageGrid, linePlot, mnistDigits } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/mlp/index.js';

const s = await create({ seed: 1 });

// The parameters, as PyTorch's named_parameters gives them. A layer that is used twice is there once.
const parameters = s.namedParameters({ root: 'small' });
for (const [name, { shape }] of parameters) console.log(`  ${name.padEnd(16)} [${shape.join(', ')}]`);
show({ 'parameters of the small network': parameters.reduce((total, [, { size }]) => total + size, 0) });
show({ 'squared norms of their gradients': s.smallGradients({ x: new Generator(1).normal([5, 20]) }) });

const [twoLayers, one] = s.collapse({ x: new Generator(2).normal([6, 4]) });
show({ 'two linear layers are one': twoLayers.allClose(one, { atol: 1e-6 }) });

const { train, test } = await mnistDigits({ seed: 1 });
const history = await fit(s, {
  step: 'trainStep',
  train: new DataLoader(train, { batch: 32, shuffle: true, seed: 1 }),
  test,
  epochs: 3,
  progress: false,
});
show({
  'loss by epoch': history.epochs.map(({ loss }) => loss),
  'test accuracy by epoch': history.epochs.map(({ accuracy = Number.NaN }) => accuracy),
});
writeFileSync(
  new URL('build/loss.svg', import.meta.url),
  linePlot([{ name: 'loss', y: history.losses }], { title: 'MLP on digits', xLabel: 'step', yLabel: 'loss' }),
);

// What it says of the first test images, with the labels; what is wrong is red.
const some = test.images.slice(0, 24);
writeFileSync(
  new URL('build/predictions.svg', import.meta.url),
  imageGrid(some.reshape([24, 28, 28]), {
    labels: Array.from(test.labels.slice(0, 24).data, String),
    predictions: Array.from(argmaxRows(s.predict(some)), String),
  }),
);

// Parameters by name in a file that PyTorch's safetensors reads too, and back into another session: the same predictions.
const file = fileURLToPath(new URL('build/mlp.safetensors', import.meta.url));
await s.save(file, { root: 'net' });
const restored = await create({ seed: 2 });
show({ 'test accuracy with other parameters': await evaluate(restored, test, { predict: 'predict' }) });
await restored.load(file, { root: 'net' });
show({ 'with the saved ones': await evaluate(restored, test, { predict: 'predict' }) });
const images = test.images.slice(0, 100);
show({ 'equal to the bit': restored.predict(images).equals(s.predict(images)) });

// Parameters are tensors over the session's own memory: what is written to them is what the next call uses.
s.net.out.bias.fill(0).set([7], 100);
show({ 'with a large bias of class 7, the classes are': [...new Set(argmaxRows(s.predict(images)))] });
