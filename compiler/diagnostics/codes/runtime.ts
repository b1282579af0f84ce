/** E06xx: running, files and the toolchain. */
import type { Codes } from './entry.js';

export const runtimeCodes = {} as const satisfies Codes<'E06'>;
