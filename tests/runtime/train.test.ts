// The data sets on this machine, the training loop, its measures, its progress and its plots.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ticksBetween } from '../../runtime/plot/scale.js';
import { Tensor } from '../../runtime/tensor.js';
import {
  accuracy,
  argmaxRows,
  DataLoader,
  type EpochRecord,
  evaluate,
  fashionMnist,
  fit,
  linePlot,
  mnistDigits,
  TensorDataset,
  textProgress,
} from '../../runtime/train/index.js';

/** The message of the error that a promise must end in. */
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.unreachable('it should have failed') as never,
    (error: Error) => error.message,
  );

/** A session that learns the slope of y = 3 x, and predicts whether x is at least a half. */
class SlopeSession {
  slope = 0;
  readonly calls: string[] = [];

  trainStep({ x, y }: { x: Tensor; y: Tensor }): Tensor {
    const [inputs, targets] = [x.toNumbers(), y.toNumbers()];
    let [loss, gradient] = [0, 0];
    for (const [i, input] of inputs.entries()) {
      const error = this.slope * input - targets[i]!;
      loss += error ** 2 / inputs.length;
      gradient += (2 * error * input) / inputs.length;
    }
    this.slope -= 0.3 * gradient;
    return Tensor.from(loss, { dtype: 'f32' });
  }

  async predictAsync(args: { x: Tensor }): Promise<Tensor> {
    this.calls.push(Object.keys(args).join());
    return Tensor.from(Array.from(args.x.toNumbers(), (value) => Number(value >= 0.5)));
  }

  predict(): never {
    throw new Error('the asynchronous form goes first');
  }
}

const line = () => {
  const x = Tensor.linspace(0, 1, 10);
  return new TensorDataset({ x, y: Tensor.from(x.toNumbers().map((value) => 3 * value)).cast('f32') });
};

test('fit runs epochs of steps and records them', async () => {
  const session = new SlopeSession();
  const steps: number[] = [];
  const history = await fit(session, {
    step: 'trainStep',
    train: new DataLoader(line(), { batch: 4, shuffle: true }),
    epochs: 20,
    progress: false,
    onStep: (step) => steps.push(step),
  });
  assert.ok(Math.abs(session.slope - 3) < 0.01, String(session.slope));
  assert.is(history.epochs.length, 20);
  assert.is(history.losses.length, 60);
  assert.equal(
    steps,
    Array.from({ length: 60 }, (_, i) => i),
  );
  const { epoch, loss, examples, accuracy: none } = history.epochs[0]!;
  assert.equal([epoch, examples, none], [1, 10, undefined]);
  const [a, b, c] = history.losses as [number, number, number];
  assert.ok(Math.abs(loss - (4 * a + 4 * b + 2 * c) / 10) < 1e-12);
});

test('fit tests after each epoch, with all columns but the labels, and stops when told', async () => {
  const session = new SlopeSession();
  const x = Tensor.linspace(0, 1, 10);
  const test = new TensorDataset({ x, y: Tensor.from([0, 0, 0, 0, 0, 1, 1, 1, 1, 0]) });
  const train = new DataLoader(line(), { batch: 5 });
  const history = await fit(session, {
    step: 'trainStep',
    train,
    test,
    testBatch: 4,
    epochs: 5,
    progress: false,
    onEpoch: async ({ epoch }) => epoch < 2,
  });
  assert.equal(
    history.epochs.map((record) => record.accuracy),
    [0.9, 0.9],
  );
  assert.equal(session.calls, ['x', 'x', 'x', 'x', 'x', 'x']);
});

test('measures of an epoch are recorded and shown', async () => {
  const lines: string[] = [];
  const history = await fit(new SlopeSession(), {
    step: 'trainStep',
    train: new DataLoader(line(), { batch: 5 }),
    epochs: 2,
    measure: async () => ({ 'valid loss': 0.25, 'train accuracy': 0.5 }),
    progress: textProgress({ write: (text) => lines.push(text) }),
  });
  assert.equal(history.epochs[1]?.measures, { 'valid loss': 0.25, 'train accuracy': 0.5 });
  assert.match(lines.join(''), /valid loss 0\.2500 {2}train accuracy 0\.5000/);
});

test('steps may return tuples and records, and batches may be tuples', async () => {
  const columns = [Tensor.arange(4), Tensor.arange(4)] as const;
  const session = {
    tuple: (x: Tensor, y: Tensor) => [x.shape[0], y],
    record: () => ({ loss: Tensor.from(0.5), extra: 1 }),
    nothing: () => undefined,
    guess: (x: Tensor) => x,
  };
  const train = new DataLoader(new TensorDataset(columns), { batch: 3 });
  const run = (step: 'tuple' | 'record' | 'nothing') => fit(session, { step, train, progress: false });
  assert.equal((await run('tuple')).losses, [3, 1]);
  assert.equal((await run('record')).losses, [0.5, 0.5]);
  assert.match(await failure(run('nothing')), /nothing returns no loss/);
  assert.is(await evaluate(session, new TensorDataset(columns), { predict: 'guess' }), 1);
  const message = await failure(evaluate(session, new TensorDataset(columns), { predict: 'guess', label: 'z' }));
  assert.match(message, /no column z; they have 0, 1/);
});

test('a name that is no method is refused with those that are', async () => {
  const session = { trainStep: () => 0 };
  const train = new DataLoader(line());
  const step = 'learn' as 'trainStep';
  assert.match(await failure(fit(session, { step, train, progress: false })), /no method learn; it has trainStep/);
  const test = line();
  assert.match(await failure(fit(session, { step: 'trainStep', train, test, progress: false })), /no method predict/);
  const empty: DataLoader<{ x: Tensor; y: Tensor }> = new DataLoader(line(), { batch: 11, dropLast: true });
  assert.match(await failure(fit(session, { step: 'trainStep', train: empty, progress: false })), /no batch/);
});

test('accuracy of classes and of scores', () => {
  assert.is(accuracy(Tensor.from([1, 2, 0, 0]), Tensor.from([1, 2, 3, 0])), 0.75);
  assert.is(
    accuracy(
      Tensor.from([
        [0.1, 0.9],
        [0.8, 0.2],
      ]),
      Tensor.from([1, 1]),
    ),
    0.5,
  );
  assert.equal(
    [
      ...argmaxRows(
        Tensor.from([
          [1, 3, 3],
          [Number.NaN, 5, 6],
          [1, Number.NaN, 6],
        ]),
      ),
    ],
    [1, 0, 1],
  );
  assert.throws(() => accuracy(Tensor.from([1]), Tensor.from([1, 2])), /1 predictions do not go with 2 labels/);
  assert.throws(() => argmaxRows(Tensor.from([1])), /scores have the shape/);
});

test('progress is a line an epoch on a file, and a rewritten line on a terminal', () => {
  const record: EpochRecord = { epoch: 2, loss: 0.43121, accuracy: 0.85, seconds: 2, examples: 6000 };
  for (const isTTY of [false, true]) {
    const written: string[] = [];
    const progress = textProgress({ isTTY, columns: 60, write: (text) => written.push(text) });
    progress.step({ epoch: 2, epochs: 12, step: 5, steps: 10, loss: 0.5 });
    progress.step({ epoch: 2, epochs: 12, step: 6, steps: 10, loss: 0.5 });
    progress.epoch(record, 12);
    const last = 'epoch  2/12  loss 0.4312  accuracy 0.8500  2.0 s  3000 examples/s\n';
    if (isTTY) assert.equal([written.length, written.at(-1)], [2, `\r\x1b[2K${last}`]);
    else assert.equal(written, [last]);
    assert.ok(written.every((text) => text.replace('\r\x1b[2K', '').length <= 80));
  }
});

test('a plot has its lines, labels, legend and gaps', () => {
  const svg = linePlot(
    [
      { name: 'train <loss>', y: [3, 2, Number.NaN, 1, 0.5] },
      { name: 'test', x: [1, 5], y: [2.5, 1.5] },
    ],
    { title: 'Loss & more', xLabel: 'epoch', yLabel: 'loss' },
  );
  const count = (pattern: RegExp) => [...svg.matchAll(pattern)].length;
  assert.is(count(/<polyline/g), 3);
  assert.match(svg, />train &lt;loss&gt;</);
  assert.match(svg, />Loss &amp; more</);
  assert.is(count(/NaN|Infinity|undefined/g), 0);
  assert.is(count(/<svg/g), 1);
  const one = linePlot([{ name: 'one', y: [5] }], { yScale: 'log' });
  assert.match(one, /<circle/);
  assert.not.match(one, />one</);
  assert.not.match(linePlot([{ name: 'log', y: [1, 0, 1000] }], { yScale: 'log' }), /NaN|Infinity/);
  assert.match(linePlot([{ name: 'log', y: [1e-4, 1e7] }], { yScale: 'log' }), />1e-4<[\s\S]*>1e6</);
  assert.throws(() => linePlot([{ name: 'none', y: [Number.NaN] }]), /at least one finite point/);
  assert.throws(() => linePlot([{ name: 'odd', x: [1], y: [1, 2] }]), /line odd has 1 places for 2 values/);
});

test('ticks are round numbers', () => {
  assert.equal(ticksBetween(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.equal(ticksBetween(-3, 7, 5), [-2, 0, 2, 4, 6]);
  assert.equal(ticksBetween(0.1, 0.35, 5), [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]);
  assert.equal(ticksBetween(0, 123456, 3), [0, 50000, 100000]);
});

test('the digits of the npm package are divided in a fixed way', async () => {
  const { train, test } = await mnistDigits();
  assert.equal([train.length, test.length], [8000, 2000]);
  assert.equal(train.images.shape, [8000, 784]);
  assert.equal(test.labels.slice(0, 10).toArray(), [6, 5, 0, 4, 5, 3, 8, 9, 0, 5]);
  assert.ok(train.images.data.every((value) => value >= 0 && value <= 1));
  assert.equal((await mnistDigits({ shape: [1, 28, 28] })).test.images.shape, [2000, 1, 28, 28]);
  assert.match(await failure(mnistDigits({ shape: [10] })), /28 x 28 pixels do not have the shape \[10\]/);
});

test('Fashion-MNIST comes from a folder, or a message says how to get it', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'tdsl-fashion-'));
  try {
    const message = await failure(fashionMnist({ directory }));
    assert.match(message, /train-images-idx3-ubyte .* is in none of .*TDSL_DATA .*dataset-fashion-mnist/);
    await writeFile(path.join(directory, 'train-images-idx3-ubyte'), Buffer.of(0, 0, 8, 1, 0, 0, 0, 1, 7));
    assert.match(await failure(fashionMnist({ directory })), /holds u8\[1\], not u8\[60000, 28, 28\]/);
  } finally {
    await rm(directory, { recursive: true });
  }
});

const installed = '/usr/share/datasets/fashion-mnist';
const asInstalled = 'Fashion-MNIST as Debian installs it';
if (existsSync(installed)) {
  test(asInstalled, async () => {
    const { train, test } = await fashionMnist({ directory: installed });
    assert.equal(train.images.shape, [60000, 784]);
    assert.equal(test.images.shape, [10000, 784]);
    assert.equal(train.labels.slice(0, 5).toArray(), [9, 0, 0, 3, 0]);
    assert.equal(test.labels.slice(0, 5).toArray(), [9, 2, 1, 1, 6]);
  });
} else {
  test.skip(asInstalled);
  console.log(`SKIP ${asInstalled}: the package dataset-fashion-mnist is not installed`);
}

test.run();
