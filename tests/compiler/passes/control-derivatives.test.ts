// Derivatives of loops and conditional nodes: forward mode against differences, reverse mode against forward mode, both twice.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isLoop } from '../../../compiler/ir/control.js';
import { isFloat } from '../../../compiler/ir/dtype.js';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func, Module } from '../../../compiler/ir/graph.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { DerivativeError, expandDerivatives } from '../../../compiler/passes/differentiate.js';
import { derivativeOf, displaced, innerProduct } from '../../support/calculus.js';
import { randomInputs } from '../../support/graphs.js';
import { loopDims, loopModule, loopNames, loopTexts } from '../../support/loops.js';

/** The module with all nestings of derivatives of `fn` up to an order, expanded. */
function withDerivatives(module: Module, fn: string, order: number): Module {
  const functions = new Map(module.functions);
  let last = [functions.get(fn) as Func];
  for (let n = 0; n < order; n++) {
    last = last.flatMap((func) => [derivativeOf(func, 'jvp'), derivativeOf(func, 'vjp')]);
    for (const func of last) functions.set(func.name, func);
  }
  const expanded = expandDerivatives({ functions });
  verifyModule(expanded, { stage: 'differentiated' });
  return expanded;
}

const floats = (tensors: readonly HostTensor[]) => tensors.filter((tensor) => isFloat(tensor.dtype));

function assertNear(got: readonly HostTensor[], want: readonly HostTensor[], tolerance: number, what: string): void {
  assert.is(got.length, want.length, what);
  got.forEach((tensor, i) => {
    const expected = numbersOf(want[i] as HostTensor);
    numbersOf(tensor).forEach((x, k) => {
      const y = expected[k] as number;
      assert.ok(Math.abs(x - y) <= tolerance * (1 + Math.abs(y)), `${what}: result ${i} at ${k} is ${x}, not ${y}`);
    });
  });
}

/** Compares the jvp of a function with central differences, and its vjp with its jvp. */
function checkDerivatives(module: Module, fn: string, inputs: readonly HostTensor[], seed: number): void {
  const interpreter = new Interpreter(module);
  const run = (name: string, given: readonly HostTensor[]) => interpreter.run(name, given, { dims: loopDims });
  const func = module.functions.get(fn) as Func;
  const directions = randomInputs(
    { ...func, params: func.params.filter((param) => isFloat(param.type.dtype)) },
    loopDims,
    seed,
  );
  const values = run(fn, inputs);
  const pushed = run(`jvp.${fn}`, [...inputs, ...directions]);
  assertNear(pushed.slice(0, values.length), values, 1e-12, `${fn} in forward mode`);
  const tangents = pushed.slice(values.length);
  const h = 1e-5;
  const [plus, minus] = [h, -h].map((step) => floats(run(fn, displaced(inputs, step, directions))));
  const differences = (plus ?? []).map((tensor, i) => {
    const other = numbersOf(minus?.[i] as HostTensor);
    const quotients = numbersOf(tensor).map((x, k) => (x - (other[k] as number)) / (2 * h));
    return hostTensor('f64', tensor.shape, quotients);
  });
  assertNear(tangents, differences, 3e-6, `jvp of ${fn}`);
  const cotangents = randomInputs(
    { ...func, params: func.results.filter((result) => isFloat(result.type.dtype)) },
    loopDims,
    seed + 1,
  );
  const pulled = run(`vjp.${fn}`, [...inputs, ...cotangents]);
  assertNear(pulled.slice(0, values.length), values, 1e-12, `${fn} in reverse mode`);
  const [left, right] = [innerProduct(cotangents, tangents), innerProduct(pulled.slice(values.length), directions)];
  assert.ok(Math.abs(left - right) <= 1e-10 * (1 + Math.abs(left)), `vjp of ${fn}: ${right}, not ${left}`);
}

for (const name of loopNames) {
  test(`${name}: forward, reverse and differences agree, twice`, () => {
    const module = withDerivatives(loopModule(name), name, 2);
    const func = module.functions.get(name) as Func;
    const inputs = randomInputs(func, loopDims, name.length);
    checkDerivatives(module, name, inputs, 7);
    for (const first of [`jvp.${name}`, `vjp.${name}`]) {
      const derivative = module.functions.get(first) as Func;
      const all = [...inputs, ...randomInputs(derivative, loopDims, 11).slice(inputs.length)];
      checkDerivatives(module, first, all, 13);
    }
  });
}

test('the gradient of doubling is its value divided by the argument', () => {
  const module = withDerivatives(loopModule('doubling'), 'doubling', 1);
  for (const a of [3, -0.7]) {
    const input = hostTensor('f64', [1], [a]);
    const one = hostTensor('f64', [1], [1]);
    const [value, gradient] = new Interpreter(module).run('vjp.doubling', [input, one]);
    assert.is(numbersOf(gradient as HostTensor)[0], (numbersOf(value as HostTensor)[0] as number) / a);
  }
});

test('reverse mode of a loop without a bound names the bound', () => {
  const text = `tdir 1
fn more(%i: i64, %x: f64) -> bool {
  %c = lt %x, f64(10) : bool
  return %c
}
fn step(%i: i64, %x: f64) -> f64 {
  %y = mul %x, %x : f64
  return %y
}
fn f(%x: f64) -> f64 {
  %y, %n = loop @step while @more carry %x : f64, i64  # m.td:3:7 while x < 10
  return %y
}
`;
  const module = parseModule(text);
  const f = module.functions.get('f') as Func;
  const reversed = { functions: new Map([...module.functions, ['g', derivativeOf(f, 'vjp', 'g')]]) };
  assert.throws(
    () => expandDerivatives(reversed),
    (error: Error) =>
      error instanceof DerivativeError && /m\.td:3:7: .*while x < 10.* needs a bound/.test(error.message),
  );
  const pushed = expandDerivatives({ functions: new Map([...module.functions, ['g', derivativeOf(f, 'jvp', 'g')]]) });
  const [, tangent] = new Interpreter(pushed).run('g', [hostTensor('f64', [], [2]), hostTensor('f64', [], [1])]);
  assert.is(numbersOf(tangent as HostTensor)[0], 4 * 2 ** 3);
});

test('reverse mode stores what it cannot compute again cheaply, and nothing twice', () => {
  const module = withDerivatives(loopModule('elman'), 'elman', 1);
  const [forward] = (module.functions.get('vjp.elman') as Func).nodes.filter(isLoop);
  const body = module.functions.get(forward?.region.fn ?? '') as Func;
  // The state that goes in, besides the state that comes out, of which 1 - tanh² takes two operations.
  assert.is(body.results.length, 3);
});

test('the cotangent of a factor of products is one contraction over all trips', () => {
  const module = withDerivatives(loopModule('elman'), 'elman', 1);
  const { nodes } = module.functions.get('vjp.elman') as Func;
  const [, back] = nodes.filter(isLoop);
  assert.is(back?.region.carries, 1, 'the cotangent of the state alone is carried');
  const [sum] = nodes.filter((node) => node.kind === 'contract');
  assert.is(sum?.inputs.length, 2);
  assert.ok(sum?.inputs.every((input) => input.type.shape[0]?.key === 'T'));
});

test('other sums over trips are carried, and so are those of loops that may end early', () => {
  const carriesOf = (module: Module, name: string): number | undefined => {
    const { functions } = withDerivatives(module, name, 1);
    return (functions.get(`vjp.${name}`) as Func).nodes.filter(isLoop).at(-1)?.region.carries;
  };
  assert.is(carriesOf(loopModule('backwards'), 'backwards'), 2);
  const counted = loopTexts.elman.replace('%h, %hs = loop @step over [T]', '%n = size {T} : i64\n  $& times %n');
  assert.is(carriesOf(parseModule(`tdir 1\n${counted}`), 'elman'), 2);
});

test('a checkpoint stores its arguments alone', () => {
  const module = withDerivatives(loopModule('blocks'), 'blocks', 1);
  const [forward] = (module.functions.get('vjp.blocks') as Func).nodes.filter(isLoop);
  const body = module.functions.get(forward?.region.fn ?? '') as Func;
  // The carry, the sum, and the carry that goes into the block.
  assert.is(body.results.length, 3);
});

test.run();
