/** L09xx: what tdsl does not do yet. */
import type { Codes } from './entry.js';

export const limitCodes = {} as const satisfies Codes<'L09'>;
