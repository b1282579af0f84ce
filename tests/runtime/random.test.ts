// The generator: known answers of Philox, reproducibility, and rough statistics.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Generator, philox } from '../../runtime/random.js';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

test('Philox4x32-10 gives the known answers of its authors', () => {
  const all = 0xffffffff;
  assert.is(hex(philox([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  assert.is(hex(philox([all, all, all, all], [all, all])), '408f276d 41c83b0e a20bc7c6 6d5451fd');
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
  assert.is(hex(philox(pi, [0xa4093822, 0x299f31d0])), 'd16cfe09 94fdcceb 5001e420 24126ea1');
});

test('a position can be saved and gone back to', () => {
  const generator = new Generator(2 ** 40 + 7, 3);
  for (let i = 0; i < 5; i++) generator.nextUint32();
  const { position } = generator;
  const expected = [generator.next(), generator.next()];
  const again = new Generator(2 ** 40 + 7, 3);
  again.position = position;
  assert.equal([again.next(), again.next()], expected);
  assert.is.not(new Generator(7, 3).nextUint32(), new Generator(7, 4).nextUint32());
  assert.is.not(new Generator(7, 3).nextUint32(), new Generator(7 + 2 ** 32, 3).nextUint32());
});

test('permutations hold every number once and differ by seed', () => {
  const order = new Generator(1).permutation(1000);
  assert.equal(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.equal(order, new Generator(1).permutation(1000));
  assert.not.equal(order, new Generator(2).permutation(1000));
  assert.equal([...new Generator(1).permutation(0)], []);
});

test('draws are spread as they should be', () => {
  const generator = new Generator(4);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 12000; i++) counts[generator.below(6)]!++;
  assert.ok(
    counts.every((count) => Math.abs(count - 2000) < 200),
    counts.join(),
  );
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
  const uniform = generator.uniform([100, 100], -2, 4);
  assert.equal(uniform.shape, [100, 100]);
  assert.ok(Math.abs(mean(uniform.data) - 1) < 0.05);
  assert.ok(uniform.data.every((value) => value >= -2 && value < 4));
  const { data } = generator.normal([10001], 3, 2);
  assert.ok(Math.abs(mean(data) - 3) < 0.06);
  assert.ok(Math.abs(mean(data.map((value) => (value - 3) ** 2)) - 4) < 0.2);
});

test('what is no seed and no bound is refused', () => {
  assert.throws(() => new Generator(-1), /a seed is a whole number from 0 on, not -1/);
  assert.throws(() => new Generator(0.5), /seed/);
  assert.throws(() => new Generator(1).below(0), /below 0/);
});

test.run();
