// Running folds on the emulated GPU: rows of a block, rows that are divided among blocks, columns of a thread each.

import { suite } from 'uvu';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { checkAgainstInterpreter, define } from '../codegen/support.js';
import { assertSameBits } from './orders.js';

const test = suite('running folds on a GPU');
const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

const functions: readonly Func[] = [
  // A row of run-time length is divided: most parts of short ones are empty.
  ...['cumsum', 'cummax'].flatMap((op) =>
    [false, true].map((reverse) =>
      define(`${op}_${reverse ? 'back' : 'on'}`, (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n') });
        return [...b.add({ kind: 'order', op, dim: 0, reverse, inputs: [x] })];
      }),
    ),
  ),
  define('rows', (b) => {
    const x = b.elementwise('round', [b.param('x', { dtype: 'f16', shape: d('n', 300) })]);
    return [...b.add({ kind: 'order', op: 'cummin', dim: 1, reverse: false, inputs: [x] })];
  }),
  define('long_rows', (b) => {
    const x = b.param('x', { dtype: 'i32', shape: d(2, 20000) });
    return [...b.add({ kind: 'order', op: 'cumsum', dim: 1, reverse: false, inputs: [x] })];
  }),
  define('columns', (b) => {
    const x = b.param('x', { dtype: 'f64', shape: d(2, 'n', 3) });
    return [...b.add({ kind: 'order', op: 'cumprod', dim: 1, reverse: true, inputs: [x] })];
  }),
];

test('states agree with the interpreter', async () => {
  const sizes = [0, 1, 5, 1023, 1024, 1025, 5000].map((n) => ({ n }));
  await checkAgainstInterpreter(functions, sizes, { cuda: 'emulated', slack: 20 });
});

test('checked mode has nothing to say', async () => {
  await checkAgainstInterpreter(functions, [{ n: 3 }, { n: 2100 }], { cuda: 'checked', slack: 20 });
});

test('every order of threads gives the same bits', () => assertSameBits(functions, { n: 1500 }));

test.run();
