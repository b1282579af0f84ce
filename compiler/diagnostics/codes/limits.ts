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
      'The shapes of the graph are known from the shapes of its arguments. Keep the shape and mask the elements.',
    example: 'fn f(x: f32[3]) -> f32 = sum(x[x > 0])',
  },
  L0904: {
    class: 'limitation',
    title: 'a derivative of one’s own',
    explanation: 'Functions may state their derivative, but derivatives do not use it yet.',
    example: 'fn f(x: f32) -> f32 = x * x\n  derivative (dx) => 2 * x * dx\nexport fn g(x: f32) -> f32 = grad(f)(x)',
  },
  L0905: {
    class: 'limitation',
    title: 'a run-time size that is no axis',
    explanation: 'Run-time sizes of an exported function come from the shapes of its arguments.',
    example: 'export fn f(x: f32[3], n: dim) -> f32[3] = x * n',
  },
} as const satisfies Codes<'L09'>;
