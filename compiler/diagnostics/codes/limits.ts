/** L09xx: what tdsl does not do yet. */
import type { Codes } from './entry.js';

export const limitCodes = {
  L0901: {
    class: 'limitation',
    title: 'this is nested too deeply',
    explanation: `Brackets may be nested a hundred levels deep, and chains of signs or of \`else if\` may have some thousands of
links. Give parts of the expression names with \`let\`, or put them into functions.`,
    example: `fn f(x: f32) -> f32 = ${'('.repeat(101)}x${')'.repeat(101)}`,
  },
} as const satisfies Codes<'L09'>;
