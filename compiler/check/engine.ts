// Ties the parts of the elaborator together.

import type * as ast from '../syntax/ast.js';
import { block, letValue } from './block.js';
import { call } from './call.js';
import type { Context, Engine } from './context.js';
import { evaluate, evaluatePlace } from './evaluate.js';
import { instantiate } from './models.js';
import { Scope } from './scope.js';
import { poison, type Val } from './values.js';
import type { Unit } from './workspace.js';

/** The value of a constant of a file, computed at its first use. */
function constant(cx: Context, item: ast.Constant, unit: Unit): Val {
  const known = cx.constants.get(item);
  if (known !== undefined) return known;
  if (cx.pending.has(item)) cx.fail('E0408', { message: `the constant \`${item.name.name}\` is made of itself` });
  cx.pending.add(item);
  try {
    // Its tensors belong to the entry, since any function of the graph may use them.
    const value = cx.inFrame(cx.rootFrame, () => letValue(cx, item, Scope.function(unit, item.name.name)));
    cx.constants.set(item, value);
    return value;
  } catch (error) {
    cx.constants.set(item, poison);
    throw error;
  } finally {
    cx.pending.delete(item);
  }
}

export const engine: Engine = { evaluate, evaluatePlace, block, call, instantiate, constant };
