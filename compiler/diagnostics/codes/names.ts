/** E02xx: names, declarations and imports. */
import type { Codes } from './entry.js';

export const nameCodes = {
  E0201: {
    class: 'user',
    title: 'this name is not known',
    explanation:
      'Names come from the file itself, from its imports, and from the library. The report suggests the nearest one.',
    example: 'fn f(x: f32) -> f32 = tahn(x)',
  },
} as const satisfies Codes<'E02'>;
