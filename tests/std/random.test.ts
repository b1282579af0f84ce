// Random draws: what they are distributed as, the same bits from every backend and any number of threads, keys, and draws that are repeated
// where they are computed again.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/interpreted.js';
import { compileModule, importModule } from '../../cli/module.js';
import type { Session, Tensor } from '../../runtime/index.js';

const test = suite('random draws');

const N = 20000;
const source = `import std.nn { Dropout }
dim B
model Net { drop: Dropout(0.25) }

export fn draws(rng: mut key) -> any {
  let (a, b) = split_key(rng)
  rng = a
  (
    rand([${N}], key: b), rand([${N}], f64, fold_in(b, 1)), randn([${N}], key: fold_in(b, 2)), randn([${N}], f64, fold_in(b, 3)),
    trunc_normal([${N}], std: 2.0, a: -3.0, b: 1.0, key: fold_in(b, 4)), bernoulli(full([${N}], 0.3), fold_in(b, 5)),
    randint(-2, 5, [${N}], key: fold_in(b, 6)), randperm(200, fold_in(b, 7)),
    multinomial(tensor([1.0, 0.0, 2.0, 5.0]), ${N}, replacement: true, key: fold_in(b, 8)),
    multinomial(expand(tensor([1.0, 0.0, 2.0, 5.0]), [2000, 4]), 2, key: fold_in(b, 9)),
    uniform([${N}], 2.0, 4.0, key: fold_in(b, 10)), normal(1.0, 3.0, [${N}], key: fold_in(b, 11)),
  )
}
export fn again(rng: key) -> any = (rand([8], key: rng), rand([8], key: rng), rand([8]), rand([8]))

## The output of dropout, and its derivative: the mask itself.
export fn masks(net: mut Net, x: f32[B, 64]) -> any = vjp(x => net.drop(x), x, ones([B, 64]))
export fn recomputed(net: mut Net, x: f32[B]) -> any =
  (
    vjp(x => checkpoint(x => net.drop(x), x), x, ones([B])),
    vjp(x => fold 0..12 from x { (h, i) => net.drop(h) + 0 * h }, x, ones([B])),
    vjp(x => fold 0..12 from x { (h, i) => checkpoint(h => net.drop(h) * 1, h) }, x, ones([B])),
  )
export fn stacked(x: f32[B]) -> any = scan 0..10 from 0.0 { (c, i) => (c, rand([B])) }[0]
`;

type Draws = readonly Tensor[];
type Pair = readonly [Tensor, Tensor];
interface Program extends Session {
  readonly draws: () => Draws;
  readonly again: () => Draws;
  readonly masks: (args: { x: Tensor | number[][] }) => Pair;
  readonly recomputed: (args: { x: number[] }) => readonly Pair[];
  readonly stacked: (args: { x: number[] }) => Tensor;
}

const numbers = (tensor: Tensor | undefined): readonly number[] => Array.from(tensor?.toNumbers() ?? []);
const ones = (n: number) => new Array<number>(n).fill(1);

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const m = mean(values);
  return mean(values.map((x) => (x - m) ** 2));
};

/** The largest distance between the empirical and the wanted distribution function (Kolmogorov and Smirnov). */
function distance(values: readonly number[], wanted: (x: number) => number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.reduce((most, x, i) => {
    const p = wanted(x);
    return Math.max(most, Math.abs(p - i / sorted.length), Math.abs(p - (i + 1) / sorted.length));
  }, 0);
}

/** Draws of the wanted distribution are farther off than this in one of a million tries. */
const bound = 2.7 / Math.sqrt(N);

/** The distribution function of the standard normal, by a continued series (Marsaglia 2004). */
function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

const frequencies = (values: readonly number[], count: number, first = 0): readonly number[] =>
  Array.from({ length: count }, (_, k) => values.filter((x) => x === k + first).length / values.length);

function assertFrequencies(found: readonly number[], wanted: readonly number[], draws: number): void {
  for (const [k, p] of wanted.entries()) {
    const error = 5 * Math.sqrt((p * (1 - p)) / draws);
    assert.ok(Math.abs((found[k] ?? 0) - p) <= error, `${k}: ${found[k]}, expected ${p}`);
  }
}

test('are distributed as they say', async () => {
  const session = await interpret<Program>({ text: source }, { seed: 3 });
  const all = session.draws().map(numbers);
  const [u32, u64, n32, n64, cut, flips, dice, order, picked, pairs, flat, wide] =
    all as readonly (readonly number[])[];
  for (const values of [u32, u64]) {
    assert.ok(values?.every((x) => x >= 0 && x < 1));
    assert.ok(distance(values ?? [], (x) => x) < bound);
  }
  for (const values of [n32, n64]) assert.ok(distance(values ?? [], normalCdf) < bound);
  const [low, high] = [normalCdf(-1.5), normalCdf(0.5)];
  assert.ok(cut?.every((x) => x >= -3 && x <= 1));
  assert.ok(distance(cut ?? [], (x) => (normalCdf(x / 2) - low) / (high - low)) < bound);
  assertFrequencies(frequencies(flips ?? [], 2), [0.7, 0.3], N);
  assertFrequencies(
    frequencies(dice ?? [], 7, -2),
    ones(7).map(() => 1 / 7),
    N,
  );
  assert.equal(
    order?.toSorted((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  );
  assert.ok((order ?? []).filter((x, i) => x === i).length < 12);
  assertFrequencies(frequencies(picked ?? [], 4), [1 / 8, 0, 2 / 8, 5 / 8], N);
  const first = (pairs ?? []).filter((_, i) => i % 2 === 0);
  const second = (pairs ?? []).filter((_, i) => i % 2 === 1);
  assert.ok(first.every((x, i) => x !== second[i]));
  assertFrequencies(frequencies(first, 4), [1 / 8, 0, 2 / 8, 5 / 8], 2000);
  // The second of two without replacement: Σ over the first of p(first) · w / (8 - w(first)).
  const after = (w: number, others: readonly number[]) => others.reduce((sum, o) => sum + ((o / 8) * w) / (8 - o), 0);
  assertFrequencies(frequencies(second, 4), [after(1, [2, 5]), 0, after(2, [1, 5]), after(5, [1, 2])], 2000);
  assert.ok(distance(flat ?? [], (x) => (x - 2) / 2) < bound);
  assert.ok(distance(wide ?? [], (x) => normalCdf((x - 1) / 3)) < bound);
  assert.ok(Math.abs(variance(n64 ?? []) - 1) < 0.06);
  // Draws from keys of their own are independent.
  const product = mean((u32 ?? []).map((x, i) => (x - 0.5) * ((u64?.[i] ?? 0) - 0.5)));
  assert.ok(Math.abs(product) < 5 / 12 / Math.sqrt(N));
});

test('a key repeats its draws, the key of the session moves on', async () => {
  const session = await interpret<Program>({ text: source }, { seed: 3 });
  const [a, b, c, d] = session.again().map(numbers);
  assert.equal(a, b);
  assert.not.equal(c, d);
  assert.not.equal(a, c);
  const first = session.draws().map(numbers);
  assert.not.equal(session.draws().map(numbers), first);
  const other = await interpret<Program>({ text: source }, { seed: 3 });
  assert.equal(other.draws().map(numbers), first);
  const third = await interpret<Program>({ text: source }, { seed: 4 });
  assert.not.equal(third.draws().map(numbers), first);
});

/** A mask repeats in the derivative; it keeps three of four elements and differs from call to call. */
function checkMasks(session: Program): void {
  const x = Array.from({ length: 40 }, () => ones(64));
  const [y, slope] = session.masks({ x }).map(numbers) as [number[], number[]];
  assert.equal(slope, y);
  assertFrequencies([y.filter((v) => v !== 0).length / y.length], [0.75], y.length);
  assert.ok(y.every((v) => v === 0 || Math.abs(v - 4 / 3) < 1e-6));
  assert.not.equal(session.masks({ x }).map(numbers)[0], y);
  for (const [value, gradient] of session.recomputed({ x: ones(300) })) assert.equal(numbers(gradient), numbers(value));
  const rows = numbers(session.stacked({ x: ones(5) }));
  assert.is(new Set(rows).size, 50);
}

test('masks are repeated by derivatives, in loops and checkpoints too', async () => {
  checkMasks(await interpret<Program>({ text: source }, { seed: 3 }));
});

test('have the same bits compiled, for any number of threads', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-random-'));
  try {
    const file = path.join(folder, 'draws.td');
    writeFileSync(file, source);
    const compiled = await compileModule(file, { outDir: path.join(folder, 'out') });
    const module = await importModule<{ create(options: object): Promise<Program> }>(compiled);
    const want = await interpret<Program>(file, { seed: 9 });
    const expected = [want.draws(), want.draws()].flat();
    for (const threads of [1, 2, 5]) {
      const session = await module.create({ seed: 9, threads });
      const found = [session.draws(), session.draws()].flat();
      for (const [i, tensor] of found.entries()) {
        const wanted = expected[i] as Tensor;
        assert.is(tensor.dtype, wanted.dtype);
        assert.ok(Buffer.compare(bytes(tensor), bytes(wanted)) === 0, `draw ${i} with ${threads} threads`);
      }
      checkMasks(session);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const bytes = ({ data }: Tensor): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

test.run();
