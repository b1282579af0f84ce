// Contractions as register tiles: compiled C against the interpreter, for the classes of machines that this one can run.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scheduleContraction } from '../../codegen/kernel/contraction/index.js';
import { walk } from '../../codegen/kernel/ir.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { type Machine, machines } from '../../codegen/kernel/machine.js';
import { verifyKernel } from '../../codegen/kernel/verify.js';
import { dimValue } from '../../compiler/ir/dims.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import { plainAccess } from '../../compiler/ir/space.js';
import { Random } from '../support/random.js';
import { convolutions, indicesOf, matrixProduct, randomContraction, type Size, shapeOf } from './contractions.js';
import { checkAgainstInterpreter, define, runnableMachines } from './support.js';

const machineNamed = (name: string): Machine => machines.find((machine) => machine.name === name) as Machine;

/** Checks functions on every class of machines whose code runs here. */
async function checkEverywhere(functions: readonly Func[], settings?: readonly Readonly<Record<string, number>>[]) {
  for (const machine of runnableMachines()) await checkAgainstInterpreter(functions, settings, { machine, slack: 10 });
}

const isTiled = (fn: Func, machine = machineNamed('avx512')): boolean => {
  const kernel = scheduleContraction(lowerKernel(fn).kernel, machine);
  if (kernel !== undefined) verifyKernel(kernel, fn.name);
  return kernel !== undefined;
};

test('products of matrices of all sizes and orientations', async () => {
  const sizes: readonly (readonly [number, number, number])[] = [
    [1, 1, 1],
    [6, 64, 16],
    [7, 65, 3],
    [13, 100, 31],
    [50, 10, 40],
    [3, 200, 17],
    [1, 70, 33],
    [40, 16, 1],
    [29, 33, 0],
  ];
  const functions = sizes.flatMap(([m, n, k]) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) =>
        matrixProduct(`mm_${m}_${n}_${k}_${Number(transposeA)}${Number(transposeB)}`, m, n, k, {
          transposeA,
          transposeB,
          dtype: (m + n + k) % 2 === 0 ? 'f32' : 'f64',
        }),
      ),
    ),
  );
  await checkEverywhere(functions);
});

test('products whose sizes are known at run time', async () => {
  const sizes: readonly (readonly [Size, Size, Size])[] = [
    ['n', 70, 20],
    [20, 'n', 9],
    [10, 40, 'n'],
    ['n', 'n', 'n'],
  ];
  const functions = sizes.flatMap(([m, n, k], i) => [
    matrixProduct(`run_${i}`, m, n, k),
    matrixProduct(`run_${i}_t`, m, n, k, { transposeB: true, dtype: i % 2 === 0 ? 'f64' : 'f32' }),
  ]);
  await checkEverywhere(
    functions,
    [0, 1, 2, 5, 16, 23, 64, 83].map((n) => ({ n })),
  );
});

test('factors of narrow dtypes are widened as they are read, or as they are copied', async () => {
  const functions = (
    [
      [6, 64, 80],
      ['n', 70, 33],
      [13, 'n', 100],
      [1, 600, 200],
    ] as const
  ).flatMap(([m, n, k], i) => [
    ...(['bf16', 'f16'] as const).flatMap((dtype) =>
      [false, true].map((transposeB) =>
        matrixProduct(`${dtype}_${i}_${Number(transposeB)}`, m, n, k, { dtype, transposeB }),
      ),
    ),
    ...(['bf16', 'i8', 'u8', 'bool', 'i16'] as const).map((dtype) =>
      define(`${dtype}_as_f32_${i}`, (b) => {
        const x = b.param('x', { dtype: 'f32', shape: shapeOf(m, k) });
        const y = b.param('y', { dtype, shape: shapeOf(k, n) });
        const indices = indicesOf(['i', m], ['j', n], ['k', k]);
        return [b.contract({ indices, outer: 2 }, [plainAccess([0, 2]), plainAccess([2, 1])], [x, b.cast(y, 'f32')])];
      }),
    ),
  ]);
  assert.ok(functions.filter((fn) => isTiled(fn)).length > 20);
  await checkEverywhere(
    functions,
    [0, 7, 66].map((n) => ({ n })),
  );
});

test('products of integers wrap, and factors of narrower ones are widened', async () => {
  const wrapping = (['u8', 'i8', 'i16', 'i32', 'i64'] as const).flatMap((dtype) =>
    (
      [
        [13, 100, 31],
        ['n', 70, 'n'],
        [20, 'n', 40],
      ] as const
    ).map(([m, n, k], i) =>
      matrixProduct(`${dtype}_${i}`, m, n, k, {
        dtype,
        transposeB: i === 1,
        prologue: (b, x) => b.elementwise('mul', [x, b.constant(dtype === 'i64' ? 0x7654321fedcb : 0x7edc, dtype)]),
      }),
    ),
  );
  const widened = (['u8', 'i8', 'i16'] as const).map((dtype) =>
    define(`${dtype}_as_i32`, (b) => {
      const [x, y] = [
        b.param('x', { dtype, shape: shapeOf('n', 80) }),
        b.param('y', { dtype, shape: shapeOf(80, 33) }),
      ];
      const indices = indicesOf(['i', 'n'], ['j', 33], ['k', 80]);
      const factors = [b.cast(x, 'i32'), b.cast(y, 'i32')];
      return [b.contract({ indices, outer: 2 }, [plainAccess([0, 2]), plainAccess([2, 1])], factors)];
    }),
  );
  assert.equal(
    [...wrapping, ...widened].filter((fn) => !isTiled(fn)).map(({ name }) => name),
    [],
  );
  await checkEverywhere(
    [...wrapping, ...widened],
    [0, 1, 9, 50].map((n) => ({ n })),
  );
});

test('columns that are read in place from rows that lie far apart are taken some rows at a time', async () => {
  const functions = (
    [
      [1, 2048, 150],
      [4, 1030, 220],
      ['n', 1536, 130],
      [3, 600, 'n'],
    ] as const
  ).flatMap(([m, n, k], i) => [
    matrixProduct(`far_${i}`, m, n, k),
    matrixProduct(`far_narrow_${i}`, m, n, k, { dtype: 'bf16' }),
  ]);
  await checkEverywhere(
    functions,
    [0, 1, 70].map((n) => ({ n })),
  );
  const isBlocked = (fn: Func): boolean => {
    const kernel = scheduleContraction(lowerKernel(fn).kernel, machineNamed('avx512'));
    return kernel?.buffers.some(({ name }) => name === 'sums') === true;
  };
  for (const fn of functions.filter(({ name }) => !name.includes('narrow'))) assert.ok(isBlocked(fn), fn.name);
  assert.not.ok(isBlocked(matrixProduct('near', 1, 256, 784)));
  assert.not.ok(isBlocked(matrixProduct('short', 4, 1030, 60)));
});

test('what stands before and behind a product', async () => {
  const bias = define('bias_relu', (b) => {
    const [x, w, c] = [
      b.param('x', { dtype: 'f32', shape: shapeOf('n', 20) }),
      b.param('w', { dtype: 'f32', shape: shapeOf(33, 20) }),
      b.param('c', { dtype: 'f32', shape: shapeOf(33) }),
    ];
    const sum = b.contract(
      { indices: indicesOf(['i', 'n'], ['j', 33], ['k', 20]), outer: 2 },
      [plainAccess([0, 2]), plainAccess([1, 2])],
      [x, w],
    );
    const h = b.elementwise('relu', [b.elementwise('add', [sum, c])]);
    return [h, b.elementwise('gt', [h, b.constant(0, 'f32')])];
  });
  const functions = [
    bias,
    matrixProduct('prologue', 'n', 20, 30, { prologue: (b, x) => b.elementwise('relu', [x]) }),
    matrixProduct('wide', 'n', 20, 30, {
      epilogue: (b, sum) => [b.cast(b.elementwise('exp', [b.cast(sum, 'f64')]), 'f32'), sum],
    }),
    matrixProduct('residual', 12, 40, 'n', {
      dtype: 'f64',
      epilogue: (b, sum) => [b.elementwise('sub', [b.param('old', sum.type), b.elementwise('tanh', [sum])])],
    }),
    matrixProduct('dropout', 'n', 70, 30, {
      epilogue: (b, sum) => {
        const key = b.param('key', { dtype: 'i64', shape: shapeOf(2) });
        const [bits] = b.add({ kind: 'source', source: { type: 'random_bits', shape: sum.type.shape }, inputs: [key] });
        const isKept = b.elementwise('gt', [bits as Value, b.constant(0, 'i32')]);
        return [b.elementwise('where', [isKept, sum, b.constant(0, 'f32')])];
      },
    }),
    matrixProduct('turned', 'n', 20, 30, { epilogue: (b, sum) => [b.permute(sum, [1, 0])] }),
  ];
  await checkEverywhere(
    functions,
    [1, 4, 17, 40].map((n) => ({ n })),
  );
});

test('convolutions and their gradients', async () => {
  const functions = [
    ...convolutions('lenet', {
      batch: 3,
      channels: 1,
      outputs: 6,
      height: 28,
      width: 28,
      kernel: 5,
      padding: 2,
      dtype: 'f64',
    }),
    ...convolutions('lenet2', { batch: 'n', channels: 6, outputs: 16, height: 14, width: 14, kernel: 5 }),
    ...convolutions('strided', {
      batch: 2,
      channels: 3,
      outputs: 8,
      height: 17,
      width: 33,
      kernel: 3,
      padding: 1,
      stride: 2,
    }),
    ...convolutions('dilated', {
      batch: 2,
      channels: 4,
      outputs: 20,
      height: 12,
      width: 20,
      kernel: 3,
      padding: 2,
      dilation: 2,
    }),
    ...convolutions('skipping', {
      batch: 2,
      channels: 2,
      outputs: 5,
      height: 20,
      width: 20,
      kernel: 2,
      stride: 3,
      dtype: 'f64',
    }),
    ...convolutions('wide', {
      batch: 1,
      channels: 2,
      outputs: 3,
      height: 5,
      width: 40,
      kernel: 3,
      padding: 1,
      dtype: 'f64',
    }),
  ];
  await checkEverywhere(
    functions,
    [1, 5].map((n) => ({ n })),
  );
});

test('gradients of strided convolutions compute no products with zeros', () => {
  const [, toInput] = convolutions('strided', {
    batch: 4,
    channels: 8,
    outputs: 16,
    height: 32,
    width: 32,
    kernel: 3,
    padding: 1,
    stride: 2,
  }) as [Func, Func, Func];
  const kernel = scheduleContraction(lowerKernel(toInput).kernel, machineNamed('avx2'));
  assert.ok(kernel !== undefined);
  const guards = [...walk(kernel.body)].flatMap((stmt) =>
    stmt.kind === 'let' && stmt.value.kind === 'load' ? stmt.value.guards : [],
  );
  assert.not.ok(guards.some((guard) => guard.kind === 'multiple'));
  assert.is(kernel.body.filter((stmt) => stmt.kind === 'for').length, 4);
});

test('batched products, outer products and products with a vector', async () => {
  const batched = define('batched', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: shapeOf(3, 'n', 2, 20) });
    const y = b.param('y', { dtype: 'f32', shape: shapeOf(3, 'n', 2, 20) });
    const indices = indicesOf(['b', 3], ['h', 2], ['i', 'n'], ['j', 'n'], ['k', 20]);
    return [b.contract({ indices, outer: 4 }, [plainAccess([0, 2, 1, 4]), plainAccess([0, 3, 1, 4])], [x, y])];
  });
  const weighted = define('weighted', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: shapeOf(3, 2, 'n', 'n') });
    const y = b.param('y', { dtype: 'f32', shape: shapeOf(3, 'n', 2, 20) });
    const indices = indicesOf(['b', 3], ['i', 'n'], ['h', 2], ['d', 20], ['j', 'n']);
    return [b.contract({ indices, outer: 4 }, [plainAccess([0, 2, 1, 4]), plainAccess([0, 4, 2, 3])], [x, y])];
  });
  const vector = define('vector', (b) => {
    const x = b.param('x', { dtype: 'f32', shape: shapeOf(300) });
    const y = b.param('y', { dtype: 'f32', shape: shapeOf(300, 'n') });
    return [
      b.contract(
        { indices: indicesOf(['j', 'n'], ['k', 300]), outer: 1 },
        [plainAccess([1]), plainAccess([1, 0])],
        [x, y],
      ),
    ];
  });
  const outer = define('outer', (b) => {
    const x = b.param('x', { dtype: 'f64', shape: shapeOf(30) });
    const y = b.param('y', { dtype: 'f64', shape: shapeOf('n') });
    return [
      b.contract({ indices: indicesOf(['i', 30], ['j', 'n']), outer: 2 }, [plainAccess([0]), plainAccess([1])], [x, y]),
    ];
  });
  await checkEverywhere(
    [batched, weighted, vector, outer],
    [1, 3, 16, 37].map((n) => ({ n })),
  );
});

test('copies that do not fit into the cache are made in blocks', async () => {
  const functions = [
    matrixProduct('deep', 9, 30, 20000, { transposeB: true }),
    matrixProduct('masked', 200, 20, 3000, { prologue: (b, x) => b.elementwise('relu', [x]), transposeA: true }),
    ...convolutions('large', {
      batch: 2,
      channels: 16,
      outputs: 4,
      height: 100,
      width: 90,
      kernel: 3,
      padding: 1,
    }).slice(0, 1),
    ...convolutions('deepest', {
      batch: 40,
      channels: 3,
      outputs: 5,
      height: 40,
      width: 30,
      kernel: 2,
      dtype: 'f64',
    }).slice(2),
  ];
  await checkAgainstInterpreter(functions);
});

test('copies do not grow with run-time dimensions', () => {
  const functions = [
    matrixProduct('masked', 40, 50, 'n', { prologue: (b, x) => b.elementwise('relu', [x]) }),
    matrixProduct('turned', 'n', 50, 60, { transposeB: true, prologue: (b, x) => b.elementwise('relu', [x]) }),
    ...convolutions('conv', { batch: 'n', channels: 6, outputs: 16, height: 14, width: 14, kernel: 5 }),
  ];
  for (const machine of machines) {
    for (const fn of functions) {
      const kernel = scheduleContraction(lowerKernel(fn).kernel, machine);
      const scratch = kernel?.buffers.filter(({ role }) => role === 'scratch') ?? [];
      for (const { size } of scratch) assert.is.not(dimValue(size), undefined, `${fn.name} on ${machine.name}`);
    }
  }
});

test('random index spaces', async () => {
  const random = new Random(20240611);
  const functions = Array.from({ length: 150 }, (_, i) => randomContraction(`random_${i}`, random));
  const tiled = functions.filter((fn) => isTiled(fn));
  assert.ok(tiled.length > functions.length / 4, `${tiled.length} of ${functions.length} are tiled`);
  for (let first = 0; first < tiled.length; first += 40) {
    await checkEverywhere(tiled.slice(first, first + 40), [
      { n: 21, m: 2 },
      { n: 3, m: 18 },
      { n: 1, m: 0 },
    ]);
  }
});

test('a chunk is one iteration of the outermost loop, whatever the machine', () => {
  for (const machine of machines) {
    const kernel = scheduleContraction(lowerKernel(matrixProduct('mm', 256, 256, 64)).kernel, machine);
    assert.ok(kernel !== undefined);
    const loops = kernel.body.filter((stmt) => stmt.kind === 'for');
    assert.equal(
      loops.map((loop) => loop.mark),
      ['parallel'],
    );
    const vectors = [...walk(kernel.body)].filter((stmt) => stmt.kind === 'for' && stmt.mark === 'vector');
    assert.ok(vectors.length > 0);
  }
});

test('a tile asks for what it updates before its products are added', () => {
  const fetched = (fn: Func): ReadonlySet<string> => {
    const kernel = scheduleContraction(lowerKernel(fn).kernel, machineNamed('avx512'));
    const statements = [...walk(kernel?.body ?? [])];
    assert.ok(statements.length > 0);
    return new Set(statements.flatMap((stmt) => (stmt.kind === 'fetch' ? [stmt.buffer.role] : [])));
  };
  const update = matrixProduct('update', 512, 512, 64, {
    epilogue: (b, sum) => [b.elementwise('sub', [b.param('old', sum.type), sum])],
  });
  assert.equal([...fetched(update)].sort(), ['in', 'out']);
  assert.not(fetched(matrixProduct('plain', 512, 512, 64)).has('out'));
});

test.run();
