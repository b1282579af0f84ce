/** E04xx: models, state and effects. */
import type { Codes } from './entry.js';

export const modelCodes = {
  E0401: {
    class: 'user',
    title: 'this state cannot be assigned to here',
    explanation:
      'Parameters and state change only through a parameter that is declared `mut`, from the exported function down to where the assignment is.',
    example:
      'model M {\n  param w: f32[2] = zeros\n}\nexport fn f(net: M) -> f32[2] {\n  net.w = net.w - 0.1\n  net.w\n}',
  },
  E0402: {
    class: 'user',
    title: 'the same state has two types',
    explanation:
      'Parameters of exported functions that are models, optimizers or keys are the state of the session. They are shared by name, so one name has one type.',
    example:
      'model A {\n  param w: f32[2] = zeros\n}\nmodel B {\n  param w: f32[3] = zeros\n}\nexport fn f(net: A) -> f32[2] = net.w\nexport fn g(net: B) -> f32[3] = net.w',
  },
  E0403: {
    class: 'user',
    title: 'the model has no forward',
    explanation: 'Calling a model calls its method `forward`.',
    example: 'model M {\n  param w: f32[2] = zeros\n}\nexport fn f(net: M, x: f32[2]) -> f32[2] = net(x)',
  },
  E0404: {
    class: 'user',
    title: 'a model has no place here',
    explanation:
      'Parameters have a path from a parameter of an exported function. So a model is built as a field of another, or is the type of a parameter.',
    example: 'import std.nn { Linear }\nexport fn f(x: f32[2]) -> f32[3] {\n  let layer = Linear(2, 3)\n  layer(x)\n}',
  },
  E0405: {
    class: 'user',
    title: 'the shape of state is not known when compiling',
    explanation:
      'The state of a session is laid out when the program is compiled. Fix the dimension with `--dim NAME=SIZE`.',
    example: 'model M {\n  param w: f32[_] = zeros\n}\nexport fn f(net: M) -> f32[3] = net.w',
  },
  E0406: {
    class: 'user',
    title: 'an exported function cannot have this parameter or result',
    explanation:
      'The host passes tensors, and tuples and records of them; models and keys are state; everything else must have a default, which is compiled in.',
    example: 'export fn f(x: f32[3], k: int) -> f32[3] = x * k',
  },
  E0407: {
    class: 'user',
    title: 'there is no initial value',
    explanation:
      'Every `param`, `buffer` and `state` says what it begins with: a number, or a function such as `zeros` or `normal(std: 0.01)`.',
    example: 'model M {\n  param w: f32[2]\n}\nexport fn f(net: M) -> f32[2] = net.w',
  },
  E0408: {
    class: 'user',
    title: 'a recursion does not end when compiling',
    explanation:
      'Calls are unrolled: a function that calls itself must stop under a condition that is known when compiling, after 100 calls at the most. Expressions nest 300 levels deep, those of the functions called included; a chain of infix operators such as `a + b + c` is one level. For many steps write `fold`, `scan`, `for` or a reduction such as `sum`.',
    example: 'fn f(x: f32) -> f32 = f(x + 1)\nexport fn g(x: f32) -> f32 = f(x)',
  },
  E0410: {
    class: 'user',
    title: 'the initial value does not fit',
    explanation: 'An initial value is a number, or a tensor of the declared shape and dtype.',
    example: 'model M {\n  param w: f32[2] = zeros([3])\n}\nexport fn f(net: M) -> f32[2] = net.w',
  },
  E0412: {
    class: 'user',
    title: 'this cannot be assigned to',
    explanation:
      'Names are declared with `let` and then rebound within the same function; constants, dimensions and sub-models stay what they are.',
    example: 'fn f(x: f32) -> f32 {\n  y = x\n  y\n}',
  },
} as const satisfies Codes<'E04'>;
