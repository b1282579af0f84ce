// Host tensors: making them, reading them, and refusing what does not make one.

import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TdslError } from '../../runtime/errors.js';
import type { Nested } from '../../runtime/nested.js';
import { Tensor } from '../../runtime/tensor.js';

const isTensor = (tensor: Tensor, dtype: string, shape: number[], elements: unknown) => {
  assert.is(tensor.dtype, dtype);
  assert.equal([...tensor.shape], shape);
  assert.equal(tensor.toArray(), elements);
};

test('nested lists give shape and dtype as in PyTorch', () => {
  isTensor(
    Tensor.from([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    'i64',
    [2, 3],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  isTensor(Tensor.from([1, 2.5]), 'f32', [2], [1, 2.5]);
  isTensor(Tensor.from([true, false]), 'bool', [2], [true, false]);
  isTensor(Tensor.from([true, 2]), 'i64', [2], [1, 2]);
  isTensor(Tensor.from(3), 'i64', [], 3);
  isTensor(Tensor.from(5n), 'i64', [], 5);
  isTensor(Tensor.from([]), 'f32', [0], []);
  isTensor(Tensor.from([[], []]), 'f32', [2, 0], [[], []]);
  isTensor(Tensor.from([1, 2], { dtype: 'f16' }), 'f16', [2], [1, 2]);
  isTensor(
    Tensor.from([1, 2, 3, 4], { dtype: 'u8', shape: [2, -1] }),
    'u8',
    [2, 2],
    [
      [1, 2],
      [3, 4],
    ],
  );
});

test('typed arrays keep their dtype and are copied', () => {
  const source = Float32Array.of(1, 2, 3);
  const tensor = Tensor.from(source);
  source[0] = 9;
  isTensor(tensor, 'f32', [3], [1, 2, 3]);
  isTensor(Tensor.from(BigInt64Array.of(1n, -1n)), 'i64', [2], [1, -1]);
  isTensor(Tensor.from(Uint8Array.of(0, 1, 7), { dtype: 'bool' }), 'bool', [3], [false, true, true]);
  isTensor(Tensor.from(Uint16Array.of(0x3c00), { dtype: 'f16' }), 'f16', [1], [1]);
  isTensor(Tensor.from(Float64Array.of(1, 2), { dtype: 'i32' }), 'i32', [2], [1, 2]);
  assert.throws(() => Tensor.from(Uint16Array.of(1)), /bit patterns/);
  assert.throws(() => Tensor.from(new DataView(new ArrayBuffer(4)) as unknown as Uint8Array), /no dtype/);
});

test('ragged lists and anything but numbers are refused, naming the place', () => {
  assert.throws(
    () =>
      Tensor.from([
        [1, 2, 3],
        [4, 5],
      ]),
    /element at \[1\] is a list of 2 in place of a list of 3/,
  );
  assert.throws(() => Tensor.from([1, [2]]), /element at \[1\] is a list of 1 in place of a single value/);
  assert.throws(() => Tensor.from([[1], 2]), /element at \[1\] is 2 in place of a list of 1/);
  assert.throws(() => Tensor.from([1, 'a'] as unknown as Nested), /element at \[1\] is of type string/);
  assert.throws(() => Tensor.from([1, undefined] as unknown as Nested), /element at \[1\] is missing/);
  assert.throws(() => Tensor.from(null as unknown as Nested), /the value is null/);
});

test('numbers that a dtype cannot hold are refused, never wrapped', () => {
  assert.throws(() => Tensor.from([256], { dtype: 'u8' }), /256 is beyond the range of u8/);
  assert.throws(() => Tensor.from([-1], { dtype: 'u8' }), /-1 is beyond the range of u8/);
  assert.throws(
    () => Tensor.from([128], { dtype: 'i8' }),
    /128 is beyond the range of i8, which is -128 to 127; cast it on purpose/,
  );
  assert.throws(() => Tensor.from([1.5], { dtype: 'i64' }), /1\.5 is not a whole number/);
  assert.throws(() => Tensor.from([Number.NaN], { dtype: 'i32' }), /NaN is not a whole number/);
  assert.throws(() => Tensor.from([2n ** 63n]), /beyond the range of i64/);
  isTensor(Tensor.from([2 ** 60]), 'f32', [1], [2 ** 60]);
});

test('creation', () => {
  assert.throws(() => Tensor.zeros([1e6, 1e6]), /1000000000000 elements of f32 take 3726 GiB/);
  isTensor(
    Tensor.zeros([2, 2]),
    'f32',
    [2, 2],
    [
      [0, 0],
      [0, 0],
    ],
  );
  isTensor(Tensor.ones([2], { dtype: 'i64' }), 'i64', [2], [1, 1]);
  isTensor(Tensor.full([2], true), 'bool', [2], [true, true]);
  isTensor(Tensor.full([], 2.5), 'f32', [], 2.5);
  isTensor(
    Tensor.eye(2, 3),
    'f32',
    [2, 3],
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  );
  isTensor(Tensor.arange(4), 'i64', [4], [0, 1, 2, 3]);
  isTensor(Tensor.arange(1, 0, -0.25), 'f32', [4], [1, 0.75, 0.5, 0.25]);
  isTensor(Tensor.linspace(0, 1, 5), 'f32', [5], [0, 0.25, 0.5, 0.75, 1]);
  isTensor(Tensor.linspace(3, 4, 1), 'f32', [1], [3]);
  assert.throws(() => Tensor.arange(0, 5, -1), /no step of -1 leads from 0 to 5/);
  assert.throws(() => Tensor.arange(0, 5, 0), /no step of 0/);
  assert.throws(() => Tensor.zeros([-1, 2]), /whole numbers from 0/);
});

test('reading and writing elements', () => {
  const tensor = Tensor.arange(6).reshape([2, 3]);
  assert.is(tensor.at(1, -1), 5);
  assert.is(tensor.set([0, 1], 42).at(0, 1), 42);
  assert.throws(() => tensor.at(2, 0), /index 2 is out of range for dimension 0 of size 2/);
  assert.throws(() => tensor.at(0), /takes 2 indices, not 1/);
  assert.throws(() => tensor.set([0, 0], 0.5), /not a whole number/);
  assert.throws(() => tensor.item(), /this one has 6/);
  assert.is(Tensor.from([[2.5]]).item(), 2.5);
  assert.is(Tensor.from(true).item(), true);
  assert.throws(() => Tensor.from(2n ** 60n).item(), /as a bigint/);
});

test('reshape and slice share the elements, clone does not', () => {
  const tensor = Tensor.arange(6);
  const [matrix, copy] = [tensor.reshape([-1, 2]), tensor.clone()];
  matrix.slice(1, 2).fill(7);
  assert.equal(tensor.toArray(), [0, 1, 7, 7, 4, 5]);
  assert.equal(copy.toArray(), [0, 1, 2, 3, 4, 5]);
  isTensor(matrix.slice(-1), 'i64', [1, 2], [[4, 5]]);
  isTensor(matrix.slice(2, 1), 'i64', [0, 2], []);
  isTensor(
    matrix.gatherRows([2, 0, 2]),
    'i64',
    [3, 2],
    [
      [4, 5],
      [0, 1],
      [4, 5],
    ],
  );
  assert.throws(() => matrix.gatherRows([3]), /no row 3 among 3/);
  assert.throws(() => tensor.reshape([4, -1]), /6 elements do not make the shape \[4, -1\]/);
  assert.throws(() => tensor.reshape([0, -1]), /do not make/);
});

test('copyFrom needs the same dtype and shape', () => {
  const tensor = Tensor.zeros([2]);
  assert.equal(tensor.copyFrom(Tensor.from([1.5, 2])).toArray(), [1.5, 2]);
  assert.throws(() => tensor.copyFrom(Tensor.from([1, 2])), /i64\[2\] cannot be copied into f32\[2\]/);
  assert.throws(() => tensor.copyFrom(Tensor.zeros([3])), /f32\[3\] cannot be copied into f32\[2\]/);
});

test('cast rounds to floats, cuts to integers and wraps', () => {
  isTensor(Tensor.from([1.9, -1.9]).cast('i64'), 'i64', [2], [1, -1]);
  isTensor(Tensor.from([300, -1]).cast('u8'), 'u8', [2], [44, 255]);
  isTensor(Tensor.from([0.1]).cast('bf16'), 'bf16', [1], [0.10009765625]);
  isTensor(Tensor.from([0, 0.5]).cast('bool').cast('f64'), 'f64', [2], [0, 1]);
});

test('equality and closeness', () => {
  const a = Tensor.from([1, 2.5]);
  assert.is(a.equals(Tensor.from([1, 2.5])), true);
  assert.is(a.equals(a.cast('f64')), false);
  assert.is(Tensor.from([2n ** 60n]).equals(Tensor.from([2n ** 60n + 1n])), false);
  assert.is(Tensor.full([1], Number.NaN).equals(Tensor.full([1], Number.NaN)), false);
  assert.is(a.allClose(Tensor.from([1.000001, 2.5])), true);
  assert.is(a.allClose(Tensor.from([1.001, 2.5])), false);
  assert.is(a.allClose(a.reshape([2, 1])), false);
  const infinite = Tensor.from([Number.POSITIVE_INFINITY]);
  assert.is(infinite.allClose(infinite), true);
  assert.is(Tensor.from([1.5]).allClose(infinite), false);
  const nan = Tensor.from([Number.NaN]);
  assert.is(nan.allClose(nan), false);
  assert.is(nan.allClose(nan, { equalNan: true }), true);
});

test('the constructor wraps storage that fits and refuses other', () => {
  const data = Float32Array.of(1, 2);
  const tensor = new Tensor('f32', [2], data);
  data[0] = 5;
  assert.is(tensor.at(0), 5);
  assert.throws(() => new Tensor('f32', [3], data), /has 3 elements, but the storage has 2/);
  assert.throws(
    () => new Tensor('f32', [2], new Float64Array(2) as unknown as Float32Array),
    /stored in a Float32Array/,
  );
});

test('a tensor goes to no unknown device', () => {
  const tensor = Tensor.from([1, 2]);
  assert.is(tensor.to('cpu'), tensor);
  for (const device of ['tpu', 'cuda:0', undefined]) {
    assert.throws(
      () => tensor.to(device as 'cpu'),
      (error: TdslError) =>
        error.code === 'TDSL_ARG' &&
        error.message.startsWith(`there is no device '${device}': to(device) takes 'cpu' or`),
    );
  }
});

test('console.log shows what PyTorch prints', () => {
  assert.is(inspect(Tensor.from([1.2, 2.3])), 'tensor([1.2000, 2.3000])');
});

test('names in a shape stand for sizes', () => {
  const takesBatch = (x: Tensor<'f32', ['B', 784]>) => x.shape[0];
  assert.is(takesBatch(Tensor.zeros([3, 784])), 3);
  // @ts-expect-error the inner size is part of the type
  assert.is(takesBatch(Tensor.zeros([3, 783])), 3);
});

test.run();
