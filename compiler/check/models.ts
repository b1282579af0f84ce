// Models: a declaration with the arguments of its constructor becomes an instance, a tree of leaves with dotted paths.

import { printDim } from '../ir/dims.js';
import { isFloat } from '../ir/dtype.js';
import type { TensorType, Value } from '../ir/graph.js';
import type * as ast from '../syntax/ast.js';
import { assignArguments } from './arguments.js';
import { bindParameters, shapeOf, signatureNames } from './call.js';
import type { Context } from './context.js';
import { evaluatePlace } from './evaluate.js';
import { lookup } from './lookup.js';
import { Matcher } from './match.js';
import { condition } from './operators.js';
import { Scope } from './scope.js';
import { isNumeric, restate, toTensor } from './tensors.js';
import { leafType, likeTree, rebuild } from './trees.js';
import {
  type Blueprint,
  type Cell,
  contents,
  describe,
  type Instance,
  type ModelRef,
  type Site,
  typeText,
  type Val,
} from './values.js';

/** Builds the instance of a blueprint at a path; its leaves come from the context's leaf maker. */
export function instantiate(cx: Context, { model, name, unit, args, site }: Blueprint, path: string): Val {
  const params = model.params.map(shapeOf);
  return cx.within(name, site, () => {
    const assigned = cx.pointing(site, () => assignArguments(cx, name, params, args));
    const scope = Scope.function(unit, name);
    const matcher = new Matcher(cx, scope, signatureNames(cx, unit, model, undefined));
    bindParameters(cx, matcher, model.params, assigned, `\`${name}\``);
    const methods = new Map(methodsOf(cx, model, unit.source).map((method) => [method.name.name, method]));
    const instance: Instance = { model, name, unit, path, fields: new Map(), scope, methods };
    // While it is built, an instance may be read by later fields (`tied(embed.weight)`) but not written.
    const self: ModelRef = { kind: 'model', instance, training: false, access: 'read' };
    buildFields(cx, model.fields, instance, Scope.function(unit, name, scope, self));
    return { ...self, access: 'write' };
  });
}

function methodsOf(cx: Context, model: ast.Model, source: Site['source']): readonly ast.Fn[] {
  const seen = new Set<string>();
  return model.fields.flatMap((field) => {
    if (field.kind !== 'Fn') return [];
    const { name, span } = field.name;
    if (seen.has(name))
      cx.fail('E0202', { message: `the model ${model.name.name} has two methods \`${name}\``, site: { source, span } });
    seen.add(name);
    return [field];
  });
}

function buildFields(cx: Context, fields: readonly ast.Field[], instance: Instance, scope: Scope): void {
  const { unit } = instance;
  for (const field of fields) {
    if (field.kind === 'Fn' || field.kind === 'Error') continue;
    cx.at(unit, field.span, () => {
      if (field.kind === 'IfField') {
        const test = condition(cx, evaluatePlace(cx, field.condition, scope), 'the condition of fields');
        buildFields(cx, test ? field.fields : (field.otherwise ?? []), instance, scope);
        return;
      }
      const { name, span } = field.name;
      if (instance.fields.has(name) || instance.methods.has(name)) {
        cx.fail('E0202', {
          message: `the model ${instance.model.name.name} has two fields \`${name}\``,
          site: { source: unit.source, span },
        });
      }
      // What the field `_` holds is reached without a name of its own: the layers of a sequence are `net.0`, `net.1`.
      const path = name === contents ? instance.path : `${instance.path}.${name}`;
      if (field.kind === 'Constant') {
        const value = evaluatePlace(cx, field.value, scope);
        instance.scope.define(name, { value, role: 'constant', site: { source: unit.source, span } });
      } else if (field.kind === 'ChildField')
        instance.fields.set(name, place(cx, childValue(cx, field, instance.model, scope), path));
      else instance.fields.set(name, tensorField(cx, field, path, scope));
    });
  }
}

/** Types that newcomers give to a field that is a number. */
const numberTypes: ReadonlySet<string> = new Set(['int', 'float', 'bool', 'string', 'dim']);

/** The value of a field that is a sub-model. A type stands there where somebody meant a constant or a parameter. */
function childValue(cx: Context, { name, value }: ast.ChildField, model: ast.Model, scope: Scope): Val {
  if (value.kind !== 'Name' || !numberTypes.has(value.name) || lookup(cx, value.name, scope) !== undefined)
    return evaluatePlace(cx, value, scope);
  return cx.fail('E0201', {
    message: `\`${value.name}\` is no model`,
    label: `the field \`${name.name}\` is a sub-model`,
    site: { source: scope.unit.source, span: value.span },
    help: `a constant is \`let ${name.name} = …\`; what a use chooses is a parameter: \`model ${model.name.name}(${name.name}: ${value.name})\``,
  });
}

/** Gives the sub-models in a field's value their places; models that have one already are shared. */
function place(cx: Context, value: Val, path: string): Val {
  switch (value.kind) {
    case 'blueprint': {
      const known = cx.placed.get(value);
      if (known !== undefined) return known;
      const built = cx.engine.instantiate(cx, value, path);
      cx.placed.set(value, built);
      return built;
    }
    case 'class':
      return place(cx, { ...value, kind: 'blueprint', args: [], site: cx.site }, path);
    case 'list':
    case 'tuple':
      return { ...value, items: value.items.map((item, i) => place(cx, item, `${path}.${i}`)) };
    case 'record':
      return {
        ...value,
        fields: new Map([...value.fields].map(([name, field]) => [name, place(cx, field, `${path}.${name}`)])),
      };
    default:
      return value;
  }
}

/** A `param`, `buffer` or `state`: one leaf, or a tree of leaves where the type is `like(x)`. */
function tensorField(cx: Context, field: ast.TensorField, path: string, scope: Scope): Val {
  const site: Site = { source: scope.unit.source, span: field.name.span };
  const leaf = (at: string, type: TensorType): Val => {
    const cell = makeLeaf(cx, at, field.role, type, site, () => initialise(cx, field, type, at, scope));
    return { kind: 'cell', cell, access: 'read' };
  };
  if (field.type.kind !== 'LikeType') return leaf(path, tensorType(cx, field.type, scope));
  const tree = likeTree(cx, evaluatePlace(cx, field.type.value, scope));
  return rebuild(tree, (value, at) =>
    leaf(at === '' ? path : `${path}.${at}`, leafType(value) ?? notATensor(cx, value)),
  );
}

const notATensor = (cx: Context, value: Val): never =>
  cx.fail('E0301', { message: `the leaves of \`like(…)\` are tensors, not ${describe(value)}` });

function makeLeaf(
  cx: Context,
  path: string,
  role: Cell['role'],
  type: TensorType,
  site: Site,
  init: () => Value,
): Cell {
  if (cx.makeLeaf !== undefined) return cx.makeLeaf(path, role, type, site, init);
  return cx.fail('E0404', {
    message: 'a model is built here, where its parameters would have no place',
    help: 'make it a parameter of the function',
  });
}

/** The type that a declaration of a tensor states; all its names are known. */
export function tensorType(
  cx: Context,
  type: ast.Type,
  scope: Scope,
  owner: { readonly name: string; readonly axis: number } = { name: 'a tensor of a model', axis: 0 },
): TensorType {
  const matcher = new Matcher(cx, scope, new Map());
  if (type.kind === 'NamedType' && type.name.name === 'key') return keyType(matcher);
  const dtypeName = type.kind === 'NamedType' ? type.name : type.kind === 'ShapedType' ? type.dtype : undefined;
  const dtype = dtypeName && matcher.dtype(dtypeName);
  if (dtype === undefined) {
    return cx.fail('E0301', {
      message: 'a tensor has a type such as `f32[n, m]`',
      site: { source: scope.unit.source, span: type.span },
    });
  }
  const items = type.kind === 'ShapedType' ? type.shape : [];
  const shape = items.map((item) => {
    if (item.kind !== 'AnyDim' && item.kind !== 'RestDim') return matcher.size(item);
    return cx.fail('E0405', {
      message: 'the shape of a tensor of a model is stated in full',
      site: { source: scope.unit.source, span: item.span },
    });
  });
  for (const [axis, size] of shape.entries()) {
    if (cx.nonNegative(size, 'sizes are not negative')) continue;
    cx.fail('E0324', {
      message: `axis ${owner.axis + axis} of ${owner.name} has the negative size ${printDim(size)}`,
      site: { source: scope.unit.source, span: type.span },
    });
  }
  return { dtype, shape };
}

const keyType = (matcher: Matcher): TensorType => ({
  dtype: 'i64',
  shape: [matcher.size({ kind: 'IntLiteral', value: 2n, text: '2', span: { start: 0, end: 0 } })],
});

/** The initial value of a leaf. A function without a size (`zeros`, `normal(std: 0.01)`) is called with the leaf's own size and dtype. */
function initialise(cx: Context, field: ast.TensorField, type: TensorType, path: string, scope: Scope): Value {
  const { init } = field;
  if (init === undefined) {
    return cx.fail('E0407', {
      message: `\`${path}\` has no initial value`,
      help: `write one: \`${field.role} ${field.name.name}: … = zeros\``,
    });
  }
  return cx.at(scope.unit, init.span, () => {
    const value = inInitialiser(cx, type, () => {
      const found = cx.engine.evaluate(cx, init, scope);
      return found.kind === 'function' ? cx.engine.call(cx, found, []) : found;
    });
    if (!isNumeric(value)) return cx.fail('E0410', { message: `\`${path}\` is initialised with ${describe(value)}` });
    const converts = value.kind !== 'tensor' || (isFloat(value.value.type.dtype) && isFloat(type.dtype));
    if (!converts && value.kind === 'tensor' && value.value.type.dtype !== type.dtype) {
      cx.fail('E0410', { message: `\`${path}\` is ${typeText(type)}, but its initial value is ${describe(value)}` });
    }
    const made = toTensor(cx, value, type.dtype);
    if (made.type.shape.length === 0) return cx.b.broadcastTo(made, type.shape);
    const fits =
      made.type.shape.length === type.shape.length &&
      made.type.shape.every((size, i) =>
        cx.sameSize(size, type.shape[i] ?? size, `\`${path}\` has its declared shape`),
      );
    if (!fits)
      cx.fail('E0410', { message: `\`${path}\` is ${typeText(type)}, but its initial value is ${describe(value)}` });
    return restate(cx, made, type.shape);
  });
}

function inInitialiser<T>(cx: Context, type: TensorType, body: () => T): T {
  const outer = cx.wanted;
  cx.wanted = { type };
  try {
    return body();
  } finally {
    cx.wanted = outer;
  }
}
