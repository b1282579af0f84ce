// Trains one of the image models on Fashion-MNIST: `npm run fashion -- softmax_regression | mlp | lenet | lenet_bn [epochs]`.
//
// The data set's files are looked for in $TDSL_DATA, the cache and where Debian's package dataset-fashion-mnist puts them, and else downloaded.

import path from 'node:path';
import { compileModule, importModule } from '../cli/module.js';
import { packageRoot } from '../cli/package.js';
import type { AsyncMethod, Method, Session, Tensor, TensorInput } from '../runtime/index.js';
import { DataLoader, evaluate, FASHION_MNIST_LABELS, fashionMnist, fit } from '../runtime/train/index.js';

type Images = TensorInput<'f32'>;

interface Classifier extends Session {
  readonly opt: { lr: number };
  readonly predict: Method<{ x: Images }, Tensor<'i64', ['B']>>;
  readonly trainStep: Method<{ x: Images; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<{ x: Images; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;
}

interface Model {
  /** The shape in which it takes an image. */
  readonly shape: readonly number[];
  /** The first epoch's learning rate; each epoch after it has 0.7 of the one before. */
  readonly lr: number;
}

const models: Readonly<Record<string, Model>> = {
  softmax_regression: { shape: [784], lr: 0.1 },
  mlp: { shape: [784], lr: 0.04 },
  lenet: { shape: [1, 28, 28], lr: 0.04 },
  lenet_bn: { shape: [1, 28, 28], lr: 0.002 },
};

const [name = 'mlp', epochsText = '5'] = process.argv.slice(2);
const model = models[name];
const epochs = Number(epochsText);
if (model === undefined || !Number.isSafeInteger(epochs) || epochs < 1) {
  console.error(`usage: npm run fashion -- ${Object.keys(models).join(' | ')} [epochs]`);
  process.exit(2);
}

const outDir = path.join(packageRoot, 'build', name);
const compiled = await compileModule(path.join(packageRoot, 'examples', `${name}.td`), { outDir });
const { create } = await importModule<{ create: (options: { seed: number }) => Promise<Classifier> }>(compiled);
const { train, test } = await fashionMnist({ shape: model.shape });
const session = await create({ seed: 1 });

session.opt.lr = model.lr;
await fit(session, {
  step: 'trainStep',
  train: new DataLoader(train, { batch: 64, shuffle: true, seed: 1 }),
  test,
  epochs,
  onEpoch: ({ epoch }) => {
    session.opt.lr = model.lr * 0.7 ** epoch;
  },
});

const first = test.images.slice(0, 5);
const predicted = Array.from(session.predict(first).toNumbers());
const label = (index: number | undefined): string => FASHION_MNIST_LABELS[index ?? -1] ?? '?';
const truth = test.labels.toNumbers();
console.log(predicted.map((index, i) => `${label(index)} (${label(truth[i])})`).join(', '));
console.log(`test accuracy ${(await evaluate(session, test, { predict: 'predict' })).toFixed(4)}`);
