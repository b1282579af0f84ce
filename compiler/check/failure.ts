// How elaboration breaks off: with a diagnostic, silently after one, or to begin anew with what was learned about sizes.

import type { Diagnostic } from '../diagnostics/report.js';
import type { Dim } from '../ir/dims.js';
import type { EntryConstraint } from '../program.js';

/** An error of the program. It ends the statement; the names that the statement defines are poisoned. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly diagnostic: Diagnostic,
    /** Whether the notes say already what the operands of the failed expression are. */
    readonly isExplained = false,
  ) {
    super(diagnostic.message);
  }
}

/** The use of a value whose error was reported already. */
export class Poisoned extends Error {
  override readonly name = 'Poisoned';
}

/** Elaboration ends: the program asks for more than the compiler does. It was reported; nothing goes on from here. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

/** Two sizes must be equal for the function to make sense, and one of them is a run-time dimension: the function is elaborated again with it replaced. */
export class Restart extends Error {
  override readonly name = 'Restart';

  constructor(
    readonly symbol: string,
    readonly size: Dim,
    /** What asks for it. */
    readonly constraint: EntryConstraint,
  ) {
    super(`${symbol} = ${size.key}`);
  }
}
