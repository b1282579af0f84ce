// The models of examples/text: small versions train as in torch, drawn characters follow the scores, and a script learns from the excerpt.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instance } from '../../cli/backends.js';
import { packageRoot } from '../../cli/package.js';
import { elementCount, type HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { RandomPieces, vocabulary } from '../../examples/text/corpus.js';
import { TextDataset } from '../../runtime/train/index.js';
import { f32, i64, numbers } from '../support/program.js';
import { backendsOf } from './backends.js';

interface Training {
  readonly x: number[];
  readonly y: number[];
  readonly parameters: readonly { readonly path: string; readonly shape: number[]; readonly offset: number }[];
  readonly losses: number[];
}

const reference = JSON.parse(
  readFileSync(path.join(packageRoot, 'tests', 'examples', 'text_reference.json'), 'utf8'),
) as Readonly<Record<'gpt' | 'char_lstm', Training>>;

/** The numbers that `spread` of text_reference.py makes. */
const spread = (count: number, stream: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => ((i * 7919 + stream * 104729 + ((i * i) % 65537)) % 65537) / 65537 - 0.5);

const test = suite('models of texts');
const models = {
  gpt: backendsOf('../tests/examples/small/gpt'),
  char_lstm: backendsOf('../tests/examples/small/char_lstm'),
};

function setParameters(instance: Instance, { parameters }: Training): void {
  instance.seed(1);
  for (const [stream, { path: name, shape, offset }] of parameters.entries()) {
    const leaf = instance.program.state.findIndex((candidate) => candidate.path === `net.${name}`);
    assert.ok(leaf >= 0, `there is a parameter ${name}`);
    instance.setState(
      leaf,
      f32(
        shape,
        spread(elementCount(shape), stream).map((value) => value + offset),
      ),
    );
  }
}

for (const backend of ['interpreter', 'c'] as const) {
  for (const model of ['gpt', 'char_lstm'] as const) {
    test(`the first ten losses of ${model} are those of torch (${backend})`, async () => {
      const instance = (await models[model])[backend];
      const training = reference[model];
      setParameters(instance, training);
      for (const [step, expected] of training.losses.entries()) {
        const [loss] = instance.run('train_step', [i64([3, 4], training.x), i64([3, 4], training.y)]) as [HostTensor];
        const error = Math.abs((numbers(loss)[0] as number) - expected);
        assert.ok(error < 2e-6, `step ${step}: ${numbers(loss)}, torch has ${expected}`);
      }
    });
  }

  test(`draws follow temperature and the number of candidates, and repeat with the seed (${backend})`, async () => {
    const instance = (await models.gpt)[backend];
    const text = i64([3], [1, 5, 2]);
    const draw = (temperature: number, candidates: number): number =>
      numbers(
        instance.run('next', [text, f32([], [temperature]), i64([], [candidates])])[0] as HostTensor,
      )[0] as number;
    const draws = (count: number, temperature: number, candidates: number): readonly number[] => {
      setParameters(instance, reference.gpt);
      return Array.from({ length: count }, () => draw(temperature, candidates));
    };
    const [best] = draws(1, 1, 1) as [number];
    assert.equal(draws(20, 1, 1), new Array(20).fill(best), 'of one candidate there is no choice');
    assert.equal(draws(20, 0.001, 0), new Array(20).fill(best), 'in the cold the best is certain');
    const two = new Set(draws(60, 10, 2));
    assert.ok(two.size === 2 && two.has(best), `two candidates: ${[...two]}`);
    const free = draws(60, 100, 0);
    assert.ok(new Set(free).size >= 6, 'in the heat all are about as likely');
    assert.equal(draws(60, 100, 0), free, 'the same seed draws the same');
  });
}

test('batches of random windows repeat with the seed', () => {
  assert.is(vocabulary.size, 65);
  const text = new TextDataset(vocabulary.characters.join(''), 8, { vocabulary });
  const pieces = [...new RandomPieces(text, 3, 2, 5)];
  assert.is(pieces.length, 3);
  for (const { x, y } of pieces) {
    assert.equal(x.shape, [2, 8]);
    assert.equal(
      Array.from(x.data, (value) => value + 1n),
      Array.from(y.data),
    );
  }
  assert.equal([...new RandomPieces(text, 3, 2, 5)][2]?.x.data, pieces[2]?.x.data);
  assert.not.equal(pieces[1]?.x.data, pieces[2]?.x.data);
});

/** Runs a script of the folder on the excerpt. */
const script = (name: string, ...args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [path.join(packageRoot, 'dist', 'examples', 'text', name), ...args], {
    encoding: 'utf8',
    env: { ...process.env, TDSL_DATA: undefined },
  });

test('the script of the LSTM learns from the excerpt and writes', () => {
  const { status, stdout, stderr } = script('char_lstm.js', '--steps', '20', '--length', '30');
  assert.is(status, 0, String(stderr));
  const lines = String(stdout).trimEnd().split('\n');
  assert.match(lines[0] as string, /^shakespeare\.txt: \d+ characters to train, \d+ to test$/);
  const loss = Number(/^test loss (\d+\.\d{4})$/.exec(lines.at(-1) as string)?.[1]);
  assert.ok(loss < 3.4, `from 4.17 to ${loss}`);
});

test('a wrong argument ends in the usage', () => {
  const { status, stderr } = script('gpt.js', '--steps', 'many');
  assert.is(status, 2);
  assert.match(String(stderr), /--steps is a whole number[\s\S]*usage: npm run gpt/);
});

test.run();
