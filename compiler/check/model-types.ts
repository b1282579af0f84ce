// Types that are models: `MLP`, `Linear(784, 10)`, and what a program calls a model with its arguments: a constant, `let Net = MLP(0.2)`, or a
// function, `fn Opt(net: model) = SGD(net, lr: 0.1)`.

import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluateArguments } from './evaluate.js';
import { findItem, findModel, lookup } from './lookup.js';
import { Scope } from './scope.js';
import { type Blueprint, describe, type Val } from './values.js';

type ModelType = ast.NamedType | ast.AppliedType;

/** The model that a type means, with its arguments. */
export function modelOfType(cx: Context, type: ModelType, scope: Scope): Blueprint {
  return cx.at(scope.unit, type.span, () => {
    const value = lookup(cx, type.name.name, scope)?.value;
    if (type.kind === 'NamedType') {
      if (value?.kind === 'blueprint') return { ...afresh(cx, type.name.name, value, scope), site: cx.site };
      if (value?.kind === 'function') refuseFunction(cx, type.name.name, value);
      return { ...findModel(cx, type.name, scope), kind: 'blueprint', args: [], site: cx.site };
    }
    if (value?.kind === 'blueprint') {
      return cx.fail('E0211', { message: `\`${type.name.name}\` has its arguments: it is ${describe(value)}` });
    }
    if (value?.kind !== 'function') {
      const found = findModel(cx, type.name, scope);
      return { ...found, kind: 'blueprint', args: evaluateArguments(cx, found, type.args, scope), site: cx.site };
    }
    const made = cx.engine.call(cx, value, evaluateArguments(cx, value, type.args, scope));
    if (made.kind === 'blueprint') return { ...made, site: cx.site };
    return cx.fail('E0301', { message: `\`${type.name.name}\` gives ${describe(made)}, not a model` });
  });
}

const refuseFunction = (cx: Context, name: string, value: Val): never =>
  cx.fail('E0201', {
    message: `\`${name}\` is not a type, but ${describe(value)}`,
    help: `where it gives a model, its arguments make it a type: \`${name}(…)\``,
  });

/** The model of a constant made once more: what one type calls the same model inside of it is not shared with another parameter of the type. */
function afresh(cx: Context, name: string, value: Blueprint, scope: Scope): Blueprint {
  const found = scope.find(name) === undefined ? findItem(cx, scope.unit, name) : undefined;
  if (found?.item.kind !== 'Constant') return value;
  const again = cx.engine.evaluate(cx, found.item.value, Scope.function(found.unit, name));
  return again.kind === 'blueprint' ? again : value;
}

/** The declaration of the model that a type means. */
export function declarationOfType(cx: Context, type: ModelType, scope: Scope): ast.Model {
  const value = lookup(cx, type.name.name, scope)?.value;
  const isAlias = value?.kind === 'blueprint' || value?.kind === 'function';
  return isAlias ? modelOfType(cx, type, scope).model : findModel(cx, type.name, scope).model;
}

/** Whether a model can be made of a name without arguments. */
export function isComplete(cx: Context, name: ast.Identifier, scope: Scope): boolean {
  if (lookup(cx, name.name, scope)?.value.kind === 'blueprint') return true;
  return findModel(cx, name, scope).model.params.every((param) => param.default !== undefined || param.rest);
}
