// Row kernels of the CUDA backend in the emulator: rows of known and of run-time length, short ones that stay in registers and long ones that are
// read again, where one pass finds a maximum and a sum of exponentials.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Builder } from '../../compiler/ir/builder.js';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Value } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { assertAgree, checkAgainstInterpreter, compile, define, programOf } from '../codegen/support.js';
import { assertSameBits } from './orders.js';

const test = suite('cuda-rows');
type Size = number | string;
const d = (...sizes: Size[]) => sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

const row = (b: Builder, value: Value) => b.reshape(value, d(3, 1));
const largest = (b: Builder, x: Value) => row(b, b.reduce('max', x, [1])[0]!);
/** exp(x - max x), and its sum. */
function exponentials(b: Builder, x: Value) {
  const e = b.elementwise('exp', [b.elementwise('sub', [x, largest(b, x)])]);
  return { e, total: row(b, b.sum(e, [1])) };
}

const softmax = (length: Size, dtype: DType = 'f32') =>
  define(`softmax_${length}_${dtype}`, (b) => {
    const { e, total } = exponentials(b, b.param('x', { dtype, shape: d(3, length) }));
    return [b.elementwise('div', [e, total])];
  });

/** What is compared with the maximum is computed from two operands. */
const scaled = define('scaled', (b) => {
  const x = b.param('x', { dtype: 'f32', shape: d(3, 'n') });
  const scale = b.param('scale', { dtype: 'f32', shape: d('n') });
  const { e, total } = exponentials(b, b.elementwise('mul', [x, scale]));
  return [b.elementwise('div', [e, total])];
});

/** log Σ exp x, where an infinite maximum is not subtracted. */
const logSumExp = (length: Size) =>
  define(`log_sum_exp_${length}`, (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d(3, length) });
    const max = largest(b, x);
    const isInfinite = b.elementwise('eq', [b.elementwise('abs', [max]), b.constant(Number.POSITIVE_INFINITY, 'f32')]);
    const shift = b.elementwise('where', [isInfinite, b.constant(0, 'f32'), max]);
    const e = b.elementwise('exp', [b.elementwise('sub', [x, shift])]);
    return [b.elementwise('add', [b.elementwise('log', [row(b, b.sum(e, [1]))]), shift])];
  });

/** The derivative of a softmax: a further sum of what the first ones give. */
const gradient = define('gradient', (b) => {
  const x = b.param('x', { dtype: 'f32', shape: d(3, 'n') });
  const g = b.param('g', { dtype: 'f32', shape: d(3, 'n') });
  const { e, total } = exponentials(b, x);
  const y = b.elementwise('div', [e, total]);
  const dot = row(b, b.sum(b.elementwise('mul', [y, g]), [1]));
  return [b.elementwise('mul', [y, b.elementwise('sub', [g, dot])])];
});

/** Two sums that one pass finds. */
const sums = define('sums', (b) => {
  const x = b.param('x', { dtype: 'f32', shape: d(3, 'n') });
  const off = b.elementwise('sub', [x, row(b, b.reduce('min', x, [1])[0]!)]);
  const [a, c] = [b.sum(off, [1]), b.sum(b.elementwise('mul', [off, off]), [1])];
  return [b.elementwise('div', [off, row(b, a)]), c];
});

const functions = [
  softmax('n'),
  softmax('n', 'f64'),
  softmax('n', 'bf16'),
  softmax(40000),
  scaled,
  logSumExp('n'),
  gradient,
  sums,
];
/** Around the lengths at which a warp, a block and several passes take over, and where threads have no element. */
const lengths = [1, 31, 300, 1024, 1025, 3000, 8192, 8193, 20001];

test('rows of all lengths', async () => {
  const settings = lengths.map((n) => ({ n }));
  await checkAgainstInterpreter(functions, settings, { cuda: 'emulated' });
});

for (const n of [700, 5000, 9000]) {
  test(`every order of threads gives the same bits of rows of ${n}`, () => assertSameBits(functions, { n }));
}

test('checked mode has nothing to say', async () => {
  const settings = [{ n: 70 }, { n: 1100 }, { n: 8300 }];
  await checkAgainstInterpreter([softmax('n'), gradient, sums], settings, { cuda: 'checked' });
});

test('one pass finds the maximum and the sum of a long row', async () => {
  const { generated } = await compile(programOf([softmax('n')]), { cuda: 'emulated' });
  const text = generated.sources.get('kernels_0.cu') ?? '';
  const [, , long] = [...text.matchAll(/__global__[\s\S]*?TD_KERNEL/g)].map(([kernel]) => kernel);
  assert.is([...(long ?? '').matchAll(/= in0\[/g)].length, 2);
  assert.is([...(long ?? '').matchAll(/out0\[/g)].length, 1);
});

test('infinities and NaN', async () => {
  const { POSITIVE_INFINITY: inf } = Number;
  const program = programOf([softmax(20000), logSumExp(20000), softmax('n'), logSumExp('n')]);
  const compiled = await compile(program, { cuda: 'emulated' });
  const reference = new Interpreter(runPipeline(program, pipelines.reference).module);
  const rows: readonly ((i: number) => number)[] = [
    () => -inf,
    (i) => (i < 19990 ? -inf : -100 + i / 1e4),
    (i) => (i > 10 ? -inf : i),
    (i) => (i === 12345 ? inf : i),
    (i) => (i === 777 ? Number.NaN : i),
    (i) => (i === 777 ? inf : -inf),
    (i) => i * 1e-3,
    (i) => -i,
    (i) => (i % 7) * 1e30,
  ];
  for (let first = 0; first < rows.length; first += 3) {
    const data = rows.slice(first, first + 3).flatMap((at) => Array.from({ length: 20000 }, (_, i) => at(i)));
    const inputs: readonly HostTensor[] = [hostTensor('f32', [3, 20000], data)];
    for (const { fn, symbols } of program.entries) {
      const dims = new Map(symbols.map((name) => [name, 20000]));
      const want = reference.run(fn, inputs, { dims });
      for (const [k, tensor] of compiled.run(fn, inputs, dims).entries()) {
        assertAgree(tensor, want[k]!, `${fn}, rows from ${first}`, 10);
      }
    }
  }
});

test.run();
