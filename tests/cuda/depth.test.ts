// Products whose depth is divided, with a number of tiles that is known only when they run: the versions for few tiles and the one for many give the
// results of the interpreter on both sides of every bound, and the memory of parts stays bounded.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../codegen/generate.js';
import type { EntryPlan } from '../../codegen/plan/entry.js';
import { offsetsOf, workspaceBound } from '../../codegen/plan/memory.js';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { plainAccess, shapeSpace } from '../../compiler/ir/space.js';
import { checkAgainstInterpreter, define, programOf } from '../codegen/support.js';
import { assertSameBits } from './orders.js';

const test = suite('divided depth');
type Size = number | string;
const d = (...sizes: Size[]) => sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

/** Batches of products of a few rows and columns: a tile each. */
const batches = (dtype: DType, depth: number) =>
  define(`batches_${dtype}_${depth}`, (b) => {
    const x = b.param('x', { dtype, shape: d('b', 'n', depth) });
    const w = b.param('w', { dtype, shape: d('b', depth, 24) });
    const space = { ...shapeSpace(d('b', 'n', 24, depth)), outer: 3 };
    return [b.elementwise('abs', [b.contract(space, [plainAccess([0, 1, 3]), plainAccess([0, 3, 2])], [x, w])])];
  });
/**
 * The same over a depth that is short when it runs and taken to be long before: the versions are those of a long one. The batches lie between its two
 * indices, which are no single one then.
 */
const short = define('short', (b) => {
  const x = b.param('x', { dtype: 'f32', shape: d('k', 'b', 'n', 4) });
  const w = b.param('w', { dtype: 'f32', shape: d('k', 'b', 4, 24) });
  const space = { ...shapeSpace(d('b', 'n', 24, 'k', 4)), outer: 3 };
  return [b.elementwise('abs', [b.contract(space, [plainAccess([3, 0, 1, 4]), plainAccess([3, 0, 4, 2])], [x, w])])];
});
const rows = (depth: number, columns: number) =>
  define('rows', (b) => {
    const x = b.param('x', { dtype: 'bf16', shape: d('n', depth) });
    const w = b.param('w', { dtype: 'bf16', shape: d(depth, columns) });
    const space = { ...shapeSpace(d('n', columns, depth)), outer: 2 };
    return [b.contract(space, [plainAccess([0, 2]), plainAccess([2, 1])], [x, w])];
  });

test('sizes on both sides of every bound', async () => {
  const settings = [0, 1, 66, 67, 132, 133].map((b) => ({ b, n: 2, k: 3 }));
  const { generated } = await checkAgainstInterpreter([short], settings, { cuda: 'emulated', slack: 10 });
  assert.match(generated.sources.get('launches.c') ?? '', /length <= 66\)[\s\S]*length <= 132\)/);
  await checkAgainstInterpreter(
    [batches('f32', 512)],
    [
      { b: 1, n: 1 },
      { b: 133, n: 1 },
    ],
    { cuda: 'emulated', slack: 10 },
  );
});

test('the same bits in every order of threads', async () => {
  for (const b of [66, 67, 133]) await assertSameBits([short], { b, n: 2, k: 3 });
});

test('checked mode has nothing to say', async () => {
  const settings = [66, 67, 133].map((b) => ({ b, n: 1, k: 2 }));
  await checkAgainstInterpreter([short], settings, { cuda: 'checked', slack: 10 });
  await checkAgainstInterpreter([batches('bf16', 512)], [{ b: 2, n: 3 }], { cuda: 'checked', slack: 10 });
});

/** A product that is wide enough for two versions of the division, as code. */
const { sources, plan } = generate(programOf([rows(4096, 4096)]), {
  target: 'cuda',
  version: 'test',
  sourceHash: 'test',
});

test('the memory of parts is bounded, whatever the number of rows', () => {
  const { workspace } = plan.entries.get('rows') as EntryPlan;
  const bytes = (n: number) => offsetsOf(workspace, new Map([['n', n]])).end;
  assert.equal([1, 128, 256, 8192].map(bytes), [131072, 16777216, 17301504, 17301504]);
  assert.is(workspaceBound(workspace).key, '64*((4*min(32768*n, 4325376) + 63) // 64)');
});

test('few tiles have many parts, more tiles fewer, and many tiles none', () => {
  const host = sources.get('launches.c') ?? '';
  const [few, more, many] = host.split(/length <= \d+|\} else \{\n {2}\{/).slice(1) as [string, string, string];
  assert.match(host, /if \(length <= 33\)[\s\S]*else if \(length <= 132\)/);
  assert.match(few, /items = \(8\) \*/);
  assert.match(more, /items = \(2\) \*/);
  assert.match(many, /items = \(1\) \*/);
  assert.is([...host.matchAll(/state0_0 = .*buffers\[3\] \+ 0;/g)].length, 6, 'versions have the same memory');
});

test('neighbouring results of a part lie together', () => {
  assert.match(sources.get('kernels_0.cu') ?? '', /state0_0\[part0 \* n0 \* 4096 \+ i0 \* 4096 \+ i1\] = sum/);
});

test.run();
