// How both models of texts learn: random pieces, a learning rate that rises and falls, and the loss on text that they have not seen.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { compileModule, importModule } from '../../cli/module.js';
import { packageRoot } from '../../cli/package.js';
import type { AsyncMethod, Method, Session, Tensor, TensorInput } from '../../runtime/index.js';
import { fit, type TextDataset } from '../../runtime/train/index.js';
import { type Pieces, RandomPieces, readText, textFile } from './corpus.js';

type Texts = { x: TensorInput<'i64', ['B', 'T']>; y: TensorInput<'i64', ['B', 'T']> };

/** A session of a model that says which character follows. */
export interface TextModel extends Session {
  readonly opt: { lr: number };
  readonly evaluate: Method<Texts, Tensor<'f32', []>>;
  readonly trainStep: Method<Texts, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<Texts, Tensor<'f32', []>>;
}

/** What the command line says. */
export interface Choices {
  readonly file: string;
  readonly steps: number;
  readonly seed: number;
  /** How many characters are written after training, and how. */
  readonly length: number;
  readonly temperature: number;
  readonly topK: number;
  /** A checkpoint to go on from. */
  readonly weights: string | undefined;
}

/** Reads the command line; ends the program with its usage where it is wrong. */
export function choicesOf(script: string, steps: number): Choices {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: 'string' },
        steps: { type: 'string', default: String(steps) },
        seed: { type: 'string', default: '1' },
        length: { type: 'string', default: '400' },
        temperature: { type: 'string', default: '0.8' },
        'top-k': { type: 'string', default: '0' },
        weights: { type: 'string' },
      },
    });
    const whole = (name: 'steps' | 'seed' | 'length' | 'top-k'): number => {
      const value = Number(values[name]);
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} is a whole number from 0 on`);
      return value;
    };
    const temperature = Number(values.temperature);
    if (!(temperature > 0)) throw new RangeError('--temperature is a number above 0');
    return {
      file: textFile(values.data),
      steps: whole('steps'),
      seed: whole('seed'),
      length: whole('length'),
      temperature,
      topK: whole('top-k'),
      weights: values.weights,
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(
      `usage: npm run ${script.replace('_', '-')} -- [--data FILE] [--weights FILE] [--steps N] [--seed N] [--length N] [--temperature X] [--top-k K]`,
    );
    process.exit(2);
  }
}

/** Compiles a program of this folder and makes a session of it. */
export async function createModel<S extends Session>(name: string, seed: number): Promise<S> {
  const outDir = path.join(packageRoot, 'build', name);
  const compiled = await compileModule(path.join(packageRoot, 'examples', 'text', `${name}.td`), { outDir });
  const { create } = await importModule<{ create: (options: { seed: number }) => Promise<S> }>(compiled);
  return create({ seed });
}

/** The learning rate of a step: it rises for the first 100 steps, then falls to a tenth along half a wave of the cosine. */
function rateOf(highest: number, step: number, steps: number): number {
  const warmUp = Math.min(100, steps / 10);
  if (step < warmUp) return (highest * (step + 1)) / (warmUp + 1);
  const fallen = (1 - Math.cos((Math.PI * (step - warmUp)) / Math.max(1, steps - warmUp))) / 2;
  return highest * (1 - 0.9 * fallen);
}

/** The mean loss over 20 batches of windows, the same at each call. */
function lossOn(model: TextModel, text: TextDataset): number {
  const batches = new RandomPieces(text, 20, 32, 0);
  let total = 0;
  for (const pieces of batches) total += model.evaluate(pieces).item();
  return total / batches.length;
}

/** Trains a model on batches of 16 windows of 64 characters, and gives the loss on the part of the text that it has not seen. */
export async function learn(model: TextModel, { file, steps, seed }: Choices): Promise<number> {
  const { train, test } = await readText(file, 64);
  console.log(`${path.basename(file)}: ${train.numbers.size} characters to train, ${test.numbers.size} to test`);
  const highest = model.opt.lr;
  const epochs = Math.ceil(steps / 250);
  const count = Math.ceil(steps / Math.max(1, epochs));
  model.opt.lr = rateOf(highest, 0, steps);
  await fit<TextModel, Pieces>(model, {
    step: 'trainStep',
    train: new RandomPieces(train, count, 16, seed),
    epochs,
    onStep: (step) => {
      model.opt.lr = rateOf(highest, step + 1, steps);
    },
    onEpoch: ({ epoch, loss }) => {
      console.log(`step ${epoch * count}  loss ${loss.toFixed(4)}  test loss ${lossOn(model, test).toFixed(4)}`);
    },
  });
  return lossOn(model, test);
}

/** Runs a script: trains, saves the weights, and writes a text of which each character is drawn by what the model says after those before it. */
export async function run<S extends TextModel>(
  name: string,
  steps: number,
  continuation: (model: S, start: string, choices: Choices) => Iterable<string>,
): Promise<void> {
  const choices = choicesOf(name, steps);
  const model = await createModel<S>(name, choices.seed);
  if (choices.weights !== undefined) await model.load(choices.weights);
  const loss = await learn(model, choices);
  if (choices.steps > 0) {
    const file = path.join(packageRoot, 'build', name, `${name}.safetensors`);
    await model.save(file);
    console.log(`wrote ${path.relative(process.cwd(), file)}`);
  }
  for (const character of continuation(model, '\n', choices)) process.stdout.write(character);
  console.log(`\ntest loss ${loss.toFixed(4)}`);
}
