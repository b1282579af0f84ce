// Products on the tensor cores of sm_90a, in the emulator: the ring of tiles, edges, batches that lie apart, factors that lie with the depth or with rows and
// columns contiguous, and what follows the sums; where tiles cannot be copied the other kernel computes the same product.

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

/** The same of factors that lie with their rows or columns contiguous: `a @ b` has a right one of that kind, the gradient of a weight both. */
const turned = (dtype: DType, left: boolean, right: boolean): Func =>
  define(`${dtype}_${left ? 'rows' : 'depth'}_${right ? 'columns' : 'depth'}`, (b) => {
    const x = b.param('x', { dtype, shape: left ? d('k', 'b', 'rows') : d('rows', 'b', 'k') });
    const w = b.param('w', { dtype, shape: right ? d('b', 'k', 'columns') : d('b', 'columns', 'k') });
    const space = { ...shapeSpace(d('b', 'rows', 'columns', 'k')), outer: 3 };
    const access = [plainAccess(left ? [3, 0, 1] : [1, 0, 3]), plainAccess(right ? [0, 3, 2] : [0, 2, 3])];
    return [b.elementwise('neg', [b.contract(space, access, [x, w])])];
  });

const narrow = [batched('bf16'), turned('bf16', false, true), turned('bf16', true, false), turned('bf16', true, true)];
const wide = [batched('f32'), turned('f32', false, true)];
/** Results of bf16 are rounded once, those of tf32 sum what was rounded. */
const groups = [
  { functions: narrow, slack: 2 },
  { functions: wide, slack: 400 },
] as const;

const sizes = [
  // More panels than stages, with an edge in every direction.
  { b: 1, rows: 130, columns: 30, k: 328 },
  { b: 2, rows: 20, columns: 260, k: 40 },
  { b: 2, rows: 136, columns: 264, k: 72 },
  { b: 1, rows: 200, columns: 72, k: 264 },
  // 9 numbers are no multiple of 16 bytes.
  { b: 2, rows: 40, columns: 30, k: 9 },
  { b: 2, rows: 30, columns: 40, k: 0 },
];

test('tiles of bf16 and tf32 with every edge', async () => {
  const texts: string[] = [];
  for (const { functions, slack } of groups) {
    const options = { cuda: 'emulated', precision: 'tf32', slack } as const;
    const { generated } = await checkAgainstInterpreter(functions, sizes, options);
    texts.push(...generated.sources.values());
  }
  const text = texts.join('');
  const calls = [...text.matchAll(/td_wgmma_product<(\w+), \d+, (\w+), (\w+)>/g)].map((call) =>
    call.slice(1).join(' '),
  );
  // Tensor cores do not turn tf32 over.
  const expected = ['true true', 'true false', 'false true', 'false false'].map((layout) => `TD_BF16 ${layout}`);
  assert.equal(calls.toSorted(), [...expected, 'TD_TF32 true true'].toSorted());
});

test('the same bits in every order of threads', async () => {
  const compiled = await compile(programOf([...narrow, ...wide]), { cuda: 'emulated', precision: 'tf32' });
  const dims = new Map(Object.entries({ b: 2, rows: 136, columns: 40, k: 200 }));
  const before = process.env.TDSL_EMU_ORDER;
  const results = ['0', '1', '12345'].map((order) => {
    process.env.TDSL_EMU_ORDER = order;
    const parts = [...narrow, ...wide].flatMap((fn) => compiled.run(fn.name, randomInputs(fn, dims, 5), dims));
    return parts.map(({ data }) => Buffer.from(data.buffer).toString('hex')).join(' ');
  });
  if (before === undefined) delete process.env.TDSL_EMU_ORDER;
  else process.env.TDSL_EMU_ORDER = before;
  assert.ok(results[1] === results[0] && results[2] === results[0], 'the results differ');
});

test('checked mode has nothing to say', async () => {
  for (const { functions, slack } of groups)
    await checkAgainstInterpreter(functions, [{ b: 2, rows: 72, columns: 32, k: 136 }], {
      cuda: 'checked',
      precision: 'tf32',
      slack,
    });
});

test.run();
