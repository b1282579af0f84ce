// The CUDA backend in the emulator: values of all kinds of kernels against the interpreter, the same bits in every order of threads, nothing to
// find in checked mode. `TDSL_TEST_BACKEND=cuda-emulated` runs the tests of tests/codegen on it, too.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { assertAgree, checkAgainstInterpreter, compile, define } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';
import { loopDims, loopNames, loopProgram } from '../support/loops.js';
import { runExample } from './examples.js';
import { assertSameBits } from './orders.js';

const test = suite('cuda-emulated');
const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

/** Softmax of rows of a length, of which each element is read in three passes. */
const softmax = (length: number, dtype: DType = 'f32') =>
  define(`softmax_${length}_${dtype}`, (b) => {
    const x = b.param('x', { dtype, shape: d('n', length) });
    const top = b.reshape(b.reduce('max', x, [1])[0]!, d('n', 1));
    const e = b.elementwise('exp', [b.elementwise('sub', [x, top])]);
    return [b.elementwise('div', [e, b.reshape(b.sum(e, [1]), d('n', 1))])];
  });

/** Functions that take every path of the GPU schedule. */
const functions: readonly Func[] = [
  define('gelu_like', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n', 37) });
    const y = b.param('y', { dtype: 'f32', shape: d(37) });
    return [b.elementwise('mul', [b.elementwise('tanh', [x]), y])];
  }),
  // A row of run-time length; rows that a warp or a block keeps in registers, in packs or not, or in part; a row that is too long.
  define('softmax', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d(9, 'n') });
    const top = b.reshape(b.reduce('max', x, [1])[0]!, d(9, 1));
    const e = b.elementwise('exp', [b.elementwise('sub', [x, top])]);
    return [b.elementwise('div', [e, b.reshape(b.sum(e, [1]), d(9, 1))])];
  }),
  softmax(33),
  softmax(300),
  softmax(1024, 'f64'),
  softmax(1025),
  softmax(5000, 'bf16'),
  softmax(16384),
  softmax(20000),
  define('norm', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n', 520) });
    const gain = b.param('gain', { dtype: 'f32', shape: d(520) });
    const length = b.constant(520, 'f32');
    const mean = b.elementwise('div', [b.sum(x, [1]), length]);
    const off = b.elementwise('sub', [x, b.reshape(mean, d('n', 1))]);
    const spread = b.elementwise('div', [b.sum(b.elementwise('mul', [off, off]), [1]), length]);
    const scaled = b.elementwise('div', [off, b.reshape(b.elementwise('sqrt', [spread]), d('n', 1))]);
    return [b.elementwise('mul', [scaled, gain]), mean, spread];
  }),
  define('long_rows', (b) => {
    const x = b.param('x', { dtype: 'f64', shape: d(3, 'n', 50) });
    return [...b.reduce('max_with_index', x, [1, 2]), b.sum(x, [1, 2])];
  }),
  define('columns', (b) => [b.sum(b.param('x', { dtype: 'f32', shape: d('n', 5) }), [0])]),
  define('everything', (b) => [
    b.sum(b.elementwise('abs', [b.param('x', { dtype: 'f32', shape: d('n', 45) })]), [0, 1]),
  ]),
  define('half', (b) => {
    const x = b.param('x', { dtype: 'f16', shape: d('n', 64) });
    return [b.sum(x, [1]), b.elementwise('mul', [x, x])];
  }),
];

test('elementwise kernels, rows, columns and whole sums', async () => {
  await checkAgainstInterpreter(functions, [{ n: 1 }, { n: 7 }, { n: 130 }], { cuda: 'emulated' });
});

test('loops and branches, and their derivatives', async () => {
  const program = loopProgram(loopNames, 1);
  const compiled = await compile(program, { cuda: 'emulated' });
  const reference = new Interpreter(runPipeline(program, pipelines.reference).module);
  program.entries.forEach(({ fn, symbols }, i) => {
    const inputs = randomInputs(program.module.functions.get(fn) as Func, loopDims, 57 + i);
    const own = new Map([...loopDims].filter(([name]) => symbols.includes(name)));
    const want = reference.run(fn, inputs, { dims: own });
    compiled.run(fn, inputs, own).forEach((tensor, k) => {
      assertAgree(tensor, want[k] as HostTensor, `result ${k} of ${fn}`, 100);
    });
  });
});

/** Updates of matrices of several sizes by one rule. */
const updates = define('updates', (b) => {
  const rate = b.param('rate', { dtype: 'f32', shape: [] });
  return [3, 700, 4, 1].map((size) => {
    const [p, g] = [
      b.param(`p${size}`, { dtype: 'f32', shape: d(size, 5) }),
      b.param(`g${size}`, { dtype: 'f32', shape: d(size, 5) }),
    ];
    return b.elementwise('sub', [p, b.elementwise('mul', [g, rate])]);
  });
});

test('launches of one form that do not depend on each other are made at once', async () => {
  const compiled = await checkAgainstInterpreter([updates], [{}], { cuda: 'emulated' });
  const model = compiled.generated.sources.get('model.c') ?? '';
  assert.match(model, /const group_args args = \{call, same, columns, items, 4\};/);
  assert.is([...model.matchAll(/kernel_\d+\(&args\)/g)].length, 1);
  await checkAgainstInterpreter([updates], [{}], { cuda: 'checked' });
});

test('every order of threads and blocks gives the same bits', () => assertSameBits(functions, { n: 70 }));

test('checked mode has nothing to say on these kernels', async () => {
  await checkAgainstInterpreter(functions, [{ n: 3 }, { n: 40 }], { cuda: 'checked' });
});

for (const name of ['linear_regression', 'recurrent']) {
  test(`nor on those of the example ${name}`, () => runExample(name, 'cuda-checked'));
}

test.run();
