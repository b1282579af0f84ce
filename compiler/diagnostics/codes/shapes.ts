/** E03xx: types, shapes and dimensions. */
import type { Codes } from './entry.js';

export const shapeCodes = {
  E0301: {
    class: 'user',
    title: 'this value has another type than is expected',
    explanation: 'The kind of the value is not the one that is declared or that the operation takes.',
    example: 'fn f(x: f32[4]) -> f32[4] = softmax(x, dim: "last")',
  },
  E0302: {
    class: 'user',
    title: 'the shape is not the declared one',
    explanation:
      'Each axis has the declared size. A dimension name means one size within one use of the signature; the notes say where it got it.',
    example: 'fn f(x: f32[4]) -> f32[5] = x',
  },
  E0303: {
    class: 'user',
    title: 'the number of axes is wrong',
    explanation: 'The operation, or the declared type, asks for another rank.',
    example: 'fn f(x: f32[2, 3, 4]) -> f32[4, 3] = permute(x, [1, 0])',
  },
  E0304: {
    class: 'user',
    title: 'these shapes do not broadcast',
    explanation: 'Shapes are aligned at the last axis. Two sizes that meet are equal, or one of them is 1.',
    example: 'fn f(x: f32[3, 4], y: f32[3]) -> f32[3, 4] = x * y',
  },
  E0305: {
    class: 'user',
    title: 'the dtype does not fit',
    explanation:
      'Pointwise operations promote bool < int < float. Products, declared types and assignments do not: write the cast, `cast(x, f32)`.',
    example: 'fn f(x: i64[4]) -> f32[4] = x',
  },
  E0306: {
    class: 'user',
    title: 'this dimension occurs only once',
    explanation:
      'A name in a shape is a dimension if it is declared with `dim`, listed in brackets after the name of the function, or occurs twice in the signature. One that occurs once is most likely misspelt; write `_` for a size that needs no name.',
    example: 'fn f(x: f32[batch, 4], y: f32[bacth]) -> f32[4] = x[0]',
  },
  E0307: {
    class: 'user',
    title: 'this dimension cannot be inferred',
    explanation: 'A dimension gets its size from a parameter that has an axis of exactly that name.',
    example: 'fn f[n](x: f32[2 * n]) -> f32[n] = x[0:n]',
  },
  E0308: {
    class: 'user',
    title: 'there is no such axis',
    explanation: 'The axes of a tensor of rank r are 0 to r - 1, or -r to -1 counted from the last.',
    example: 'fn f(x: f32[3]) -> f32[3] = softmax(x, dim: 1)',
  },
  E0309: {
    class: 'user',
    title: 'the elements do not fit this shape',
    explanation: 'A reshape keeps the number of elements. One size may be -1: it is what the others leave.',
    example: 'fn f(x: f32[2, 3]) -> f32[4] = reshape(x, [4])',
  },
  E0310: {
    class: 'user',
    title: 'this index does not fit',
    explanation:
      'An index is an int inside of the axis, a slice `start:stop:step` with a positive step, `...`, `none` for a new axis, or a tensor of integers.',
    example: 'fn f(x: f32[3]) -> f32 = x[3]',
  },
  E0311: {
    class: 'user',
    title: 'the operation is not defined for these operands',
    explanation: 'The operator or function does not work on values of this kind or dtype.',
    example: 'fn f(x: f32[3]) -> f32[3] = bitwise_and(x, x)',
  },
  E0312: {
    class: 'user',
    title: 'these shapes do not multiply',
    explanation: 'In `a @ b` the last axis of `a` and the last but one of `b` have the same size.',
    example: 'fn f(a: f32[2, 3], b: f32[4, 5]) -> f32[2, 5] = a @ b',
  },
  E0313: {
    class: 'user',
    title: 'these tensors do not join',
    explanation: 'Tensors joined along an axis have one rank, and equal sizes in the other axes.',
    example: 'fn f(x: f32[2, 3], y: f32[2, 4]) -> f32[4, 3] = cat([x, y], dim: 0)',
  },
  E0314: {
    class: 'user',
    title: 'a requirement is not met',
    explanation: 'An `assert` of the function that is called does not hold for these arguments.',
    example: 'fn f(x: f32[3]) -> f32[3] = dropout(x, p: 1.5)',
  },
  E0315: {
    class: 'user',
    title: 'these trees differ',
    explanation:
      'Trees that are walked together, and values of a type `like(x)`, have the same fields and the same types of leaves.',
    example: 'fn f(x: f32, y: f32) -> f32 { map (a, b) over ({ p: x }, { q: y }) { a + b }.p }',
  },
  E0316: {
    class: 'user',
    title: 'this is not known when compiling',
    explanation:
      'An `int` is a number of the program text. A size that only running decides is a `dim`; `--dim NAME=SIZE` fixes it.',
    example: 'dim B\nexport fn f(x: f32[B, 3]) -> f32[3] = x[0] * topk(x, k: B)[0][0]',
  },
  E0317: {
    class: 'user',
    title: 'a condition is a bool',
    explanation: '`if` and conditions of comprehensions take bools; compare numbers with something.',
    example: 'fn f(x: f32) -> f32 = if 1 { x } else { -x }',
  },
  E0318: {
    class: 'user',
    title: 'division by zero',
    explanation: 'An integer is divided by a zero that is known when compiling.',
    example: 'fn f(x: i64[3]) -> i64[3] = x // 0',
  },
  E0319: {
    class: 'user',
    title: 'the dtype does not have this number',
    explanation: 'A number takes the dtype of the tensor that it meets; it must be a value of that dtype.',
    example: 'fn f(x: u8[3]) -> u8[3] = x + 300',
  },
  E0320: {
    class: 'user',
    title: 'an index expression cannot say this',
    explanation:
      'In `out[i, j] = …` tensors are read with subscripts that are sums of multiples of index variables and sizes, or looked up in tensors of integers; operators, functions and reductions work on elements.',
    example: 'fn f(x: f32[3, 3]) -> f32[3] {\n  out[i] = x[i]\n}',
  },
  E0321: {
    class: 'user',
    title: 'the range of an index does not come out',
    explanation:
      'An index runs over the axes that it subscripts alone, which have equal sizes. Where there is none, state its range: `i in 0..n`.',
    example: 'fn f(x: f32[3], y: f32[4]) -> f32 = sum over i: x[i] * y[i]',
  },
  E0322: {
    class: 'user',
    title: 'an index is used twice',
    explanation: 'Each index of a definition or of a reduction has a name of its own.',
    example: 'fn f(x: f32[3]) -> f32[3, 3] {\n  out[i, i] = x[i]\n}',
  },
  E0323: {
    class: 'user',
    title: 'the names do not match the parts',
    explanation: 'A pattern `(a, b)` takes a tuple or list of as many elements; `{ a, b }` a record with these fields.',
    example: 'fn f(x: f32[3]) -> f32[3] {\n  let (a, b, c) = (x, x)\n  a\n}',
  },
  E0324: {
    class: 'user',
    title: 'a size is negative',
    explanation: 'The size of an axis is at least 0.',
    example: 'fn f() -> f32[1] = zeros([-1])',
  },
  E0325: {
    class: 'user',
    title: 'there is nothing to reduce',
    explanation: 'A maximum, a minimum or a position of one has no value over no elements.',
    example: 'fn f(x: f32[0]) -> f32 = max(x)',
  },
} as const satisfies Codes<'E03'>;
