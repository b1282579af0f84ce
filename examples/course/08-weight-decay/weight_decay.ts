// Weight decay: 20 samples for 200 weights, with and without a penalty, by the loss, the optimizer and by hand
import { writeFileSync } from 'node:fs';
import { Generator, Tensor } from 'tdsl';
import { DataLoader, linePlot, TensorDataset } from 'tdsl/train';
import { show } from '../show.ts';
import { create, type ModelSession } from './build/weight_decay/index.js';

const random = new Generator(1);

/** y = 0.05 + 0.01 (x1 + … + x200), with noise of standard deviation 0.01. */
function samples(count: number) {
  const x = random.normal([count, 200]);
  const noise = random.normal([count], 0.05, 0.01);
  const y = noise.data.map((e, i) => e + 0.01 * x.slice(i, i + 1).data.reduce((sum, value) => sum + value, 0));
  return new TensorDataset({ x, y: new Tensor('f32', [count], y) });
}

const [train, test] = [samples(20), samples(100)];

/** 100 epochs in batches of 5; gives the losses after each, and the length of the weights at the end. */
async function learn(step: (s: ModelSession, batch: typeof train.columns) => unknown) {
  const s = await create({ seed: 1 });
  const batches = new DataLoader(train, { batch: 5, shuffle: true, seed: 1 });
  const losses = { train: [] as number[], test: [] as number[] };
  for (let epoch = 0; epoch < 100; epoch++) {
    for (const batch of batches) step(s, batch);
    losses.train.push(s.loss(train.columns).item());
    losses.test.push(s.loss(test.columns).item());
  }
  return { losses, length: Math.hypot(...s.net.weight.data), weight: s.net.weight };
}

const runs = {
  'without a penalty': await learn((s, batch) => s.penalisedStep({ ...batch, lambda: 0, mu: 0 })),
  'with an L2 penalty': await learn((s, batch) => s.penalisedStep({ ...batch, lambda: 3, mu: 0 })),
  'with an L1 penalty': await learn((s, batch) => s.penalisedStep({ ...batch, lambda: 0, mu: 2 })),
  'by the optimizer': await learn((s, batch) => s.decayedStep(batch)),
  'by hand': await learn((s, batch) => s.stepByPath(batch)),
};
for (const [name, { losses, length }] of Object.entries(runs)) {
  show({
    [`length of the weights ${name}`]: length,
    'training loss': losses.train.at(-1)!,
    [`test loss ${name}`]: losses.test.at(-1)!,
  });
}
const same = (name: 'by hand' | 'by the optimizer') =>
  runs[name].weight.allClose(runs['with an L2 penalty'].weight, { atol: 1e-5 });
show({ 'by hand is the penalty': same('by hand'), 'by the optimizer is the penalty': same('by the optimizer') });

for (const name of ['without a penalty', 'with an L2 penalty'] as const) {
  const { losses } = runs[name];
  const lines = [
    { name: 'training', y: losses.train },
    { name: 'test', y: losses.test },
  ];
  const options = { title: `Linear regression ${name}`, xLabel: 'epoch', yLabel: 'loss', yScale: 'log' } as const;
  writeFileSync(new URL(`build/${name.replaceAll(' ', '-')}.svg`, import.meta.url), linePlot(lines, options));
}
