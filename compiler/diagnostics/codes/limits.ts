/** L09xx: what tdsl does not do yet. */
import type { Codes } from './entry.js';

export const limitCodes = {
  L0901: {
    class: 'limitation',
    title: 'a choice that is made when running',
    explanation:
      'How long a list is, is decided when compiling. Between tensors choose with `if` or `where(condition, a, b)`; a dimension can be fixed with `--dim NAME=SIZE`.',
    example: 'fn f(x: f32[3]) -> f32 = sum(stack([v for v in x if v > 0]))',
  },
  L0902: {
    class: 'limitation',
    title: 'a loop whose length is known only when running',
    explanation:
      '`for` and comprehensions are unrolled when compiling, so their length is known then. `fold`, `scan` and `while` run.',
    example: 'dim T\nexport fn f(x: f32[T]) -> f32 = sum(stack([v * v for v in x]))',
  },
  L0903: {
    class: 'limitation',
    title: 'a size that depends on the data',
    explanation:
      'The shapes of the graph are known from the shapes of its arguments. Keep the shape and mask the elements, or state a bound: `nonzero(x, size: 8)`. See docs/data-dependent-shapes.md.',
    example: 'fn f(x: f32[3]) -> f32 = sum(x[x > 0])',
  },
  L0906: {
    class: 'limitation',
    title: 'this is nested too deeply',
    explanation: `Brackets may be nested a hundred levels deep, and chains of signs or of \`else if\` may have some thousands of
links. Give parts of the expression names with \`let\`, or put them into functions.`,
    example: `fn f(x: f32) -> f32 = ${'('.repeat(101)}x${')'.repeat(101)}`,
  },
  L0907: {
    class: 'limitation',
    title: 'compiling this takes too many steps',
    explanation:
      'What is known when compiling is computed and unrolled then: calls, `for`, comprehensions, lists. There is a bound on how much of it a program may ask for. Use `fold` and `scan` for long loops, and tensors for long lists.',
    example:
      'fn fib(n: int) -> int = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nfn f(x: f32[3]) -> f32[3] = x * fib(60)',
  },
} as const satisfies Codes<'L09'>;
