// The walk through a derivative: every backward line names a rule with a reason, and the forward line that it belongs to.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProgram } from '../../cli/frontend.js';
import { ExplainError, explain } from '../../compiler/explain/explain.js';
import { elementwiseRule, ruleNamed } from '../../compiler/explain/rules.js';
import { elementwiseOp } from '../../compiler/ops/table.js';
import { examples } from '../examples/examples.js';
import { programOf } from '../support/program.js';

const test = suite('explain');

const rule = (name: string): string => elementwiseRule(elementwiseOp(name));

test('rules of elementwise operations are equations, from their records', () => {
  assert.is(rule('mul'), 'd mul(x, y) = y · dx + x · dy');
  assert.is(rule('sub'), 'd sub(x, y) = dx - dy');
  assert.is(rule('div'), 'd div(x, y) = 1 / y · dx - div(x, y) / y · dy');
  assert.is(rule('tanh'), 'd tanh(x) = (1 - tanh(x) · tanh(x)) · dx');
  assert.is(rule('relu'), 'd relu(x) = where(relu(x) ≤ 0, 0, dx)');
  assert.is(rule('neg'), 'd neg(x) = -dx');
  assert.is(rule('floor'), 'd floor(x) = 0');
});

test('a function without a derivative is explained by its gradient', () => {
  const text = 'export fn f[n](w: f32[n], x: f32[n]) -> f32 = sum(tanh(w * x)) ** 2';
  const { added, functions } = explain(programOf(text), 'f');
  assert.ok(added);
  const [f] = functions;
  const rules = f?.backward.map((step) => [step.rule, step.of?.text.replace(/ :.*/, '')]);
  // The factors of the derivative come first, for they need no cotangent.
  assert.equal(rules, [
    ['d tanh', '%tanh = tanh %mul'],
    ['d tanh', '%tanh = tanh %mul'],
    ['d mul', '%pow = mul %sum, %sum'],
    ['d mul', '%pow = mul %sum, %sum'],
    ['d sum', '%sum = sum %tanh over [0]'],
    ['d tanh', '%tanh = tanh %mul'],
    ['d mul', '%mul = mul %w, %x'],
    ['d mul', '%mul = mul %w, %x'],
  ]);
  // Both factors of the product scale the same cotangent: it is scaled by their sum.
  assert.match(f?.backward[2]?.text ?? '', /^%add = add %sum, %sum/);
  assert.match(f?.backward[3]?.text ?? '', /^%d_sum\S* = mul f32\(1\), %add/);
  assert.is(f?.backward.at(-1)?.of?.place, 'main.td:1');
  assert.equal(f?.results, ['%pow', '%d_w', '%d_x']);
});

test('a value that is read several times gets the sum of its cotangents', () => {
  const [f] = explain(programOf('export fn f(x: f32[3]) -> f32 = sum(relu(x) + tanh(x))'), 'f').functions;
  const sums = f?.backward.filter(({ why }) => /sum of its cotangents/.test(why));
  assert.is(sums?.length, 1);
});

test('of a model the gradient is by its parameters', () => {
  const text = `import std.nn { Linear }
fn loss(net: Linear(3, 2), x: f32[4, 3]) -> f32 = sum(net(x))
export fn f(net: Linear(3, 2), x: f32[4, 3]) -> f32 = loss(net, x)`;
  const [f] = explain(programOf(text), 'f').functions;
  assert.equal(f?.results.slice(1), ['%d_net.weight', '%d_net.bias']);
});

test('loops and branches are explained with what they carry', () => {
  const text = `export fn f(a: f32) -> f32 = grad(a => {
  let b = while b_small(b) max 8 from b = a { 2 * b }
  if b > 0 { b } else { sin(b) }
})(a)
fn b_small(b: f32) -> bool = b < 10`;
  const { added, functions } = explain(programOf(text), 'f');
  assert.not.ok(added);
  const rules = functions.flatMap(({ backward }) => backward.map((step) => step.rule));
  for (const name of ['d if', 'd loop', 'd mul', 'd sin']) assert.ok(rules.includes(name), `${name} of ${rules}`);
});

test('what has no derivative is refused', () => {
  const refused = (text: string): string => {
    try {
      explain(programOf(text), 'f');
    } catch (error) {
      if (error instanceof ExplainError) return error.message;
      throw error;
    }
    return '';
  };
  assert.match(refused('export fn f(x: f32[3]) -> i64 = argmax(x)'), /gives no floats/);
  assert.match(refused('export fn f(x: i64[3]) -> f32 = cast(sum(x), f32)'), /takes no floats/);
});

for (const { name, file } of examples) {
  test(`${name}: every backward line has a rule, a reason and a place`, () => {
    const program = loadProgram(file);
    const trained = program.entries.filter(({ evaluation }) => evaluation !== undefined || /train|slope/.test(file));
    const names = trained.length > 0 ? trained : program.entries.filter((entry) => /step|slope/.test(entry.name));
    for (const entry of names) {
      for (const { backward, forward } of explain(program, entry.name).functions) {
        for (const step of backward) {
          assert.match(step.rule, /^d \w/);
          assert.ok(step.why !== '', `${step.text}: ${step.rule}`);
          assert.ok(step.of !== undefined || step.place !== undefined, step.text);
          if (step.of !== undefined) assert.ok(forward.includes(step.of), step.text);
        }
      }
    }
  });
}

test('every rule of a kind has words', () => {
  for (const name of ['contract', 'sum', 'reshape', 'gather', 'loop', 'max', 'cumprod'])
    assert.ok(ruleNamed(name).length > 20, name);
  assert.ok(readFileSync('README.md', 'utf8').includes('tdsl explain'));
});

test.run();
