// Sorting as compiled C against the interpreter: all dtypes, both directions, every axis, few and many keys, ties and what is not a number.

import { test } from 'uvu';
import { dimConst, dimSymbol } from '../../compiler/ir/dims.js';
import { dtypes, isFloat } from '../../compiler/ir/dtype.js';
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

test.run();
