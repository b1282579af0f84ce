// Dropout: the expectation stays, training draws and evaluation does not, and a wide network learns less by heart
import { writeFileSync } from 'node:fs';
import { Tensor } from 'tdsl';
import { DataLoader, evaluate, fit, linePlot, mnistDigits, TensorDataset } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/dropout/index.js';

const s = await create({ seed: 1 });
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

// Half of the ones are zero, the others are two: the mean is still one. Each call draws another mask.
const ones = Tensor.ones([10_000]);
const [first, second] = [s.byHand({ x: ones, p: 0.5 }), s.byHand({ x: ones, p: 0.5 })];
show({
  'values that are left': [...new Set(first.data)].sort(),
  'share of zeros': mean(first.data.map((value) => (value === 0 ? 1 : 0))),
  'mean of the ones after dropout': mean(first.data),
  'the next mask is another': !first.equals(second),
});
const [kept, dropped] = s.extremes({ x: [1, 2, 3] });
show({ 'p = 0': kept, 'p = 1': dropped });

// 500 examples to learn from, the 2,000 others to test with.
const { train, test } = await mnistDigits({ seed: 1 });
const few = new TensorDataset({ x: train.images.slice(0, 500), y: train.labels.slice(0, 500) });
const curves = [];
for (const [which, step] of (['trainPlain', 'trainDropped'] as const).entries()) {
  const y: number[] = [];
  const onEpoch = () => void y.push(s.loss(test.columns)[which]!.item());
  await fit(s, {
    step,
    train: new DataLoader(few, { batch: 50, shuffle: true }),
    epochs: 20,
    onEpoch,
    progress: false,
  });
  curves.push({ name: which === 0 ? 'p = 0' : 'p = 0.5', y });
}
writeFileSync(
  new URL('build/test-loss.svg', import.meta.url),
  linePlot(curves, { title: 'Dropout', xLabel: 'epoch', yLabel: 'test loss' }),
);

const [plainTrain, droppedTrain] = s.loss(few.columns);
const [plainTest, droppedTest] = s.loss(test.columns);
show({
  'training loss with p = 0': plainTrain,
  'training loss with p = 0.5': droppedTrain,
  'test loss with p = 0': plainTest,
  'test loss with p = 0.5': droppedTest,
  'test accuracy with p = 0': await evaluate(s, test, { predict: 'predictPlain' }),
  'test accuracy with p = 0.5': await evaluate(s, test, { predict: 'predictDropped' }),
});

// Evaluation draws nothing: the same loss twice.
show({ 'evaluation is the same twice': s.loss(test.columns)[1].equals(s.loss(test.columns)[1]) });
