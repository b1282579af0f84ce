// The example programs by name, run by the interpreter and in C.

import path from 'node:path';
import { type Instance, interpret, native } from '../../cli/backends.js';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../cli/package.js';

export interface Backends {
  readonly interpreter: Instance;
  readonly c: Instance;
}

/** A program of the folder `examples`, such as `calculus/ode`, ready to run with the state of seed 1. */
export async function backendsOf(name: string): Promise<Backends> {
  const lowered = lower(loadProgram(path.join(packageRoot, 'examples', `${name}.td`)));
  const backends = { interpreter: interpret(lowered.program), c: await native(lowered) };
  for (const instance of Object.values(backends)) instance.seed(1);
  return backends;
}
