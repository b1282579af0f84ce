// Contractions and windowed reductions of random graphs in the interpreter against their definition, point by point.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimEvaluate } from '../../../compiler/ir/dims.js';
import { evaluateFunction } from '../../../compiler/ir/evaluate/evaluate.js';
import { forEachPoint, rowMajorStrides } from '../../../compiler/ir/evaluate/strides.js';
import { elementCount, type HostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Access, Affine, Func, IndexSpace, Node, Value } from '../../../compiler/ir/graph.js';
import { randomGraph } from '../../support/graphs.js';
import { draws } from '../../support/property.js';

type Dims = ReadonlyMap<string, number>;

const affineValue = (affine: Affine, point: readonly number[], dims: Dims): number =>
  affine.terms.reduce(
    (sum, { index, coefficient }) => sum + coefficient * (point[index] as number),
    dimEvaluate(affine.offset, dims),
  );

/** The element that an access reads at a point; undefined when it is absent. */
function elementAt(tensor: HostTensor, access: Access, point: readonly number[], dims: Dims): number | undefined {
  const strides = rowMajorStrides(tensor.shape);
  let offset = 0;
  for (const [dim, subscript] of access.entries()) {
    if (subscript.kind !== 'affine') throw new Error('no lookups here');
    const value = affineValue(subscript.expression, point, dims);
    const position = value / subscript.divisor;
    if (!Number.isInteger(position)) return undefined;
    if (position < 0 || position >= (tensor.shape[dim] as number)) {
      assert.ok(subscript.masked, 'a subscript without a mask leaves its operand');
      return undefined;
    }
    offset += position * (strides[dim] as number);
  }
  return Number(tensor.data[offset]);
}

/** The sums over the inner indices of `term`, for each setting of the outer ones. */
function sums(space: IndexSpace, dims: Dims, term: (point: readonly number[]) => number): number[] {
  const extents = space.indices.map((index) => dimEvaluate(index.extent, dims));
  const shape = extents.slice(0, space.outer);
  const strides = rowMajorStrides(shape);
  const totals = new Array<number>(elementCount(shape)).fill(0);
  forEachPoint(extents, (point) => {
    const at = strides.reduce((sum, stride, i) => sum + stride * (point[i] as number), 0);
    totals[at] = (totals[at] as number) + term(point);
  });
  return totals;
}

function byDefinition(node: Node, inputs: readonly HostTensor[], dims: Dims): number[] | undefined {
  if (node.kind === 'contract') {
    return sums(node.space, dims, (point) => {
      if (node.guards.some((guard) => affineValue(guard, point, dims) !== 0)) return 0;
      return inputs.reduce(
        (product, input, i) => product * (elementAt(input, node.accesses[i] as Access, point, dims) ?? 0),
        1,
      );
    });
  }
  if (node.kind !== 'reduce' || node.op !== 'sum') return undefined;
  return sums(node.space, dims, (point) => elementAt(inputs[0] as HostTensor, node.access, point, dims) ?? 0);
}

test('sums of products are what their index spaces say', () => {
  let checked = 0;
  fc.assert(
    fc.property(randomGraph({ size: 160 }), ({ module, fn, inputs, dims }) => {
      const func = module.functions.get(fn) as Func;
      const values = new Map<Value, HostTensor>(func.params.map((param, i) => [param, inputs[i] as HostTensor]));
      const onNode = (_: Func, node: Node, results: readonly HostTensor[]) => {
        node.results.forEach((value, i) => void values.set(value, results[i] as HostTensor));
        const operands = node.inputs.map((value) => values.get(value) as HostTensor);
        const want = byDefinition(node, operands, dims);
        if (
          want === undefined ||
          operands.some(({ data }) => Array.from(data as Float64Array).some((x) => !Number.isFinite(x)))
        )
          return;
        checked++;
        const got = numbersOf(results[0] as HostTensor);
        assert.is(got.length, want.length);
        got.forEach((value, i) => {
          const error = Math.abs(value - (want[i] as number));
          assert.ok(error <= 1e-9 * Math.max(1, ...want.map(Math.abs)), `${value} for ${want[i]}`);
        });
      };
      evaluateFunction(module, fn, inputs, { dims, onNode });
    }),
    draws(400),
  );
  assert.ok(checked > 200, `${checked} nodes checked`);
});

test.run();
