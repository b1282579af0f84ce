// Linear regression: gradient descent by hand and with the library, and the best weights in closed form
import { writeFileSync } from 'node:fs';
import { DataLoader, fit, gridPoints, linearData, surfacePlot, TensorDataset } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/linear_regression/index.js';

const s = await create({ seed: 1 });

// 1,000 samples of y = -6 x1 + 3.2 x2 + 10.5 x3 + 1.7, with noise of standard deviation 0.01.
const { x, y } = linearData([-6, 3.2, 10.5], 1.7, { count: 1000, noise: 0.01, seed: 1 }).columns;
const samples = new TensorDataset({ x: x.reshape([1000, 3]), y: y.reshape([1000]) });

const [[derived, ofBias], [onPaper, meanError]] = s.gradients(samples.columns);
show({ 'gradient as derived': derived, 'gradient on paper': onPaper });
show({ 'of the bias': [ofBias, meanError] });

// Seven epochs in batches of ten, by hand; the learning rate is an argument like any other.
for (let epoch = 0; epoch < 7; epoch++) {
  for (const batch of new DataLoader(samples, { batch: 10, shuffle: true, seed: epoch }))
    s.stepByHand({ ...batch, lr: 0.03 });
}
show({ 'weights by hand': s.line.weight, 'bias by hand': s.line.bias });

// Three epochs with the library's layer, loss and optimizer.
await fit(s, {
  step: 'trainStep',
  train: new DataLoader(samples, { batch: 10, shuffle: true }),
  epochs: 3,
  progress: false,
});
show({ 'weights with the library': s.net.weight, 'bias with the library': s.net.bias });

const [byInverse, bySolving, byLeastSquares] = s.normalEquations(samples.columns);
show({ 'by the inverse': byInverse, 'by solving': bySolving, 'by least squares': byLeastSquares });

// The loss over the first two weights is a bowl, with its bottom at (-6, 3.2).
const grid = gridPoints([-12, 0], [-2.8, 9.2], 25);
const bowl = { ...grid, z: s.bowl({ ...samples.columns, points: grid.points }).toNumbers() };
const lowest = bowl.z.indexOf(Math.min(...bowl.z));
show({ 'the lowest point of the grid': [bowl.x[lowest % 25]!, bowl.y[Math.floor(lowest / 25)]!] });
writeFileSync(
  new URL('build/loss.svg', import.meta.url),
  surfacePlot(bowl, { title: 'The loss by two weights', xLabel: 'w1', yLabel: 'w2', zLabel: 'loss' }),
);
