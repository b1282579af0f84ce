// Numbers that a call gives: `dim` parameters as trip counts, sizes and scalars; loops of no, some and too many trips; branches. The same
// program as compiled code and by the interpreter, in f32 and f64.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/interpreted.js';
import { compileModule, importModule } from '../../cli/module.js';
import type { Session, Tensor } from '../../runtime/index.js';

const source = (T: 'f32' | 'f64') => `dim B
model Count { state n: ${T} = zeros }

## A run-time number of steps.
export fn steps(x: ${T}[B], n: dim) -> (${T}[B], ${T}[n, B], ${T}) {
  let (ys, y) = scan 0..n from x { (h, i) => let next = 0.5 * h + i; (next, h) }
  (y, ys, sum(x) * n)
}
export fn slope(x: ${T}, n: dim) -> (${T}, ${T}) =
  value_and_grad(x => fold 0..n from x { (h, i) => if h > 1 { 0.5 * h } else { h * h + x } })(x)
export fn named(options: { n: dim, x: ${T}[B] }) -> ${T}[B] = options.x * options.n
export fn padded(B: dim, x: ${T}[B]) -> ${T} = sum(x) + B
export fn until(c: mut Count, x: ${T}) -> ${T} {
  c.n += 1
  while x < 100 max 5 from x = x { 2 * x }
}
export fn forever(x: ${T}) -> (${T}, ${T}) = jvp(x => while x < 100 from x = x { x * x }, x)
`;

interface Counts extends Session {
  readonly steps: (args: { x: unknown; n: unknown }) => [Tensor, Tensor, Tensor];
  readonly stepsAsync: (args: { x: unknown; n: unknown }) => Promise<[Tensor, Tensor, Tensor]>;
  readonly slope: (args: { x: number; n: number }) => [Tensor, Tensor];
  readonly named: (args: { options: { x: readonly number[]; n: unknown } }) => Tensor;
  readonly padded: (args: { x: readonly number[]; B: number }) => Tensor;
  readonly until: (args: { x: number }) => Tensor;
  readonly forever: (args: { x: number }) => [Tensor, Tensor];
  readonly c: { n: number };
}

const numbers = (tensor: Tensor): readonly number[] => Array.from(tensor.toNumbers());

async function check(session: Counts, T: 'f32' | 'f64'): Promise<void> {
  for (const n of [0, 1, 3, 12]) {
    let h = [1, -2];
    const ys: number[] = [];
    for (let i = 0; i < n; i++) {
      ys.push(...h);
      h = h.map((value) => 0.5 * value + i);
    }
    for (const result of [session.steps({ x: [1, -2], n }), await session.stepsAsync({ x: [1, -2], n })]) {
      assert.equal(result[1].shape, [n, 2]);
      const [y, all, total] = result.map(numbers);
      for (const [i, value] of (y ?? []).entries()) assert.ok(Math.abs(value - (h[i] ?? 0)) < 1e-5);
      assert.equal(all?.length, 2 * n);
      assert.ok(Math.abs((all?.at(-1) ?? 0) - (ys.at(-1) ?? 0)) < 1e-5);
      assert.equal(total, [-n]);
    }
    let [value, tangent] = [0.7, 1];
    for (let i = 0; i < n; i++)
      [value, tangent] = value > 1 ? [0.5 * value, 0.5 * tangent] : [value * value + 0.7, 2 * value * tangent + 1];
    const [got, slope] = session.slope({ x: 0.7, n }).map(numbers) as [number[], number[]];
    const tolerance = T === 'f32' ? 1e-4 : 1e-12;
    assert.ok(Math.abs((got[0] as number) - value) < tolerance, `${n} trips: ${got}, expected ${value}`);
    assert.ok(Math.abs((slope[0] as number) - tangent) < tolerance, `${n} trips: ${slope}, expected ${tangent}`);
  }
  assert.equal(numbers(session.named({ options: { x: [1, 2], n: 3 } })), [3, 6]);
  assert.equal(numbers(session.padded({ x: [1, 2], B: 2 })), [5]);
  assert.throws(() => session.padded({ x: [1, 2], B: 3 }), /B is 3 in argument B, but 2 in argument x/);
  for (const n of [-1, 1.5, Number.NaN, '3', [3], 2 ** 60])
    assert.throws(() => session.steps({ x: [1], n }), /steps: argument n/, String(n));
  assert.throws(() => session.named({ options: { x: [1], n: -2 } }), /options/);

  // A bound that is reached leaves the state unwritten.
  assert.equal(numbers(session.until({ x: 5 })), [160]);
  assert.is(session.c.n, 1);
  assert.throws(() => session.until({ x: 1 }), /while x < 100/);
  assert.is(session.c.n, 1);
  assert.equal(numbers(session.until({ x: 200 })), [200]);
  assert.is(session.c.n, 2);
  assert.equal(session.forever({ x: 3 }).map(numbers), [[6561], [8 * 3 ** 7]]);
}

const test = suite('numbers that a call gives');

for (const T of ['f64', 'f32'] as const) {
  test(`by the interpreter, ${T}`, async () => check(await interpret<Counts>({ text: source(T) }), T));

  test(`compiled, ${T}`, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-trips-'));
    try {
      const file = path.join(folder, 'trips.td');
      writeFileSync(file, source(T));
      const compiled = await compileModule(file, { outDir: path.join(folder, 'out') });
      const module = await importModule<{ create(): Promise<Counts> }>(compiled);
      await check(await module.create(), T);
      const types = readFileSync(path.join(folder, 'out', 'index.d.ts'), 'utf8');
      assert.match(types, /steps: Method<\{ x: [^;]*; n: number \}/);
      assert.match(types, /options: \{ n: number; x: /);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('a dimension that is fixed is no argument', async () => {
  const session = await interpret({ text: source('f64') }, { dims: { n: 2 } });
  const { steps } = session as unknown as { steps: (args: { x: readonly number[] }) => [Tensor, Tensor, Tensor] };
  assert.equal(steps({ x: [4] }).map(numbers), [[2], [4, 2], [8]]);
});

test.run();
