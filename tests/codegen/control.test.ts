// Loops and branches, and their derivatives, as compiled C against the interpreter.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Dim, dimEvaluate } from '../../compiler/ir/dims.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { randomInputs } from '../support/graphs.js';
import { type Loop, loopDims, loopNames, loopProgram, programOfLoops } from '../support/loops.js';
import { programOf } from '../support/program.js';
import { draws } from '../support/property.js';
import { randomLoop, randomLoopDims } from '../support/random-loops.js';
import { assertAgree, type Compiled, compile } from './support.js';

/** Compares entries of a compiled program with the interpreter on random tensors. */
function checkEntries(compiled: Compiled, program: Program, dims: ReadonlyMap<string, number>): void {
  const reference = new Interpreter(runPipeline(program, pipelines.reference).module);
  program.entries.forEach(({ fn, symbols }, i) => {
    const inputs = randomInputs(program.module.functions.get(fn) as Func, dims, 57 + i);
    const own = new Map([...dims].filter(([name]) => symbols.includes(name)));
    const want = reference.run(fn, inputs, { dims: own });
    compiled.run(fn, inputs, own).forEach((tensor, k) => {
      assertAgree(tensor, want[k] as HostTensor, `result ${k} of ${fn}`, 100);
    });
  });
}

test('loops and their derivatives have the values of the interpreter', async () => {
  const program = loopProgram(loopNames, 1);
  const compiled = await compile(program);
  checkEntries(compiled, program, loopDims);
  const longer = new Map([...loopDims, ['T', 7], ['B', 1]]);
  checkEntries(compiled, program, longer);
});

test('so have second derivatives', async () => {
  const program = loopProgram(['swap', 'nested'], 2);
  checkEntries(await compile(program), program, loopDims);
});

test('random loops and their derivatives have the values of the interpreter', async () => {
  const loops = fc.sample(randomLoop(), draws(8)).map(({ module, fn }, i): Loop => {
    const functions = new Map([...module.functions].map(([name, func]) => [name === fn ? `${fn}${i}` : name, func]));
    const main = functions.get(`${fn}${i}`) as Func;
    return { fn: `${fn}${i}`, module: { functions: functions.set(`${fn}${i}`, { ...main, name: `${fn}${i}` }) } };
  });
  const program = programOfLoops(loops, 1);
  checkEntries(await compile(program), program, randomLoopDims);
});

test('loops compile without fusion too', async () => {
  const program = loopProgram(['elman', 'counted', 'doubling'], 1);
  checkEntries(await compile(runPipeline(program, pipelines.reference), { passes: 'none' }), program, loopDims);
});

test('a loop that reaches its bound ends the call with an error that names it', async () => {
  const program = loopProgram(['doubling', 'counted'], 0);
  const compiled = await compile(program);
  const limit = (error: Error) => /64/.test(error.message) && /the greatest number allowed/.test(error.message);
  assert.throws(() => compiled.run('doubling', [hostTensor('f64', [2], [0, 0])]), limit);
  const inputs = [hostTensor('f64', [5], [1, 1, 1, 1, 1]), hostTensor('f64', [6, 5], Array(30).fill(0))];
  assert.throws(() => compiled.run('counted', inputs), /greatest number allowed/);
});

test('no trips give what the loop was given', async () => {
  const program = loopProgram(['elman'], 1);
  const compiled = await compile(program);
  checkEntries(compiled, program, new Map([...loopDims, ['T', 0]]));
});

test('memory of the reverse pass grows with the number of trips by what it stores alone', async () => {
  const program = loopProgram(['elman'], 1);
  const compiled = await compile(program);
  const peak = compiled.generated.plan.workspace.get('vjp.elman') as Dim;
  const at = (trips: number) => dimEvaluate(peak, new Map([...loopDims, ['T', trips]]));
  const step = (at(1064) - at(1000)) / 64;
  const tensors = 2 * 3 * 8;
  assert.ok(step <= 3 * tensors, `${step} bytes a trip`);
});

const layers = `import std.nn { BatchNorm1d, Dropout, Linear }
dim B, T
model Elman(inputs: int, hidden: int) {
  from_input: Linear(inputs, hidden)
  from_state: Linear(hidden, hidden, bias: false)
  fn forward(xs: f32[T, B, inputs], h0: f32[B, hidden]) -> f32[B, hidden] =
    fold xs from h0 { (h, x) => tanh(from_input(x) + from_state(h)) }
}
model Deep(n: int) {
  lin: Linear(n, n)
  norm: BatchNorm1d(n)
  drop: Dropout(0.5)
  fn forward(x: f32[B, n]) -> f32[B, n] = fold 0..20 from x { (h, i) => drop(norm(lin(h))) }
}
export fn train_step(net: mut Elman(3, 4), xs: f32[T, B, 3]) -> f32 {
  let (l, g) = value_and_grad(n => sum(n(xs, zeros([B, 4])) ** 2))(net)
  map (p, d) over (net, g) { p = p - 0.1 * d }
  l
}
export fn deep(stack: mut Deep(3), x: f32[B, 3]) -> f32[B, 3] = stack(x)`;

test('state in loops is read and written as in the interpreter: weights, running statistics, keys', async () => {
  const program = programOf(layers);
  const compiled = await compile(program);
  const reference = runPipeline(program, pipelines.reference);
  const interpreter = new Interpreter(reference.module);
  const state: HostTensor[] = [];
  const call = (name: string, args: readonly HostTensor[]): readonly HostTensor[] => {
    const entry = reference.entries.find((each) => each.name === name) as Program['entries'][number];
    const given = args.values();
    const inputs = entry.inputs.map((input) => (input.kind === 'state' ? state[input.leaf] : given.next().value));
    return interpreter.run(entry.fn, inputs as HostTensor[]).filter((tensor, i) => {
      const output = entry.outputs[i];
      if (output?.kind === 'state') state[output.leaf] = tensor;
      return output?.kind === 'result';
    });
  };
  call('init', [hostTensor('i64', [2], [1, 0])]);
  for (const [i, leaf] of state.entries()) compiled.writeState(i, leaf);
  const wave = (shape: readonly number[], count: number) =>
    hostTensor(
      'f32',
      shape,
      Array.from({ length: count }, (_, i) => Math.sin(i)),
    );
  for (const [name, arg] of [
    ['train_step', wave([9, 2, 3], 54)],
    ['train_step', wave([5, 2, 3], 30)],
    ['deep', wave([4, 3], 12)],
    ['deep', wave([4, 3], 12)],
  ] as const) {
    const want = call(name, [arg]);
    compiled.run(name, [arg]).forEach((tensor, i) => void assertAgree(tensor, want[i] as HostTensor, name, 100));
    for (const [i, leaf] of state.entries())
      assertAgree(compiled.readState(i), leaf, `${program.state[i]?.path} after ${name}`, 100);
  }
});

test.run();
