// Host functions of the reference cases about pooling.

import { evaluate } from './inspect.js';

/** Rows of size, kernel, stride, padding, dilation and the size of the result. */
export const pool_output_size_table = () =>
  [5, 7, 28].flatMap((n) =>
    [
      [2, 2, 0, 1],
      [3, 1, 1, 1],
      [3, 2, 1, 1],
      [3, 1, 0, 2],
      [5, 1, 2, 1],
    ].map(([k, s, p, d]) => {
      const conv = `conv1d(zeros([1, 1, ${n}]), zeros([1, 1, ${k}]), stride: ${s}, padding: ${p}, dilation: ${d})`;
      return [n, k, s, p, d, evaluate(`size(${conv}, -1)`)[0]?.[0]];
    }),
  );
