// Programs whose loops are unrolled to hundreds and thousands of operations: they compile, agree with the interpreter, and what is made of them
// grows with the number of steps.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../codegen/generate.js';
import { machines } from '../../codegen/kernel/machine.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { defaultPipeline, runPipeline } from '../../compiler/pipeline.js';
import { instanceOf, programOf } from '../support/program.js';
import { assertAgree, type CompileOptions, compile } from './support.js';

const chains = `
fn squared(x: f32[_]) {
  for i in 0..120 { x = x * x * 0.25 + 1 / (i + 1) }
  x.sum()
}
export fn affine(x: f32) -> f32 {
  for i in 0..3000 { x = x * 0.5 + 1 }
  x
}
export fn wide(x: f32[10]) -> f32[10] {
  let y = x
  for i in 0..150 { y = y + sin(x * i) }
  y
}
export fn polynomial(x: f32[N]) -> (f32, f32[N]) { value_and_grad(squared)(x) }
`;

/** Chains of many calls of functions, which take the longest to compile. */
const calling = `
fn shrinking(x: f32[_]) {
  for i in 0..100 { x = sin(x) * 0.9 + i }
  x.sum()
}
export fn scalar(x: f32) -> f32 {
  for i in 0..400 { x = sin(x) + i }
  x
}
export fn vector(x: f32[10]) -> f32[10] {
  for i in 0..200 { x = sin(x) + i }
  x
}
export fn gradient(x: f32[N]) -> (f32, f32[N]) { value_and_grad(shrinking)(x) }
`;

async function checkChains(text: string, options: CompileOptions = {}): Promise<void> {
  const program = programOf(text);
  const compiled = await compile(program, options);
  const expected = instanceOf(text);
  const vector = hostTensor(
    'f32',
    [10],
    Array.from({ length: 10 }, (_, i) => 0.1 * i - 0.4),
  );
  for (const { name } of program.entries) {
    const input = ['scalar', 'affine'].includes(name) ? hostTensor('f32', [], [0.3]) : vector;
    const wanted = expected.run(name, [input]);
    const got = compiled.run(name, [input]);
    // Sums of hundreds of sines in f32: each step adds an error of the operations before it.
    for (const [i, tensor] of wanted.entries()) assertAgree(got[i] as HostTensor, tensor, `${name} result ${i}`, 10);
  }
}

test('chains of thousands of operations', () => checkChains(chains));

test('chains of hundreds of calls of functions', () => checkChains(calling));

test('chains for GPUs', () => checkChains(chains, { cuda: 'emulated' }));

/** How much is made of a text: kernels, nodes in them and in the largest, characters of code. */
function amounts(text: string): { kernels: number; nodes: number; largest: number; code: number } {
  const program = runPipeline(programOf(text), defaultPipeline, { verify: false });
  const [entry] = program.entries;
  const calls = program.module.functions.get(entry?.fn as string)?.nodes ?? [];
  const kernels = calls.flatMap((node) =>
    node.kind === 'region' ? [program.module.functions.get(node.region.fn) as Func] : [],
  );
  // Constants and views cost nothing.
  const sizes = kernels.map(({ nodes }) => nodes.filter(({ kind }) => kind === 'elementwise').length);
  const { sources } = generate(program, {
    target: 'c',
    version: 'test',
    sourceHash: 'test',
    machines: machines.slice(0, 1),
  });
  return {
    kernels: kernels.length,
    nodes: sizes.reduce((sum, size) => sum + size, 0),
    largest: Math.max(...sizes),
    code: [...sources].filter(([name]) => name.startsWith('kernels_')).reduce((sum, [, { length }]) => sum + length, 0),
  };
}

const chain = (steps: number): string => `export fn f(x: f32[N]) -> f32[N] {
  for i in 0..${steps} { x = sin(x) + i }
  x
}`;
const derivative = (steps: number): string => `fn g(x: f32[_]) {
  for i in 0..${steps} { x = x * x * 0.5 + i }
  x.sum()
}
export fn f(x: f32[N]) -> (f32, f32[N]) { value_and_grad(g)(x) }`;
const scalars = (steps: number): string => chain(steps).replaceAll('f32[N]', 'f32');

for (const [name, text] of Object.entries({ chain, derivative, scalars })) {
  test(`what is made of a ${name} grows with its steps, and kernels stay short`, () => {
    const [few, many] = [amounts(text(100)), amounts(text(400))];
    assert.ok(many.largest <= 256, `the largest kernel has ${many.largest} operations`);
    for (const what of ['kernels', 'nodes', 'code'] as const)
      assert.ok(many[what] <= 5 * few[what], `${few[what]} ${what} of 100 steps, ${many[what]} of 400`);
  });
}

test('a file calls a function of which it would hold very many copies', () => {
  const sineOf = (steps: number): string | undefined => {
    const program = runPipeline(programOf(scalars(steps)), defaultPipeline, { verify: false });
    const { sources } = generate(program, {
      target: 'c',
      version: 'test',
      sourceHash: 'test',
      machines: machines.slice(0, 1),
    });
    return /^(\w+) float sin_f32\(/m.exec(sources.get('kernels_0.c') ?? '')?.[1];
  };
  assert.is(sineOf(10), 'TDSL_INLINE');
  assert.is(sineOf(200), 'TDSL_FUNCTION');
});

test.run();
