// What a pass is.

import type { Stage } from '../ir/verify.js';
import type { Program } from '../program.js';

/** What decisions of passes depend on besides the program: costs of the machine that the code is for. */
export interface PassContext {
  /** A contraction of at most this many products per call may recompute cheap operands as it reads them. */
  readonly smallContraction: number;
  /** Recomputing a value at every read is worth at most this many arithmetic operations per element. */
  readonly cheapOperations: number;
  /** The same of a condition on places alone: lanes decide it without computing their numbers, and what it hides may be left out. */
  readonly cheapConditions: number;
}

export const defaultContext: PassContext = { smallContraction: 1 << 14, cheapOperations: 4, cheapConditions: 12 };

/** A transformation of programs that changes no value; `autocast` alone rounds some. */
export interface Pass {
  /** What `tdsl ir --after NAME` takes. */
  readonly name: string;
  readonly doc: string;
  /** The stage that a program is in afterwards, when this pass brings it there. */
  readonly reaches?: Stage;
  readonly run: (program: Program, context: PassContext) => Program;
}

/** A pass of a pipeline under a name that occurs once. */
export interface PipelineStep {
  readonly name: string;
  readonly pass: Pass;
}
