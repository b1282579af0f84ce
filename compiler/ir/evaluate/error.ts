// Errors of the interpreter.

import type { Origin } from '../graph.js';

/** What failed, as native code calls it. */
export type EvaluationCode = 'TDSL_INDEX' | 'TDSL_LIMIT' | 'TDSL_NOMEM' | 'TDSL_VALUE';

/** A value of the input that a program cannot work with: a shape that does not fit, an index out of range, a fold of nothing. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';

  constructor(
    readonly reason: string,
    /** Where the operation comes from, when one of the program's failed. */
    readonly origin: Origin = {},
    readonly code: EvaluationCode = 'TDSL_VALUE',
  ) {
    const { site, text } = origin;
    const place = site === undefined ? '' : `${site.file}:${site.line}:${site.column}: `;
    super(`${place}${reason}${text === undefined ? '' : ` in '${text}'`}`);
  }
}
