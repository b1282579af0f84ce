// `derivative (dx, …) => …`: a function that states its derivative becomes a `custom_jvp` region wherever a derivative surrounds its call.
// The region carries the body, and the stated derivative as a function of the parameters, of the result and of the tangents.

import { isFloat } from '../ir/dtype.js';
import type { Func, TensorType, Value } from '../ir/graph.js';
import { linearity } from '../ops/linearity.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { asType, type Parts, takeApart, typesAgree } from './control/parts.js';
import { capturesOf, finishPiece, inputsOf, type Piece, writePiece } from './control/pieces.js';
import { settle } from './evaluate.js';
import { type Flat, flatten } from './flatten.js';
import type { Frame } from './frame.js';
import type { Matcher } from './match.js';
import type { Binding, Scope } from './scope.js';
import { type Differentiable, differentiable, hasTangent } from './tangents.js';
import { outline, regionOf } from './transforms.js';
import { type Arg, calleeName, type FunctionValue, type Site, typeText, type Val } from './values.js';

/** Runs `body`, which may put other values in the place of parameters and of leaves of the state; they are as before afterwards. */
function keepingValues<T>(bindings: readonly Binding[], { cells }: Differentiable, body: () => T): T {
  const before = bindings.map((binding) => binding.value);
  const places = cells.map((cell) => cell?.value);
  try {
    return body();
  } finally {
    bindings.forEach((binding, i) => {
      binding.value = before[i] as Val;
    });
    cells.forEach((cell, i) => {
      if (cell !== undefined) cell.value = places[i] as Value;
    });
  }
}

/** Makes the parameters of a piece for the differentiable values, and puts them in the place of these. */
function openPiece(frame: Frame, bindings: readonly Binding[], given: Differentiable): readonly Value[] {
  const own = given.values.map(({ type }, i) => frame.param(given.names[i] ?? 'x', type));
  given.rebuild(own).forEach((value, i) => {
    (bindings[i] as Binding).value = value;
  });
  given.cells.forEach((cell, i) => {
    if (cell !== undefined) cell.value = own[i] as Value;
  });
  return own;
}

/** Runs `body` with so many derivatives around it. */
function differentiating<T>(cx: Context, depth: number, body: () => T): T {
  const { differentiating: before } = cx;
  cx.differentiating = depth;
  try {
    return body();
  } finally {
    cx.differentiating = before;
  }
}

/** The body as a function of the graph. */
interface Body {
  readonly own: readonly Value[];
  readonly flat: Flat;
}

/** The stated derivative as a function of the graph: its parameters in order, and the tangents that it gives. */
interface Stated {
  readonly own: readonly Value[];
  readonly results: readonly Value[];
  readonly tangents: readonly Value[];
  /** The tangents of what functions among the arguments close over. */
  readonly captured: ReadonlyMap<Value, Value>;
  readonly given: Parts;
}

/** The value of a function that states its derivative; `body` evaluates it in the scope of the matcher. */
export function withDerivative(
  cx: Context,
  decl: ast.Fn,
  derivative: ast.Derivative,
  matcher: Matcher,
  name: string,
  body: () => Val,
): Val {
  const { scope } = matcher;
  const site: Site = { source: scope.unit.source, span: derivative.span };
  const params = decl.params.filter((param) => scope.own(param.name.name) !== undefined);
  const bindings = params.map((param) => scope.own(param.name.name) as Binding);
  const given = differentiable(
    cx,
    bindings.map(({ value }) => value),
    params.map((param) => param.name.name),
  );
  const isTangent = params.map((param) => hasTangent(param.type, matcher.open));
  expectTangents(
    cx,
    name,
    derivative,
    site,
    params.filter((_, i) => isTangent[i]),
  );
  if (given.values.length === 0) return body();

  const primal = keepingValues(bindings, given, () =>
    writePiece(cx, name, (frame): Body => {
      const own = openPiece(frame, bindings, given);
      // The body runs, but it is never differentiated.
      return { own, flat: flatten(cx, differentiating(cx, 0, body), `the result of \`${name}\``) };
    }),
  );
  const { flat } = primal.value;
  const results = cx.inFrame(primal.frame, () => primal.frame.locals([...flat.values, ...primal.cells.values()]));
  const stated = keepingValues(bindings, given, () =>
    writePiece(cx, `derivative.${name}`, (frame): Stated => {
      const own = openPiece(frame, bindings, given);
      const resultParams = results.map((result) => frame.param(result.name, result.type));
      const tangents = given.values.map(({ type }, i) => frame.param(`d_${given.names[i]}`, type));
      const captured = new Map<Value, Value>();
      const tangentOf = (value: Value): Value | undefined => {
        if (!isFloat(value.type.dtype) || isInside(cx, frame, value)) return undefined;
        const tangent = captured.get(value) ?? frame.param(`d_${value.name}`, value.type);
        captured.set(value, tangent);
        return tangent;
      };
      const inner = scope.block();
      if (scope.own('result') === undefined)
        inner.define('result', { value: flat.rebuild(resultParams.slice(0, flat.values.length)), role: 'variable' });
      const values = given.tangents(tangents, tangentOf).filter((_, i) => isTangent[i]);
      derivative.params.forEach(({ name: tangent, span }, i) => {
        const value = values[i] as Val;
        inner.define(tangent, { value, role: 'parameter', site: { source: scope.unit.source, span } });
      });
      const value = differentiating(cx, Math.max(0, cx.differentiating - 1), () => evaluateBody(cx, derivative, inner));
      return {
        own,
        results: resultParams,
        tangents,
        captured,
        given: takeApart(cx, value, `the derivative of \`${name}\``),
      };
    }),
  );
  if (stated.cells.size > 0) {
    const [cell] = stated.cells.keys();
    cx.fail('E0507', {
      message: `the derivative of \`${name}\` assigns to \`${cell?.path}\``,
      site,
      help: 'a derivative only gives tangents',
    });
  }
  const of = flat.values.flatMap((value, i) => (isFloat(value.type.dtype) ? [i] : []));
  const outputs = cx.pointing(site, () =>
    tangentsOf(
      cx,
      name,
      stated,
      of.map((i) => (results[i] as Value).type),
    ),
  );
  return addRegion(cx, { name, site, given, primal, stated, results, outputs, of });
}

function evaluateBody(cx: Context, { body }: ast.Derivative, scope: Scope): Val {
  return settle(body.kind === 'Block' ? cx.engine.block(cx, body, scope) : cx.engine.evaluate(cx, body, scope));
}

/** Whether a value belongs to the stated derivative or to a function in it. */
function isInside(cx: Context, derivative: Frame, value: Value): boolean {
  for (let frame: Frame | undefined = cx.frame; frame !== undefined; frame = frame.outer) {
    if (frame.owns(value)) return true;
    if (frame === derivative) return false;
  }
  return false;
}

/** The derivative names a tangent for each parameter that may hold tensors of floats. */
function expectTangents(
  cx: Context,
  name: string,
  { params: named }: ast.Derivative,
  site: Site,
  params: readonly ast.Param[],
): void {
  if (named.length === params.length) return;
  const wanted = params.map((param) => `\`${param.name.name}\``).join(', ');
  const others = 'compile-time values, integers, bools and keys have none';
  cx.fail('E0507', {
    message: `the derivative of \`${name}\` names ${named.length} tangent${named.length === 1 ? '' : 's'}, but it has ${params.length}`,
    site,
    help:
      params.length === 0
        ? `no parameter has a tangent: ${others}`
        : `it takes a tangent of ${wanted}, in this order: \`derivative (${params.map((param) => `d${param.name.name}`).join(', ')}) => …\`; ${others}`,
  });
}

/** The tangents that a stated derivative gives, of the types of the results. */
function tangentsOf(
  cx: Context,
  name: string,
  { frame, value: { given } }: Piece<Stated>,
  types: readonly TensorType[],
): readonly Value[] {
  const { leaves: found } = given;
  if (found.length !== types.length) {
    cx.fail('E0507', {
      message: `the derivative of \`${name}\` gives ${found.length} tangents for ${types.length} results of floats`,
      help: 'it gives the tangent of every tensor of floats in the result, in order',
    });
  }
  return cx.inFrame(frame, () =>
    found.map((leaf, i) => {
      const type = types[i] as TensorType;
      if (leaf.kind === 'tensor' && !typesAgree(cx, leaf.value.type, type, `the derivative of ${name} fits its result`))
        cx.fail('E0507', {
          message: `the derivative of \`${name}\` is ${typeText(leaf.value.type)}, but what it is tangent to is ${typeText(type)}`,
          help: 'the tangent of a result has its dtype and shape',
        });
      return frame.local(asType(cx, leaf, type));
    }),
  );
}

interface Written {
  readonly name: string;
  readonly site: Site;
  readonly given: Differentiable;
  readonly primal: Piece<Body>;
  readonly stated: Piece<Stated>;
  /** The results of the body: those of the value, then the cells that it writes. */
  readonly results: readonly Value[];
  readonly outputs: readonly Value[];
  readonly of: readonly number[];
}

/** Finishes both functions and adds the region that carries them. */
function addRegion(cx: Context, { name, site, given, primal, stated, results, outputs, of }: Written): Val {
  const captures = capturesOf([primal, stated]);
  const { captured } = stated.value;
  const fn = finishPiece(cx, primal, captures, { first: primal.value.own, last: [] }, results);
  const derivative = finishPiece(
    cx,
    stated,
    captures,
    { first: stated.value.own, last: [...stated.value.results, ...stated.value.tangents, ...captured.values()] },
    outputs,
  );
  expectLinear(cx, name, site, derivative, stated.value.tangents.length + captured.size);
  const wrt = [
    ...given.values.map((_, i) => i),
    ...[...captured.keys()].map((value) => given.values.length + captures.indexOf(value)),
  ];
  const made = cx.b.region(
    { type: 'custom_jvp', fn: fn.name, derivative: derivative.name, wrt, of },
    inputsOf(cx, [...given.values, ...captures]),
    results.map(({ type }) => type),
    name,
  );
  const { flat } = primal.value;
  [...primal.cells.keys()].forEach((cell, i) => void cx.frame.assign(cell, made[flat.values.length + i] as Value));
  return flat.rebuild(made.slice(0, flat.values.length));
}

/** Refuses a derivative that is not linear in its tangents, the last parameters of its function. */
function expectLinear(cx: Context, name: string, site: Site, func: Func, tangents: number): void {
  const first = func.params.length - tangents;
  const found = linearity(
    cx.functions,
    func,
    func.params.map((_, i) => i >= first),
  );
  if ('node' in found) {
    const text = found.node.origin.text === undefined ? '' : `: \`${found.node.origin.text}\``;
    cx.fail('E0506', {
      message: `the derivative of \`${name}\` is not linear in its tangents${text}`,
      site,
      help: 'tangents may be added up, multiplied with what does not depend on them, selected, reshaped, summed and contracted',
    });
  }
  if (found.results.includes('free')) {
    cx.fail('E0506', {
      message: `the derivative of \`${name}\` does not vanish with its tangents`,
      site,
      help: 'it is the derivative times the tangent: `derivative (dx) => 2 * x * dx`',
    });
  }
}

/** Calls the tangent of a function: what its value changes by as what it closes over does. */
export function callTangent(
  cx: Context,
  { of, tangentOf }: Extract<FunctionValue, { type: 'tangent' }>,
  args: readonly Arg[],
): Val {
  const name = calleeName(of);
  const outlined = outline(cx, name, { trees: [], leaves: [] }, () => cx.engine.call(cx, of, args));
  const { values } = outlined.value;
  if (values.some((value) => !isFloat(value.type.dtype)))
    cx.fail('E0502', { message: `only tensors of floats have derivatives, but \`${name}\` gives others too` });
  const types = values.map(({ type }) => type);
  const tangents = outlined.inputs.map(tangentOf);
  const wrt = tangents.flatMap((tangent, i) => (tangent === undefined ? [] : [i]));
  if (wrt.length === 0) return outlined.value.rebuild(types.map(({ dtype, shape }) => cx.b.constant(0, dtype, shape)));
  const { derivatives } = regionOf(
    cx,
    outlined,
    { type: 'jvp', fn: outlined.fn, wrt, of: values.map((_, i) => i) },
    wrt.map((i) => tangents[i] as Value),
    types,
  );
  return outlined.value.rebuild(derivatives);
}
