// Programs of 16-bit floats compute the same bits as the interpreter: integers made of them are compared, which have no tolerance.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst } from '../../compiler/ir/dims.js';
import { type HostTensor, numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { programOf } from '../support/program.js';
import { compare } from './attention.js';
import { compile, randomNumbers, randomTensor } from './support.js';

const bits = (value: string): string => `cast(cast(${value}, f32) * 1048576.0, i64)`;

test('literals and tables take the dtype that they meet before anything is computed', async () => {
  const text = ['f16', 'bf16'].map(
    (dtype) => `
export fn literal_${dtype}(x: ${dtype}[N, 3]) -> i64[N, 3] = ${bits('x * 0.7 - 0.35')}
export fn table_${dtype}(x: ${dtype}[N, 3]) -> i64[N, 3] = ${bits(`x * tensor([0.7, 0.1, 0.3], ${dtype})`)}
export fn fold_${dtype}(x: ${dtype}[N, 3]) -> i64[N] = ${bits('sum(where(x > 0.7, x, 0.7), -1)')}`,
  );
  await compare(`tdsl 1\ndim N\n${text.join('')}\n`, [{ N: 100 }]);
});

test('a softmax, and its derivative, is computed in f32 and rounded once', async () => {
  const text = (['f16', 'bf16'] as const).map(
    (dtype) => `
fn worst_${dtype}(y: tensor, exact: tensor) -> f64[] = max(abs(cast(y, f64) - exact)) / max(abs(exact))
export fn value_${dtype}(x: ${dtype}[N, 100]) -> f64[] = worst_${dtype}(softmax(x, -1), softmax(cast(x, f64), -1))
export fn gradient_${dtype}(x: ${dtype}[N, 100], d: ${dtype}[N, 100]) -> f64[] {
  let seed = cast(d, f64)
  let y = cast(softmax(x, -1), f64)
  worst_${dtype}(vjp(x => softmax(x, -1), x, d)[1], y * (seed - sum(y * seed, -1, true)))
}`,
  );
  const compiled = await compile(programOf(`tdsl 1\ndim N\n${text.join('')}\n`));
  const next = randomNumbers(5);
  for (const [dtype, bound] of [
    ['f16', 2 ** -11],
    ['bf16', 2 ** -8],
  ] as const) {
    const [x, d] = [0, 1].map(() => randomTensor({ dtype, shape: [dimConst(40), dimConst(100)] }, new Map(), next)) as [
      HostTensor,
      HostTensor,
    ];
    for (const [worst] of [compiled.run(`value_${dtype}`, [x]), compiled.run(`gradient_${dtype}`, [x, d])])
      assert.ok((numbersOf(worst as HostTensor)[0] as number) < 1.01 * bound);
  }
});

const activations = 'silu mish softplus logsigmoid elu celu selu hardswish hardsigmoid gelu glu'.split(' ');

test('activations of several steps are rounded once', async () => {
  const text = activations.map(
    (name) => `
export fn ${name}_error(x: bf16[1000]) -> f64[] {
  let exact = ${name}(cast(x, f64))
  max(abs(cast(${name}(x), f64) - exact) / where(exact == 0, 1, abs(exact)))
}`,
  );
  const compiled = await compile(programOf(`tdsl 1${text.join('')}\n`));
  const x = randomTensor({ dtype: 'bf16', shape: [dimConst(1000)] }, new Map(), randomNumbers(5));
  for (const name of activations) {
    const error = numbersOf(compiled.run(`${name}_error`, [x])[0] as HostTensor)[0] as number;
    assert.ok(error < 1.01 * 2 ** -8, `${name}: ${error}`);
  }
});

test.run();
