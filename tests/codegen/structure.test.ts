// How the steps of the examples are cut into kernels: each launch, each array that a kernel reads and each one that it writes is counted, so
// that a fusion that is lost shows here. Where a number goes down, the new one belongs here; where one goes up, the change has to say why.

import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { generate } from '../../codegen/generate.js';
import { machines } from '../../codegen/kernel/machine.js';
import type { PlannedStep } from '../../codegen/plan/entry.js';

interface Structure {
  readonly kernels: number;
  readonly reads: number;
  readonly writes: number;
}

const none: Structure = { kernels: 0, reads: 0, writes: 0 };
const plus = (a: Structure, b: Structure): Structure => ({
  kernels: a.kernels + b.kernels,
  reads: a.reads + b.reads,
  writes: a.writes + b.writes,
});

/** A kernel in a loop counts once. */
function structureOf(steps: readonly PlannedStep[]): Structure {
  return steps.map(stepStructure).reduce(plus, none);
}

function stepStructure(step: PlannedStep): Structure {
  switch (step.kind) {
    case 'launch':
      return { kernels: 1, reads: step.inputs.length, writes: step.outputs.length };
    case 'group':
      return structureOf(step.launches);
    case 'if':
      return plus(structureOf(step.whenTrue.steps), structureOf(step.whenFalse.steps));
    case 'checkpoint':
      return structureOf(step.block.steps);
    case 'loop':
      return plus(structureOf(step.condition?.steps ?? []), structureOf(step.body.steps));
  }
}

function structures(file: string): Readonly<Record<string, Structure>> {
  const machine = machines.find(({ name }) => name === 'avx2');
  assert.ok(machine);
  const { program } = lower(loadProgram(path.resolve(file)));
  const { plan } = generate(program, { target: 'c', version: '', sourceHash: '', machines: [machine] });
  return Object.fromEntries([...plan.entries].map(([name, { steps }]) => [name, structureOf(steps)]));
}

const expected: readonly (readonly [file: string, entry: string, structure: Structure])[] = [
  ['examples/softmax_regression.td', 'predict', { kernels: 2, reads: 4, writes: 2 }],
  ['examples/softmax_regression.td', 'train_step', { kernels: 6, reads: 17, writes: 7 }],
  ['examples/mlp.td', 'predict', { kernels: 3, reads: 7, writes: 3 }],
  ['examples/mlp.td', 'train_step', { kernels: 22, reads: 55, writes: 29 }],
  ['examples/lenet.td', 'predict', { kernels: 8, reads: 18, writes: 8 }],
  ['examples/lenet.td', 'train_step', { kernels: 26, reads: 85, writes: 39 }],
  ['examples/recurrent.td', 'predict', { kernels: 4, reads: 9, writes: 4 }],
  ['examples/recurrent.td', 'train_step', { kernels: 25, reads: 65, writes: 39 }],
  ['examples/linear_regression.td', 'train_step', { kernels: 4, reads: 12, writes: 5 }],
  ['examples/lenet_bn.td', 'train_step', { kernels: 27, reads: 113, writes: 66 }],
  ['examples/text/char_lstm.td', 'train_step', { kernels: 50, reads: 127, writes: 76 }],
  ['examples/text/gpt.td', 'train_step', { kernels: 222, reads: 780, writes: 380 }],
  ['examples/calculus/gmm.td', 'gradient', { kernels: 27, reads: 60, writes: 30 }],
  ['examples/calculus/kmeans.td', 'lloyd', { kernels: 4, reads: 8, writes: 4 }],
  ['examples/course/04-logistic-gates/logistic_gates.td', 'train_net', { kernels: 9, reads: 41, writes: 19 }],
  ['examples/course/06-mlp/mlp.td', 'train_step', { kernels: 14, reads: 43, writes: 15 }],
  ['examples/course/08-weight-decay/weight_decay.td', 'decayed_step', { kernels: 4, reads: 12, writes: 5 }],
  ['examples/course/09-dropout/dropout.td', 'train_dropped', { kernels: 18, reads: 69, writes: 35 }],
  ['examples/course/11-optimizers/optimizers.td', 'adam_walk', { kernels: 3, reads: 8, writes: 5 }],
  ['examples/course/12-cnn/cnn.td', 'train_step', { kernels: 27, reads: 106, writes: 50 }],
  ['examples/course/13-batch-norm/batch_norm.td', 'train_normalised', { kernels: 83, reads: 334, writes: 131 }],
  [
    'examples/course/14-recurrent-networks/recurrent_networks.td',
    'train_lstm',
    { kernels: 47, reads: 122, writes: 74 },
  ],
  ['examples/course/15-attention/attention.td', 'train_recall', { kernels: 25, reads: 72, writes: 36 }],
  ['bench/models/gpt.td', 'step', { kernels: 116, reads: 551, writes: 274 }],
  ['bench/models/lstm.td', 'step', { kernels: 17, reads: 54, writes: 28 }],
  ['bench/models/vgg.td', 'step', { kernels: 30, reads: 100, writes: 45 }],
  ['bench/models/resnet.td', 'step', { kernels: 104, reads: 530, writes: 314 }],
];

for (const file of new Set(expected.map(([name]) => name))) {
  test(file, () => {
    const found = structures(file);
    for (const [, entry, structure] of expected.filter(([name]) => name === file)) {
      assert.equal(found[entry], structure, entry);
    }
  });
}

test.run();
