// Values as flat lists of tensors and back: how they pass into and out of functions of the graph.

import type { Value } from '../ir/graph.js';
import type { Context } from './context.js';
import { isNumeric, toTensor } from './tensors.js';
import { describe, tensor, type Val } from './values.js';

export interface Flat {
  readonly values: readonly Value[];
  /** The value with other tensors in the place of its own. */
  readonly rebuild: (values: readonly Value[]) => Val;
  /** The value with other values in the place of its tensors. */
  readonly fill: (values: readonly Val[]) => Val;
}

/** The tensors of a value in order. Compile-time numbers become tensors; what is no number stays as it is. */
export function flatten(cx: Context, val: Val, what: string): Flat {
  const values: Value[] = [];
  const walk = (part: Val): ((from: readonly Val[]) => Val) => {
    if (isNumeric(part)) {
      const at = values.push(toTensor(cx, part)) - 1;
      return (from) => from[at] as Val;
    }
    switch (part.kind) {
      case 'list':
      case 'tuple': {
        const items = part.items.map(walk);
        return (from) => ({ ...part, items: items.map((item) => item(from)) });
      }
      case 'record': {
        const fields = [...part.fields].map(([name, field]) => [name, walk(field)] as const);
        return (from) => ({ kind: 'record', fields: new Map(fields.map(([name, field]) => [name, field(from)])) });
      }
      case 'string':
      case 'none':
      case 'dtype':
        return () => part;
      default:
        return cx.fail('E0301', { message: `${what} is made of tensors, not of ${describe(part)}` });
    }
  };
  const fill = walk(val);
  return { values, fill, rebuild: (from) => fill(from.map(tensor)) };
}
