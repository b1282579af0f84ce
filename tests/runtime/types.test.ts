// What the declarations of compiled modules take and refuse. TypeScript checks most of it while the tests are built: each call stands in a
// function that nothing calls.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataLoader, TensorDataset } from '../../runtime/data/index.js';
import { type DType, loadNpy, loadSafetensors, type Method, Tensor, type TensorInput } from '../../runtime/index.js';

/** A method as the declarations of a module have it. */
declare const step: Method<{ x: TensorInput<'f32', ['B', 6]>; y: TensorInput<'i64', ['B']> }, Tensor<'f32', []>>;

const rows = Tensor.from([[1, 2, 3, 4, 5, 6]], { dtype: 'f32' });
const labels = Tensor.from([0], { dtype: 'i64' });

/** Keeps calls from running; TypeScript has checked them. */
const unused = (...calls: (() => unknown)[]): void => assert.ok(calls.length > 0);

test('tensors whose shapes or dtypes TypeScript does not know are taken where they may fit', () => {
  unused(
    () => step({ x: rows, y: labels }),
    () => step(rows, labels),
    () => step({ x: Tensor.from([[1, 2, 3, 4, 5, 6]]), y: Tensor.from([0]) }),
    () => step({ x: rows.cast('f32'), y: labels.cast('i64') }),
    () => step({ x: Tensor.from([1, 2]).reshape([-1, 6]).cast('f32'), y: labels.slice(0, 1) }),
    () => step({ x: rows.to('cuda'), y: Tensor.from([0]).to('cuda') }),
    () => step.bind({ x: rows, y: labels }),
    // One size is known and another is not.
    (rank: Tensor<'f32', [number, number]> = Tensor.eye(6), one: Tensor<DType, [1]> = Tensor.full([1], 0)) =>
      step({ x: rank, y: one }),
    async () => {
      const { tensors } = await loadSafetensors('weights.safetensors');
      return step({ x: tensors.x as Tensor, y: await loadNpy('y.npy') });
    },
  );
});

test('the batches of loaders are taken', () => {
  unused(() => {
    for (const batch of new DataLoader(new TensorDataset({ x: rows, y: labels }), { batch: 1 })) step(batch);
    // Batches have fewer rows than the data set.
    const fixed = null as unknown as Method<{ x: TensorInput<'f32', [32, 6]> }, Tensor<'f32', []>>;
    for (const { x } of new DataLoader(new TensorDataset({ x: Tensor.zeros([320, 6]) }), { batch: 32 })) fixed({ x });
    for (const [x, y] of new DataLoader(new TensorDataset([rows, labels] as const), { batch: 1 })) step({ x, y });
  });
});

test('lists of numbers and typed arrays are taken', () => {
  unused(
    () => step({ x: [[1, 2, 3, 4, 5, 6]], y: [0] }),
    () => step({ x: new Float32Array(6), y: BigInt64Array.of(0n) }),
  );
});

test('what is known and does not fit is refused', () => {
  const right = { x: rows, y: labels };
  unused(
    // @ts-expect-error the inner size is 6
    () => step({ ...right, x: Tensor.zeros([2, 5]) }),
    // @ts-expect-error the rank is 2
    () => step({ ...right, x: Tensor.zeros([6]) }),
    // @ts-expect-error the rank is 1
    () => step({ ...right, y: Tensor.zeros([2, 1], { dtype: 'i64' }) }),
    // @ts-expect-error the dtype is f32
    () => step({ ...right, x: Tensor.from([[1]], { dtype: 'f64' }) }),
    // @ts-expect-error the dtype is i64
    () => step({ ...right, y: Tensor.zeros([2]) }),
    // @ts-expect-error one size is unknown, but the other is not 6
    (x: Tensor<'f32', [number, 5]> = Tensor.zeros([1, 5])) => step({ ...right, x }),
    // @ts-expect-error a Float64Array does not hold f32
    () => step({ ...right, x: new Float64Array(6) }),
    // @ts-expect-error there is no y
    () => step({ x: rows }),
    // @ts-expect-error an object is no tensor
    () => step({ ...right, x: { dtype: 'f32', shape: [1, 6] } }),
    // @ts-expect-error the dtype on the GPU is f32
    () => step({ ...right, x: Tensor.zeros([1, 6], { dtype: 'f64' }).to('cuda') }),
  );
});

test('the types of tensors say nothing that tensors do not have', () => {
  assert.equal(Object.keys(rows), ['dtype', 'shape', 'data']);
});

test.run();
