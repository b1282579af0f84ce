// The form of a kernel function, found from its nodes.

import type { Func } from '../../ir/graph.js';
import { isWholeReduction } from './facts.js';

export type KernelForm = 'map' | 'contraction' | 'rows' | 'reduction' | 'single';

/** What kind of loop nest computes a kernel function; see `passes/fuse.ts` for what each form promises. */
export function kernelForm(func: Func): KernelForm {
  let form: KernelForm = 'map';
  for (const node of func.nodes) {
    if (node.kind === 'contract') return 'contraction';
    if (node.kind === 'order' || node.kind === 'assemble') return 'single';
    if (node.kind === 'index' && node.indexing.type === 'scatter') return 'single';
    if (node.kind === 'source' && node.source.type === 'fold_in') return 'single';
    if (node.kind === 'reduce') form = isWholeReduction(node) ? 'rows' : 'reduction';
  }
  return form;
}
