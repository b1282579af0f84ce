// The scalar evaluator: rounding, wrapping, conversions and conventions of every operator; Philox against published vectors.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DType, dtypeBytes, intRange } from '../../../compiler/ir/dtype.js';
import { compileScalars } from '../../../compiler/ir/evaluate/scalar/compile.js';
import { createFma } from '../../../compiler/ir/evaluate/scalar/fma.js';
import { roundToBF16, roundToF16 } from '../../../compiler/ir/evaluate/tensor.js';
import {
  type ArithmeticOp,
  apply,
  argument,
  bitcast,
  type ComparisonOp,
  callScalar,
  cast,
  compare,
  constant,
  type Scalar,
  select,
} from '../../../compiler/ir/scalar.js';
import { foldInBits, philox, randomBits, randomBlock } from '../../../compiler/scalar/philox.js';
import { draws } from '../../support/property.js';

type Plain = number | bigint;

/** The value of an expression over arguments that are given as numbers. */
function evaluate(expression: Scalar, params: readonly DType[] = [], args: readonly Plain[] = []): Plain {
  const program = compileScalars([expression], params);
  args.forEach((value, i) => {
    (program.args[i] as { [at: number]: Plain })[0] = params[i] === 'i64' ? BigInt(value) : value;
  });
  program.run(1);
  return program.outputs[0]?.[0] as Plain;
}

const applied = (op: ArithmeticOp, dtype: DType, ...args: readonly Plain[]): Plain =>
  evaluate(
    apply(op, ...args.map((_, i) => argument(i, dtype))),
    args.map(() => dtype),
    args,
  );
const compared = (op: ComparisonOp, dtype: DType, a: Plain, b: Plain): Plain =>
  evaluate(compare(op, argument(0, dtype), argument(1, dtype)), [dtype, dtype], [a, b]);
const converted = (value: Plain, from: DType, to: DType): Plain =>
  evaluate(cast(argument(0, from), to), [from], [value]);
const recast = (value: Plain, from: DType, to: DType): Plain =>
  evaluate(bitcast(argument(0, from), to), [from], [value]);

test('floats round to their dtype after each operator', () => {
  assert.is(applied('add', 'f32', 1, 2 ** -24), 1);
  assert.is(applied('add', 'f32', 1, 2 ** -23), 1 + 2 ** -23);
  assert.is(applied('add', 'f64', 1, 2 ** -24), 1 + 2 ** -24);
  assert.is(applied('mul', 'f32', Math.fround(0.1), Math.fround(0.1)), Math.fround(Math.fround(0.1) ** 2));
  assert.is(applied('add', 'f16', 1, 2 ** -11), 1);
  assert.is(applied('add', 'f16', 1, 3 * 2 ** -11), 1 + 2 ** -9);
  assert.is(applied('mul', 'f16', 256, 256), Number.POSITIVE_INFINITY);
  assert.is(applied('add', 'bf16', 1, 2 ** -8), 1);
  assert.is(applied('sqrt', 'f32', 2), Math.fround(Math.SQRT2));
  assert.is(applied('rem', 'f32', -5.5, 2), -1.5);
});

test('integers wrap, divide towards zero and by zero give 0', () => {
  for (const dtype of ['u8', 'i8', 'i16', 'i32', 'i64'] as const) {
    const { min, max } = intRange(dtype);
    const plain = (value: bigint) => (dtype === 'i64' ? value : Number(value));
    assert.is(applied('add', dtype, plain(max), plain(1n)), plain(min), dtype);
    assert.is(applied('sub', dtype, plain(min), plain(1n)), plain(max), dtype);
    assert.is(applied('div', dtype, plain(7n), plain(0n)), plain(0n), dtype);
    assert.is(applied('rem', dtype, plain(7n), plain(0n)), plain(0n), dtype);
    assert.is(applied('neg', dtype, plain(min)), plain(min), dtype);
    assert.is(applied('not', dtype, plain(0n)), plain(dtype === 'u8' ? 255n : -1n), dtype);
    assert.is(applied('shl', dtype, plain(1n), plain(BigInt(dtypeBytes(dtype) * 8 + 2))), plain(4n), dtype);
    if (min < 0n) {
      assert.is(applied('div', dtype, plain(-7n), plain(2n)), plain(-3n), dtype);
      assert.is(applied('rem', dtype, plain(-7n), plain(2n)), plain(-1n), dtype);
      assert.is(applied('div', dtype, plain(min), plain(-1n)), plain(min), dtype);
      assert.is(applied('abs', dtype, plain(min)), plain(min), dtype);
      assert.is(applied('shr', dtype, plain(-8n), plain(1n)), plain(-4n), dtype);
      assert.is(applied('ushr', dtype, plain(-1n), plain(1n)), plain(max), dtype);
    } else assert.is(applied('shr', dtype, plain(255n), plain(1n)), plain(127n));
  }
});

test('i32 and i64 arithmetic is that of big integers, wrapped', () => {
  const operators = {
    add: (a: bigint, b: bigint) => a + b,
    sub: (a: bigint, b: bigint) => a - b,
    mul: (a: bigint, b: bigint) => a * b,
    div: (a: bigint, b: bigint) => (b === 0n ? 0n : a / b),
    rem: (a: bigint, b: bigint) => (b === 0n ? 0n : a % b),
    xor: (a: bigint, b: bigint) => a ^ b,
  };
  for (const [op, reference] of Object.entries(operators)) {
    const i32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
    fc.assert(
      fc.property(fc.integer(i32), fc.integer(i32), (a, b) => {
        const want = Number(BigInt.asIntN(32, reference(BigInt(a), BigInt(b))));
        return applied(op as ArithmeticOp, 'i32', a, b) === want;
      }),
      draws(100),
    );
    const i64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
    fc.assert(
      fc.property(
        fc.bigInt(i64),
        fc.bigInt(i64),
        (a, b) => applied(op as ArithmeticOp, 'i64', a, b) === BigInt.asIntN(64, reference(a, b)),
      ),
      draws(100),
    );
  }
});

test('minimum, maximum and comparisons know NaN; rounding goes to even', () => {
  for (const op of ['min', 'max'] as const) {
    assert.ok(Number.isNaN(Number(applied(op, 'f32', Number.NaN, 1))));
    assert.ok(Number.isNaN(Number(applied(op, 'f64', 1, Number.NaN))));
  }
  for (const op of ['eq', 'lt', 'le', 'gt', 'ge'] as const) assert.is(compared(op, 'f32', Number.NaN, Number.NaN), 0);
  assert.is(compared('ne', 'f32', Number.NaN, Number.NaN), 1);
  assert.is(compared('lt', 'i64', -(2n ** 62n), 2n ** 62n), 1);
  const halves: readonly [number, number][] = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [-0.2, -0],
    [2 ** 52 + 1, 2 ** 52 + 1],
    [0.49999999999999994, 0],
  ];
  for (const [x, want] of halves) assert.ok(Object.is(applied('round', 'f64', x), want), `round ${x}`);
});

test('casts saturate, wrap, and round once', () => {
  assert.is(converted(300.7, 'f32', 'u8'), 255);
  assert.is(converted(-3.9, 'f64', 'i32'), -3);
  assert.is(converted(Number.NaN, 'f32', 'i32'), 0);
  assert.is(converted(Number.NEGATIVE_INFINITY, 'f32', 'i16'), -32768);
  assert.is(converted(1e30, 'f64', 'i64'), 2n ** 63n - 1n);
  assert.is(converted(Number.NaN, 'f64', 'i64'), 0n);
  assert.is(converted(300, 'i32', 'u8'), 44);
  assert.is(converted(2n ** 40n + 5n, 'i64', 'i8'), 5);
  assert.is(converted(-1, 'i8', 'i64'), -1n);
  assert.is(converted(0.25, 'f32', 'bool'), 1);
  assert.is(converted(Number.NaN, 'f32', 'bool'), 1);
  assert.is(converted(256, 'i32', 'bool'), 1);
  assert.is(converted(16777217, 'i32', 'f32'), 16777216);
  // Through f64 this would round twice, first up to the tie and then to even.
  assert.is(converted(2n ** 62n + 2n ** 38n + 1n, 'i64', 'f32'), 2 ** 62 + 2 ** 39);
  assert.is(converted(2n ** 62n + 2n ** 38n, 'i64', 'f32'), 2 ** 62);
  assert.is(converted(-(2n ** 62n) - 2n ** 38n - 1n, 'i64', 'f32'), -(2 ** 62) - 2 ** 39);
  assert.is(converted(65519, 'f32', 'f16'), 65504);
  assert.is(converted(65520, 'f32', 'f16'), Number.POSITIVE_INFINITY);
});

test('bitcasts keep the bits', () => {
  assert.is(recast(1, 'f32', 'i32'), 0x3f800000);
  assert.is(recast(0x3f800000, 'i32', 'f32'), 1);
  assert.is(recast(-2, 'f64', 'i64'), -(2n ** 62n));
  assert.is(recast(0x3ff0000000000000n, 'i64', 'f64'), 1);
  assert.is(recast(1, 'f16', 'i16'), 0x3c00);
  assert.is(recast(0x3f80, 'i16', 'bf16'), 1);
  assert.is(recast(-1, 'i8', 'u8'), 255);
  assert.throws(() => recast(1, 'f32', 'i64'), /changes the width/);
});

test('select, calls and shared nodes', () => {
  const x = argument(0, 'f32');
  const square = { name: 'square_f32', params: ['f32'], body: apply('mul', x, x), doc: '' } as const;
  const shared = callScalar(square, apply('add', x, constant(1, 'f32')));
  const expression = select(compare('gt', x, constant(0, 'f32')), apply('add', shared, shared), apply('neg', shared));
  assert.is(evaluate(expression, ['f32'], [2]), 18);
  assert.is(evaluate(expression, ['f32'], [-3]), -4);
  assert.throws(() => evaluate(apply('fma', ...[1, 2, 3].map((n) => constant(n, 'i32')))), /fma is not defined on i32/);
  assert.throws(() => evaluate(argument(2, 'f32'), ['f32'], [1]), /argument 2/);
});

/** `a · b + c` exactly, as `numerator · 2^exponent`. */
function exactSum(a: number, b: number, c: number): { numerator: bigint; exponent: number } {
  const parts = (x: number): [bigint, number] => {
    let exponent = 0;
    let value = x;
    while (!Number.isInteger(value)) {
      value *= 2;
      exponent--;
    }
    return [BigInt(value), exponent];
  };
  const [ma, ea] = parts(a);
  const [mb, eb] = parts(b);
  const [mc, ec] = parts(c);
  const exponent = Math.min(ea + eb, ec);
  return { numerator: ((ma * mb) << BigInt(ea + eb - exponent)) + (mc << BigInt(ec - exponent)), exponent };
}

/** Whether `got` is the double or float nearest to the exact value: no neighbour is nearer, and a tie goes to the even one. */
function isNearest(
  got: number,
  exact: { numerator: bigint; exponent: number },
  neighbours: readonly number[],
): boolean {
  const distance = (x: number): bigint => {
    const { numerator, exponent } = exactSum(x, 1, 0);
    const low = Math.min(exponent, exact.exponent, -1200);
    const d = (numerator << BigInt(exponent - low)) - (exact.numerator << BigInt(exact.exponent - low));
    return d < 0n ? -d : d;
  };
  const own = distance(got);
  return neighbours.every((other) => own <= distance(other));
}

test('fma rounds once', () => {
  const { f32, f64 } = createFma();
  // The product 1 + 2^-11 + 2^-24 is half way between floats; a tiny addend decides.
  const a = 1 + 2 ** -12;
  assert.is(f32(a, a, 2 ** -80), 1 + 2 ** -11 + 2 ** -23);
  assert.is(f32(a, a, -(2 ** -80)), 1 + 2 ** -11);
  assert.is(f32(a, a, 0), 1 + 2 ** -11);
  const h = 1 + 2 ** -27;
  assert.is(f64(h, h, -1), 2 ** -26 + 2 ** -54);
  assert.is(f64(2 ** 600, 2 ** 424, -Number.MAX_VALUE), 2 ** 971);
  assert.is(f64(2 ** -600, 2 ** -600, 1), 1);
  assert.is(f64(2 ** -537, 2 ** -538, 0), 0);
  // 2.5 units of the smallest subnormal, a tie.
  assert.is(f64(1.5, 2 ** -1074, 2 ** -1074), 2 * 2 ** -1074);
  assert.is(f64(1.75, 2 ** -1074, 2 ** -1074), 3 * 2 ** -1074);
  assert.is(f64(Number.MAX_VALUE, Number.MAX_VALUE, Number.NEGATIVE_INFINITY), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(f64(0, Number.POSITIVE_INFINITY, 1)));
  assert.ok(Object.is(f64(-1, 0, -0), -0));
  const near = fc.double({ min: -1e5, max: 1e5, noNaN: true });
  const view = new DataView(new ArrayBuffer(8));
  const step = (x: number, by: bigint): number => {
    view.setFloat64(0, x);
    view.setBigInt64(0, view.getBigInt64(0) + by);
    return view.getFloat64(0);
  };
  fc.assert(
    fc.property(near, near, near, (x, y, z) => {
      const got = f64(x, y, z);
      if (got === 0) return true;
      return isNearest(got, exactSum(x, y, z), [step(got, 1n), step(got, -1n)]);
    }),
    draws(500),
  );
  const stepFloat = (x: number, by: number): number => {
    view.setFloat32(0, x);
    view.setInt32(0, view.getInt32(0) + by);
    return view.getFloat32(0);
  };
  const nearFloat = fc.float({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(nearFloat, nearFloat, nearFloat, (x, y, z) => {
      const got = f32(x, y, z);
      if (got === 0) return true;
      return isNearest(got, exactSum(x, y, z), [stepFloat(got, 1), stepFloat(got, -1)]);
    }),
    draws(500),
  );
});

test('16-bit floats round to nearest, ties to even', () => {
  assert.is(roundToF16(1 + 2 ** -11), 1);
  assert.is(roundToF16(2 ** -25), 0);
  assert.is(roundToF16(2 ** -24), 2 ** -24);
  assert.is(roundToBF16(1 + 3 * 2 ** -8), 1 + 2 ** -6);
});

test('Philox agrees with the vectors of its authors', () => {
  // From the file of known answers that comes with Random123.
  const cases = [
    { counter: [0, 0, 0, 0], key: [0, 0], want: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [-1, -1, -1, -1], key: [-1, -1], want: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      want: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];
  const [c0, c1, c2, c3, k0, k1] = Array.from({ length: 6 }, (_, i) => argument(i, 'i32')) as [
    Scalar,
    Scalar,
    Scalar,
    Scalar,
    Scalar,
    Scalar,
  ];
  const words = philox([c0, c1, c2, c3], [k0, k1]);
  const params: DType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'];
  for (const { counter, key, want } of cases) {
    const got = words.map(
      (word) =>
        Number(
          evaluate(
            word,
            params,
            [...counter, ...key].map((n) => n | 0),
          ),
        ) >>> 0,
    );
    assert.equal(got, want);
  }
});

test('random bits take the words of a block in turn; folding gives other keys', () => {
  const params: DType[] = ['i64', 'i64', 'i64'];
  const key = [42n, 7n];
  for (const position of [0n, 1n, 2n, 3n, 4n, 1n << 40n]) {
    const word = randomBlock[Number(position & 3n)] as Scalar;
    assert.is(evaluate(randomBits, params, [...key, position]), evaluate(word, params, [...key, position >> 2n]));
  }
  const fold = (data: bigint) => foldInBits.map((part) => evaluate(part, params, [...key, data]));
  assert.equal(fold(5n), fold(5n));
  const folded = new Set([0n, 1n, 2n, 1n << 32n, -1n].map((data) => fold(data).join()));
  assert.is(folded.size, 5);
});

test.run();
