// Derivatives of functions, and functions for many sets of arguments.

import { dimValue } from '../../ir/dims.js';
import { call } from '../call.js';
import type { Context } from '../context.js';
import { checkpoint } from '../control/checkpoint.js';
import { product } from '../transforms.js';
import { type Arg, fnValue, type Transform, tuple, type Val, type Wrt } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

/** The parameters of a callee whose arguments are names, not values: `wrt: net` means the parameter `net` of the function. */
export const quotedParameters = (callee: Val): readonly string[] =>
  callee.kind === 'function' &&
  callee.fn.type === 'builtin' &&
  callee.fn.builtin.parameters.some(({ name }) => name === 'wrt')
    ? ['wrt']
    : [];

function callable(args: Arguments, name: string): Val {
  const val = args.get(name);
  return val.kind === 'function' || val.kind === 'model' ? val : args.refuse(name, 'a function');
}

/** `wrt`: a parameter by name or position, or a list of them. */
function wrtOf(args: Arguments): Wrt {
  const given = args.get('wrt');
  const one = (val: Val): number | string => {
    const position = val.kind === 'int' ? dimValue(val.dim) : undefined;
    if (val.kind === 'string') return val.value;
    return position ?? args.refuse('wrt', 'the name or the position of a parameter, or a list of them');
  };
  const site = args.site('wrt');
  if (given.kind === 'list' || given.kind === 'tuple') return { params: given.items.map(one), single: false, site };
  return { params: [one(given)], single: true, site };
}

const argument = (args: Arguments, name: string): Arg => ({ value: args.get(name), site: args.site(name) });

const transformed = (transform: Transform): Val => fnValue({ type: 'transform', transform });

const gradient = (name: 'grad' | 'value_and_grad', doc: string): Builtin =>
  define(`${name}(func: function, wrt: any = 0, has_aux: bool = false) -> function`, doc, (_, args) =>
    transformed({ name, of: callable(args, 'func'), wrt: wrtOf(args), hasAux: args.bool('has_aux') }),
  );

function productOf(cx: Context, mode: 'jvp' | 'vjp', args: Arguments): Val {
  const direction = args.isNone('v') ? undefined : argument(args, 'v');
  return product(cx, mode, callable(args, 'func'), argument(args, 'inputs'), direction);
}

/** The arguments that `inputs` stands for: a tuple is several. */
const inputsOf = ({ value, site }: Arg): readonly Arg[] =>
  value.kind === 'tuple' ? value.items.map((item) => ({ value: item, site })) : [{ value, site }];

/** By which parameters: those stated; else, with `inputs`, all of these. */
function wrtOfInputs(args: Arguments): Wrt {
  const inputs = args.get('inputs');
  if ((args.assigned.get('wrt') ?? []).length > 0 || inputs.kind !== 'tuple') return wrtOf(args);
  return { params: inputs.items.map((_, i) => i), single: false, site: args.site('inputs') };
}

/** A function of the arguments of `func`, or with `inputs` its value at these. */
function atInputs(cx: Context, args: Arguments, made: Val): Val {
  return args.isNone('inputs') ? made : call(cx, made, inputsOf(argument(args, 'inputs')));
}

const jacobian = (name: string, mode: 'auto' | 'jvp' | 'vjp', doc: string): Builtin =>
  define(`${name}(func: function, inputs: any = none, wrt: any = 0, chunk_size: int? = none) -> any`, doc, (cx, args) =>
    atInputs(
      cx,
      args,
      transformed({ name: 'jacobian', of: callable(args, 'func'), wrt: wrtOfInputs(args), mode, ...chunkOf(args) }),
    ),
  );

/** How many products are computed at once. */
function chunkOf(args: Arguments): { readonly chunk?: number } {
  if (args.isNone('chunk_size')) return {};
  const chunk = args.int('chunk_size');
  return chunk >= 1 ? { chunk } : args.refuse('chunk_size', 'at least 1');
}

/** The derivative of the gradient: reverse mode for the gradient, forward mode for its Jacobian. */
function hessian(cx: Context, args: Arguments): Val {
  const wrt = wrtOfInputs(args);
  const grad = transformed({ name: 'grad', of: callable(args, 'func'), wrt, caller: 'hessian' });
  return atInputs(cx, args, transformed({ name: 'jacobian', of: grad, wrt, mode: 'jvp', ...chunkOf(args) }));
}

/** The tangent of the gradient: forward mode over reverse mode. */
function hessianProduct(cx: Context, args: Arguments): Val {
  const inputs = argument(args, 'inputs');
  const wrt: Wrt =
    inputs.value.kind === 'tuple'
      ? { params: inputs.value.items.map((_, i) => i), single: false, site: inputs.site }
      : { params: [0], single: true, site: inputs.site };
  const of = transformed({ name: 'value_and_grad', of: callable(args, 'func'), wrt, caller: 'hvp' });
  const made = product(cx, 'jvp', of, inputs, argument(args, 'v'));
  const parts = (val: Val): readonly Val[] => (val.kind === 'tuple' ? val.items : []);
  const [values, tangents] = parts(made).map(parts) as [readonly Val[], readonly Val[]];
  return tuple([values[0] as Val, tangents[1] as Val]);
}

const words = ['different', 'same', 'error'] as const;

export const transformBuiltins: readonly Builtin[] = [
  define(
    'checkpoint(function: function, args...: any) -> any',
    'The value of `function(*args)`. Reverse mode keeps the arguments alone and runs the function again on its way back: less memory for more work.',
    (cx, args) => checkpoint(cx, callable(args, 'function'), args.assigned.get('args') ?? []),
  ),
  gradient(
    'grad',
    'The gradient of a function that gives a scalar: a function of the same arguments. `wrt` names the parameters to differentiate by, or parts of them (`wrt: [net.fc1, x]`); the first one without it. With `has_aux: true` the function gives (value, aux), and the result is (gradient, aux).',
  ),
  gradient(
    'value_and_grad',
    'Like `grad`, but the function gives (value, gradient), and with `has_aux: true` ((value, aux), gradient).',
  ),
  define(
    'jvp(func: function, inputs: any, v: any = none) -> (output, jvp)',
    'The value of a function and the product of its Jacobian with a tangent.',
    (cx, args) => productOf(cx, 'jvp', args),
  ),
  define(
    'vjp(func: function, inputs: any, v: any = none) -> (output, vjp)',
    'The value of a function and the product of a cotangent with its Jacobian.',
    (cx, args) => productOf(cx, 'vjp', args),
  ),
  jacobian(
    'jacobian',
    'auto',
    'All partial derivatives, axes of the output before axes of the input, by the mode that takes fewer products. `jacobian(func)` is a function of the arguments of `func`, by the parameters `wrt`; `jacobian(func, inputs)` is its value at the inputs, by all of them if they are a tuple. `chunk_size` products are computed at once, all without it: fewer take less memory.',
  ),
  jacobian('jacfwd', 'jvp', '`jacobian` in forward mode: a product for each element of the input.'),
  jacobian('jacrev', 'vjp', '`jacobian` in reverse mode: a product for each element of the output.'),
  define(
    'hessian(func: function, inputs: any = none, wrt: any = 0, chunk_size: int? = none) -> any',
    'The second derivatives of a function that gives a scalar: the Jacobian of its gradient, with the arguments of `jacobian`.',
    hessian,
  ),
  define(
    'hvp(func: function, inputs: any, v: any) -> (output, hvp)',
    'The value of a function that gives a scalar and the product of its Hessian with a vector, without the Hessian.',
    hessianProduct,
  ),
  define(
    'vmap(func: function, in_dims: any = 0, out_dims: any = 0, randomness: string = "different") -> function',
    'The function for many sets of arguments, which lie along the axis `in_dims` of each tensor; none for what is the same for all sets. A tuple gives axes for each argument. `out_dims` is the axis of the sets in the results. Draws are `randomness`: "different" for each set, the "same" for all, or an "error".',
    (_, args) =>
      transformed({
        name: 'vmap',
        of: callable(args, 'func'),
        inDims: args.get('in_dims'),
        outDims: args.get('out_dims'),
        randomness: args.word('randomness', words),
        site: args.site('in_dims'),
      }),
  ),
];
