// Rebuilding, inlining and outlining functions; the order of functions in a module.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder, NameSupply } from '../../../compiler/ir/builder.js';
import { evaluateFunction } from '../../../compiler/ir/evaluate/evaluate.js';
import type { Func, Value } from '../../../compiler/ir/graph.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { printFunction } from '../../../compiler/ir/print.js';
import {
  callees,
  definitions,
  freeSymbols,
  inlineInto,
  mapFunction,
  mapModule,
  outline,
  topologicalModule,
  uses,
} from '../../../compiler/ir/rewrite.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { randomGraph, tensorError } from '../../support/graphs.js';
import { draws } from '../../support/property.js';

const functionOf = (text: string): Func => [...parseModule(`tdir 1\n${text}`).functions.values()].at(-1) as Func;

const twice = functionOf(`fn f(%x: f32[B]) -> f32[B] {
  %a = neg %x : f32[B]  # m.td:1:1
  %b = neg %a : f32[B]  # m.td:2:1
  %c = add %b, %a : f32[B]
  return %c
}`);

test('a visitor that keeps all nodes gives the same function', () => {
  const same = mapFunction(twice, () => undefined);
  assert.ok(same.nodes.every((node, i) => node === twice.nodes[i]));
  assert.is(same.results[0], twice.results[0]);
});

test('replaced nodes keep their names and origins', () => {
  const rewritten = mapFunction(twice, (node, { builder, definition }) => {
    if (node.kind !== 'elementwise' || node.op !== 'neg') return undefined;
    const inner = definition(node.inputs[0] as Value);
    if (inner?.node.kind === 'elementwise' && inner.node.op === 'neg') return [inner.node.inputs[0] as Value];
    const negated = builder.elementwise(
      'mul',
      [node.inputs[0] as Value, builder.constant(-1, 'f32')],
      node.results[0]?.name,
    );
    return [negated];
  });
  assert.is(
    printFunction(rewritten),
    `fn f(%x: f32[B]) -> f32[B] {
  %a = mul %x, f32(-1)  : f32[B]  # m.td:1:1
  %b = mul %a, f32(-1)  : f32[B]  # m.td:2:1
  %c = add %b, %a       : f32[B]
  return %c
}
`,
  );
  assert.throws(() => mapFunction(twice, () => []), /gave 0 values for 1 results/);
  assert.throws(
    () =>
      mapFunction(twice, (_, { builder }) => {
        builder.constant(1, 'f32');
        return undefined;
      }),
    /built nodes and kept the old one/,
  );
});

test('inlining copies nodes under fresh names', () => {
  const b = new Builder('g');
  const y = b.param('a', (twice.params[0] as Value).type);
  const once = inlineInto(b, twice, [y], (old) => ({ ...old, rule: 'inlined' }));
  const results = inlineInto(b, twice, once);
  assert.is(
    printFunction(b.finish(results)),
    `fn g(%a: f32[B]) -> f32[B] {
  %a.1 = neg %a          : f32[B]  # m.td:1:1 | inlined
  %b = neg %a.1          : f32[B]  # m.td:2:1 | inlined
  %c = add %b, %a.1      : f32[B]  # inlined
  %a.2 = neg %c          : f32[B]  # m.td:1:1
  %b.1 = neg %a.2        : f32[B]  # m.td:2:1
  %c.1 = add %b.1, %a.2  : f32[B]
  return %c.1
}
`,
  );
  assert.throws(() => inlineInto(b, twice, []), /takes 1 values, got 0/);
});

test('outlining takes nodes out, with what they read as parameters', () => {
  const [, b, c] = twice.nodes;
  const { func, args } = outline(
    'part',
    [b, c].flatMap((node) => node ?? []),
    twice.results,
  );
  assert.equal(
    args.map((value) => value.name),
    ['a'],
  );
  verifyModule({ functions: new Map([['part', func]]) });
  assert.is(func.results[0], twice.results[0]);
});

test('names continue their series', () => {
  const names = new NameSupply();
  assert.equal(
    ['x', 'x', 'x.1', 'x.7', 'x', 'a b', ''].map((hint) => names.fresh(hint)),
    ['x', 'x.1', 'x.2', 'x.7', 'x.3', 'a_b', 'v'],
  );
  names.release('x');
  assert.is(names.fresh('x'), 'x');
});

test('uses, definitions, symbols', () => {
  const a = twice.nodes[0]?.results[0] as Value;
  assert.is(uses(twice).get(a)?.length, 2);
  assert.is(definitions(twice).get(a)?.node, twice.nodes[0]);
  const func = functionOf(`fn f(%x: f32[B]) -> i64 {
  %n = size {H // 2} : i64
  %y = contract [i] over k < K: %x[i + {P}?] : f32[B]
  return %n
}`);
  assert.equal([...freeSymbols(func)], ['B', 'H', 'K', 'P']);
});

test('modules are put into calling order', () => {
  const fn = (name: string, ...called: string[]) =>
    functionOf(
      `fn ${name}(%x: f32) -> f32 {\n${called.map((c, i) => `%y${i} = call @${c}(%x) : f32`).join('\n')}\nreturn %x\n}`,
    );
  const functions = [fn('main', 'a', 'b'), fn('a', 'b'), fn('b'), fn('unused')];
  assert.equal([...topologicalModule(functions).functions.keys()], ['b', 'a', 'main', 'unused']);
  assert.equal([...topologicalModule(functions, ['a']).functions.keys()], ['b', 'a']);
  assert.equal([...callees(functions[0] as Func)], ['a', 'b']);
  assert.throws(() => topologicalModule([fn('p', 'q'), fn('q', 'p')]), /recursion: @p calls @q calls @p/);
  assert.throws(() => topologicalModule([fn('p', 'q')]), /no function @q, called by @p/);
  const module = topologicalModule(functions);
  assert.equal(
    [...mapModule(module, (f) => (f.name === 'unused' ? undefined : f)).functions.keys()],
    ['b', 'a', 'main'],
  );
});

test('inlining every call changes no value', () => {
  fc.assert(
    fc.property(randomGraph({ regions: 'calls' }), ({ module, fn, inputs, dims }) => {
      const inlined = mapModule(module, (func) =>
        mapFunction(func, (node, { builder }) =>
          node.kind === 'region'
            ? inlineInto(builder, module.functions.get(node.region.fn) as Func, node.inputs)
            : undefined,
        ),
      );
      verifyModule(inlined, { stage: 'inlined' });
      const want = evaluateFunction(module, fn, inputs, { dims });
      const got = evaluateFunction(inlined, fn, inputs, { dims });
      want.forEach((tensor, i) => void assert.is(tensorError(got[i] as typeof tensor, tensor), 0));
    }),
    draws(150),
  );
});

test.run();
