// Host functions of the reference cases about random draws.

import { isDeepStrictEqual } from 'node:util';
import { evaluate } from './inspect.js';

/** Whether a seed repeats its draws, and whether two draws are equal. */
export function random_seed_repeats(): readonly boolean[] {
  const [a, b] = evaluate('(rand([5]), rand([5]))', 420);
  const [c] = evaluate('rand([5])', 420);
  return [isDeepStrictEqual(a, c), isDeepStrictEqual(a, b)];
}

/** The classes that are drawn at all. */
export const random_multinomial_support = () => {
  const [drawn = []] = evaluate('multinomial(tensor([0.0, 0.5, 0.5]), 50, replacement: true)', 1);
  return [...new Set(drawn)].sort((a, b) => a - b);
};
