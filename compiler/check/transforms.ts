// Derivatives: the function to differentiate becomes a function of the graph, which a `jvp` or `vjp` region carries. What it
// closes over is passed as further, undifferentiated parameters; what it writes to the state comes out as further results.

import { type Dim, printShape } from '../ir/dims.js';
import { isFloat } from '../ir/dtype.js';
import type { Region, TensorType, Value } from '../ir/graph.js';
import { call } from './call.js';
import type { Context } from './context.js';
import { obstacle } from './control/bounds.js';
import { type Flat, flatten } from './flatten.js';
import { Frame } from './frame.js';
import { toTensor } from './tensors.js';
import { type Leaf, leafType, leaves, rebuild, type Tree, treeOf } from './trees.js';
import {
  type Arg,
  type Cell,
  calleeName,
  describe,
  type Transform,
  tensor,
  tuple,
  typeText,
  type Val,
} from './values.js';
import { type Selection, selectArguments, substituted, whole } from './wrt.js';

type Gradient = Extract<Transform, { name: 'grad' | 'value_and_grad' }>;

/** A function of the graph made of a call, and what the caller needs to use it in a region. */
export interface Outlined {
  readonly fn: string;
  /** The inputs of the region: the differentiated leaves, then what the function closes over. */
  readonly inputs: readonly Value[];
  readonly results: readonly TensorType[];
  readonly value: Flat;
  /** The cells that the function writes; their new values are the results after those of the value. */
  readonly written: readonly Cell[];
}

/** The differentiated arguments as trees, with all their leaves in order. */
export interface Differentiated {
  readonly trees: readonly Tree[];
  readonly leaves: readonly Leaf[];
}

/** The trees of differentiated arguments; all their leaves are tensors of floats. */
export function treesOf(cx: Context, selected: readonly Selection[]): Differentiated {
  const trees = selected.map((arg) => {
    const tree = treeOf(cx, arg.isPlace ? arg.value : differentiable(cx, arg.value));
    for (const { value, path } of leaves(tree)) {
      const type = leafType(value);
      if (type !== undefined && isFloat(type.dtype)) continue;
      const name = path === '' ? '' : ` at \`${path}\``;
      const found = type === undefined ? describe(value) : type.dtype;
      cx.fail('E0502', { message: `only tensors of floats have gradients, got ${found}${name}`, site: arg.site });
    }
    return tree;
  });
  return { trees, leaves: trees.flatMap((tree) => leaves(tree)) };
}

/** Compile-time floats as tensors; a leaf of the state by itself counts with its value, a model with its leaves. */
function differentiable(cx: Context, val: Val): Val {
  switch (val.kind) {
    case 'float':
    case 'real':
      return tensor(toTensor(cx, val));
    case 'cell':
      return tensor(val.cell.value);
    case 'list':
    case 'tuple':
      return { ...val, items: val.items.map((item) => differentiable(cx, item)) };
    case 'record':
      return { ...val, fields: new Map([...val.fields].map(([name, field]) => [name, differentiable(cx, field)])) };
    default:
      return val;
  }
}

const currentValue = (val: Val): Value => {
  if (val.kind === 'tensor') return val.value;
  if (val.kind === 'cell') return val.cell.value;
  throw new Error('a leaf of a derivative is a tensor');
};

/** Writes `body` as a function of the graph whose first parameters stand for the differentiated leaves; `substitute` gives argument i made of them. */
export function outline(
  cx: Context,
  name: string,
  given: Differentiated,
  body: (substitute: (argument: number) => Val) => Val,
): Outlined {
  const frame = new Frame(cx.functionName(name), cx.frame);
  const outer = given.leaves.map(({ value }) => currentValue(value));
  const before = new Map<Cell, Value>();
  const params = given.leaves.map(({ value, path }, i) => {
    const param = frame.param(path === '' ? (outer[i] as Value).name : path, leafType(value) as TensorType);
    frame.hold(param, cx.frame.data(outer[i] as Value));
    if (value.kind === 'cell') {
      before.set(value.cell, value.cell.value);
      value.cell.value = param;
    }
    return tensor(param);
  });
  // Leaves of the state are places: the body finds the parameters there. Other leaves are replaced in the argument.
  const arguments_ = rebuildAll(given.trees, params);
  const substitute = (argument: number): Val => arguments_[argument] as Val;
  const { draws } = cx;
  try {
    return cx.inFrame(frame, () => {
      cx.differentiating++;
      const value = flatten(cx, body(substitute), `the result of \`${name}\``);
      const written = [...frame.written.keys()];
      const results = frame.locals([...value.values, ...written.map((cell) => cell.value)]);
      const func = frame.finish(results, frame.origin);
      cx.functions.set(func.name, func);
      return {
        fn: func.name,
        inputs: [...outer, ...frame.captures.keys()],
        results: results.map((result) => result.type),
        value,
        written,
      };
    });
  } catch (error) {
    cx.draws = draws;
    throw error;
  } finally {
    cx.differentiating--;
    for (const [cell, value] of frame.written) cell.value = value;
    for (const [cell, value] of before) cell.value = value;
  }
}

/** Refuses a derivative that cannot go through the function: reverse mode must know how much loops store. */
export function expectWay(
  cx: Context,
  { type, fn, wrt }: Pick<Extract<Region, { type: 'jvp' | 'vjp' }>, 'type' | 'fn' | 'wrt'>,
): void {
  const found = obstacle(cx.functions, type, fn, wrt);
  if (found === undefined) return;
  const { site, text } = found.node.origin;
  const place = site === undefined ? '' : ` (${site.file}:${site.line})`;
  if (found.input !== undefined) {
    cx.fail('E0508', {
      message: `\`${text ?? 'a function'}\`${place} states its derivative, which says nothing of \`${found.input.name}\``,
      label: 'this is differentiated by it',
      help: 'what a function reads besides its parameters counts as constant in the derivative that it states: make it a parameter',
    });
  }
  cx.fail('E0505', {
    message: `the gradient goes backwards through a loop without a bound: \`${text ?? 'while'}\`${place}`,
    help: 'reverse mode stores what the trips compute: state the largest number of them, `while … max 100 from …`',
  });
}

/** Adds the region; writes back the state; gives the value of the function and the further results. */
export function regionOf(
  cx: Context,
  outlined: Outlined,
  region: Extract<Region, { type: 'jvp' | 'vjp' }>,
  extra: readonly Value[],
  types: readonly TensorType[],
): { readonly value: Val; readonly derivatives: readonly Value[] } {
  expectWay(cx, region);
  const results = cx.b.region(region, [...outlined.inputs, ...extra], [...outlined.results, ...types], outlined.fn);
  const own = outlined.value.values.length;
  outlined.written.forEach((cell, i) => void cx.frame.assign(cell, results[own + i] as Value));
  return { value: outlined.value.rebuild(results.slice(0, own)), derivatives: results.slice(outlined.results.length) };
}

/** Calls `grad(f)` or `value_and_grad(f)`. */
export function applyGradient(cx: Context, transform: Gradient, args: readonly Arg[]): Val {
  const { of, wrt, name, hasAux = false } = transform;
  const selected = selectArguments(cx, of, wrt, args);
  const given = treesOf(cx, selected);
  const outlined = outline(cx, calleeName(of), given, (substitute) =>
    call(cx, of, substituted(args, selected, substitute)),
  );
  const result = differentiatedResult(cx, transform, outlined);
  const region = { type: 'vjp', fn: outlined.fn, wrt: given.leaves.map((_, i) => i), of: [0] } as const;
  const types = given.leaves.map(({ value }) => leafType(value) as TensorType);
  const { value, derivatives } = regionOf(cx, outlined, region, [cx.b.constant(1, result.type.dtype)], types);
  const gradients = rebuildAll(given.trees, derivatives.map(tensor));
  const gradient = wrt.single ? (gradients[0] as Val) : tuple(gradients);
  if (name === 'value_and_grad') return tuple([value, gradient]);
  return hasAux && value.kind === 'tuple' ? tuple([gradient, value.items[1] as Val]) : gradient;
}

/** The scalar that a gradient is of: the result of the function, or the first part of (value, aux). It is the first tensor of the result. */
function differentiatedResult(cx: Context, transform: Gradient, { value }: Outlined): Value {
  const { of, name, hasAux = false } = transform;
  const whole = value.rebuild(value.values);
  const parts = whole.kind === 'tuple' ? whole.items : [];
  const isPair = parts.length === 2 && parts[0]?.kind === 'tensor';
  const [result] = value.values;
  const isScalar = result !== undefined && result.type.shape.length === 0 && isFloat(result.type.dtype);
  if (isScalar && (hasAux ? isPair : value.values.length === 1)) return result;
  const found = value.values.map(({ type }) => typeText(type)).join(', ');
  const gives = `\`${calleeName(of)}\` gives ${value.values.length > 1 ? `(${found})` : found || 'no tensor'}`;
  const asker = transform.caller ?? name;
  if (hasAux && !isPair) {
    return cx.fail('E0501', {
      message: `${asker} with has_aux takes a function that gives (value, aux), but ${gives}`,
      help: 'several further values are a tuple or record of their own: `(loss, { logits: z, hits: n })`',
    });
  }
  return cx.fail('E0501', {
    message: `${asker} differentiates a scalar of floats, but ${gives}`,
    label: isScalar
      ? undefined
      : result === undefined
        ? 'no tensor'
        : `its shape is [${printShape(result.type.shape)}]`,
    help:
      isScalar && isPair && transform.caller === undefined
        ? `the second value is passed on, and not differentiated, by \`${name}(f, has_aux: true)\``
        : 'reduce it: sum(…), mean(…); or give a cotangent to vjp',
  });
}

/** Trees with other leaves, taken in order. */
export function rebuildAll(trees: readonly Tree[], leaves: readonly Val[]): readonly Val[] {
  let at = 0;
  return trees.map((tree) => rebuild(tree, () => leaves[at++] as Val));
}

/** The float results of a function by position; derivatives are of these. */
const floatResults = (outlined: Outlined): readonly number[] =>
  outlined.value.values.flatMap((value, i) => (isFloat(value.type.dtype) ? [i] : []));

/** `jvp(f, inputs, v)` and `vjp(f, inputs, v)` as in `torch.autograd.functional`: the value of the function, and the product. */
export function product(cx: Context, mode: 'jvp' | 'vjp', of: Val, inputs: Arg, direction: Arg | undefined): Val {
  const isSingle = inputs.value.kind !== 'tuple';
  const args: readonly Arg[] =
    inputs.value.kind === 'tuple' ? inputs.value.items.map((value) => ({ value, site: inputs.site })) : [inputs];
  const selected = args.map(whole);
  const given = treesOf(cx, selected);
  const outlined = outline(cx, calleeName(of), given, (substitute) =>
    call(cx, of, substituted(args, selected, substitute)),
  );
  const results = floatResults(outlined);
  const wrt = given.leaves.map((_, i) => i);
  const inputTypes = given.leaves.map(({ value }) => leafType(value) as TensorType);
  const outputTypes = results.map((i) => outlined.results[i] as TensorType);
  const wanted = mode === 'jvp' ? inputTypes : outputTypes;
  const vectors = directions(cx, mode, wanted, direction);
  const region = { type: mode, fn: outlined.fn, wrt, of: results };
  const { value, derivatives } = regionOf(cx, outlined, region, vectors, mode === 'jvp' ? outputTypes : inputTypes);
  if (mode === 'vjp') {
    const gradients = rebuildAll(given.trees, derivatives.map(tensor));
    return tuple([value, isSingle ? (gradients[0] as Val) : tuple(gradients)]);
  }
  if (results.length !== outlined.value.values.length) {
    cx.fail('E0502', {
      message: `only tensors of floats have derivatives, but \`${calleeName(of)}\` gives others too`,
    });
  }
  return tuple([value, outlined.value.rebuild(derivatives)]);
}

/** The tensors of `v`, which has the structure of what it is multiplied with; a scalar needs none. */
function directions(
  cx: Context,
  mode: 'jvp' | 'vjp',
  wanted: readonly TensorType[],
  direction: Arg | undefined,
): readonly Value[] {
  const what = mode === 'jvp' ? 'tangent' : 'cotangent';
  const against = mode === 'jvp' ? 'input' : 'output';
  if (direction === undefined) {
    if (wanted.every((type) => type.shape.length === 0)) return wanted.map((type) => cx.b.constant(1, type.dtype));
    return cx.fail('E0501', {
      message: `${mode} needs \`v\`: the ${against} is not a scalar but ${wanted.map(typeText).join(', ')}`,
    });
  }
  const { values } = flatten(cx, direction.value, 'the vector of a derivative');
  if (values.length !== wanted.length) {
    cx.fail('E0504', {
      message: `${values.length} ${what}s are given for ${wanted.length} ${against}s`,
      site: direction.site,
    });
  }
  return values.map((value, i) => {
    const type = wanted[i] as TensorType;
    const cast = isFloat(value.type.dtype) && value.type.shape.length === 0 ? cx.b.cast(value, type.dtype) : value;
    const own = cast.type.shape;
    const isOfShape = (): boolean =>
      own.length === type.shape.length &&
      own.every((size, axis) =>
        cx.sameSize(size, type.shape[axis] as Dim, `the ${what} has the shape of the ${against}`),
      );
    if (cast.type.dtype === type.dtype && isOfShape()) return cx.b.reshape(cast, type.shape);
    return cx.fail('E0504', {
      message: `the ${what} is ${typeText(value.type)}, but the ${against} is ${typeText(type)}`,
      site: direction.site,
    });
  });
}
