// Products on the tensor cores of sm_90a, in the emulator: the ring of tiles, edges, batches that lie apart, and what follows the sums; where tiles cannot
// be copied the other kernel computes the same product.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { Func } from '../../compiler/ir/graph.js';
import { plainAccess, shapeSpace } from '../../compiler/ir/space.js';
import { checkAgainstInterpreter, compile, define, programOf } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';

const test = suite('wgmma');
const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

/** Batches of rows times columns, of operands in which the batch lies between them; enough of them for large tiles. */
const batched = (dtype: DType): Func =>
  define(`batched_${dtype}`, (b) => {
    const x = b.param('x', { dtype, shape: d('rows', 'b', 'k') });
    const w = b.param('w', { dtype, shape: d('b', 'columns', 'k') });
    const space = { ...shapeSpace(d('b', 'rows', 'columns', 'k')), outer: 3 };
    const sums = b.contract(space, [plainAccess([1, 0, 3]), plainAccess([0, 2, 3])], [x, w]);
    return [b.elementwise('abs', [sums])];
  });
const functions = [batched('bf16'), batched('f32')];

const sizes = [
  // More panels than stages, with an edge in every direction.
  { b: 1, rows: 130, columns: 30, k: 328 },
  { b: 2, rows: 20, columns: 260, k: 40 },
  // 9 numbers are no multiple of 16 bytes.
  { b: 2, rows: 40, columns: 30, k: 9 },
  { b: 2, rows: 30, columns: 40, k: 0 },
];

test('tiles of bf16 and tf32 with every edge', async () => {
  const options = { cuda: 'emulated', precision: 'tf32', slack: 400 } as const;
  const { generated } = await checkAgainstInterpreter(functions, sizes, options);
  const text = [...generated.sources.values()].join('');
  for (const kind of ['TD_BF16', 'TD_TF32']) assert.ok(text.includes(`td_wgmma_product<${kind}`), kind);
});

test('the same bits in every order of threads', async () => {
  const compiled = await compile(programOf(functions), { cuda: 'emulated', precision: 'tf32' });
  const dims = new Map(Object.entries({ b: 2, rows: 130, columns: 30, k: 200 }));
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

test('checked mode has nothing to say', async () => {
  await checkAgainstInterpreter(functions, [{ b: 2, rows: 70, columns: 30, k: 136 }], {
    cuda: 'checked',
    precision: 'tf32',
    slack: 400,
  });
});

test.run();
