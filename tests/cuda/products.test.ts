// Products in the emulator: all ways of their factors to shared memory (packs along either index, single elements, computed values), in all
// precisions, for sizes that fill no tile; the same bits in every order of threads, and nothing to find in checked mode.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Precision } from '../../codegen/kernel/gpu/schedule.js';
import type { Builder } from '../../compiler/ir/builder.js';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import { plainAccess, shapeSpace } from '../../compiler/ir/space.js';
import { checkAgainstInterpreter, compile, define, programOf } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';

const test = suite('products for GPUs');
const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

/** Rows × columns over a depth of 64, whose factors lie with the depth first or last. */
function product(b: Builder, dtype: DType, rows: number | string, isTurned: readonly [boolean, boolean]): Value {
  const [left, right] = isTurned;
  const x = b.param('x', { dtype, shape: left ? d(64, rows) : d(rows, 64) });
  const w = b.param('w', { dtype, shape: right ? d(64, 48) : d(48, 64) });
  const space = { ...shapeSpace(d(rows, 48, 64)), outer: 2 };
  return b.contract(space, [plainAccess(left ? [2, 0] : [0, 2]), plainAccess(right ? [2, 1] : [1, 2])], [x, w]);
}

/** The elements of a square matrix of 64 rows. */
const identity = (_: unknown, i: number): number => Number(i % 65 === 0);

const both = [false, true] as const;
const layouts = (dtype: DType): readonly Func[] =>
  both.flatMap((left) =>
    both.map((right) =>
      define(`${dtype}_${left ? 'columns' : 'rows'}_${right ? 'columns' : 'rows'}`, (b) => [
        product(b, dtype, 'n', [left, right]),
      ]),
    ),
  );

const functions: readonly Func[] = [
  ...layouts('f32'),
  ...layouts('bf16'),
  // Rows that are not aligned, and what follows a sum.
  define('linear', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n', 70) });
    const w = b.param('w', { dtype: 'f32', shape: d(40, 70) });
    const bias = b.param('bias', { dtype: 'f32', shape: d(40) });
    const space = { ...shapeSpace(d('n', 40, 70)), outer: 2 };
    const sums = b.contract(space, [plainAccess([0, 2]), plainAccess([1, 2])], [x, w]);
    return [b.elementwise('abs', [b.elementwise('add', [sums, bias])])];
  }),
  // Elements that are no cells of a panel: they are computed.
  define('half', (b) => [product(b, 'f16', 'n', [false, true])]),
  define('double', (b) => [product(b, 'f64', 'n', [false, true])]),
  // A product that is divided along its depth.
  define('deep', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d(1051, 40) });
    const dy = b.param('dy', { dtype: 'f32', shape: d(1051, 70) });
    const space = { ...shapeSpace(d(40, 70, 1051)), outer: 2 };
    return [b.elementwise('abs', [b.contract(space, [plainAccess([2, 0]), plainAccess([2, 1])], [x, dy])])];
  }),
  // The same of bf16, whose packs lie along rows and columns.
  define('deep_half', (b) => {
    const x = b.param('x', { dtype: 'bf16', shape: d(1051, 40) });
    const dy = b.param('dy', { dtype: 'bf16', shape: d(1051, 72) });
    const space = { ...shapeSpace(d(40, 72, 1051)), outer: 2 };
    return [b.contract(space, [plainAccess([2, 0]), plainAccess([2, 1])], [x, dy])];
  }),
  // Enough tiles for those of 128 x 128.
  define('batches', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d(25, 'n', 36) });
    const w = b.param('w', { dtype: 'f32', shape: d(25, 36, 'n') });
    const space = { ...shapeSpace(d(25, 'n', 'n', 36)), outer: 3 };
    return [b.contract(space, [plainAccess([0, 1, 3]), plainAccess([0, 3, 2])], [x, w])];
  }),
];

// The tolerance is relative to the largest sum; rounding operands to tf32 loses 13 bits of 24, to bf16 16 bits.
const precisions: readonly (readonly [Precision, number, RegExp])[] = [
  ['f32', 1, /td_product<TD_EXACT, float, 128/],
  ['tf32', 400, /td_product<TD_TF32, float, 128/],
  ['bf16', 3200, /td_product<TD_BF16, float, 128/],
];

for (const [precision, slack, call] of precisions) {
  test(`products in ${precision}`, async () => {
    const options = { cuda: 'emulated', precision, slack } as const;
    const compiled = await checkAgainstInterpreter(functions, [{ n: 50 }, { n: 96 }], options);
    const text = [...compiled.generated.sources.values()].join('');
    assert.match(text, call);
    assert.match(text, /float \*state0_0/, 'the deep product is not divided');
    for (const way of ['TD_PACKS, true', 'TD_PACKS, false', 'TD_COMPUTED, true', 'TD_COMPUTED, false'])
      assert.ok(text.includes(way), way);
  });
}

test('only products of f32 are rounded: f16 fits tf32, and is multiplied exactly under bf16', async () => {
  const half = functions.filter(({ name }) => name === 'half');
  const x: HostTensor = { dtype: 'f16', shape: [64, 64], data: Float32Array.from({ length: 64 * 64 }, identity) };
  const w: HostTensor = { dtype: 'f16', shape: [64, 48], data: new Float32Array(64 * 48).fill(1 + 2 ** -10) };
  for (const [precision] of precisions) {
    const compiled = await compile(programOf(half), { cuda: 'emulated', precision });
    const [{ data }] = compiled.run('half', [x, w], new Map([['n', 64]])) as [HostTensor];
    assert.ok(
      (data as Float32Array).every((value) => value === 1 + 2 ** -10),
      precision,
    );
  }
});

test('every order of threads and blocks gives the same bits', async () => {
  const compiled = await compile(programOf(functions), { cuda: 'emulated', precision: 'tf32' });
  const dims = new Map([['n', 70]]);
  const before = process.env.TDSL_EMU_ORDER;
  const results = ['0', '1', '12345'].map((order) => {
    process.env.TDSL_EMU_ORDER = order;
    const parts = functions.flatMap((fn) => compiled.run(fn.name, randomInputs(fn, dims, 5), dims));
    return parts.map(({ data }) => Buffer.from(data.buffer).toString('hex')).join(' ');
  });
  if (before === undefined) delete process.env.TDSL_EMU_ORDER;
  else process.env.TDSL_EMU_ORDER = before;
  assert.ok(results[1] === results[0] && results[2] === results[0], 'the results differ');
});

for (const precision of ['f32', 'tf32'] as const) {
  test(`checked mode has nothing to say on products in ${precision}`, async () => {
    const slack = precision === 'f32' ? 1 : 400;
    await checkAgainstInterpreter(functions, [{ n: 50 }], { cuda: 'checked', precision, slack });
  });
}

test.run();
