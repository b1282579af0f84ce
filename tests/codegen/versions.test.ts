// Modules with kernels for several CPUs: each version computes what a module for that CPU alone computes, to the last bit.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cpusOf } from '../../codegen/build/target.js';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import {
  type Compiled,
  compile,
  define,
  isEmulated,
  programOf,
  randomNumbers,
  randomTensor,
  runnableCpus,
} from './support.js';

const test = suite('versions');
test.after.each(() => {
  delete process.env.TDSL_CPU;
});

const B = dimSymbol('B');
const type = { dtype: 'f32', shape: [B, dimConst(1000)] } as const;

/** Sums of rows and of their exponentials: lanes are joined in an order that depends on the width of vectors. */
const program = programOf([
  define('sums', (b) => {
    const x = b.param('x', type);
    return [b.sum(x, [1]), b.sum(b.elementwise('exp', [x]), [1])];
  }),
]);

const dims = new Map([['B', 3]]);
const x = randomTensor(type, dims, randomNumbers(7));
const bits = (compiled: Compiled): string =>
  compiled
    .run('sums', [x], dims)
    .map(({ data }: HostTensor) => Buffer.from((data as Float32Array).buffer).toString('hex'))
    .join();

test('the names of CPUs', () => {
  assert.equal(cpusOf('znver4'), ['znver4']);
  assert.equal(cpusOf('x86-64, x86-64-v3,x86-64'), ['x86-64', 'x86-64-v3']);
  assert.is(cpusOf('portable').includes('portable'), false);
});

// A module for GPUs has one version of its kernels.
const onCpu = isEmulated ? test.skip : test;

onCpu('each version computes what a module for its CPU computes', async () => {
  const cpus = cpusOf('portable');
  const runnable = runnableCpus();
  const alone: string[] = [];
  for (const cpu of runnable) alone.push(bits(await compile(program, { cpus: [cpu] })));
  assert.is(new Set(alone).size, runnable.length, 'the test cannot tell the versions apart');

  const first = await compile(program, { cpus });
  assert.is(bits(first), alone.at(-1), 'loading takes the widest');
  for (const [i, cpu] of runnable.entries()) {
    process.env.TDSL_CPU = cpu;
    assert.is(bits(first.again()), alone[i], cpu);
  }
});

test.run();
