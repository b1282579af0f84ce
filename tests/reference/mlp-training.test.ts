// Twenty training steps follow PyTorch's losses, from the same parameters and batches, by the interpreter and by the C backend.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Instance, interpret, native } from '../../cli/backends.js';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../cli/package.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Tensor } from '../../runtime/tensor.js';
import { mlpBatches, mlpParameters, STEPS } from './mlp-inputs.js';

interface Reference {
  readonly runs: Readonly<Record<'sgd' | 'adam', { readonly losses: readonly number[] }>>;
}

const folder = path.join(packageRoot, 'tests', 'reference');
const reference = JSON.parse(readFileSync(path.join(folder, 'mlp_losses.json'), 'utf8')) as Reference;
const program = loadProgram(path.join(folder, 'mlp.td'));

const toHost = ({ dtype, shape, data }: Tensor): HostTensor => ({ dtype, shape, data: data as HostTensor['data'] });

/** The losses of all steps of one optimizer. */
async function train(instance: Instance, optimizer: 'sgd' | 'adam'): Promise<readonly number[]> {
  instance.seed(0);
  for (const [name, value] of Object.entries(mlpParameters())) {
    const leaf = program.state.findIndex(({ path: leafPath }) => leafPath === `net.${name}`);
    assert.ok(leaf >= 0, `the state has net.${name}`);
    instance.setState(leaf, toHost(value));
  }
  const batches = await mlpBatches();
  return batches.map(({ x, y }) => Number(instance.run(optimizer, [toHost(x), toHost(y)])[0]?.data[0]));
}

const test = suite('training follows PyTorch');

const backends: Readonly<Record<string, () => Promise<Instance>>> = {
  interpreter: async () => interpret(lower(program).program),
  c: () => native(lower(program)),
};

for (const [name, make] of Object.entries(backends)) {
  for (const optimizer of ['sgd', 'adam'] as const) {
    test(`${optimizer}, ${name}`, async () => {
      const got = await train(await make(), optimizer);
      const want = reference.runs[optimizer].losses;
      assert.is(got.length, STEPS);
      got.forEach((loss, step) => {
        const expected = want[step] ?? Number.NaN;
        assert.ok(Math.abs(loss - expected) <= 1e-4 * expected, `step ${step}: got ${loss}, PyTorch has ${expected}`);
      });
    });
  }
}

test.run();
