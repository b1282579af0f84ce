// What Python and its tensor libraries call things that have another name here, or do not exist: hints for names that are not known.

type Hints = ReadonlyMap<string, string>;

const byNameAlone = 'functions of the library are called by their names alone: `relu(x)`, `matmul(a, b)`';

const names: Hints = new Map([
  ['torch', byNameAlone],
  ['F', byNameAlone],
  ['np', byNameAlone],
  ['numpy', byNameAlone],
  ['math', byNameAlone],
  ['nn', 'layers are imported by name: `import std.nn { Linear }`; functions are called by their names alone'],
  ['optim', 'optimizers are imported by name: `import std.optim { SGD }`'],
  ['print', 'a program prints nothing: give the value back as a result'],
  ['range', 'the ints from 0 up to and without `n` are `0..n`'],
  ['enumerate', 'loop over the positions: `for i in 0..len(items)`'],
  ['zip', 'loop over the positions: `for i in 0..len(items)`'],
  ['int', 'tensors are converted with `cast(x, i64)`'],
  ['float', 'tensors are converted with `cast(x, f32)`'],
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

const parameters: Hints = new Map([
  ['axis', 'dim'],
  ['axes', 'dims'],
  ['keepdims', 'keepdim'],
  ['x', 'input'],
]);

/** A hint for a name that is not known. */
export const foreignName = (name: string): string | undefined => names.get(name);

/** A hint for a field or method that does not exist. */
export function foreignField(name: string): string | undefined {
  const known = fields.get(name);
  if (known !== undefined || !/[a-z]_$/.test(name)) return known;
  return `values are not changed in place: assign the new one, \`x = ${name.slice(0, -1)}(x, …)\``;
}

/** The parameter that stands for one that does not exist, where the function has it. */
export function foreignParameter(name: string, known: readonly string[]): string | undefined {
  const other = parameters.get(name);
  return other !== undefined && known.includes(other) ? other : undefined;
}
