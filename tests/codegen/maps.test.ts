// Elementwise kernels as compiled C against the interpreter: broadcasts, views, all dtypes, sizes that are no multiple of a vector.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimMul, dimSymbol } from '../../compiler/ir/dims.js';
import { dtypes, isFloat } from '../../compiler/ir/dtype.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import {
  checkAgainstInterpreter,
  compile,
  define,
  programOf,
  randomNumbers,
  randomTensor,
  runnableMachines,
} from './support.js';

const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));
const settings = [0, 1, 3, 7, 16, 37].map((n) => ({ n }));

test('broadcasts and views agree', async () => {
  await checkAgainstInterpreter(
    [
      define('flat', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 5, 7) });
        const y = b.param('y', { dtype: 'f32', shape: d('n', 5, 7) });
        return [b.elementwise('mul', [b.elementwise('add', [x, y]), b.elementwise('exp', [x])])];
      }),
      define('bias', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 21) });
        const c = b.param('c', { dtype: 'f32', shape: d(21) });
        const s = b.param('s', { dtype: 'f32', shape: d('n', 1) });
        return [b.elementwise('relu', [b.elementwise('add', [b.elementwise('mul', [x, s]), c])])];
      }),
      define('permuted', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 4, 9) });
        const turned = b.view(x, { type: 'permute', permutation: [2, 0, 1] });
        return [b.elementwise('tanh', [b.elementwise('add', [turned, turned])])];
      }),
      ...(['f32', 'f64', 'u8'] as const).map((dtype) =>
        define(`turned_${dtype}`, (b) => {
          const x = b.param('x', { dtype, shape: d('n', 3, 40) });
          const y = b.param('y', { dtype, shape: d(3, 40, 'n') });
          return [b.elementwise('add', [b.view(x, { type: 'permute', permutation: [1, 2, 0] }), y])];
        }),
      ),
      define('reshaped', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 36) });
        const y = b.param('y', { dtype: 'f32', shape: d('n', 4, 3, 3) });
        return [b.elementwise('add', [b.reshape(x, d('n', 4, 3, 3)), y])];
      }),
      define('sliced', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 40) });
        const strided = b.view(x, { type: 'slice', starts: d(0, 3), steps: [1, 2], sizes: d('n', 18) });
        const flipped = b.view(strided, { type: 'flip', dims: [1] });
        return [b.elementwise('sub', [strided, flipped])];
      }),
      define('counted', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 10) });
        const y = b.param('y', { dtype: 'i64', shape: d('n', 1) });
        const hot = b.elementwise('eq', [b.iota(d('n', 10), 1), y]);
        return [b.elementwise('where', [hot, x, b.constant(0, 'f32')])];
      }),
      ...['lt', 'le', 'gt', 'ge', 'eq'].map((op) =>
        define(`where_${op}`, (b) => {
          const x = b.param('x', { dtype: 'f32', shape: d('n', 40) });
          const row = b.elementwise('sub', [b.iota(d('n', 1), 0), b.constant(3, 'i64')]);
          const [column, across] = [b.iota(d(40), 0), b.iota(d('n', 40), 1)];
          const mask = b.elementwise(op, [row, column]);
          const band = b.elementwise('logical_and', [mask, b.elementwise('lt', [across, b.constant(21, 'i64')])]);
          const all = b.elementwise('where', [mask, x, b.constant(-1, 'f32')]);
          return [all, b.elementwise('where', [band, b.constant(2, 'f32'), all]), mask];
        }),
      ),
      define('flattened', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 'n') });
        const n = dimSymbol('n');
        return [b.elementwise('neg', [b.reshape(x, [dimMul(n, n)])])];
      }),
    ],
    settings,
  );
});

test('all dtypes are added, compared, selected and cast', async () => {
  const numbers = dtypes.filter((dtype) => dtype !== 'bool');
  const arithmetic = numbers.map((dtype) =>
    define(`arithmetic_${dtype}`, (b) => {
      const x = b.param('x', { dtype, shape: d('n', 3) });
      const y = b.param('y', { dtype, shape: d('n', 3) });
      const isLess = b.elementwise('lt', [x, y]);
      const product = b.elementwise('mul', [b.elementwise('sub', [x, y]), x]);
      const both = b.elementwise('logical_and', [isLess, b.elementwise('ne', [x, b.constant(1, dtype)])]);
      return [b.elementwise('where', [both, product, b.elementwise('maximum', [x, y])]), both];
    }),
  );
  const casts = dtypes.map((from) =>
    define(`cast_${from}`, (b) => {
      const x = b.param('x', { dtype: from, shape: d('n', 3) });
      return dtypes.filter((to) => to !== from).map((to) => b.cast(x, to));
    }),
  );
  const divisions = numbers.map((dtype) =>
    define(`divide_${dtype}`, (b) => {
      const x = b.param('x', { dtype, shape: d('n') });
      const y = b.param('y', { dtype, shape: d('n') });
      return isFloat(dtype)
        ? [b.elementwise('div', [x, y])]
        : [b.elementwise('floor_div', [x, y]), b.elementwise('remainder', [x, y])];
    }),
  );
  for (const machine of runnableMachines()) {
    await checkAgainstInterpreter([...arithmetic, ...casts, ...divisions], settings, { machine });
  }
});

test('random bits are those of the interpreter, wherever a row begins', async () => {
  const draw = (name: string, ...shape: (number | string)[]) =>
    define(name, (b) => {
      const key = b.param('key', { dtype: 'i64', shape: d(2) });
      const x = b.param('x', { dtype: 'f32', shape: d(...shape) });
      const [bits] = b.add({ kind: 'source', source: { type: 'random_bits', shape: d(...shape) }, inputs: [key] });
      const kept = b.elementwise('gt', [bits!, b.constant(0, 'i32')]);
      return [bits!, b.elementwise('where', [kept, x, b.constant(0, 'f32')])];
    });
  const across = define('across', (b) => {
    const key = b.param('key', { dtype: 'i64', shape: d(2) });
    const x = b.param('x', { dtype: 'f32', shape: d(22, 'n') });
    const [bits] = b.add({ kind: 'source', source: { type: 'random_bits', shape: d('n', 22) }, inputs: [key] });
    const kept = b.elementwise('gt', [b.permute(bits!, [1, 0]), b.constant(0, 'i32')]);
    return [b.elementwise('where', [kept, x, b.constant(0, 'f32')])];
  });
  const folded = define('folded', (b) => {
    const key = b.param('key', { dtype: 'i64', shape: d(2) });
    const data = b.param('data', { dtype: 'i64', shape: [] });
    return b.add({ kind: 'source', source: { type: 'fold_in' }, inputs: [key, data] });
  });
  for (const machine of runnableMachines()) {
    await checkAgainstInterpreter(
      [draw('line', 'n'), draw('rows', 'n', 22), draw('wide', 3, 'n', 70), across, folded],
      [...settings, { n: 261 }],
      {
        machine,
      },
    );
  }
});

test('results that are larger than caches are those of their parts', async () => {
  const square = define('square', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n') });
    return [b.elementwise('tanh', [b.elementwise('mul', [x, x])])];
  });
  const compiled = await compile(programOf([square]));
  const type = { dtype: 'f32', shape: d('n') } as const;
  const whole = randomTensor(type, new Map([['n', 2 ** 22 + 5]]), randomNumbers(1)) as HostTensor & {
    data: Float32Array;
  };
  const [result] = compiled.run('square', [whole]) as [HostTensor & { data: Float32Array }];
  const step = 2 ** 20 - 3;
  for (let start = 0; start < whole.data.length; start += step) {
    const data = whole.data.slice(start, start + step);
    const [part] = compiled.run('square', [{ ...whole, shape: [data.length], data }]) as [HostTensor];
    assert.equal(Buffer.from(part.data.buffer).compare(Buffer.from(result.data.slice(start, start + step).buffer)), 0);
  }
});

test.run();
