// Batching: a random function for many sets of operands at once computes what it computes for each of them.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst } from '../../../compiler/ir/dims.js';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { elementCount, type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../../compiler/ir/graph.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { BatchError, batchFunction } from '../../../compiler/passes/batch.js';
import { buildFunction, moduleOf, withDerivatives } from '../../support/calculus.js';
import { type RandomGraph, randomGraph, randomInputs, tensorError } from '../../support/graphs.js';

const sets = 3;

/** Tensors of one type on top of one another. */
function stacked(tensors: readonly HostTensor[]): HostTensor {
  const [first] = tensors as readonly [HostTensor];
  const exact = tensors.flatMap((tensor) => Array.from(tensor.data as ArrayLike<number | bigint>));
  return hostTensor(first.dtype, [tensors.length, ...first.shape], exact);
}

function sliceOf(tensor: HostTensor, at: number): HostTensor {
  const shape = tensor.shape.slice(1);
  const count = elementCount(shape);
  return { dtype: tensor.dtype, shape, data: tensor.data.slice(at * count, (at + 1) * count) };
}

const drawsRandomly = (func: Func): boolean =>
  func.nodes.some((node) => node.kind === 'source' && ['random_bits', 'fold_in'].includes(node.source.type));

function checkBatch({ module, fn, dims }: RandomGraph, pattern: number): void {
  const func = module.functions.get(fn) as Func;
  if (drawsRandomly(func)) return;
  const batched = func.params.map((_, i) => i === 0 || ((pattern >> i) & 1) === 1);
  const inputSets = Array.from({ length: sets }, (_, i) => randomInputs(func, dims, pattern + i));
  const at = (set: number) =>
    func.params.map((_, i) => (inputSets[batched[i] ? set : 0] as readonly HostTensor[])[i] as HostTensor);
  const many = batchFunction(func, batched, dimConst(sets));
  const batchModule = moduleOf(many);
  verifyModule(batchModule);
  const alone = Array.from({ length: sets }, (_, set) => new Interpreter(module).run(fn, at(set), { dims }));
  const inputs = func.params.map((_, i) =>
    batched[i] ? stacked(inputSets.map((each) => each[i] as HostTensor)) : (at(0)[i] as HostTensor),
  );
  const together = new Interpreter(batchModule).run(many.name, inputs, { dims });
  alone.forEach((results, set) => {
    results.forEach((want, i) => {
      const error = tensorError(sliceOf(together[i] as HostTensor, set), want);
      // Undefined values, such as infinities that cancel, may differ in kind.
      if (numbersOf(want).every((x) => Number.isFinite(x)))
        assert.ok(error <= 1e-7, `set ${set}, result ${i} differs by ${error}`);
    });
  });
}

test('random functions', () => {
  const property = fc.property(randomGraph({ regions: 'none', size: 120 }), fc.nat({ max: 1000 }), checkBatch);
  fc.assert(property, { numRuns: 250, seed: 7 });
});

test('derivatives are batched after they are expanded: gradients per example', () => {
  const type = { dtype: 'f64', shape: [dimConst(2)] } as const;
  const func = buildFunction([type, type], (b, p) => [b.sum(b.elementwise('exp', [b.elementwise('mul', p)]), [0])]);
  const vjp = withDerivatives(func).functions.get('vjp.f') as Func;
  const many = batchFunction(vjp, [false, true, false], dimConst(2));
  const inputs = [hostTensor('f64', [2], [1, 2]), hostTensor('f64', [2, 2], [0, 0, 1, 0]), hostTensor('f64', [], [1])];
  const [, perExample] = new Interpreter(moduleOf(many)).run(many.name, inputs);
  assert.equal(perExample?.shape, [2, 2]);
  assert.ok(tensorError(perExample as HostTensor, hostTensor('f64', [2, 2], [0, 0, Math.E, 0])) < 1e-12);
});

test('what has no rule says so', () => {
  const key = { dtype: 'i64', shape: [dimConst(2)] } as const;
  const func = buildFunction([key], (b, inputs) =>
    b.add({ kind: 'source', source: { type: 'random_bits', shape: [] }, inputs }),
  );
  assert.throws(
    () => batchFunction(func, [true], dimConst(2)),
    (error: Error) => error instanceof BatchError && /random_bits/.test(error.message),
  );
});

test.run();
