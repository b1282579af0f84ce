/** E04xx: models, state and effects. */
import type { Codes } from './entry.js';

export const modelCodes = {} as const satisfies Codes<'E04'>;
