// Loops and branches, and their derivatives, through every pass: the verifier accepts what each pass makes, and no value changes.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isControl, isLoop } from '../../../compiler/ir/control.js';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func, Module } from '../../../compiler/ir/graph.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { printFunction, printModule } from '../../../compiler/ir/print.js';
import { topologicalModule } from '../../../compiler/ir/rewrite.js';
import { moduleEquals } from '../../../compiler/ir/text/equal.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { Hoister } from '../../../compiler/passes/control/hoist.js';
import { Trimmer } from '../../../compiler/passes/control/trim.js';
import { defaultPipeline, pipelines, runPipeline } from '../../../compiler/pipeline.js';
import type { Program } from '../../../compiler/program.js';
import { derivativeOf, innerProduct } from '../../support/calculus.js';
import { randomInputs, tensorError } from '../../support/graphs.js';
import { entryOf, loopDims, loopNames, loopProgram, loopTexts } from '../../support/loops.js';
import { draws } from '../../support/property.js';
import { randomLoop, randomLoopDims } from '../../support/random-loops.js';

for (const name of loopNames) {
  test(`${name} and its derivatives have the same values after every pass`, () => {
    const program = loopProgram([name], 2);
    const reference = new Interpreter(runPipeline(program, pipelines.reference).module);
    const trials = program.entries.map(({ fn }, i) => {
      const inputs = randomInputs(program.module.functions.get(fn) as Func, loopDims, 31 + i);
      return { fn, inputs, want: reference.run(fn, inputs, { dims: loopDims }) };
    });
    let isExpanded = false;
    runPipeline(program, defaultPipeline, {
      onStage(stage, current) {
        isExpanded ||= stage === 'differentiate';
        const interpreter = new Interpreter(current.module);
        for (const { fn, inputs, want } of trials) {
          if (!isExpanded && fn !== name) continue;
          const got = interpreter.run(fn, inputs, { dims: loopDims });
          got.forEach((tensor, i) => {
            const error = tensorError(tensor, want[i] as HostTensor);
            assert.ok(error < 1e-9, `result ${i} of ${fn} is off by ${error} after ${stage}`);
          });
        }
      },
    });
  });
}

const cleaned = (text: string, ...steps: readonly (typeof Hoister | typeof Trimmer)[]): Module =>
  steps.reduce<Module>(
    (module, step) => {
      const cleaner = topologicalModule(new step(module).run());
      verifyModule(cleaner);
      return cleaner;
    },
    parseModule(`tdir 1\n${text}`),
  );

const loopOf = (module: Module, fn: string) => {
  const node = module.functions.get(fn)?.nodes.find(isControl);
  if (node === undefined || !isLoop(node)) throw new Error(`@${fn} holds no loop`);
  return { node, body: module.functions.get(node.region.fn) as Func };
};

test('a loop loses the carries, slices and constants that no result needs', () => {
  const module = cleaned(
    `
fn step(%i: i64, %c: f64, %d: f64, %a: f64, %b: f64, %e: f64, %x: f64, %y: f64) -> (f64, f64, f64, f64, f64) {
  %p = mul %a, %x : f64
  %q = mul %b, %c : f64
  %r = add %q, %e : f64
  %s = mul %y, %d : f64
  %t = add %s, %p : f64
  return %p, %r, %r, %p, %t
}
fn f(%c: f64, %d: f64, %a: f64, %b: f64, %e: f64, %x: f64[4], %y: f64[4]) -> (f64, f64[4]) {
  %p, %q, %r, %u, %v = loop @step over [4] with %c, %d carry %a, %b, %e each %x, %y : f64, f64, f64, f64[4], f64[4]
  return %p, %u
}`,
    Trimmer,
  );
  const { node, body } = loopOf(module, 'f');
  assert.equal(
    node.inputs.map((value) => value.name),
    ['a', 'x'],
  );
  assert.is(node.results.length, 2);
  assert.is(body.nodes.length, 1, printFunction(body));
});

test('what is the same in every trip is computed before the loop', () => {
  const module = cleaned(
    `
fn step(%i: i64, %w: f64[3, 3], %k: f64, %h: f64[3], %g: f64[3]) -> (f64[3], f64[3]) {
  %e = exp %w : f64[3, 3]
  %m = contract [o] over k: %e[o, k] * %g[k] : f64[3]
  %a = mul %h, %m : f64[3]
  %b = mul %a, %k : f64[3]
  return %b, %g
}
fn f(%w: f64[3, 3], %h: f64[3], %g: f64[3]) -> (f64[3], f64[3]) {
  %b, %c = loop @step over [5] with %w, f64(2) carry %h, %g : f64[3], f64[3]
  return %b, %c
}`,
    Hoister,
    Trimmer,
  );
  const { node, body } = loopOf(module, 'f');
  assert.is(node.region.carries, 1);
  assert.is(body.nodes.filter(({ kind }) => kind === 'contract').length, 0, printFunction(body));
  assert.equal(
    (module.functions.get('f') as Func).results.map((value) => value.name),
    ['b', 'g'],
  );
  assert.is(node.inputs.length, 2);
});

test('products of slices are computed before a loop for all trips at once, unless it may end early', () => {
  const parse = (text: string): Module => parseModule(`tdir 1\n${text}`);
  const productsOf = (module: Module, name: string): readonly [number, number] => {
    const functions = new Map(new Hoister(module).run().map((func) => [func.name, func]));
    const func = functions.get(name) as Func;
    const body = functions.get(func.nodes.find(isLoop)?.region.fn ?? '') as Func;
    const count = ({ nodes }: Func): number => nodes.filter(({ kind }) => kind === 'contract').length;
    return [count(func), count(body)];
  };
  assert.equal(productsOf(parse(loopTexts.sliced), 'sliced'), [1, 1]);
  const counted = loopTexts.sliced.replace('%h, %ys = loop @step over [T]', '%n = size {T} : i64\n  $& times %n');
  assert.equal(productsOf(parse(counted), 'sliced'), [0, 2]);
});

test('random loops: reverse mode is the transposition of forward mode, and no pass changes a value', () => {
  fc.assert(
    fc.property(randomLoop(), fc.nat({ max: 1000 }), ({ module, fn }, seed) => {
      const func = module.functions.get(fn) as Func;
      verifyModule(module, { stage: 'inlined' });
      assert.ok(moduleEquals(parseModule(printModule(module)), module));
      const functions = new Map(module.functions);
      const entries = [func, derivativeOf(func, 'jvp'), derivativeOf(func, 'vjp')];
      for (const each of entries) functions.set(each.name, each);
      const program = { name: 'loops', module: { functions }, entries: entries.map(entryOf), state: [] };
      const tangents = randomInputs(func, randomLoopDims, seed);
      const cotangents = randomInputs({ ...func, params: func.results }, randomLoopDims, seed + 1);
      const inputs = randomInputs(func, randomLoopDims, seed + 2);
      const given = [inputs, [...inputs, ...tangents], [...inputs, ...cotangents]];
      const evaluateAll = (current: Program) =>
        entries.map(({ name }, i) =>
          new Interpreter(current.module).run(name, given[i] as readonly HostTensor[], { dims: randomLoopDims }),
        );
      const want = evaluateAll(runPipeline(program, pipelines.reference));
      const [, pushed, pulled] = want as [HostTensor[], HostTensor[], HostTensor[]];
      const [left, right] = [
        innerProduct(cotangents, pushed.slice(func.results.length)),
        innerProduct(pulled.slice(func.results.length), tangents),
      ];
      assert.ok(Math.abs(left - right) <= 1e-9 * (1 + Math.abs(left)), `${left} is not ${right}`);
      const got = evaluateAll(runPipeline(program, defaultPipeline));
      got.forEach((results, k) => {
        results.forEach((tensor, i) => {
          const error = tensorError(tensor, want[k]?.[i] as HostTensor);
          assert.ok(error < 1e-9, `result ${i} of ${entries[k]?.name} is off by ${error}`);
        });
      });
    }),
    draws(60),
  );
});

test.run();
