// Reductions, rows, contractions, scans, gathers, scatters and assemblies as compiled C against the interpreter.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import { type DType, dtypes } from '../../compiler/ir/dtype.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { affine, affineSubscript, plainAccess, plainSubscript, shapeSpace } from '../../compiler/ir/space.js';
import { reduceOps } from '../../compiler/ops/reduce.js';
import { assertAgree, checkAgainstInterpreter, compile, define, programOf, runnableMachines } from './support.js';

const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));
const settings = [1, 3, 7, 16, 37, 130].map((n) => ({ n }));

/** Compares functions with the interpreter on every class of machines whose code runs here. */
async function checkEverywhere(
  functions: readonly Func[],
  sizes: readonly Readonly<Record<string, number>>[],
): Promise<void> {
  for (const machine of runnableMachines()) await checkAgainstInterpreter(functions, sizes, { machine });
}

test('every reduction in every dtype that it accepts, along rows, columns and all', async () => {
  const functions = reduceOps.flatMap((op) =>
    op.accepts.map((dtype: DType) =>
      define(`${op.name}_${dtype}`, (b) => {
        const x = b.param('x', { dtype, shape: d('n', 5) });
        const y = b.param('y', { dtype, shape: d(3, 'n') });
        return [
          ...b.reduce(op.name, x, [0]),
          ...b.reduce(op.name, x, [1]),
          ...b.reduce(op.name, x, [0, 1]),
          ...b.reduce(op.name, y, [1]),
        ];
      }),
    ),
  );
  await checkAgainstInterpreter(functions, settings);
});

test('rows: softmax, normalisation and what follows them', () =>
  checkEverywhere(
    [
      define('softmax', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 10) });
        const top = b.reshape(b.reduce('max', x, [1])[0]!, d('n', 1));
        const e = b.elementwise('exp', [b.elementwise('sub', [x, top])]);
        return [b.elementwise('div', [e, b.reshape(b.sum(e, [1]), d('n', 1))])];
      }),
      define('long_softmax', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d(4, 'n') });
        const top = b.reshape(b.reduce('max', x, [1])[0]!, d(4, 1));
        const e = b.elementwise('exp', [b.elementwise('sub', [x, top])]);
        return [b.elementwise('div', [e, b.reshape(b.sum(e, [1]), d(4, 1))])];
      }),
      define('stored_softmax', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 3, 37) });
        const top = b.reshape(b.reduce('max', x, [2])[0]!, d('n', 3, 1));
        const e = b.elementwise('exp', [b.elementwise('sub', [x, top])]);
        const total = b.sum(e, [2]);
        return [e, total, b.elementwise('div', [e, b.reshape(total, d('n', 3, 1))])];
      }),
      define('several_folds', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 4, 37) });
        const y = b.param('y', { dtype: 'f32', shape: d('n', 4, 37) });
        const [sum, product] = [b.sum(x, [2]), b.sum(b.elementwise('mul', [x, y]), [2])];
        const [top, at] = [b.reduce('max', y, [2])[0]!, b.reduce('max_with_index', x, [2])];
        const rest = b.sum(b.elementwise('sub', [x, b.reshape(sum, d('n', 4, 1))]), [2]);
        return [sum, product, top, ...at, rest];
      }),
      define('several_columns', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 3, 21) });
        const y = b.param('y', { dtype: 'f32', shape: d('n', 3, 21) });
        return [b.sum(x, [0, 1]), b.sum(b.elementwise('mul', [x, y]), [0, 1]), b.reduce('min', y, [0, 1])[0]!];
      }),
      define('batch_norm', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 3, 4, 5) });
        const count = b.constant(1 / 60, 'f32');
        const mean = b.reshape(b.elementwise('mul', [b.sum(x, [0, 2, 3]), count]), d(1, 3, 1, 1));
        const centered = b.elementwise('sub', [x, mean]);
        const variance = b.sum(b.elementwise('mul', [centered, centered]), [0, 2, 3]);
        const scale = b.reshape(
          b.elementwise('rsqrt', [b.elementwise('add', [variance, b.constant(1, 'f32')])]),
          d(1, 3, 1, 1),
        );
        return [b.elementwise('mul', [centered, scale]), variance];
      }),
      define('loss', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 10) });
        const top = b.reshape(b.reduce('max', x, [1])[0]!, d('n', 1));
        const shifted = b.elementwise('sub', [x, top]);
        const total = b.elementwise('log', [b.sum(b.elementwise('exp', [shifted]), [1])]);
        return [b.sum(total, [0])];
      }),
    ],
    settings,
  ));

test('contractions of all dtypes, with windows, masks, strides and diagonals', async () => {
  const products = dtypes
    .filter((dtype) => dtype !== 'bool')
    .map((dtype) =>
      define(`matmul_${dtype}`, (b) => {
        const x = b.param('x', { dtype, shape: d('n', 6) });
        const w = b.param('w', { dtype, shape: d(6, 9) });
        const space = {
          indices: [
            { name: 'i', extent: dimSymbol('n') },
            { name: 'j', extent: dimConst(9) },
            { name: 'k', extent: dimConst(6) },
          ],
          outer: 2,
        };
        return [b.contract(space, [plainAccess([0, 2]), plainAccess([2, 1])], [x, w])];
      }),
    );
  const convolution = define('convolution', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n', 2, 8, 8) });
    const w = b.param('w', { dtype: 'f32', shape: d(3, 2, 3, 3) });
    const extents = ['n', 3, 4, 4, 2, 3, 3];
    const indices = d(...extents).map((extent, i) => ({ name: `i${i}`, extent }));
    const window = (out: number, tap: number) =>
      affineSubscript(
        affine(
          [
            { index: out, coefficient: 2 },
            { index: tap, coefficient: 1 },
          ],
          -1,
        ),
        1,
        dimConst(8),
        indices,
      );
    return [
      b.contract(
        { indices, outer: 4 },
        [[plainSubscript(0), plainSubscript(4), window(2, 5), window(3, 6)], plainAccess([1, 4, 5, 6])],
        [x, w],
      ),
    ];
  });
  const spread = define('spread', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d('n', 5) });
    const w = b.param('w', { dtype: 'f32', shape: d(3) });
    const indices = d('n', 11, 3).map((extent, i) => ({ name: `i${i}`, extent }));
    const tap = affineSubscript(
      affine([
        { index: 1, coefficient: 1 },
        { index: 2, coefficient: -1 },
      ]),
      2,
      dimConst(5),
      indices,
    );
    return [b.contract({ indices, outer: 2 }, [[plainSubscript(0), tap], [plainSubscript(2)]], [x, w])];
  });
  const trace = define('trace', (b) => {
    const x = b.param('x', { dtype: 'f64', shape: d('n', 'n') });
    const indices = d('n', 'n').map((extent, i) => ({ name: `i${i}`, extent }));
    const guard = affine([
      { index: 0, coefficient: 1 },
      { index: 1, coefficient: -1 },
    ]);
    return [b.contract({ indices, outer: 0 }, [plainAccess([0, 1])], [x], [guard])];
  });
  await checkEverywhere([...products, convolution, spread, trace], settings);
});

test('windows, scans, concatenation and padding', () =>
  checkEverywhere(
    [
      define('max_pool', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 9, 9) });
        const indices = d('n', 4, 4, 3, 3).map((extent, i) => ({ name: `i${i}`, extent }));
        const window = (out: number, tap: number) =>
          affineSubscript(
            affine(
              [
                { index: out, coefficient: 2 },
                { index: tap, coefficient: 1 },
              ],
              -1,
            ),
            1,
            dimConst(9),
            indices,
          );
        return b.reduceOver('max_with_index', x, { indices, outer: 3 }, [
          plainSubscript(0),
          window(1, 3),
          window(2, 4),
        ]);
      }),
      define('scans', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d(5, 'n', 20) });
        const order = (op: string, dim: number, reverse: boolean) =>
          b.add({ kind: 'order', op, dim, reverse, inputs: [x] });
        return [...order('cumsum', 1, false), ...order('cumsum', 2, true), ...order('cummax', 1, false)];
      }),
      define('joined', (b) => {
        const x = b.param('x', { dtype: 'f32', shape: d('n', 3) });
        const y = b.param('y', { dtype: 'f32', shape: d('n', 'n') });
        const both = b.add({ kind: 'assemble', assemble: { type: 'concat', dim: 1 }, inputs: [x, y, x] })[0]!;
        const padded = b.add({
          kind: 'assemble',
          assemble: { type: 'pad', low: d(1, 2), high: d(0, 3), interior: [0, 0] },
          inputs: [x, b.constant(7, 'f32')],
        })[0]!;
        const spaced = b.add({
          kind: 'assemble',
          assemble: { type: 'pad', low: d(0, 2), high: d(0, 3), interior: [1, 2] },
          inputs: [x, b.constant(7, 'f32')],
        })[0]!;
        return [both, padded, spaced];
      }),
    ],
    settings,
  ));

test('gather and scatter check indices before they touch state', async () => {
  const rows = define('rows', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: d(6, 19) });
    const y = b.param('y', { dtype: 'i64', shape: d('n') });
    const u = b.param('u', { dtype: 'f32', shape: d('n', 19) });
    const access = [{ kind: 'lookup', operand: 1, subscripts: [plainSubscript(0)] } as const, plainSubscript(1)];
    const gathered = b.gather(shapeSpace(d('n', 19)), access, [x, y]);
    const into = [{ kind: 'lookup', operand: 2, subscripts: [plainSubscript(0)] } as const, plainSubscript(1)];
    const modes = (['add', 'set', 'max'] as const).map((mode) =>
      b.scatter(mode, shapeSpace(d('n', 19)), into, [x, u, y]),
    );
    return [gathered, ...modes];
  });
  const compiled = await compile(programOf([rows]));
  const inputs = (indices: number[]) => [
    hostTensor(
      'f32',
      [6, 19],
      Array.from({ length: 114 }, (_, i) => i * 0.5),
    ),
    hostTensor('i64', [indices.length], indices),
    hostTensor(
      'f32',
      [indices.length, 19],
      Array.from({ length: indices.length * 19 }, (_, i) => Math.sin(i)),
    ),
  ];
  const good = inputs([0, 5, 3, 3, 1, 0, 3]);
  const expected = new Interpreter(programOf([rows]).module).run('rows', good);
  const actual = compiled.run('rows', good);
  for (const [i, tensor] of expected.entries()) assertAgree(actual[i]!, tensor, `result ${i}`);
  assert.throws(() => compiled.run('rows', inputs([0, 6, 2])), /index 6 .*out of range.*6/);
  assert.throws(() => compiled.run('rows', inputs([0, -1, 2])), /index -1/);
});

test('a maximum of no elements is an error, a maximum for no rows is not', async () => {
  const peak = define('peak', (b) => b.reduce('max', b.param('x', { dtype: 'f32', shape: d('n', 'm') }), [1]));
  const compiled = await compile(programOf([peak]));
  assert.throws(() => compiled.run('peak', [hostTensor('f32', [2, 0], [])]), /max of no elements/);
  assert.equal(compiled.run('peak', [hostTensor('f32', [0, 0], [])])[0]!.shape, [0]);
  assert.equal(Array.from(compiled.run('peak', [hostTensor('f32', [1, 2], [3, 4])])[0]!.data as Float32Array), [4]);
});

test.run();
