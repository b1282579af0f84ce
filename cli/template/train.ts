// Trains the model on 8,000 handwritten digits and tests it on 2,000 others.

import { writeFileSync } from 'node:fs';
import { DataLoader, evaluate, fit, linePlot, mnistDigits } from 'tdsl/train';
import { create } from '../build/__NAME__/index.js'; // written by `npm run compile`

const { train, test } = await mnistDigits({ seed: 1 });
const session = await create({ seed: 1 });
console.log(session.describeModel());

const history = await fit(session, {
  step: 'trainStep',
  train: new DataLoader(train, { batch: 64, shuffle: true, seed: 1 }),
  test,
  epochs: 5,
  // The learning rate is state of the session: a schedule needs no recompile.
  onEpoch: ({ epoch }) => {
    session.opt.lr = 0.1 * 0.7 ** epoch;
  },
});

await session.save('build/__NAME__.safetensors');
writeFileSync('build/loss.svg', linePlot([{ name: 'loss', y: history.losses }], { xLabel: 'step', yLabel: 'loss' }));
console.log(`test accuracy ${(await evaluate(session, test, { predict: 'predict' })).toFixed(4)}`);
