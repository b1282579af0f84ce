/** E05xx: derivatives. */
import type { Codes } from './entry.js';

export const calculusCodes = {} as const satisfies Codes<'E05'>;
