/** E03xx: types, shapes and dimensions. */
import type { Codes } from './entry.js';

export const shapeCodes = {
  E0312: {
    class: 'user',
    title: 'these shapes do not multiply',
    explanation: 'In `a @ b` the last axis of `a` and the last but one of `b` have the same size.',
    example: 'fn f(a: f32[2, 3], b: f32[4, 5]) -> f32[2, 5] = a @ b',
  },
} as const satisfies Codes<'E03'>;
