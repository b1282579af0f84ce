// npm run demo: compiles mlp.td, trains it on 8,000 real handwritten digits and tests it on 2,000 others.
//
// A project of its own would run `npx tdsl compile mlp.td` and import `create` from './build/mlp/index.js', typed by the compiler.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { compileModule, importModule } from '../cli/module.js';
import { packageRoot } from '../cli/package.js';
import type { AsyncMethod, Method, Session, Tensor, TensorInput } from '../runtime/index.js';
import { DataLoader, evaluate, fit, linePlot, mnistDigits } from '../runtime/train/index.js';

interface Mlp extends Session {
  readonly predict: Method<{ x: TensorInput<'f32', ['B', 784]> }, Tensor<'i64', ['B']>>;
  readonly trainStep: Method<{ x: TensorInput<'f32', ['B', 784]>; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<
    { x: TensorInput<'f32', ['B', 784]>; y: TensorInput<'i64', ['B']> },
    Tensor<'f32', []>
  >;
  readonly opt: { lr: number };
}

const outDir = path.join(packageRoot, 'build', 'mlp');
console.log('compiling examples/mlp.td');
const compiled = await compileModule(path.join(packageRoot, 'examples', 'mlp.td'), { outDir });
console.log(`compiled ${compiled.entries.join(', ')} in ${(compiled.artefact.milliseconds / 1000).toFixed(1)} s`);

const { create } = await importModule<{ create: (options: { seed: number }) => Promise<Mlp> }>(compiled);
const { train, test } = await mnistDigits({ seed: 1 });
const session = await create({ seed: 1 });

const epochs = 8;
const batches = new DataLoader(train, { batch: 64, shuffle: true, seed: 1 });
const history = await fit(session, {
  step: 'trainStep',
  train: batches,
  test,
  epochs,
  // The learning rate is state of the session: a schedule needs no recompile.
  onEpoch: ({ epoch }) => {
    session.opt.lr = 0.1 * 0.7 ** epoch;
  },
});

const weights = path.join(outDir, 'mlp.safetensors');
const curve = path.join(outDir, 'loss.svg');
await session.save(weights);
writeFileSync(
  curve,
  linePlot([{ name: 'training loss', y: history.losses }], { title: 'MLP on digits', xLabel: 'step', yLabel: 'loss' }),
);
console.log(
  `weights in ${path.relative(process.cwd(), weights)}, loss curve in ${path.relative(process.cwd(), curve)}`,
);

const accuracy = await evaluate(session, test, { predict: 'predict' });
console.log(`test accuracy ${accuracy.toFixed(4)}`);
