// Which taps of a window a tile leaves out because the operand is absent there, and what copies leave out then.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coordinateExtent, coordinatesOf, extentOf, factorOf } from '../../codegen/kernel/contraction/copies.js';
import { withoutMargins } from '../../codegen/kernel/contraction/margins.js';
import { contractionNest, type Nest } from '../../codegen/kernel/contraction/nest.js';
import { neededShare, spanIn, windowsOf } from '../../codegen/kernel/contraction/windows.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { dimConst, dimValue } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { convolutions } from './contractions.js';

const sizes = { batch: 2, channels: 3, outputs: 4, height: 14, width: 14, kernel: 5 } as const;

/** The gradient by the input of a convolution of 14 × 14 pixels with 5 × 5 taps, with the images in lanes. */
function gradient() {
  const [, toInput] = convolutions('conv', sizes) as [Func, Func, Func];
  const nest = contractionNest(lowerKernel(toInput).kernel) as Nest;
  const factors = nest.factors.map((temp) => factorOf(nest, temp));
  const [images] = nest.outer;
  return { nest, windows: windowsOf(nest, factors, images!.name) };
}

test('rows and columns at the border need fewer taps', () => {
  const { nest, windows } = gradient();
  assert.is(windows.size, 2);
  for (const [index, bounds] of windows) {
    const [row] = bounds.flatMap(({ outer }) => [...outer.keys()]);
    const needed = Array.from({ length: 14 }, (_, y) => {
      const { length } = spanIn(bounds, index, dimConst(5), () => ({ start: dimConst(y), length: dimConst(1) }));
      return dimValue(length);
    });
    assert.equal(needed, [1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 4, 3, 2, 1]);
    assert.is(neededShare(nest, bounds, index, new Map()), 50 / 70);
    assert.is(neededShare(nest, bounds, index, new Map([[row as string, 7]])), 1);
  }
});

test('the index that runs in lanes sets no bounds', () => {
  const { nest, windows } = gradient();
  const [first] = [...windows.values()];
  const [row] = first!.flatMap(({ outer }) => [...outer.keys()]);
  const factors = nest.factors.map((temp) => factorOf(nest, temp));
  assert.is(windowsOf(nest, factors, row as string).size, 1);
});

test('copies leave out what only those taps would read, but for what the rows of a tile share', () => {
  const { nest, windows } = gradient();
  const rows = new Set([...windows.values()].flat().flatMap(({ outer }) => [...outer.keys()]));
  const factor = nest.factors
    .map((temp) => factorOf(nest, temp))
    .find(({ indices }) => [...rows].every((row) => indices.has(row)));
  const copy = { factor: factor!, coordinates: coordinatesOf(nest, factor!), along: undefined };
  const lengths = (tile: ReadonlyMap<string, number>, bounds = windows): readonly (number | undefined)[] =>
    withoutMargins(copy, nest, bounds, tile)
      .coordinates.filter(({ terms }) => terms.length > 1)
      .map((coordinate) => dimValue(coordinateExtent(coordinate, (index) => extentOf(nest, index))));
  const [row] = rows;
  assert.equal(lengths(new Map(), new Map()), [18, 18]);
  assert.equal(lengths(new Map()), [10, 10]);
  assert.equal([...lengths(new Map([[row as string, 2]]))].sort(), [10, 12]);
});

test.run();
