// Linear regression on synthetic data: the gradient that the compiler derives equals the closed form, and training recovers the weights.

import path from 'node:path';
import { compileModule, importModule } from '../cli/module.js';
import { packageRoot } from '../cli/package.js';
import type { AsyncMethod, Method, Session, TensorInput } from '../runtime/index.js';
import { Tensor } from '../runtime/index.js';
import { DataLoader, fit, Generator, TensorDataset } from '../runtime/train/index.js';

interface Batch {
  x: TensorInput<'f32', ['B', 3]>;
  y: TensorInput<'f32', ['B']>;
}

interface LinearRegression extends Session {
  readonly net: { readonly weight: Tensor<'f32', [3]>; readonly bias: Tensor<'f32', []> };
  readonly gradients: Method<Batch, [Tensor<'f32', [3]>, Tensor<'f32', [3]>]>;
  readonly trainStep: Method<Batch, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<Batch, Tensor<'f32', []>>;
}

const trueWeight = [-6, 3.2, 10.5] as const;
const trueBias = 1.7;

/** 1,000 samples of y = w·x + b with noise of standard deviation 0.01. */
function makeSamples(): TensorDataset<{ x: Tensor<'f32', [number, 3]>; y: Tensor<'f32', [number]> }> {
  const generator = new Generator(1);
  const x = generator.normal([1000, 3], 0, 1);
  const noise = generator.normal([1000], 0, 0.01).toNumbers();
  const features = x.toNumbers();
  const y = noise.map(
    (e, i) => e + trueBias + trueWeight.reduce((sum, w, j) => sum + w * (features[3 * i + j] ?? 0), 0),
  );
  return new TensorDataset({ x, y: Tensor.from(y, { dtype: 'f32', shape: [1000] as const }) });
}

const outDir = path.join(packageRoot, 'build', 'linear_regression');
const compiled = await compileModule(path.join(packageRoot, 'examples', 'linear_regression.td'), { outDir });
const { create } = await importModule<{ create: (options: { seed: number }) => Promise<LinearRegression> }>(compiled);
const session = await create({ seed: 1 });
const samples = makeSamples();

const [derived, closed] = session.gradients(samples.columns);
console.log(`gradient by automatic differentiation ${derived}`);
console.log(`gradient in closed form               ${closed}`);
await fit(session, {
  step: 'trainStep',
  train: new DataLoader(samples, { batch: 10, shuffle: true, seed: 1 }),
  epochs: 3,
});
console.log(`weight ${session.net.weight} (true: ${trueWeight.join(', ')})`);
console.log(`bias ${session.net.bias} (true: ${trueBias})`);
