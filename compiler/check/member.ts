// `object.name`: fields, methods, properties of tensors, and functions written after their first argument.

import { nearest } from '../diagnostics/nearest.js';
import { dimConst } from '../ir/dims.js';
import type * as ast from '../syntax/ast.js';
import { builtins } from './builtins/index.js';
import type { Context } from './context.js';
import { foreignField } from './foreign.js';
import { lookup } from './lookup.js';
import { fieldOf, type Scope } from './scope.js';
import { calleeName, describe, fnValue, int, list, type ModelRef, tensor, type Val } from './values.js';

export function member(cx: Context, object: Val, expr: ast.Member, scope: Scope): Val {
  const { name } = expr.name;
  switch (object.kind) {
    case 'model':
      return modelMember(cx, object, expr);
    case 'record': {
      const field = object.fields.get(name);
      return field ?? missing(cx, expr, describe(object), [...object.fields.keys()]);
    }
    case 'cell':
      return member(cx, tensor(object.cell.value), expr, scope);
    case 'tensor':
      return tensorMember(cx, object, name) ?? functionOn(cx, object, expr, scope);
    case 'blueprint': {
      // A constant that stands for a model means the model itself once it has a place.
      const placed = cx.placed.get(object);
      if (placed !== undefined) return member(cx, placed, expr, scope);
      return cx.fail('E0404', {
        message: `the model ${object.model.name.name} is no part of another one yet`,
        help: 'build models as fields of a model',
      });
    }
    default:
      return functionOn(cx, object, expr, scope);
  }
}

function modelMember(cx: Context, ref: ModelRef, expr: ast.Member): Val {
  const { name } = expr.name;
  if (name === 'train' || name === 'eval') {
    return fnValue({
      type: 'builtin',
      builtin: { ...modeSwitch, run: () => ({ ...ref, training: name === 'train' }) },
    });
  }
  const field = fieldOf(ref, name);
  if (field !== undefined) return field;
  const argument = ref.instance.scope.own(name)?.value;
  if (argument !== undefined) return argument;
  const { fields, methods, model } = ref.instance;
  return missing(cx, expr, `the model ${model.name.name}`, [...fields.keys(), ...methods.keys()]);
}

const modeSwitch = {
  name: 'train',
  parameters: [],
  signature: 'train() -> model',
  doc: 'The model in training or evaluation mode.',
};

function missing(cx: Context, expr: ast.Member, what: string, known: readonly string[]): never {
  const { name } = expr.name;
  const hint = nearest(name, known);
  return cx.fail('E0210', {
    message: `${what} has no field \`${name}\``,
    help:
      foreignField(name) ??
      (hint === undefined ? `it has ${known.map((field) => `\`${field}\``).join(', ')}` : `did you mean \`${hint}\`?`),
  });
}

function tensorMember(cx: Context, { value }: Extract<Val, { kind: 'tensor' }>, name: string): Val | undefined {
  const { shape, dtype } = value.type;
  switch (name) {
    case 'T':
      return tensor(
        cx.b.permute(
          value,
          shape.map((_, i) => shape.length - 1 - i),
        ),
      );
    case 'shape':
      return list(shape.map(int));
    case 'dtype':
      return { kind: 'dtype', dtype };
    case 'ndim':
      return int(dimConst(shape.length));
    default:
      return undefined;
  }
}

/** `x.f` where `f` is a function: `x.f(a)` is `f(x, a)`. */
function functionOn(cx: Context, object: Val, expr: ast.Member, scope: Scope): Val {
  const { name } = expr.name;
  const of = lookup(cx, name, scope)?.value;
  if (of?.kind === 'function') {
    return fnValue({
      type: 'partial',
      of,
      first: { value: object, site: { source: scope.unit.source, span: expr.object.span } },
    });
  }
  return cx.fail('E0210', {
    message: `${describe(object)} has no field \`${name}\``,
    help: foreignField(name) ?? (of ? `\`${calleeName(of)}\` is not a function` : functionHint(cx, name)),
  });
}

function functionHint(cx: Context, name: string): string {
  const hint = nearest(name, [...builtins().keys(), ...cx.workspace.libraryIndex().keys()]);
  return hint === undefined
    ? 'a tensor has `shape`, `dtype`, `ndim` and `T`; and `x.f(a)` is `f(x, a)` for every function `f`'
    : `did you mean \`${hint}\`?`;
}
