// Sorting on the emulated GPU: rows that are ranked, sorted by a block, and merged, of known length and not.

import { suite } from 'uvu';
import { dimConst, dimFloorDiv, dimSymbol } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { checkAgainstInterpreter, define } from '../codegen/support.js';
import { assertSameBits } from './orders.js';

const test = suite('sorting on a GPU');

/** Rounding makes ties, whose positions tell whether the order is stable. */
const functions: readonly Func[] = [
  ...[40, 65, 3000].map((length) =>
    define(`rows_${length}`, (b) => {
      const x = b.elementwise('round', [b.param('x', { dtype: 'f32', shape: [dimConst(3), dimConst(length)] })]);
      return [...b.add({ kind: 'order', op: 'argsort', dim: 1, reverse: length === 65, inputs: [x] })];
    }),
  ),
  define('all', (b) => {
    const x = b.param('x', { dtype: 'i64', shape: [dimSymbol('n')] });
    return [...b.add({ kind: 'order', op: 'argsort', dim: 0, reverse: true, inputs: [x] })];
  }),
  ...(
    [
      [40, 3],
      [65, 1],
      [65, 20],
      [3000, 1],
      [3000, 20],
    ] as const
  ).map(([length, size]) =>
    define(`places_${length}_${size}`, (b) => {
      const x = b.elementwise('round', [b.param('x', { dtype: 'f32', shape: [dimConst(3), dimConst(length)] })]);
      const places = { start: dimConst(size === 3 ? 0 : 19), size: dimConst(size) };
      return [...b.add({ kind: 'order', op: 'argsort', dim: 1, reverse: length === 65, places, inputs: [x] })];
    }),
  ),
  define('middle', (b) => {
    const x = b.param('x', { dtype: 'i64', shape: [dimSymbol('n')] });
    const places = { start: dimFloorDiv(dimSymbol('n'), dimConst(3)), size: dimFloorDiv(dimSymbol('n'), dimConst(2)) };
    return [...b.add({ kind: 'order', op: 'argsort', dim: 0, reverse: false, places, inputs: [x] })];
  }),
  define('columns', (b) => {
    const x = b.elementwise('round', [b.param('x', { dtype: 'f64', shape: [dimSymbol('n'), dimConst(2)] })]);
    return [...b.add({ kind: 'order', op: 'argsort', dim: 0, reverse: false, inputs: [x] })];
  }),
];

test('positions agree with the interpreter, in any number of passes', async () => {
  const sizes = [0, 1, 2, 100, 2047, 2048, 2049, 4097, 9000].map((n) => ({ n }));
  await checkAgainstInterpreter(functions, sizes, { cuda: 'emulated' });
});

test('checked mode has nothing to say', async () => {
  await checkAgainstInterpreter(functions, [{ n: 5 }, { n: 4500 }], { cuda: 'checked' });
});

test('every order of threads gives the same positions', () => assertSameBits(functions, { n: 4500 }));

test.run();
