// Batch normalisation: by hand and by the library, running averages, and ten layers that learn because of it
import { writeFileSync } from 'node:fs';
import { Generator, Tensor } from 'tdsl';
import { DataLoader, evaluate, fit, linePlot, mnistDigits, TensorDataset } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/batch_norm/index.js';

const s = await create({ seed: 1 });

// Four features with mean 3 and deviation 2: after the layer they have mean 0 and variance 1.
const x = new Generator(1).normal([100, 4], 3, 2);
const byHand = s.byHand({ x, gamma: Tensor.ones([4]), beta: Tensor.zeros([4]) });
const normalised = s.trainNorm({ x });
const column = Array.from({ length: 100 }, (_, row) => normalised.at(row, 0));
const mean = column.reduce((sum, value) => sum + value, 0) / 100;
const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 100;
show({
  'by hand and by the library': byHand.allClose(normalised, { atol: 1e-5 }),
  'mean is 0': Math.abs(mean) < 1e-6,
  variance,
});

// One step moves the running mean by a tenth of the way from 0 to 3; a hundred steps arrive.
show({ 'running mean after one step': s.norm.running_mean });
for (let step = 0; step < 99; step++) s.trainNorm({ x });
show({ 'running mean after a hundred': s.norm.running_mean, 'running variance': s.norm.running_var });

// In evaluation a prediction does not depend on the rest of the batch; the averages stay.
const alone = s.useNorm({ x: x.slice(0, 1) });
show({ 'evaluation of one row is the row of all': alone.equals(s.useNorm({ x }).slice(0, 1)) });
show({ 'a layer norm of 1, 2, 3, 4': s.layerNormOf({ x: [[1, 2, 3, 4]] }) });

const { train, test } = await mnistDigits({ seed: 1 });
const some = new TensorDataset({ x: train.images.slice(0, 4000), y: train.labels.slice(0, 4000) });
const curves = [];
for (const [name, step] of [
  ['without', 'trainPlain'],
  ['with', 'trainNormalised'],
] as const) {
  const batches = new DataLoader(some, { batch: 64, shuffle: true, seed: 1 });
  const { losses } = await fit(s, { step, train: batches, epochs: 3, progress: false });
  curves.push({ name: `${name} normalisation`, y: losses });
}
writeFileSync(
  new URL('build/losses.svg', import.meta.url),
  linePlot(curves, { title: 'Ten layers with sigmoids', xLabel: 'step', yLabel: 'loss' }),
);
show({
  'last loss without normalisation': curves[0]!.y.at(-1)!,
  'test accuracy without': await evaluate(s, test, { predict: 'predictPlain' }),
  'last loss with normalisation': curves[1]!.y.at(-1)!,
  'test accuracy with': await evaluate(s, test, { predict: 'predictNormalised' }),
});
