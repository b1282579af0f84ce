// Sorting as compiled C against the interpreter: all dtypes, both directions, every axis, few and many keys, ties and what is not a number.

import { test } from 'uvu';
import { dimConst, dimFloorDiv, dimSub, dimSymbol } from '../../compiler/ir/dims.js';
import { dtypes, isFloat } from '../../compiler/ir/dtype.js';
import type { Places } from '../../compiler/ir/graph.js';
import { checkAgainstInterpreter, define } from './support.js';

const [n, five] = [dimSymbol('n'), dimConst(5)];

test('positions agree', async () => {
  await checkAgainstInterpreter(
    dtypes.flatMap((dtype) =>
      [false, true].map((reverse) =>
        define(`sort_${dtype}_${reverse ? 'down' : 'up'}`, (b) => {
          const x = b.param('x', { dtype, shape: [five, n] });
          // Rounding makes ties, and zeros of both signs; 0 / 0 and 1 / 0 the rest.
          const tied = isFloat(dtype) ? b.elementwise('round', [x]) : x;
          const odd = isFloat(dtype) ? b.elementwise('div', [x, tied]) : x;
          const sorted = (value: typeof x, dim: number) =>
            b.add({ kind: 'order', op: 'argsort', dim, reverse, inputs: [value] });
          return [...sorted(tied, 1), ...sorted(odd, 0)];
        }),
      ),
    ),
    [0, 1, 7, 48, 49, 300].map((size) => ({ n: size })),
  );
});

test('some places of the order agree with the whole order', async () => {
  const part = (of: number) => dimFloorDiv(n, dimConst(of));
  const middle: Places = { start: part(2), size: dimConst(1) };
  const several: readonly Places[] = [
    { start: dimConst(0), size: part(8) },
    { start: part(3), size: part(5) },
    { start: dimSub(n, part(8)), size: part(8) },
    { start: part(4), size: dimSub(n, part(4)) },
  ];
  const functions = (all: readonly Places[]) =>
    dtypes.map((dtype) =>
      define(`places_${dtype}`, (b) => {
        const x = b.param('x', { dtype, shape: [five, n] });
        const tied = isFloat(dtype) ? b.elementwise('round', [x]) : x;
        return all.flatMap((places, i) =>
          [x, tied].flatMap((value) =>
            b.add({ kind: 'order', op: 'argsort', dim: 1, reverse: i % 2 === 0, places, inputs: [value] }),
          ),
        );
      }),
    );
  const sizes = [7, 48, 49, 300, 4000].map((size) => ({ n: size }));
  await checkAgainstInterpreter(functions(several), [{ n: 0 }, { n: 1 }, ...sizes]);
  await checkAgainstInterpreter(functions([middle]), [{ n: 1 }, ...sizes]);
});

test.run();
