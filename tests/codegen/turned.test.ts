// What lies across the vectors of a contraction: results and copies that are turned in registers.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scheduleContraction } from '../../codegen/kernel/contraction/index.js';
import { type Kernel, type Stmt, walk } from '../../codegen/kernel/ir.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { type Machine, machines } from '../../codegen/kernel/machine.js';
import { stride } from '../../codegen/kernel/positions.js';
import { verifyKernel } from '../../codegen/kernel/verify.js';
import { dimValue } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { plainAccess } from '../../compiler/ir/space.js';
import { type ConvolutionSizes, convolutions, indicesOf, shapeOf } from './contractions.js';
import { checkAgainstInterpreter, define, runnableMachines } from './support.js';

const avx512 = machines.find(({ name }) => name === 'avx512') as Machine;

/** Many channels on few pixels: vectors run over channels, and results lie along the pixels of a row. */
const layer: ConvolutionSizes = { batch: 4, channels: 64, outputs: 64, height: 14, width: 14, kernel: 3, padding: 1 };

function scheduled(fn: Func): Kernel {
  const kernel = scheduleContraction(lowerKernel(fn).kernel, avx512);
  assert.ok(kernel !== undefined, `${fn.name} is not tiled`);
  verifyKernel(kernel as Kernel, fn.name);
  return kernel as Kernel;
}

/** The product of matrices, written transposed, times a matrix of its shape and plus a vector. */
const transposedProduct = (name: string, m: number, n: number, k: number, dtype: 'f32' | 'f64'): Func =>
  define(name, (b) => {
    const x = b.param('x', { dtype, shape: shapeOf(4, m, k) });
    const y = b.param('y', { dtype, shape: shapeOf(4, k, n) });
    const scale = b.param('scale', { dtype, shape: shapeOf(4, n, m) });
    const space = { indices: indicesOf(['b', 4], ['j', n], ['i', m], ['k', k]), outer: 3 };
    const sum = b.contract(space, [plainAccess([0, 2, 3]), plainAccess([0, 3, 1])], [x, y]);
    return [b.elementwise('mul', [sum, scale])];
  });

test('results of every width are turned right, with what follows from them', async () => {
  const widths = [3, 4, 5, 7, 8, 13, 16, 17, 20, 29];
  const functions = [
    ...widths.map((m) => transposedProduct(`turned_${m}`, m, 40, 19, m % 2 === 0 ? 'f32' : 'f64')),
    ...widths
      .slice(0, 5)
      .flatMap((width) =>
        convolutions(`layer_${width}`, { ...layer, batch: 2, channels: 20, outputs: 40, height: 5, width }),
      ),
  ];
  for (const machine of runnableMachines()) await checkAgainstInterpreter(functions, undefined, { machine, slack: 10 });
});

test('results that lie along the rows of a tile are stored in vectors', () => {
  const [forward] = convolutions('layer', layer);
  const kernel = scheduled(forward as Func);
  const stores = (body: readonly Stmt[], lane: string | undefined): readonly (number | undefined)[] =>
    body.flatMap((stmt) => {
      if (stmt.kind === 'store' && stmt.buffer.role === 'out')
        return [lane === undefined ? undefined : stride(stmt.offset, lane)];
      if (stmt.kind === 'if') return stores(stmt.body, lane);
      return stmt.kind === 'for' ? stores(stmt.body, stmt.mark === 'vector' ? stmt.index : lane) : [];
    });
  const steps = stores(kernel.body, undefined);
  assert.ok(steps.length > 0);
  assert.ok(
    steps.every((step) => step === 1),
    `results are stored at distances of ${[...new Set(steps)].join()}`,
  );
});

/** How often a kernel asks ahead for an operand. */
const fetchesOf = (fn: Func, operand: string): number => {
  const at = fn.params.findIndex(({ name }) => name === operand);
  return [...walk(scheduled(fn).body)].filter((stmt) => stmt.kind === 'fetch' && stmt.buffer.name === `in${at}`).length;
};

test('a tile whose results are turned asks for what they are multiplied by', () => {
  assert.ok(fetchesOf(transposedProduct('large', 64, 256, 64, 'f32'), 'scale') > 0);
});

test('copies of images ask for what they read a page later, unless all of it stays near', () => {
  const [near] = convolutions('near', { ...layer, batch: 1 });
  const [far] = convolutions('far', { ...layer, batch: 32 });
  assert.ok(fetchesOf(far as Func, 'x') > 0);
  assert.is(fetchesOf(near as Func, 'x'), 0);
});

test('weights are copied along all taps of all channels, not three at a time', () => {
  const [forward] = convolutions('layer', layer);
  const extents = [...walk(scheduled(forward as Func).body)].flatMap((stmt) =>
    stmt.kind === 'for' && stmt.mark === 'vector' ? [dimValue(stmt.extent)] : [],
  );
  assert.ok(extents.length > 0);
  assert.not(extents.includes(layer.kernel));
});

test.run();
