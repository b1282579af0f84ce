// Programs of 16-bit floats compute the same bits as the interpreter: integers made of them are compared, which have no tolerance.

import { test } from 'uvu';
import { compare } from './attention.js';

const bits = (value: string): string => `cast(cast(${value}, f32) * 1048576.0, i64)`;

test('literals and tables take the dtype that they meet before anything is computed', async () => {
  const text = ['f16', 'bf16'].map(
    (dtype) => `
export fn literal_${dtype}(x: ${dtype}[N, 3]) -> i64[N, 3] = ${bits('x * 0.7 - 0.35')}
export fn table_${dtype}(x: ${dtype}[N, 3]) -> i64[N, 3] = ${bits(`x * tensor([0.7, 0.1, 0.3], ${dtype})`)}
export fn fold_${dtype}(x: ${dtype}[N, 3]) -> i64[N] = ${bits('sum(where(x > 0.7, x, 0.7), -1)')}`,
  );
  await compare(`tdsl 1\ndim N\n${text.join('')}\n`, [{ N: 100 }]);
});

test.run();
