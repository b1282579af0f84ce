// Sums of columns and whole tensors on GPUs: of one launch where they are short, else divided among threads or blocks, whose states a second launch
// joins. Run-time sizes around those at which the host takes the other way.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import { checkAgainstInterpreter, compile, define, programOf } from '../codegen/support.js';
import { assertSameBits } from './orders.js';

const test = suite('cuda-sums');
type Size = number | string;
const d = (...sizes: Size[]) => sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

const columns = (rows: Size, width: Size) =>
  define(`columns_${rows}_${width}`, (b) => [b.sum(b.param('x', { dtype: 'f32', shape: d(rows, width) }), [0])]);
const total = (...shape: Size[]) =>
  define(`total_${shape.join('_')}`, (b) => [
    b.sum(
      b.param('x', { dtype: 'f32', shape: d(...shape) }),
      shape.map((_, i) => i),
    ),
  ]);
/** What all columns read is no reason to go along them. */
const weighted = define('weighted', (b) => {
  const [x, w] = [b.param('x', { dtype: 'f32', shape: d('n', 70) }), b.param('w', { dtype: 'f32', shape: d('n', 1) })];
  return [b.sum(b.elementwise('mul', [x, w]), [0])];
});
/** The gradients of a scale and a shift: two sums in one pass, with the position of the largest. */
const pair = define('pair', (b) => {
  const [x, y] = [0, 1].map((i) => b.param(`x${i}`, { dtype: 'f32', shape: d('n', 66) })) as [never, never];
  return [b.sum(b.elementwise('mul', [x, y]), [0]), b.sum(y, [0]), ...b.reduce('max_with_index', x, [0])];
});
const channels = define('channels', (b) => [b.sum(b.param('x', { dtype: 'f32', shape: d('n', 3, 50) }), [0, 2])]);

const functions = [
  columns('n', 70),
  columns('n', 9),
  columns('n', 'm'),
  columns(300, 65),
  total('n', 7),
  total('n', 'm'),
  total(9000),
  weighted,
  pair,
  channels,
];

test('sums of all lengths', async () => {
  const settings = [1, 64, 65, 300, 1100, 2000].map((n) => ({ n, m: 11 }));
  await checkAgainstInterpreter(functions, settings, { cuda: 'emulated', slack: 10 });
});

test('every order of threads gives the same bits', () => assertSameBits(functions, { n: 1500, m: 6 }));

test('checked mode has nothing to say', async () => {
  const settings = [{ n: 60 }, { n: 1300 }];
  await checkAgainstInterpreter([columns('n', 70), total('n', 7), pair], settings, { cuda: 'checked', slack: 10 });
});

test('columns of a tensor of run-time size are divided among threads', async () => {
  const { generated } = await compile(programOf([columns('n', 'm')]), { cuda: 'emulated' });
  const host = generated.sources.get('launches.c') ?? '';
  assert.match(host, /if \(length <= 64\)/);
  assert.match(host, /int64_t items = n\d \* 128;[\s\S]*?items, 1, params/);
});

test.run();
