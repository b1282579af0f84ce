// The rewrites of canonicalisation, one by one: what each makes, and where it must not apply.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Builder } from '../../../compiler/ir/builder.js';
import { dimConst, dimSymbol } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import { type Func, nodeName, type TensorType, type Value } from '../../../compiler/ir/graph.js';
import { affine, affineSubscript, dimsSpace, plainAccess, plainSubscript } from '../../../compiler/ir/space.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { canonicaliseFunction, rewrites } from '../../../compiler/passes/canonicalise.js';
import { buildFunction } from '../../support/calculus.js';
import { evaluateDims, Random, randomTensor } from '../../support/random.js';

const c = (...sizes: readonly number[]) => sizes.map(dimConst);
const of = (dtype: DType, ...shape: readonly number[]): TensorType => ({ dtype, shape: c(...shape) });
const B = dimSymbol('B');

/** Rewrites a function and checks that it still computes the same values; its node names. */
function rewritten(
  types: readonly TensorType[],
  body: (b: Builder, p: readonly Value[]) => Value,
): { func: Func; names: readonly string[] } {
  const before = buildFunction(types, (b, p) => [body(b, p)]);
  const func = canonicaliseFunction(before);
  verifyModule({ functions: new Map([['f', func]]) });
  const dims = new Map([['B', 3]]);
  const inputs = types.map((type) => randomTensor(new Random(4), type, [-2, 2], dims));
  const run = (f: Func) =>
    numbersOf(new Interpreter({ functions: new Map([['f', f]]) }).run('f', inputs, { dims })[0] as never);
  const [want, got] = [run(before), run(func)];
  want.forEach(
    (x, i) =>
      void assert.ok(
        Object.is(x, got[i]) || Math.abs(x - (got[i] as number)) < 1e-12,
        `element ${i}: ${got[i]}, expected ${x}`,
      ),
  );
  assert.equal(
    evaluateDims(func.results[0]?.type.shape ?? [], dims),
    evaluateDims(before.results[0]?.type.shape ?? [], dims),
  );
  return { func, names: func.nodes.map(nodeName) };
}

const becomes = (
  name: string,
  types: readonly TensorType[],
  body: (b: Builder, p: readonly Value[]) => Value,
  expected: readonly string[],
) =>
  test(name, () => {
    assert.equal(rewritten(types, body).names, expected);
  });

const x = of('f64', 2, 3);
const on =
  (op: string, ...inputs: readonly (Value | undefined)[]) =>
  (b: Builder) =>
    b.elementwise(op, inputs as readonly Value[]);

becomes('x · 1', [x], (b, [v]) => on('mul', v, b.constant(1, 'f64'))(b), []);
becomes(
  '1 · x, repeated to a larger shape',
  [of('f64', 3)],
  (b, [v]) => on('mul', b.constant(1, 'f64', c(2, 3)), v)(b),
  ['broadcast'],
);
becomes('x · -1', [x], (b, [v]) => on('mul', v, b.constant(-1, 'f64'))(b), ['neg']);
becomes('x + 0 stays for floats', [x], (b, [v]) => on('add', v, b.constant(0, 'f64'))(b), ['constant', 'add']);
becomes('x + -0', [x], (b, [v]) => on('add', v, b.constant(-0, 'f64'))(b), []);
becomes('n + 0', [of('i64', 3)], (b, [v]) => on('add', v, b.constant(0, 'i64'))(b), []);
becomes('x - 0', [x], (b, [v]) => on('sub', v, b.constant(0, 'f64'))(b), []);
becomes('x · 0 stays: x may be NaN', [x], (b, [v]) => on('mul', v, b.constant(0, 'f64'))(b), ['constant', 'mul']);
becomes('x / 1', [x], (b, [v]) => on('div', v, b.constant(1, 'f64'))(b), []);
becomes('x / 8', [x], (b, [v]) => on('div', v, b.constant(8, 'f64'))(b), ['constant', 'mul']);
becomes('x / 3 stays', [x], (b, [v]) => on('div', v, b.constant(3, 'f64'))(b), ['constant', 'div']);
becomes('-(-x)', [x], (b, [v]) => on('neg', on('neg', v)(b))(b), []);
becomes('a + -b', [x, x], (b, [v, w]) => on('add', v, on('neg', w)(b))(b), ['sub']);
becomes('-a + b', [x, x], (b, [v, w]) => on('add', on('neg', v)(b), w)(b), ['sub']);
becomes('a - -b', [x, x], (b, [v, w]) => on('sub', v, on('neg', w)(b))(b), ['add']);
becomes('-(x · c)', [x], (b, [v]) => on('neg', on('mul', v, b.constant(3, 'f64'))(b))(b), ['constant', 'mul']);
becomes('not not c', [of('bool', 3)], (b, [v]) => on('logical_not', on('logical_not', v)(b))(b), []);
becomes('where true', [x, x], (b, [v, w]) => on('where', b.constant(true, 'bool'), v, w)(b), []);
becomes(
  'where false, with broadcasting',
  [x, of('f64')],
  (b, [v, w]) => on('where', b.constant(false, 'bool'), v, w)(b),
  ['broadcast'],
);
becomes('where of equals', [of('bool', 2, 3), x], (b, [k, v]) => on('where', k, v, v)(b), []);
becomes('where not', [of('bool', 2, 3), x, x], (b, [k, v, w]) => on('where', on('logical_not', k)(b), v, w)(b), [
  'where',
]);
becomes(
  'a cast that loses nothing, then another',
  [of('f32', 3)],
  (b, [v]) => b.cast(b.cast(v as Value, 'f64'), 'f32'),
  [],
);
becomes('a cast that loses something stays', [of('f64', 3)], (b, [v]) => b.cast(b.cast(v as Value, 'f32'), 'f64'), [
  'cast',
  'cast',
]);
becomes('an i64 does not fit f32', [of('i64', 3)], (b, [v]) => b.cast(b.cast(v as Value, 'f32'), 'f64'), [
  'cast',
  'cast',
]);
becomes('an i16 fits f32', [of('i16', 3)], (b, [v]) => b.cast(b.cast(v as Value, 'f32'), 'f64'), ['cast']);
becomes('a bool through i64 to f32', [of('bool', 3)], (b, [v]) => b.cast(b.cast(v as Value, 'i64'), 'f32'), ['cast']);
becomes('x ** 2', [x], (b, [v]) => on('pow', v, b.constant(2, 'f64'))(b), ['mul']);
becomes('x ** 1', [x], (b, [v]) => on('pow', v, b.constant(1, 'f64'))(b), []);
becomes('x ** 0', [x], (b, [v]) => on('pow', v, b.constant(0, 'f64'))(b), ['constant']);
becomes('constants', [], (b) => on('exp', on('add', b.constant(1, 'f64'), b.constant(2, 'f64', c(2)))(b))(b), [
  'constant',
]);
becomes('constants of every width', [], (b) => on('add', b.constant(2n ** 40n, 'i64'), b.constant(5, 'i64'))(b), [
  'constant',
]);
becomes('a constant size', [], (b) => b.size(dimConst(7)), ['constant']);
becomes('a run-time size stays', [{ dtype: 'f64', shape: [B] }], (b) => b.size(B), ['size']);
becomes('a repeated constant operand', [x], (b, [v]) => on('add', v, b.constant(5, 'f64', c(2, 3)))(b), [
  'constant',
  'add',
]);

becomes('a broadcast operand', [x, of('f64', 3)], (b, [v, w]) => on('add', v, b.broadcastTo(w as Value, c(2, 3)))(b), [
  'add',
]);
becomes(
  'an operand repeated along the last dimension',
  [x, of('f64', 2)],
  (b, [v, w]) => on('add', v, b.view(w as Value, { type: 'broadcast', shape: c(2, 3), dims: [0] }))(b),
  ['reshape', 'add'],
);
becomes(
  'a scalar repeated everywhere',
  [x, of('f64')],
  (b, [v, w]) => on('mul', v, b.broadcastTo(w as Value, c(2, 3)))(b),
  ['mul'],
);
becomes(
  'one of two broadcast operands gives the shape',
  [of('f64', 3), of('f64', 2, 1)],
  (b, [v, w]) => on('mul', b.broadcastTo(v as Value, c(2, 3)), b.broadcastTo(w as Value, c(2, 3)))(b),
  ['broadcast', 'mul'],
);
becomes('an operation on a repeated value', [of('f64')], (b, [v]) => on('exp', b.broadcastTo(v as Value, c(4)))(b), [
  'exp',
  'broadcast',
]);
becomes('views of a constant', [], (b) => b.permute(b.constant(2, 'f64', c(2, 3)), [1, 0]), ['constant']);
becomes('reshapes', [x], (b, [v]) => b.reshape(b.reshape(v as Value, c(6)), c(3, 2)), ['reshape']);
becomes('reshapes that return', [x], (b, [v]) => b.reshape(b.reshape(v as Value, c(6)), c(2, 3)), []);
becomes('permutations', [of('f64', 2, 3, 4)], (b, [v]) => b.permute(b.permute(v as Value, [2, 0, 1]), [1, 2, 0]), []);
becomes(
  'flips',
  [x],
  (b, [v]) => {
    const flip = (value: Value, dims: readonly number[]) => b.view(value, { type: 'flip', dims });
    return flip(flip(v as Value, [0, 1]), [1]);
  },
  ['flip'],
);
becomes(
  'slices',
  [of('f64', 20)],
  (b, [v]) => {
    const slice = (value: Value, start: number, step: number, size: number) =>
      b.view(value, { type: 'slice', starts: c(start), steps: [step], sizes: c(size) });
    return slice(slice(v as Value, 3, 2, 8), 1, 3, 2);
  },
  ['slice'],
);
const largest = (b: Builder, value: Value | undefined): Value =>
  b.add({ kind: 'order', op: 'argsort', dim: 1, reverse: true, inputs: [value as Value] })[0] as Value;
const columns = (b: Builder, value: Value, start: number, step: number, size: number): Value =>
  b.view(value, { type: 'slice', starts: c(0, start), steps: [1, step], sizes: c(2, size) });
becomes(
  'places of a sort, of which others are taken',
  [of('f64', 2, 9)],
  (b, [v]) => columns(b, columns(b, largest(b, v), 2, 1, 6), 1, 1, 3),
  ['argsort'],
);
becomes(
  'a sort whose whole order something else reads',
  [of('f64', 2, 9)],
  (b, [v]) => {
    const order = largest(b, v);
    return on('add', columns(b, order, 0, 1, 1), order)(b);
  },
  ['argsort', 'slice', 'add'],
);
becomes('every other place of a sort', [of('f64', 2, 9)], (b, [v]) => columns(b, largest(b, v), 0, 2, 3), [
  'argsort',
  'slice',
]);
becomes(
  'a slice of everything',
  [x],
  (b, [v]) => b.view(v as Value, { type: 'slice', starts: c(0, 0), steps: [1, 1], sizes: c(2, 3) }),
  [],
);
becomes('broadcasts', [of('f64', 3)], (b, [v]) => b.broadcastTo(b.broadcastTo(v as Value, c(2, 3)), c(4, 2, 3)), [
  'broadcast',
]);
becomes(
  'a broadcast of inserted unit dimensions',
  [of('f64', 2)],
  (b, [v]) => b.broadcastTo(b.reshape(v as Value, c(2, 1)), c(2, 3)),
  ['broadcast'],
);
becomes(
  'a broadcast by units',
  [of('f64', 2)],
  (b, [v]) => b.view(v as Value, { type: 'broadcast', shape: c(1, 2, 1), dims: [1] }),
  ['reshape'],
);
becomes('a permutation of units', [of('f64', 2, 1, 3)], (b, [v]) => b.permute(v as Value, [1, 0, 2]), ['reshape']);
becomes('padding by nothing', [x], (b, [v]) => b.pad(v as Value, b.constant(0, 'f64'), c(0, 0), c(0, 0), [0, 0]), []);
becomes('joining with nothing', [x, of('f64', 2, 0)], (b, p) => b.concat(p, 1), []);

/** `a @ b` of matrices. */
function matmul(b: Builder, left: Value, right: Value): Value {
  const [rows, inner] = left.type.shape as readonly [typeof B, typeof B];
  const [, columns] = right.type.shape as readonly [typeof B, typeof B];
  const indices = [rows, columns, inner].map((extent, i) => ({ name: 'ijk'[i] as string, extent }));
  return b.contract({ indices, outer: 2 }, [plainAccess([0, 2]), plainAccess([2, 1])], [left, right]);
}

becomes('a @ b.T', [x, of('f64', 4, 3)], (b, [v, w]) => matmul(b, v as Value, b.permute(w as Value, [1, 0])), [
  'contract',
]);
becomes(
  'a[::2].flip @ b',
  [of('f64', 6, 3), of('f64', 3, 2)],
  (b, [v, w]) => {
    const half = b.view(v as Value, { type: 'slice', starts: c(1, 0), steps: [2, 1], sizes: c(3, 3) });
    return matmul(b, b.view(half, { type: 'flip', dims: [1] }), w as Value);
  },
  ['contract'],
);
becomes(
  'a product with a repeated matrix',
  [x, of('f64', 3)],
  (b, [v, w]) => matmul(b, v as Value, b.view(w as Value, { type: 'broadcast', shape: c(3, 4), dims: [0] })),
  ['contract', 'broadcast'],
);
becomes(
  'a product that is permuted',
  [x, of('f64', 3, 4)],
  (b, [v, w]) => b.elementwise('exp', [b.permute(matmul(b, v as Value, w as Value), [1, 0])]),
  ['contract', 'exp'],
);
becomes(
  'a product that is read permuted and as it is',
  [x, of('f64', 3, 2)],
  (b, [v, w]) => {
    const z = matmul(b, v as Value, w as Value);
    return b.elementwise('add', [z, b.permute(z, [1, 0])]);
  },
  ['contract', 'permute', 'add'],
);
becomes('a product with ones is a sum', [x], (b, [v]) => matmul(b, v as Value, b.constant(1, 'f64', c(3, 4))), [
  'sum',
  'broadcast',
]);

test('a padded convolution reads its input through a mask', () => {
  const { func, names } = rewritten([of('f64', 8), of('f64', 3)], (b, [v, w]) => {
    const padded = b.pad(v as Value, b.constant(0, 'f64'), c(2), c(1), [1]);
    const indices = [
      { name: 'i', extent: dimConst(16) },
      { name: 'k', extent: dimConst(3) },
    ];
    const window = affineSubscript(
      affine([
        { index: 0, coefficient: 1 },
        { index: 1, coefficient: 1 },
      ]),
      1,
      dimConst(18),
      indices,
    );
    return b.contract({ indices, outer: 1 }, [[window], [plainSubscript(1)]], [padded, w as Value]);
  });
  assert.equal(names, ['contract']);
  const node = func.nodes[0];
  const subscript = node?.kind === 'contract' ? node.accesses[0]?.[0] : undefined;
  assert.ok(subscript?.kind === 'affine' && subscript.masked && subscript.divisor === 2);
});

becomes(
  'padding with something else is not read through',
  [of('f64', 4), of('f64', 6)],
  (b, [v, w]) => {
    const padded = b.pad(v as Value, b.constant(1, 'f64'), c(1), c(1), [0]);
    const [space, access] = dimsSpace(c(6), [0]);
    return b.contract(space, [access, access], [padded, w as Value]);
  },
  ['constant', 'pad', 'contract'],
);

becomes(
  'a masked window does not lose its mask to a broadcast',
  [of('f64', 1), of('f64', 3)],
  (b, [v, w]) => {
    const repeated = b.view(v as Value, { type: 'broadcast', shape: c(4), dims: [0] });
    const indices = [
      { name: 'i', extent: dimConst(4) },
      { name: 'k', extent: dimConst(3) },
    ];
    const window = affineSubscript(
      affine(
        [
          { index: 0, coefficient: 1 },
          { index: 1, coefficient: 1 },
        ],
        -1,
      ),
      1,
      dimConst(4),
      indices,
    );
    return b.contract({ indices, outer: 1 }, [[window], [plainSubscript(1)]], [repeated, w as Value]);
  },
  ['broadcast', 'contract'],
);

becomes(
  'a sum along a repeated dimension',
  [of('f64', 3)],
  (b, [v]) => b.sum(b.broadcastTo(v as Value, c(5, 3)), [0]),
  ['constant', 'mul'],
);
becomes(
  'a sum along a repeated run-time dimension',
  [of('f64', 3), { dtype: 'f64', shape: [B] }],
  (b, [v]) => b.sum(b.broadcastTo(v as Value, [B, dimConst(3)]), [0]),
  ['size', 'cast', 'mul'],
);
becomes(
  'a maximum along a repeated dimension',
  [of('f64', 3)],
  (b, [v]) => b.reduce('max', b.broadcastTo(v as Value, c(5, 3)), [0])[0] as Value,
  [],
);
becomes(
  'a slice of whole groups that is split into groups',
  [of('f64', 2, 12)],
  (b, [v]) => {
    const part = { type: 'slice', starts: c(0, 4), steps: [1, 1], sizes: c(2, 8) } as const;
    return b.reshape(b.view(v as Value, part), c(2, 2, 4));
  },
  ['reshape', 'slice'],
);
becomes(
  'a slice that begins inside of a group stays as it is',
  [of('f64', 2, 12)],
  (b, [v]) => {
    const part = { type: 'slice', starts: c(0, 2), steps: [1, 1], sizes: c(2, 8) } as const;
    return b.reshape(b.view(v as Value, part), c(2, 2, 4));
  },
  ['slice', 'reshape'],
);
becomes('a sum over nothing', [x], (b, [v]) => b.reduce('sum', v as Value, [])[0] as Value, []);
becomes(
  'a contraction of one operand',
  [x],
  (b, [v]) => {
    const [space, access] = dimsSpace(c(2, 3), [1]);
    return b.contract(space, [access], [v as Value]);
  },
  ['sum'],
);
becomes(
  'a contraction that only permutes',
  [x],
  (b, [v]) =>
    b.contract(
      {
        indices: [
          { name: 'i', extent: dimConst(3) },
          { name: 'j', extent: dimConst(2) },
        ],
        outer: 2,
      },
      [plainAccess([1, 0])],
      [v as Value],
    ),
  ['permute'],
);

/** Reads a class of each row, and adds something to each row at its class. */
const oneHot =
  (checked: boolean) =>
  (b: Builder, [scores, labels, updates]: readonly Value[]) => {
    const space = { indices: [{ name: 'i', extent: dimConst(3) }], outer: 1 };
    const lookup = (operand: number) => [
      plainSubscript(0),
      { kind: 'lookup', operand, subscripts: plainAccess([0]) } as const,
    ];
    const hot = b.scatter('add', space, lookup(2), [b.constant(0, 'f64', c(3, 4)), updates as Value, labels as Value]);
    if (!checked) return hot;
    const picked = b.gather(space, lookup(1), [scores as Value, labels as Value]);
    const after = b.scatter('add', space, lookup(2), [
      b.constant(0, 'f64', c(3, 4)),
      updates as Value,
      labels as Value,
    ]);
    return b.elementwise('add', [after, b.reshape(picked, c(3, 1))]);
  };

test('adding one update to each row compares positions, if the positions were checked before', () => {
  const types = [of('f64', 3, 4), of('i64', 3), of('f64', 3)];
  assert.not.ok(rewritten(types, oneHot(true)).names.includes('scatter'));
  assert.ok(rewritten(types, oneHot(false)).names.includes('scatter'));
});

test('every rewrite has a name of its own and says what it does', () => {
  assert.is(new Set(rewrites.map((rewrite) => rewrite.name)).size, rewrites.length);
  for (const rewrite of rewrites) assert.match(rewrite.doc, /^[A-Z-].*\.$|^x.*\.$|^where.*\.$|^not.*\.$|^a .*\.$/);
});

test.run();
