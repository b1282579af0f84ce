// Batching: a random function for many sets of operands at once computes what it computes for each of them.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../../compiler/ir/builder.js';
import { stacked as stackType } from '../../../compiler/ir/control.js';
import { type Dim, dimConst } from '../../../compiler/ir/dims.js';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { elementCount, type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func, Module, Value } from '../../../compiler/ir/graph.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { freeSymbols } from '../../../compiler/ir/rewrite.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { expandDerivatives } from '../../../compiler/passes/differentiate.js';
import { buildFunction, derivativeOf, moduleOf } from '../../support/calculus.js';
import { randomGraph, randomInputs, tensorError } from '../../support/graphs.js';
import { loopDims, loopModule, loopNames } from '../../support/loops.js';
import { draws } from '../../support/property.js';
import { randomLoop, randomLoopDims } from '../../support/random-loops.js';

const sets = 3;

/** Tensors of one type on top of one another. */
function stacked(tensors: readonly HostTensor[]): HostTensor {
  const [first] = tensors as readonly [HostTensor];
  const exact = tensors.flatMap((tensor) => Array.from(tensor.data as ArrayLike<number | bigint>));
  return hostTensor(first.dtype, [tensors.length, ...first.shape], exact);
}

function sliceOf(tensor: HostTensor, at: number): HostTensor {
  const shape = tensor.shape.slice(1);
  const count = elementCount(shape);
  return { dtype: tensor.dtype, shape, data: tensor.data.slice(at * count, (at + 1) * count) };
}

/** A module with the function `many` that runs `fn` for all sets; parameters for which `batched` holds have a value for each. */
function withMany(module: Module, fn: string, batched: readonly boolean[], size: Dim = dimConst(sets)): Module {
  const func = module.functions.get(fn) as Func;
  const over = batched.flatMap((flag, i) => (flag ? [i] : []));
  const b = new Builder('many');
  const params = func.params.map(({ name, type }, i) => b.param(name, batched[i] ? stackType(type, size) : type));
  const types = func.results.map(({ type }) => stackType(type, size));
  const many = b.finish(b.region({ type: 'vmap', fn, over, size }, params, types));
  const module_ = { functions: new Map([...module.functions, ['many', many]]) };
  verifyModule(module_, { stage: 'elaborated' });
  const expanded = expandDerivatives(module_);
  verifyModule(expanded, { stage: 'differentiated' });
  return expanded;
}

/** Runs a function for each of some sets of operands and for all together, and compares. */
function checkBatch(module: Module, fn: string, dims: ReadonlyMap<string, number>, pattern: number): void {
  const func = module.functions.get(fn) as Func;
  const batched = func.params.map((_, i) => i === pattern % func.params.length || ((pattern >> i) & 1) === 1);
  const inputSets = Array.from({ length: sets }, (_, i) => randomInputs(func, dims, pattern + i));
  const at = (set: number) =>
    func.params.map((_, i) => (inputSets[batched[i] ? set : 0] as readonly HostTensor[])[i] as HostTensor);
  const own = new Map([...dims].filter(([name]) => freeSymbols(func).has(name)));
  const plain = expandDerivatives(module);
  const alone = Array.from({ length: sets }, (_, set) => new Interpreter(plain).run(fn, at(set), { dims: own }));
  const inputs = func.params.map((_, i) =>
    batched[i] ? stacked(inputSets.map((each) => each[i] as HostTensor)) : (at(0)[i] as HostTensor),
  );
  const together = new Interpreter(withMany(module, fn, batched)).run('many', inputs, { dims: own });
  alone.forEach((results, set) => {
    results.forEach((want, i) => {
      const error = tensorError(sliceOf(together[i] as HostTensor, set), want);
      // Undefined values, such as infinities that cancel, may differ in kind.
      if (numbersOf(want).every((x) => Number.isFinite(x)))
        assert.ok(error <= 1e-7, `set ${set}, result ${i} differs by ${error}`);
    });
  });
}

test('random functions', () => {
  const property = fc.property(randomGraph({ regions: 'none', size: 120 }), fc.nat({ max: 1000 }), (graph, pattern) =>
    checkBatch(graph.module, graph.fn, graph.dims, pattern),
  );
  fc.assert(property, draws(250));
});

test('random loops with branches and checkpoints', () => {
  const property = fc.property(randomLoop(), fc.nat({ max: 1000 }), ({ module, fn }, pattern) =>
    checkBatch(module, fn, randomLoopDims, pattern),
  );
  fc.assert(property, draws(40));
});

for (const name of loopNames) {
  test(`${name} and its derivatives, where sets make different trips and take different branches`, () => {
    const module = loopModule(name);
    const func = module.functions.get(name) as Func;
    const vjp = derivativeOf(func, 'vjp');
    const jvp = derivativeOf(func, 'jvp');
    const all = { functions: new Map([...module.functions, [vjp.name, vjp], [jvp.name, jvp]]) };
    for (const pattern of [1, 1023])
      for (const fn of [name, vjp.name, jvp.name]) checkBatch(all, fn, loopDims, pattern);
  });
}

test('the derivative of a function for many sets is that of each', () => {
  const module = loopModule('doubling');
  const many = withMany(module, 'doubling', [true]);
  const func = many.functions.get('many') as Func;
  const vjp = derivativeOf(func, 'vjp', 'vjp.many');
  const both = expandDerivatives({ functions: new Map([...many.functions, ['vjp.many', vjp]]) });
  const single = derivativeOf(module.functions.get('doubling') as Func, 'vjp', 'vjp.one');
  const one = expandDerivatives({ functions: new Map([...module.functions, ['vjp.one', single]]) });
  const data = [1, 2, -3, 400, 500, -100, -0.5, -0.25, 0.1];
  const seeds = [1, 0, 2, 0, 1, 0, 3, 3, 3];
  const cotangents = func.results.map((_, i) => (i === 0 ? hostTensor('f64', [3, 3], seeds) : undefined));
  assert.equal(cotangents.length, 1);
  const run = new Interpreter(both).run('vjp.many', [hostTensor('f64', [3, 3], data), cotangents[0] as HostTensor]);
  const gradient = run.at(-1) as HostTensor;
  for (const set of [0, 1, 2]) {
    const slice = (from: readonly number[]) => hostTensor('f64', [3], from.slice(3 * set, 3 * set + 3));
    const want = new Interpreter(one).run('vjp.one', [slice(data), slice(seeds)]).at(-1) as HostTensor;
    assert.ok(tensorError(sliceOf(gradient, set), want) < 1e-12);
  }
});

test('what does not depend on the set is computed once', () => {
  const type = { dtype: 'f64', shape: [dimConst(2)] } as const;
  const func = buildFunction([type, type], (b, [x, y]) => [
    b.elementwise('mul', [b.elementwise('exp', [x as Value]), y as Value]),
  ]);
  const many = withMany(moduleOf(func), 'f', [false, true]).functions.get('many') as Func;
  const exp = many.nodes.find((node) => node.kind === 'elementwise' && node.op === 'exp');
  assert.is(exp?.results[0]?.type.shape.length, 1);
});

test('draws with a key of each set are the draws of each key', () => {
  const key = { dtype: 'i64', shape: [dimConst(2)] } as const;
  const func = buildFunction([key, { dtype: 'i64', shape: [] }], (b, [k, n]) => {
    const [folded] = b.add({ kind: 'source', source: { type: 'fold_in' }, inputs: [k as Value, n as Value] });
    return b.add({
      kind: 'source',
      source: { type: 'random_bits', shape: [dimConst(5)] },
      inputs: [folded as Value],
    });
  });
  for (const pattern of [0, 1, 3]) checkBatch(moduleOf(func), 'f', new Map(), pattern);
});

test('derivatives that are stated are batched', () => {
  const module = parseModule(`tdir 1
fn f(%x: f64[2], %w: f64) -> f64[2] {
  %y = mul %x, %w : f64[2]
  return %y
}
fn df(%x: f64[2], %w: f64, %y: f64[2], %dx: f64[2], %dw: f64) -> f64[2] {
  %a = mul %dx, f64(5) : f64[2]
  %b = mul %y, %dw : f64[2]
  %s = add %a, %b : f64[2]
  return %s
}
fn main(%x: f64[2], %w: f64) -> f64[2] {
  %y = custom_jvp @f(%x, %w) derivative @df wrt [0, 1] of [0] : f64[2]
  return %y
}`);
  for (const over of [[0], [1], [0, 1]]) {
    const b = new Builder('many');
    const main = module.functions.get('main') as Func;
    const params = main.params.map(({ name, type }, i) =>
      b.param(name, over.includes(i) ? stackType(type, dimConst(sets)) : type),
    );
    const results = b.region({ type: 'vmap', fn: 'main', over, size: dimConst(sets) }, params, [
      stackType((main.results[0] as Value).type, dimConst(sets)),
    ]);
    const func = b.finish(results);
    const vjp = derivativeOf(func, 'vjp', 'vjp.many');
    const all = { functions: new Map([...module.functions, ['many', func], ['vjp.many', vjp]]) };
    // The vmap region is expanded first, and what it leaves still has the stated derivative.
    const expanded = expandDerivatives(all);
    const x = over.includes(0) ? hostTensor('f64', [3, 2], [1, 2, 3, 4, 5, 6]) : hostTensor('f64', [2], [1, 2]);
    const w = over.includes(1) ? hostTensor('f64', [3], [1, 2, 3]) : hostTensor('f64', [], [2]);
    const ones = hostTensor('f64', [3, 2], [1, 1, 1, 1, 1, 1]);
    const gradient = new Interpreter(expanded).run('vjp.many', [x, w, ones])[1] as HostTensor;
    assert.equal(numbersOf(gradient), over.includes(0) ? [5, 5, 5, 5, 5, 5] : [15, 15]);
  }
});

test.run();
