/** E02xx: names, declarations, imports and calls. */
import type { Codes } from './entry.js';

export const nameCodes = {
  E0201: {
    class: 'user',
    title: 'this name is not known',
    explanation:
      'Names come from the file itself, from its imports, and from the library. The report suggests the nearest one. Functions of the library need no import, models do.',
    example: 'fn f(x: f32) -> f32 = tahn(x)',
  },
  E0202: {
    class: 'user',
    title: 'this name is declared twice',
    explanation: 'In one file, and among the fields of one model, every name is declared once.',
    example: 'fn f(x: f32) -> f32 = x\nfn f(x: f32) -> f32 = -x',
  },
  E0203: {
    class: 'user',
    title: 'this file or module does not exist',
    explanation:
      'An import names a module of the library (`std.nn`), a file beside the importing one (`"./layers.td"`), or a file of an npm package (`"package/file.td"`).',
    example: 'import std.n { Linear }\nexport fn f(net: Linear(2, 3), x: f32[2]) -> f32[3] = net(x)',
  },
  E0204: {
    class: 'user',
    title: 'the module does not have this name',
    explanation:
      'What can be imported from a file are its functions, models and constants whose names do not begin with `_`.',
    example: 'import std.nn { Linaer }\nexport fn f(net: Linaer(2, 3), x: f32[2]) -> f32[3] = net(x)',
  },
  E0206: {
    class: 'user',
    title: 'the function has no such parameter',
    explanation: 'Arguments are given by position or as `name: value` with the name of a parameter.',
    example: 'fn f(x: f32[4]) -> f32[4] = softmax(x, axis: 0)',
  },
  E0207: {
    class: 'user',
    title: 'an argument is missing',
    explanation: 'Parameters without a default need an argument.',
    example: 'fn f(x: f32[4]) -> f32[4] = softmax(x)',
  },
  E0208: {
    class: 'user',
    title: 'too many arguments',
    explanation: 'The call gives more arguments than the function has parameters.',
    example: 'fn f(x: f32[4]) -> f32[4] = relu(x, x, x)',
  },
  E0209: {
    class: 'user',
    title: 'an argument is given twice',
    explanation: 'Each parameter takes one argument.',
    example: 'fn f(x: f32[4]) -> f32[4] = softmax(x, dim: 0, dim: 0)',
  },
  E0210: {
    class: 'user',
    title: 'there is no such field',
    explanation:
      'A record has the fields that it was made with, a model those that it declares. Tensors have `shape`, `dtype`, `ndim` and `T`, and `x.f(a)` calls the function `f` with `x` first.',
    example: 'fn f(x: f32[4]) -> f32[4] = x.foo',
  },
  E0211: {
    class: 'user',
    title: 'this cannot be called',
    explanation:
      'Functions, lambdas and models with a `forward` can be called. A list of layers has no `forward`: call its elements.',
    example: 'fn f(x: f32[4]) -> f32[4] = 2(x)',
  },
  E0212: {
    class: 'user',
    title: 'this cannot be the default float',
    explanation:
      'A file may state once which float dtype literals, layers and created tensors have that state none: `default_float f64`. The file that is compiled decides for the whole program; a file that it imports may only state the same.',
    example: 'default_float i32',
  },
  E0213: {
    class: 'user',
    title: 'this name is taken in the session',
    explanation:
      'In JavaScript an exported function is a method of the session: `train_step` is `trainStep`, and `trainStepAsync` on another thread. State is there under the name of its parameter. Two of them cannot have one name, and none can have a name that sessions have themselves, such as `save`, `load`, `train` and `eval`.',
    example: 'export fn a_b(x: f32) -> f32 = x\nexport fn aB(x: f32) -> f32 = x + 1',
  },
} as const satisfies Codes<'E02'>;
