// Calls: binds arguments to parameters and runs the body in place. Calls are unrolled into the function being written, so
// every use of a generic function is checked with the sizes and dtypes that it has there.

import type { Span } from '../diagnostics/source.js';
import type * as ast from '../syntax/ast.js';
import { type Assigned, assignArguments, type ParameterShape } from './arguments.js';
import { Arguments, type Builtin } from './builtins/builtin.js';
import type { Context, Expected } from './context.js';
import { callTangent, withDerivative } from './custom-derivative.js';
import { settle } from './evaluate.js';
import { applyJacobian } from './jacobian.js';
import { Matcher, takesList } from './match.js';
import { bindPattern } from './patterns.js';
import { Scope } from './scope.js';
import { type OpenNames, openNames, type Signature } from './signature.js';
import { applyGradient } from './transforms.js';
import {
  type Arg,
  describe,
  functionName,
  int,
  isWeakNumber,
  list,
  type ModelRef,
  type Site,
  type Transform,
  type Val,
} from './values.js';
import { applyVmap } from './vmap.js';
import type { Unit } from './workspace.js';

/** Calls a value: a function, a model (its `forward`), or a model's name (which describes a sub-model). */
export function call(cx: Context, callee: Val, args: readonly Arg[]): Val {
  switch (callee.kind) {
    case 'function': {
      const { fn } = callee;
      switch (fn.type) {
        case 'declared':
          return callDeclared(cx, fn.decl, fn.unit, args, functionName(fn), fn.self);
        case 'lambda':
          return callLambda(cx, fn.node, fn.scope, args.map(read));
        case 'builtin':
          return callBuiltin(cx, fn.builtin, fn.builtin.name === 'tied' ? args : args.map(read));
        case 'transform':
          return applyTransform(cx, fn.transform, args);
        case 'tangent':
          return callTangent(cx, fn, args);
        case 'partial':
          return call(cx, fn.of, [fn.first, ...args]);
      }
      break;
    }
    case 'model': {
      const forward = callee.instance.methods.get('forward');
      if (forward !== undefined)
        return callDeclared(cx, forward, callee.instance.unit, args, callee.instance.path, callee);
      return cx.fail('E0403', {
        message: `the model ${callee.instance.model.name.name} has no \`forward\`, so it cannot be called`,
      });
    }
    case 'class':
      return { ...callee, kind: 'blueprint', args, site: cx.site };
    case 'blueprint':
      return cx.fail('E0404', {
        message: `the model ${callee.model.name.name} has no place for its parameters here`,
        notes: [{ text: 'it is made here', ...callee.site }],
        help: 'make it a field of a model, or a parameter of the function',
      });
    case 'list':
    case 'tuple':
      return cx.fail('E0211', {
        message: `${describe(callee)} cannot be called`,
        ...(callee.items.some((item) => item.kind === 'model')
          ? {
              label: 'a list of layers has no `forward`',
              help: 'call its elements: `layers[0](x)`, or `for layer in layers { x = layer(x) }`',
            }
          : {}),
      });
  }
  return cx.fail('E0211', { message: `${describe(callee)} cannot be called` });
}

/** An argument with the value that a leaf of the state has now. */
const read = (arg: Arg): Arg => (arg.value.kind === 'cell' ? { ...arg, value: settle(arg.value) } : arg);

export const shapeOf = (param: ast.Param): ParameterShape => ({
  name: param.name.name,
  required: param.default === undefined,
  rest: param.rest,
  list: takesList(param.type),
});

/** In an initialiser, functions take the size and dtype of what is initialised where these are not given. */
function withWanted(cx: Context, params: readonly ParameterShape[], assigned: Assigned): Assigned {
  const { wanted } = cx;
  if (wanted === undefined) return assigned;
  const fill = (name: string, value: Val, i: number): readonly Arg[] =>
    params[i]?.name === name && assigned[i]?.length === 0 ? [{ value, site: cx.site }] : (assigned[i] ?? []);
  const isInitialiser = params.some((param, i) => param.name === 'size' && param.required && assigned[i]?.length === 0);
  if (!isInitialiser) return assigned;
  const size = list(wanted.type.shape.map(int));
  return params.map((param, i) =>
    param.name === 'dtype' ? fill('dtype', { kind: 'dtype', dtype: wanted.type.dtype }, i) : fill('size', size, i),
  );
}

function assign(cx: Context, name: string, params: readonly ParameterShape[], args: readonly Arg[]): Assigned {
  const implied = cx.wanted === undefined ? undefined : 'size';
  return withWanted(cx, params, assignArguments(cx, name, params, args, implied));
}

function callBuiltin(cx: Context, builtin: Builtin, args: readonly Arg[]): Val {
  const assigned = assign(cx, builtin.name, builtin.parameters, args);
  const byName = new Map(builtin.parameters.map((param, i) => [param.name, assigned[i] ?? []]));
  return builtin.run(cx, new Arguments(cx, builtin, byName));
}

/** The body of something written at another place: what an initialiser wants does not reach into it. */
function apart<T>(cx: Context, body: () => T): T {
  const { wanted } = cx;
  cx.wanted = undefined;
  try {
    return body();
  } finally {
    cx.wanted = wanted;
  }
}

function callLambda(cx: Context, node: ast.Lambda, outer: Scope, args: readonly Arg[]): Val {
  const { unit } = outer;
  if (args.length !== node.params.length || args.some((arg) => arg.name !== undefined)) {
    cx.fail('E0208', {
      message: `this function takes ${node.params.length} arguments by position, ${args.length} are given`,
    });
  }
  const scope = Scope.function(unit, 'lambda', outer);
  const matcher = new Matcher(cx, scope, signatureNames(cx, unit, lambdaSignature(cx, node), outer));
  node.params.forEach((param, i) => {
    const arg = args[i] as Arg;
    const value =
      param.type === undefined ? arg.value : matcher.match(param.type, arg.value, `parameter ${i + 1}`, arg.site);
    bindPattern(cx, param.pattern, value, scope, 'parameter');
  });
  matcher.finish();
  const call = cx.site;
  return apart(cx, () => cx.within('lambda', call, () => body(cx, node.body, scope)));
}

/** The typed parameters of a lambda as a signature: its dimensions are inferred as those of a function are. */
function lambdaSignature(cx: Context, node: ast.Lambda): Signature {
  const known = cx.lambdas.get(node);
  if (known !== undefined) return known;
  const params = node.params.flatMap(({ pattern, type, span }): readonly ast.Param[] =>
    pattern.kind === 'NamePattern' && type !== undefined
      ? [{ kind: 'Param', name: pattern.name, rest: false, type, span }]
      : [],
  );
  const name: ast.Identifier = { kind: 'Identifier', name: 'lambda', span: node.span };
  const signature = { name, generics: [], params };
  cx.lambdas.set(node, signature);
  return signature;
}

/** The value of a body; an expression points to itself, a block to its statements. */
function body(cx: Context, node: ast.Expr | ast.Block, scope: Scope, expected?: Expected): Val {
  return settle(
    node.kind === 'Block' ? cx.engine.block(cx, node, scope, expected) : cx.engine.evaluate(cx, node, scope),
  );
}

/** The open names of a signature; the same for all uses, since what is in sight is. */
export function signatureNames(cx: Context, unit: Unit, signature: Signature, outer: Scope | undefined): OpenNames {
  let names = cx.signatures.get(signature);
  if (names === undefined) {
    names = openNames(cx, unit, signature, outer);
    cx.signatures.set(signature, names);
  }
  return names;
}

/** Binds the arguments to the parameters of a signature in `scope`. */
export function bindParameters(
  cx: Context,
  matcher: Matcher,
  params: readonly ast.Param[],
  assigned: Assigned,
  owner: string,
): void {
  const { scope } = matcher;
  scope.announce(params);
  const bind = (i: number) => {
    const param = params[i] as ast.Param;
    const given = assigned[i] ?? [];
    const what = `\`${param.name.name}\` of ${owner}`;
    const site: Site = { source: scope.unit.source, span: param.name.span };
    const origin = given[0]?.site ?? (param.default && { ...site, span: param.default.span });
    const define = (value: Val) =>
      scope.define(param.name.name, { value, role: 'parameter', site, ...(origin && { given: origin }) });
    if (param.rest)
      define(list(
        restItems(given).map(({ value, site: at }) => matcher.match(param.type, value, `an argument of ${what}`, at)),
      ));
    else {
      const [arg] = given;
      const value = arg === undefined ? defaultValue(cx, param, scope) : valueFor(param, arg);
      define(matcher.match(param.type, value, what, arg?.site ?? site));
    }
  };
  // Numbers of an open dtype come last: they take the dtype that tensors give it.
  const waits = (i: number) => isOpenNumber(matcher, params[i] as ast.Param, assigned[i] ?? []);
  const order = params.map((_, i) => i);
  const waiting = order.filter(waits);
  for (const i of waiting) {
    const [number] = assigned[i] ?? [];
    if (number !== undefined)
      scope.define((params[i] as ast.Param).name.name, { value: number.value, role: 'parameter' });
  }
  for (const i of [...order.filter((i) => !waits(i)), ...waiting]) bind(i);
  matcher.finish();
}

/** What a parameter is given: only one that is `mut` gets a leaf of the state as a place. */
const valueFor = (param: ast.Param, arg: Arg): Val => (param.type.kind === 'MutType' ? arg : read(arg)).value;

/** Whether a compile-time number is given for a tensor whose dtype is a variable. */
function isOpenNumber({ open }: Matcher, param: ast.Param, given: readonly Arg[]): boolean {
  const type = param.type.kind === 'OptionalType' ? param.type.type : param.type;
  const name = type.kind === 'NamedType' ? type.name.name : type.kind === 'ShapedType' ? type.dtype.name : '';
  return open.get(name)?.kind === 'dtype' && given.some(({ value }) => isWeakNumber(value));
}

/** A single list or tuple for a rest parameter counts as its elements. */
function restItems(args: readonly Arg[]): readonly Arg[] {
  const given = args.map(read);
  const [first] = given;
  if (given.length !== 1 || first === undefined || (first.value.kind !== 'list' && first.value.kind !== 'tuple'))
    return given;
  return first.value.items.map((value) => ({ value, site: first.site }));
}

function defaultValue(cx: Context, param: ast.Param, scope: Scope): Val {
  if (param.default === undefined) throw new Error(`the parameter ${param.name.name} has no default`);
  return cx.engine.evaluate(cx, param.default, scope);
}

/** Calls a function made of another one. */
function applyTransform(cx: Context, transform: Transform, args: readonly Arg[]): Val {
  switch (transform.name) {
    case 'grad':
    case 'value_and_grad':
      return applyGradient(cx, transform, args);
    case 'jacobian':
      return applyJacobian(cx, transform, args);
    case 'vmap':
      return applyVmap(cx, transform, args.map(read));
  }
}

function callDeclared(
  cx: Context,
  decl: ast.Fn,
  unit: Unit,
  args: readonly Arg[],
  name: string,
  self: ModelRef | undefined,
): Val {
  const outer = self?.instance.scope;
  const assigned = assign(cx, name, decl.params.map(shapeOf), args);
  const open = signatureNames(cx, unit, decl, outer);
  const scope = Scope.function(unit, name, outer, self);
  const matcher = new Matcher(cx, scope, open);
  const site = cx.site;
  return cx.within(name, site, () =>
    apart(cx, () => {
      bindParameters(cx, matcher, decl.params, assigned, `\`${name}\``);
      return cx.differentiating > 0 ? resultWithDerivative(cx, decl, matcher, name) : result(cx, decl, matcher, name);
    }),
  );
}

/** The value of the body, of the declared type. */
export function result(cx: Context, decl: ast.Fn, matcher: Matcher, name: string): Val {
  const { scope } = matcher;
  const value = body(cx, decl.body, scope, () => expectedShape(decl.result, matcher));
  if (decl.result === undefined) return value;
  const site = { source: scope.unit.source, span: resultSpan(decl) };
  const found = matcher.match(decl.result, value, `the result of \`${name}\``, site);
  matcher.finish();
  return found;
}

/** The value of a function as derivatives see it: with the derivative that it states, where it states one. */
export const resultWithDerivative = (cx: Context, decl: ast.Fn, matcher: Matcher, name: string): Val =>
  decl.derivative === undefined
    ? result(cx, decl, matcher, name)
    : withDerivative(cx, decl, decl.derivative, matcher, name, () => result(cx, decl, matcher, name));

/** What gives the result of a function: its last expression. */
export function resultSpan({ body: node }: ast.Fn): Span {
  return (node.kind === 'Block' ? (node.value ?? node.statements.at(-1) ?? node) : node).span;
}

/** The sizes that the declared result states, for an index definition that ends the body. */
function expectedShape(type: ast.Type | undefined, matcher: Matcher) {
  if (type?.kind !== 'ShapedType' || type.shape.some((item) => item.kind === 'RestDim')) return undefined;
  return type.shape.map((item) => (item.kind === 'AnyDim' || item.kind === 'RestDim' ? undefined : matcher.size(item)));
}

/** The names of the parameters of what can be called, for `wrt:`. */
export function parameterShapes(cx: Context, callee: Val): readonly ParameterShape[] {
  if (callee.kind === 'model') {
    const forward = callee.instance.methods.get('forward');
    if (forward !== undefined) return forward.params.map(shapeOf);
  }
  if (callee.kind !== 'function') return cx.fail('E0211', { message: `${describe(callee)} cannot be called` });
  const { fn } = callee;
  switch (fn.type) {
    case 'declared':
      return fn.decl.params.map(shapeOf);
    case 'lambda':
      return fn.node.params.map(({ pattern }, i) => ({
        name: pattern.kind === 'NamePattern' ? pattern.name.name : String(i),
        required: true,
        rest: false,
        list: false,
      }));
    case 'builtin':
      return fn.builtin.parameters;
    case 'transform':
      return parameterShapes(cx, fn.transform.of);
    case 'tangent':
      return parameterShapes(cx, fn.of);
    case 'partial':
      return parameterShapes(cx, fn.of).slice(1);
  }
}
