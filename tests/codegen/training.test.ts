// Whole training steps as compiled C: state is read and written as the interpreter does it, in place where that is possible.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { leNet, mlp, softmaxRegression } from '../support/models.js';
import { assertAgree, type CompileOptions, compile, randomNumbers, randomTensor } from './support.js';

/** Runs steps of a training program in C and in the interpreter, with the same random batches, and compares losses and state. */
async function compareSteps(
  program: Program,
  batches: readonly number[],
  slack: number,
  options: CompileOptions = {},
): Promise<void> {
  const compiled = await compile(program, options);
  const reference = runPipeline(program, pipelines.reference);
  const interpreter = new Interpreter(reference.module);
  const entry = reference.entries[0]!;
  const fn = reference.module.functions.get(entry.fn) as Func;
  const next = randomNumbers(7);
  let state = program.state.map((leaf) => {
    const count = leaf.shape.reduce((product, size) => product * size, 1);
    const scale =
      leaf.path === 'opt.lr'
        ? 0.05
        : leaf.path.startsWith('opt')
          ? 0
          : 1 / Math.sqrt(Math.max(1, count / (leaf.shape[0] ?? 1)));
    const values = Array.from({ length: count }, () => (leaf.path === 'opt.lr' ? scale : (next() - 0.5) * scale));
    return hostTensor('f32', leaf.shape, values);
  });
  for (const [i, leaf] of state.entries()) compiled.writeState(i, leaf);
  for (const batch of batches) {
    const dims = new Map([['B', batch]]);
    const x = randomTensor(fn.params.find((param) => param.name === 'x')!.type, dims, next);
    const y = hostTensor(
      'i64',
      [batch],
      Array.from({ length: batch }, () => Math.floor(next() * 10)),
    );
    const results = interpreter.run(entry.fn, [...state, x, y]);
    const [loss] = compiled.run(entry.name, [x, y]);
    assertAgree(loss as HostTensor, results[0] as HostTensor, 'the loss', slack);
    state = state.map((leaf, i) => {
      const at = entry.outputs.findIndex((output) => output.kind === 'state' && output.leaf === i);
      return at < 0 ? leaf : (results[at] as HostTensor);
    });
    for (const [i, leaf] of state.entries()) {
      assertAgree(compiled.readState(i), leaf, `${program.state[i]!.path} after a batch of ${batch}`, slack);
    }
  }
}

test('softmax regression, from files for all machines', () =>
  compareSteps(softmaxRegression(), [32, 7, 1, 64], 10, { machine: 'all' }));
test('a perceptron with momentum', () => compareSteps(mlp(true, [50, 33, 10]), [32, 5, 1], 50));
test('a convolutional net', () => compareSteps(leNet(), [4, 3], 100));

test('an index out of range leaves the state as it was', async () => {
  const program = softmaxRegression();
  const compiled = await compile(program);
  const next = randomNumbers(3);
  program.state.forEach((leaf, i) => {
    const count = leaf.shape.reduce((product, size) => product * size, 1);
    compiled.writeState(i, hostTensor('f32', leaf.shape, Array.from({ length: count }, next)));
  });
  const before = program.state.map((_, i) => Array.from(compiled.readState(i).data as Float32Array));
  const x = randomTensor(
    {
      dtype: 'f32',
      shape:
        program.entries[0]!.arguments[0]!.structure.kind === 'tensor'
          ? program.entries[0]!.arguments[0]!.structure.type.shape
          : [],
    },
    new Map([['B', 3]]),
    next,
  );
  assert.throws(() => compiled.run('train_step', [x, hostTensor('i64', [3], [1, 10, 2])]), /index 10/);
  assert.equal(
    program.state.map((_, i) => Array.from(compiled.readState(i).data as Float32Array)),
    before,
  );
});

test.run();
