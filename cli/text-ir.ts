// Programs from text IR that a user wrote or edited: what is wrong with it is the user's error, never ours.

import type { Func } from '../compiler/ir/graph.js';
import { ParseError, parseProgram } from '../compiler/ir/parse.js';
import { mapModule } from '../compiler/ir/rewrite.js';
import { VerifyError } from '../compiler/ir/verify.js';
import { verifyProgram } from '../compiler/ir/verify-program.js';
import type { Program } from '../compiler/program.js';
import { userError } from './errors.js';

/** Kernels are calls of the functions that they compute. As calls, passes inline them and make kernels anew. */
function openKernels(func: Func): Func {
  const nodes = func.nodes.map((node) =>
    node.kind === 'region' && node.region.type === 'kernel'
      ? { ...node, region: { type: 'call', fn: node.region.fn } as const }
      : node,
  );
  return { ...func, nodes };
}

/** The program in a text of any stage; `file` is for messages. */
export function readTextIr(text: string, file: string): Program {
  try {
    const program = parseProgram(text, file);
    const opened = { ...program, module: mapModule(program.module, openKernels) };
    verifyProgram(opened, { stage: 'elaborated' });
    return opened;
  } catch (error) {
    if (error instanceof ParseError) throw userError(error.message);
    if (error instanceof VerifyError) throw userError(`${file}: ${error.message}`);
    throw error;
  }
}
