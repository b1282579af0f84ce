// Numbers without a dtype, such as a size times a literal, are as exact as f64 until they meet a dtype, however they are computed.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../../cli/api.js';
import type { Method } from '../../../runtime/method.js';
import type { Session } from '../../../runtime/session.js';
import { Tensor } from '../../../runtime/tensor.js';

type Made = Session & { f: Method<Record<string, unknown>, Tensor> };

/** What `f(x: f64[3], c: bool[])` gives for ones and true. */
async function inDouble(body: string): Promise<number> {
  const text = `tdsl 1\nexport fn f[n](x: f64[n], c: bool[], k: dim) -> f64 = ${body}\n`;
  const s = await interpret<Made>({ text });
  return s
    .f({ x: Tensor.ones([3], { dtype: 'f64' }), c: Tensor.full([], 1, { dtype: 'bool' }), k: 20 })
    .item() as number;
}

const cases: readonly (readonly [body: string, value: number])[] = [
  ['x[0] * (size(x, 0) * 0.1)', 3 * 0.1],
  ['size(x, 0) * 0.1', 3 * 0.1],
  ['x[0] * (1 / size(x, 0))', 1 / 3],
  ['x[0] * (n / k)', 3 / 20],
  ['x[0] * (true / k)', 1 / 20],
  ['x[0] * n ** 0.5', Math.sqrt(3)],
  ['x[0] / sqrt(n)', 1 / Math.sqrt(3)],
  ['x[0] * -(n * 0.1)', -(3 * 0.1)],
  ['x[0] * maximum(n * 0.1, 0.2)', 3 * 0.1],
  ['x[0] * where(n > 2, 0.1, 0.2)', 0.1],
  ['x[0] * where(c, 0.1, 0.2)', 0.1],
  ['x[0] * (if c { 0.1 } else { 0.2 })', 0.1],
  ['x[0] * (if n > 2 { 0.1 } else { 2 })', 0.1],
  ['x[0] * ((if c { 1 } else { 2 }) * 0.1)', 0.1],
  ['x[0] * (if n * 0.1 > 0.3 { 1 } else { 2 })', 1],
  ['x[0] * (fold 0..k from 0.1 { (h, i) => h * 0.5 })', 0.1 * 0.5 ** 20],
  ['x[0] * (fold 0..k from 0 { (h, i) => h + 0.1 })', Array.from({ length: 20 }).reduce((h: number) => h + 0.1, 0)],
  ['fold 0..k from 0.1 { (h, i) => h + x[0] }', Array.from({ length: 20 }).reduce((h: number) => h + 1, 0.1)],
  ['fold x from 0 { (h, e) => h + 0.1 * e }', 0.1 + 0.1 + 0.1],
  ['x[0] * (fold 0..k from 0.0 { (h, i) => i * 0.1 })', 19 * 0.1],
  ['x[0] * (while h < 1 from h = 0.1 { h + 0.3 })', 0.1 + 0.3 + 0.3 + 0.3],
  ['sum(cast(n * 0.1, f64))', 3 * 0.1],
  ['sum over i: x[i] * (1 / n)', 1 / 3 + 1 / 3 + 1 / 3],
];

for (const [body, value] of cases) {
  test(`${body} is not rounded to f32`, async () => {
    const found = await inDouble(body);
    assert.ok(Math.abs(found - value) <= 2 ** -52 * Math.abs(value), `${found}, not ${value}`);
  });
}

test('a number takes the dtype that it meets, and the default float where it meets none', async () => {
  const results = ['x * (n * 0.1)', 'tensor([n * 0.1])', 'fold 0..k from 0.5 { (h, i) => h + x[0] }', 'scan_of(k)'];
  const text = `tdsl 1
fn scan_of(k: dim) {
  let (all, last) = scan 0..k from 1.0 { (h, i) => (h * 0.5, h) }
  all
}
export fn f(x: f16[n], k: dim) -> (f16[n], f32[1], f16, f32[k]) = (${results.join(', ')})
`;
  const s = await interpret<Made>({ text });
  const made = s.f({ x: Tensor.ones([3], { dtype: 'f16' }), k: 10 }) as unknown as readonly Tensor[];
  assert.equal(
    made.map(({ dtype }) => dtype),
    ['f16', 'f32', 'f16', 'f32'],
  );
});

test('derivatives pass by numbers and through loops that begin with one', async () => {
  const text = `tdsl 1
export fn f(x: f64[n], k: dim) -> f64[n] =
  grad(x => sum(x) * (n * 0.1) + (fold 0..k from 1.0 { (h, i) => h * x[0] }))(x)
`;
  const s = await interpret<Made>({ text });
  const found = s.f({ x: Tensor.ones([3], { dtype: 'f64' }), k: 10 });
  assert.equal(found.toArray(), [3 * 0.1 + 10, 3 * 0.1, 3 * 0.1]);
});

test('a real number is no integer', async () => {
  const text = 'tdsl 1\nexport fn f[n](x: i64[n]) -> i64 = n * 0.5\n';
  const report = await interpret({ text }).then(String, String);
  assert.match(report, /E0305|E0319/);
  assert.match(report, 'cast(x, i64)');
});

test.run();
