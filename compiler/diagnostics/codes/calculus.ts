/** E05xx: derivatives. */
import type { Codes } from './entry.js';

export const calculusCodes = {
  E0501: {
    class: 'user',
    title: 'the gradient is of a scalar',
    explanation:
      '`grad` and `value_and_grad` differentiate functions that give one number. Reduce the result, or use `vjp` with a cotangent of its shape.',
    example: 'fn f(x: f32[3]) -> f32[3] = grad(exp)(x)',
  },
  E0502: {
    class: 'user',
    title: 'only floats have derivatives',
    explanation: 'Integers and bools have no tangents: differentiate by tensors of floats.',
    example: 'fn f(x: i64[3]) -> f32[3] = grad(x => sum(x * 0.5))(x)',
  },
  E0503: {
    class: 'user',
    title: 'there is nothing of this name to differentiate by',
    explanation: '`wrt` names parameters of the function that is differentiated, or gives their positions.',
    example: 'fn loss(w: f32[3]) -> f32 = sum(w * w)\nfn f(x: f32[3]) -> f32[3] = grad(loss, wrt: v)(x)',
  },
  E0504: {
    class: 'user',
    title: 'the vector of a derivative does not fit',
    explanation: 'A tangent has the type of the input, a cotangent the type of the output.',
    example: 'fn f(x: f32[2, 3]) -> f32[2, 3] = vjp(y => y * 2, x, ones([3, 2]))[1]',
  },
  E0505: {
    class: 'user',
    title: 'a loop that is differentiated in reverse has a bound',
    explanation:
      'Reverse mode goes through the trips of a loop backwards and stores for that what they compute; `while … max n` says how much that may be. Forward mode needs no bound.',
    example:
      'fn square(x: f32) -> f32 = while x < 100 from x = x { x * x }\nexport fn f(x: f32) -> f32 = grad(square)(x)',
  },
  E0506: {
    class: 'user',
    title: 'a stated derivative is linear in its tangents',
    explanation:
      '`derivative (dx) => …` is the derivative times the tangent `dx`. Reverse mode turns it around, which works because it is linear: 0 where the tangents are 0, and twice as much for tangents twice as large. It may use the parameters, and the value of the function as `result`, in any way.',
    example:
      'fn f(x: f32) -> f32 = x * x\n  derivative (dx) => 2 * x * dx * dx\nexport fn g(x: f32) -> f32 = grad(f)(x)',
  },
  E0507: {
    class: 'user',
    title: 'a stated derivative does not fit its function',
    explanation:
      'The derivative names a tangent for each parameter that may hold tensors of floats, and gives one for each tensor of floats in the result, of its dtype and shape.',
    example:
      'fn f(x: f32[3]) -> f32 = sum(x * x)\n  derivative (dx) => 2 * x * dx\nexport fn g(x: f32[3]) -> f32[3] = grad(f)(x)',
  },
  E0508: {
    class: 'user',
    title: 'a stated derivative says nothing of what it is taken by',
    explanation:
      'A function that states its derivative states it for its parameters. What else it reads, fields of a model in a method say, counts as constant, so a derivative by them is refused. Make them parameters: a function, record or model as a parameter has a tangent too.',
    example:
      'model M {\n  param w: f32 = zeros\n  fn forward(x: f32) -> f32 = w * x\n    derivative (dx) => w * dx\n}\nexport fn f(m: M, x: f32) -> f32 = grad((m) => m(x))(m).w',
  },
  E0509: {
    class: 'user',
    title: '`vmap` goes over axes of its arguments',
    explanation:
      '`vmap(f)` calls `f` for many sets of arguments at once. `in_dims` says along which axis of each argument the sets lie, `out_dims` where they lie in the result; all these axes have one size. What is the same for all sets has `none`.',
    example: 'fn f(x: f32[4, 3], y: f32[3]) -> f32[4] = vmap((x, y) => sum(x * y))(x, y)',
  },
  E0510: {
    class: 'user',
    title: 'an effect in `vmap`',
    explanation:
      'All sets of arguments run at once, so they cannot each write the one state that there is; and with `randomness: "error"` they draw nothing.',
    example:
      'model M {\n  buffer n: f32 = zeros\n  fn forward(x: f32) -> f32 { n = n + x; x }\n}\nexport fn f(m: mut M, x: f32[3]) -> f32[3] = vmap(x => m(x))(x)',
  },
} as const satisfies Codes<'E05'>;
