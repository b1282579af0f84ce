// Values taken apart into the tensors and numbers that they are made of, for what passes through loops and branches.

import { dimConst } from '../../ir/dims.js';
import type { TensorType, Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { dtypeOf, isNumeric, type Numeric, toTensor } from '../tensors.js';
import { describe, isUntyped, tensor, typeText, type Val } from '../values.js';

export interface Parts {
  readonly leaves: readonly Numeric[];
  /** The same text for values of the same structure. */
  readonly structure: string;
  /** The value with others in the place of its leaves. */
  readonly rebuild: (leaves: readonly Val[]) => Val;
}

/** Takes a value apart; `what` names it in messages. */
export function takeApart(cx: Context, val: Val, what: string): Parts {
  const leaves: Numeric[] = [];
  const structure: string[] = [];
  const walk = (part: Val): ((from: readonly Val[]) => Val) => {
    const read: Val = part.kind === 'cell' ? tensor(part.cell.value) : part;
    if (isNumeric(read)) {
      const at = leaves.push(read) - 1;
      structure.push('.');
      return (from) => from[at] as Val;
    }
    switch (read.kind) {
      case 'list':
      case 'tuple': {
        structure.push(`${read.kind}(`);
        const items = read.items.map(walk);
        structure.push(')');
        return (from) => ({ ...read, items: items.map((item) => item(from)) });
      }
      case 'record': {
        structure.push('{');
        const fields = [...read.fields].map(([name, field]) => {
          structure.push(`${name}:`);
          return [name, walk(field)] as const;
        });
        structure.push('}');
        return (from) => ({ kind: 'record', fields: new Map(fields.map(([name, field]) => [name, field(from)])) });
      }
      case 'string':
      case 'none':
      case 'dtype':
        structure.push(`${describe(read)};`);
        return () => read;
      default:
        return cx.fail('E0301', { message: `${what} is made of tensors, not of ${describe(read)}` });
    }
  };
  const rebuild = walk(val);
  return { leaves, structure: structure.join(''), rebuild };
}

/** The type that a leaf has by itself. */
export const typeOf = (cx: Context, leaf: Numeric): TensorType =>
  leaf.kind === 'tensor' ? leaf.value.type : { dtype: dtypeOf(cx, leaf), shape: [] };

/** Whether tensors of two types can stand for each other; sizes that cannot be compared are assumed to be equal. */
export function typesAgree(cx: Context, a: TensorType, b: TensorType, why: string): boolean {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  return a.shape.every((size, i) => cx.sameSize(size, b.shape[i] ?? dimConst(0), why));
}

/** A leaf as a tensor of a type that it agrees with; numbers without a dtype repeat to its shape. */
export function asType(cx: Context, leaf: Numeric, type: TensorType): Value {
  if (isUntyped(leaf)) return cx.b.broadcastTo(toTensor(cx, leaf, type.dtype), type.shape);
  return cx.b.reshape(toTensor(cx, leaf), type.shape);
}

export const leafText = (leaf: Numeric): string =>
  leaf.kind === 'tensor' ? typeText(leaf.value.type) : describe(leaf);
