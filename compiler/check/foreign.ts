// What Python and its tensor libraries call things that have another name here, or do not exist: hints for names that are not known.

type Hints = ReadonlyMap<string, string>;

const byNameAlone = 'functions of the library are called by their names alone: `relu(x)`, `matmul(a, b)`';
const noConstants = `${byNameAlone}; \`pi\` is \`let pi = 3.141592653589793\``;
const joined = 'tensors are joined by `cat([a, b], dim: 0)`';
const fromNumbers = 'a tensor of numbers is `tensor([1.0, 2.0])`; other data are arguments of exported functions';

const unending =
  'a loop that ends by a condition is `while condition max n from x = init { next }`; `fold` and `for` take every step';

const names: Hints = new Map([
  ['torch', byNameAlone],
  ['F', byNameAlone],
  ['np', noConstants],
  ['numpy', noConstants],
  ['math', noConstants],
  ['pi', 'define it: `let pi = 3.141592653589793`'],
  ['None', 'write `none`'],
  ['True', 'write `true`'],
  ['False', 'write `false`'],
  ['newaxis', 'write `none`: `x[:, none]`'],
  ['nn', 'layers are imported by name: `import std.nn { Linear }`; functions are called by their names alone'],
  ['optim', 'optimizers are imported by name: `import std.optim { SGD }`'],
  ['print', 'a program prints nothing: give the value back as a result'],
  ['range', 'the ints from 0 up to and without `n` are `0..n`'],
  ['enumerate', 'loop over the positions: `for i in 0..len(items)`'],
  ['zip', 'loop over the positions: `for i in 0..len(items)`'],
  ['break', unending],
  [
    'continue',
    'an unrolled loop passes over a step by `if c { … }`; `fold` keeps its carry by `if c { next } else { carry }`',
  ],
  ['int', 'tensors are converted with `cast(x, i64)`'],
  ['float', 'tensors are converted with `cast(x, f32)`; infinity is `inf`'],
  ['complex64', 'there are no complex numbers'],
  ['complex128', 'there are no complex numbers'],
  ['view', 'reshape it: `reshape(x, [n, m])`'],
  ['item', 'a tensor of rank 0 is a number already'],
  ['concat', joined],
  ['concatenate', joined],
  ['clip', 'write `clamp(x, min, max)`'],
  ['clamp_min', 'write `clamp(x, min: 0)`'],
  ['clamp_max', 'write `clamp(x, max: 1)`'],
  ['multiply', 'write `a * b`, or `mul(a, b)`'],
  ['subtract', 'write `a - b`, or `sub(a, b)`'],
  ['divide', 'write `a / b`, or `div(a, b)`'],
  ['array', fromNumbers],
  ['as_tensor', fromNumbers],
  ['from_numpy', fromNumbers],
  ['manual_seed', 'the seed belongs to the session: `create({ seed: 1 })`'],
  ['DataLoader', "data are loaded by the host: `import { DataLoader } from 'tdsl/train'`"],
  ['super', 'models do not inherit: make the other model a field'],
  ['Parameter', 'a parameter is a field: `param weight: f32[n, m] = normal(std: 0.01)`'],
  ['Module', 'a model is declared: `model Name(…) { fields }`'],
  ['ModuleList', 'a list of models is a list: `layers: [Linear(2, 3), Linear(3, 1)]`'],
]);

const cast = (dtype: string): string => `convert it: \`cast(x, ${dtype})\``;

const fields: Hints = new Map([
  ['view', 'reshape it: `reshape(x, [n, m])`; a copy is made only where one is needed'],
  ['to', cast('f32')],
  ['type', cast('f32')],
  ['float', cast('f32')],
  ['double', cast('f64')],
  ['half', cast('f16')],
  ['long', cast('i64')],
  ['int', cast('i32')],
  ['bool', cast('bool')],
  ['dim', 'the number of axes is `x.ndim`'],
  ['mT', 'write `transpose(x, -2, -1)`'],
  ['data', 'write `detach(x)` for the values without derivative'],
  ['values', 'a pair of results is taken apart: `let (values, indices) = …`, or `pair[0]`'],
  ['indices', 'a pair of results is taken apart: `let (values, indices) = …`, or `pair[1]`'],
  ['new_zeros', 'write `zeros([n], dtype: x.dtype)`'],
  ['new_ones', 'write `ones([n], dtype: x.dtype)`'],
  ['new_full', 'write `full([n], value, dtype: x.dtype)`'],
  ['tolist', 'a tensor that a function gives back is an array for the host'],
  ['item', 'a tensor of rank 0 is a number already'],
  ['numpy', 'a tensor that a function gives back is an array for the host'],
  ['cuda', 'the device belongs to the session, not to a tensor'],
  ['cpu', 'the device belongs to the session, not to a tensor'],
  ['device', 'the device belongs to the session, not to a tensor'],
  ['contiguous', 'every tensor is contiguous as far as the program can see'],
  ['backward', 'derivatives are taken of functions: `let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)`'],
  ['grad', 'derivatives are taken of functions: `grad(f)(x)`'],
  ['requires_grad', 'what a derivative is taken by is said where it is taken: `grad(f, wrt: x)`'],
  ['requires_grad_', 'what a derivative is taken by is said where it is taken: `grad(f, wrt: x)`'],
  ['zero_grad', 'gradients are values, not fields of the parameters: there is nothing to reset'],
  ['parameters', 'an optimizer takes the model itself: `opt: mut SGD(net, lr: 0.1)`'],
]);

/** Parameters that have another name here. */
const parameters: Hints = new Map([
  ['axis', 'dim'],
  ['axes', 'dims'],
  ['keepdims', 'keepdim'],
  ['x', 'input'],
  ['argnums', 'wrt'],
  ['in_axes', 'in_dims'],
  ['out_axes', 'out_dims'],
]);

/** Parameters that nothing stands for. */
const needless: Hints = new Map([
  ['device', 'the device belongs to the session, not to a tensor'],
  ['requires_grad', 'what a derivative is taken by is said where it is taken: `grad(f, wrt: x)`'],
  ['inplace', 'values are not changed in place'],
  ['out', 'values are not changed in place'],
]);

const dtypes: Hints = new Map([
  ['half', 'f16'],
  ['float16', 'f16'],
  ['bfloat16', 'bf16'],
  ['float32', 'f32'],
  ['double', 'f64'],
  ['float64', 'f64'],
  ['uint8', 'u8'],
  ['int8', 'i8'],
  ['int16', 'i16'],
  ['int32', 'i32'],
  ['long', 'i64'],
  ['int64', 'i64'],
]);

const types: Hints = new Map([
  ['Tensor', 'a tensor is its dtype and shape: `f32[n, m]`; `tensor` is one of any'],
  ['Array', 'a tensor is its dtype and shape: `f32[n, m]`; `tensor` is one of any'],
  ['ndarray', 'a tensor is its dtype and shape: `f32[n, m]`; `tensor` is one of any'],
  ['str', 'write `string`'],
  ['Callable', 'write `(f32[n]) -> f32`, or `function`'],
]);

/** Parameters, as messages name them, that take something else where the function has the same name. */
const otherCalls: Hints = new Map([
  ['`dim` of `max`', 'the larger elements of two tensors are `maximum(a, b)`'],
  ['`dim` of `min`', 'the smaller elements of two tensors are `minimum(a, b)`'],
]);

/** A hint for one value where a list is wanted. */
export const LIST_HELP = 'a list stands in brackets: `[a, b]`';

/** A hint for a name that is not known. */
export const foreignName = (name: string): string | undefined => names.get(name) ?? foreignDType(name);

/** A hint for a field or method that does not exist. */
export function foreignField(name: string): string | undefined {
  const known = fields.get(name);
  if (known !== undefined || !/[a-z]_$/.test(name)) return known;
  return `values are not changed in place: assign the new one, \`x = ${name.slice(0, -1)}(x, …)\``;
}

/** A hint for a parameter that a function with these does not have. */
export function foreignParameter(name: string, known: readonly string[]): string | undefined {
  const other = parameters.get(name);
  return other !== undefined && known.includes(other) ? `did you mean \`${other}\`?` : needless.get(name);
}

/** A hint for a name that is no dtype. */
export function foreignDType(name: string): string | undefined {
  const own = dtypes.get(name);
  return own === undefined ? types.get(name) : `did you mean \`${own}\`?`;
}

/** A hint for an argument that a parameter cannot take. */
export const foreignArgument = (parameter: string): string | undefined => otherCalls.get(parameter);
