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
  readonly predict: Method<{ x: Images }, Tensor<'i64', ['B']>>;
  readonly trainStep: Method<{ x: Images; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<{ x: Images; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;
}

/** The shape in which each model takes an image. */
const models: Readonly<Record<string, readonly number[]>> = {
  softmax_regression: [784],
  mlp: [784],
  lenet: [1, 28, 28],
  lenet_bn: [1, 28, 28],
};

const [name = 'mlp', epochsText = '5'] = process.argv.slice(2);
const shape = models[name];
const epochs = Number(epochsText);
if (shape === undefined || !Number.isSafeInteger(epochs) || epochs < 1) {
  console.error(`usage: npm run fashion -- ${Object.keys(models).join(' | ')} [epochs]`);
  process.exit(2);
}

const outDir = path.join(packageRoot, 'build', name);
const compiled = await compileModule(path.join(packageRoot, 'examples', `${name}.td`), { outDir });
const { create } = await importModule<{ create: (options: { seed: number }) => Promise<Classifier> }>(compiled);
const { train, test } = await fashionMnist({ shape });
const session = await create({ seed: 1 });

await fit(session, {
  step: 'trainStep',
  train: new DataLoader(train, { batch: 64, shuffle: true, seed: 1 }),
  test,
  epochs,
});

const first = test.images.slice(0, 5);
const predicted = Array.from(session.predict(first).toNumbers());
const label = (index: number | undefined): string => FASHION_MNIST_LABELS[index ?? -1] ?? '?';
const truth = test.labels.toNumbers();
console.log(predicted.map((index, i) => `${label(index)} (${label(truth[i])})`).join(', '));
console.log(`test accuracy ${(await evaluate(session, test, { predict: 'predict' })).toFixed(4)}`);
