// Derivatives of functions.

import { dimValue } from '../../ir/dims.js';
import type { Context } from '../context.js';
import { checkpoint } from '../control/checkpoint.js';
import { product } from '../transforms.js';
import { type Arg, fnValue, type TransformName, type Val, type Wrt } from '../values.js';
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

const gradient = (name: TransformName, doc: string): Builtin =>
  define(`${name}(f: function, wrt: any = 0) -> function`, doc, (_, args) =>
    fnValue({ type: 'transform', name, of: callable(args, 'f'), wrt: wrtOf(args) }),
  );

function productOf(cx: Context, mode: 'jvp' | 'vjp', args: Arguments): Val {
  const given = (name: string): Arg => ({ value: args.get(name), site: args.site(name) });
  return product(cx, mode, callable(args, 'f'), given('inputs'), args.isNone('v') ? undefined : given('v'));
}

export const transformBuiltins: readonly Builtin[] = [
  define(
    'checkpoint(function: function, args...: any) -> any',
    'The value of `function(*args)`. Reverse mode keeps the arguments alone and runs the function again on its way back: less memory for more work.',
    (cx, args) => checkpoint(cx, callable(args, 'function'), args.assigned.get('args') ?? []),
  ),
  gradient(
    'grad',
    'The gradient of a function that gives a scalar: a function of the same arguments. `wrt` names the parameters to differentiate by; the first one without it.',
  ),
  gradient('value_and_grad', 'Like `grad`, but the function gives (value, gradient).'),
  define(
    'jvp(f: function, inputs: any, v: any = none) -> (output, jvp)',
    'The value of a function and the product of its Jacobian with a tangent.',
    (cx, args) => productOf(cx, 'jvp', args),
  ),
  define(
    'vjp(f: function, inputs: any, v: any = none) -> (output, vjp)',
    'The value of a function and the product of a cotangent with its Jacobian.',
    (cx, args) => productOf(cx, 'vjp', args),
  ),
];
