// Which plans contractions of run-time sizes get, and for which sizes.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { contractionNest, type Nest } from '../../codegen/kernel/contraction/nest.js';
import { type Plan, planContraction } from '../../codegen/kernel/contraction/plan.js';
import {
  type Panels,
  rowPanels,
  rowPieces,
  rowRunSizes,
  vectorPanelCount,
  vectorPanels,
  vectorRunSizes,
} from '../../codegen/kernel/contraction/runs.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { type Machine, machines } from '../../codegen/kernel/machine.js';
import { dimConst, dimEvaluate, dimSymbol } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { convolutions, matrixProduct } from './contractions.js';

const machine = (wanted: string): Machine => machines.find(({ name }) => name === wanted) as Machine;
const avx2 = machine('avx2');
const n = dimSymbol('n');

const nestOf = (fn: Func): Nest => contractionNest(lowerKernel(fn).kernel) as Nest;

/** The plan that runs where the run-time dimension `n` has a size; there is one. */
function planAt(fn: Func, size: number, of = avx2): Plan {
  const nest = nestOf(fn);
  const versions = planContraction(nest, of) ?? [];
  const applying = versions.filter(({ applies }) => dimEvaluate(applies, new Map([['n', size]])) === 1);
  assert.is(applying.length, 1, `${applying.length} plans for ${size}`);
  return (applying[0] as (typeof applying)[0]).plan;
}

test('estimates count the panels that code for run-time sizes goes through', () => {
  for (let size = 0; size < 200; size++) {
    const sizes = new Map([['n', size]]);
    for (const rows of [1, 3, 4, 5, 6, 7, 8, 12, 20])
      assert.equal(
        rowPieces(size, false, rows),
        rowPanels(n, rows)
          .runs.map((run) => [run.size, dimEvaluate(run.count, sizes)] as const)
          .filter(([, count]) => count > 0),
        `${size} by ${rows}`,
      );
    for (const vectors of [1, 2, 3, 4, 6])
      assert.is(
        vectorPanelCount(size, false, 8, vectors),
        dimEvaluate(vectorPanels(n, 8, vectors).count, sizes),
        `${size} by ${vectors} vectors`,
      );
  }
});

test('every size has one plan, and a large product copies its columns once', () => {
  const product = matrixProduct('product', 'n', 'n', 'n');
  for (const size of [0, 1, 3, 4, 8, 9, 767, 768, 5000]) planAt(product, size);
  const plan = planAt(product, 2048);
  assert.equal(
    plan.copies.map((copy) => copy !== undefined),
    [false, true],
  );
  for (const [index, role] of plan.roles) if (role === 'row') assert.is(plan.shares.get(index), 'all');
});

test('large sizes have a plan of their own where several extents grow, and not beside weights of a fixed size', () => {
  const cubic = matrixProduct('cubic', 'n', 'n', 'n');
  assert.not.equal(planAt(cubic, 4096), planAt(cubic, 512));
  const layer = matrixProduct('layer', 'n', 256, 784);
  assert.equal(planAt(layer, 4096), planAt(layer, 512));
});

test('what counts as code are the sizes of runs, each of which is written out', () => {
  const sizes = ({ runs }: Panels): readonly number[] => runs.map(({ size }) => size);
  const vectors = (panels: Panels): readonly number[] => sizes(panels).map((size) => Math.ceil(size / 8));
  for (const most of [1, 2, 3, 4, 5, 6, 8, 14, 20, 28])
    for (const extent of [undefined, 1, 7, 16, 30, 100, 250, 256]) {
      const dim = extent === undefined ? n : dimConst(extent);
      assert.equal(rowRunSizes(extent, most), sizes(rowPanels(dim, most)), `${extent} by ${most} rows`);
      assert.equal(
        vectorRunSizes(extent, 8, most),
        vectors(vectorPanels(dim, 8, most)),
        `${extent} by ${most} vectors`,
      );
    }
});

test('a small layer takes a tile that divides it, which is half the code, and a large one the fastest', () => {
  const columns = (inputs: number): readonly number[] => {
    const layer = matrixProduct('layer', 'n', 256, inputs, { transposeB: true });
    return [...planAt(layer, 32, machine('avx512')).tile.values()];
  };
  assert.ok(columns(784).length > 0);
  for (const size of columns(784)) assert.is(256 % size, 0);
  assert.ok(columns(78_400).some((size) => 256 % size !== 0));
});

test('an image passes by rows of weights that do not stay in the first cache together', () => {
  const isRowsFirst = (channels: number): boolean => {
    const sizes = { batch: 'n', channels, outputs: channels, height: 32, width: 32, kernel: 3, padding: 1 };
    const [forward] = convolutions('layer', sizes);
    return planAt(forward as Func, 32).rowsFirst;
  };
  assert.is(isRowsFirst(8), false);
  assert.is(isRowsFirst(32), true);
});

test('panels cover every size, and by six few rows are left to be taken one by one', () => {
  const pieces = (size: number, rows: number) =>
    rowPanels(n, rows).runs.map((run) => [run.size, dimEvaluate(run.count, new Map([['n', size]]))] as const);
  for (const rows of [1, 4, 5, 6, 7, 8, 12, 20, 24])
    for (let size = 0; size < 200; size++) {
      const all = pieces(size, rows);
      assert.ok(all.every(([, count]) => count >= 0));
      assert.is(
        all.reduce((sum, [length, count]) => sum + length * count, 0),
        size,
        `${size} by ${rows}`,
      );
    }
  for (let size = 4; size < 200; size++) assert.ok((pieces(size, 6).at(-1)?.[1] ?? 0) <= 1, `${size} by six`);
  assert.equal(pieces(8, 6), [
    [6, 0],
    [4, 2],
    [1, 0],
  ]);
  assert.equal(pieces(32, 6), [
    [6, 4],
    [4, 2],
    [1, 0],
  ]);
});

test.run();
