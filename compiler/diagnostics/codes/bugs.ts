/** B09xx: what should not have happened. */
import type { Codes } from './entry.js';

export const bugCodes = {
  B0901: {
    class: 'bug',
    title: 'tdsl failed on this program',
    explanation: 'Something went wrong inside the compiler. Please report the program and the text of this message.',
    example: '# No program is known that gives this.',
  },
  B0902: {
    class: 'bug',
    title: 'a pass of the compiler made a malformed graph',
    explanation:
      'The compiler checks its own intermediate form after every step, and this check failed. Please report the program and the text of this message, which names the step, the function and the node.',
    example: '# No program is known that gives this.',
  },
} as const satisfies Codes<'B09'>;
