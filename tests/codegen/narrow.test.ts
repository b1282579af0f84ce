// Positions that are asked for in i32 are not widened on the way.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exprType, walk } from '../../codegen/kernel/ir.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { machines } from '../../codegen/kernel/machine.js';
import { scheduleKernel } from '../../codegen/kernel/schedule/index.js';
import { verifyKernel } from '../../codegen/kernel/verify.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { shapeOf } from './contractions.js';
import { checkAgainstInterpreter, define } from './support.js';

/** The largest element of each row, and where it is. */
const largest = (name: string, dtypes: readonly DType[]) =>
  define(name, (b) => {
    const x = b.param('x', { dtype: 'f32', shape: shapeOf('n', 20, 4) });
    const [value, position] = b.reduce('max_with_index', x, [2]);
    return [value!, ...dtypes.map((dtype) => b.cast(position!, dtype))];
  });

const hasWide = (fn: ReturnType<typeof largest>): boolean => {
  const kernel = scheduleKernel(lowerKernel(fn).kernel, machines[0]!);
  verifyKernel(kernel, fn.name);
  return [...walk(kernel.body)].some(
    (stmt) =>
      (stmt.kind === 'let' && exprType(stmt.value) === 'i64') ||
      (stmt.kind === 'accumulate' && stmt.results.some(({ dtype }) => dtype === 'i64')),
  );
};

test('a position that is stored as i32 stays i32', () => {
  assert.not.ok(hasWide(largest('narrow', ['i32'])));
  assert.ok(hasWide(largest('wide', ['i64'])));
  assert.ok(hasWide(largest('both', ['i32', 'i64'])));
});

test('positions are the same', async () => {
  await checkAgainstInterpreter([largest('narrow', ['i32']), largest('both', ['i32', 'i64'])], [{ n: 0 }, { n: 3 }]);
});

test.run();
