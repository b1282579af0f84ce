// Functions made of functions, as compiled C against the interpreter: stated derivatives, Jacobians, Hessians, and many sets at once in
// loops and branches of their own.

import { test } from 'uvu';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { randomInputs } from '../support/graphs.js';
import { programOf } from '../support/program.js';
import { assertAgree, compile } from './support.js';

const text = (T: 'f32' | 'f64') => `dim B, n
fn root(f: fn(${T}) -> ${T}, x0: ${T}) -> ${T} = while abs(f(x)) > 1e-5 max 50 from x = x0 { x - f(x) / grad(f)(x) }
  derivative (df, dx0) => -df(result) / grad(f)(result)
fn cube_root(a: ${T}) -> ${T} = root(x => x ** 3 - a * a - 1, 1 + 0 * a)
export fn stated(a: ${T}, x: ${T}[B]) -> (${T}, ${T}, ${T}[B], ${T}[B]) =
  (grad(cube_root)(a), grad(grad(cube_root))(a), vmap(cube_root)(x), grad(x => sum(vmap(cube_root)(x)))(x))

fn grow(x: ${T}) -> ${T} {
  let y = while abs(y) < 20 max 200 from y = x + 0.5 { if y > 0 { 1.5 * y } else { y - 1 } }
  fold 0..10 from y { (h, i) => h * 0.9 + sin(x) * i }
}
export fn many(x: ${T}[B]) -> (${T}[B], ${T}[B]) = (vmap(grow)(x), vmap(grad(grow))(x))

fn scores(x: ${T}[n], w: ${T}[3, n]) -> ${T}[3] = softmax(w @ tanh(x), dim: 0)
export fn jacobians(x: ${T}[n], w: ${T}[3, n]) -> any =
  (jacobian(scores, (x, w)), jacfwd(scores)(x, w), hessian(x => logsumexp(scores(x, w), dim: 0), x))

export fn draws(x: ${T}[B, n]) -> any = (vmap(x => x * cast(rand([4]), ${T})[0])(x), vmap(x => sum(x) * rand([4]), randomness: "same")(x))
`;

test('agree with the interpreter', async () => {
  for (const dtype of ['f64', 'f32'] as const) {
    const program = programOf(text(dtype));
    const compiled = await compile(program);
    const reference = new Interpreter(runPipeline(program, pipelines.reference).module);
    for (const sizes of [
      { B: 5, n: 4 },
      { B: 1, n: 1 },
    ]) {
      const dims = new Map(Object.entries(sizes));
      for (const { fn, symbols, inputs: kinds } of program.entries) {
        const inputs = randomInputs(program.module.functions.get(fn) as Func, dims, 11);
        const isArgument = (_: unknown, i: number) => kinds[i]?.kind === 'argument';
        kinds.forEach((input, i) => {
          if (input.kind === 'state') compiled.writeState(input.leaf, inputs[i] as HostTensor);
        });
        const own = new Map([...dims].filter(([name]) => symbols.includes(name)));
        const want = reference.run(fn, inputs, { dims: own });
        for (const [k, tensor] of compiled.run(fn, inputs.filter(isArgument), own).entries())
          assertAgree(tensor, want[k] as HostTensor, `result ${k} of ${fn} in ${dtype}`, 200);
      }
    }
  }
});

test.run();
