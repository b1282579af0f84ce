// Element types and the conversion of 16-bit floats, checked for every bit pattern.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  byteSize,
  DTYPES,
  type DType,
  fromBF16Bits,
  fromF16Bits,
  isDType,
  numberToStored,
  toBF16Bits,
  toF16Bits,
} from '../../runtime/dtype.js';

test('every dtype has the element size of its storage', () => {
  for (const dtype of Object.keys(DTYPES) as DType[]) {
    assert.is(DTYPES[dtype].array.BYTES_PER_ELEMENT, byteSize(dtype), dtype);
  }
  assert.is(isDType('f32'), true);
  assert.is(isDType('toString'), false);
});

for (const [name, encode, decode] of [
  ['f16', toF16Bits, fromF16Bits],
  ['bf16', toBF16Bits, fromBF16Bits],
] as const) {
  test(`${name}: every pattern survives decoding and encoding`, () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = decode(bits);
      if (Number.isNaN(value)) assert.ok(Number.isNaN(decode(encode(value))));
      else if (encode(value) !== bits) assert.unreachable(`${bits} became ${encode(value)}`);
    }
  });

  test(`${name}: numbers go to the nearest neighbour and ties to the even pattern`, () => {
    const infinity = encode(Number.POSITIVE_INFINITY);
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [decode(bits), decode(bits + 1)];
      const middle = (low + high) / 2;
      const near = middle * (1 + 2 ** -40);
      const ok =
        encode(middle) === bits + (bits & 1) && encode(near) === bits + 1 && encode(-near) === ((bits + 1) | 0x8000);
      if (!ok) assert.unreachable(`between ${low} and ${high}`);
    }
  });
}

test('bf16 is the upper half of an f32', () => {
  const [float, words] = [new Float32Array(1), new Uint32Array(1)];
  for (const value of [1, -2.5, 3e38, 1e-40, 2 ** -133]) {
    float[0] = value;
    words.set(new Uint32Array(float.buffer));
    float[0] = fromBF16Bits(toBF16Bits(value));
    assert.ok(Math.abs(new Uint32Array(float.buffer)[0]! - words[0]!) <= 0x8000, String(value));
  }
});

test('16-bit floats at the end of their range', () => {
  assert.is(toF16Bits(65504), 0x7bff);
  assert.is(toF16Bits(65519.999), 0x7bff);
  assert.is(toF16Bits(65520), 0x7c00);
  assert.is(toF16Bits(-1e300), 0xfc00);
  assert.is(toF16Bits(-0), 0x8000);
  assert.is(toF16Bits(2 ** -25), 0);
  assert.is(toF16Bits(2 ** -25 * 1.001), 1);
  assert.is(fromF16Bits(1), 2 ** -24);
  assert.is(toBF16Bits(3.4e38), 0x7f80);
});

test('numbers are cut and wrapped when stored as integers', () => {
  assert.is(numberToStored('i64', -2.9), -2n);
  assert.is(numberToStored('i64', 2n ** 63n), -(2n ** 63n));
  assert.is(numberToStored('i64', Number.NaN), 0n);
  assert.is(numberToStored('i32', 2n ** 32n + 5n), 5);
  assert.is(numberToStored('bool', 0.5), 1);
});

test.run();
