// Sources: constants, counters, sizes and random bits. Nothing flows into them, so tangents stop here.

import { type Dim, dimConst, dimProduct, dimValue, isDimConst, printShape } from '../../ir/dims.js';
import type { NodeDraft, TensorType, Value } from '../../ir/graph.js';
import type { KindRules } from '../op.js';
import { expectInputs, fail } from './check.js';

type Draft = Extract<NodeDraft, { kind: 'source' }>;

/** A key of the random generator. */
export const keyType: TensorType = { dtype: 'i64', shape: [dimConst(2)] };

function expectKey(op: string, key: Value): void {
  const { dtype, shape } = key.type;
  const isKey = dtype === 'i64' && shape.length === 1 && isDimConst(shape[0] as Dim, 2);
  if (!isKey) fail(op, `operand 0 must be a key i64[2], got ${dtype}[${printShape(shape)}]`);
}

function infer({ source, inputs }: Draft): readonly TensorType[] {
  switch (source.type) {
    case 'constant': {
      expectInputs('constant', inputs, 0);
      const count = dimValue(dimProduct(source.shape));
      if (source.data.length !== 1 && source.data.length !== count) {
        fail('constant', `${source.data.length} elements for the shape [${printShape(source.shape)}]`);
      }
      return [{ dtype: source.dtype, shape: source.shape }];
    }
    case 'iota':
      expectInputs('iota', inputs, 0);
      if (source.shape[source.dim] === undefined) fail('iota', `there is no dimension ${source.dim}`);
      if (source.dtype === 'bool') fail('iota', 'does not count in bool');
      return [{ dtype: source.dtype, shape: source.shape }];
    case 'size':
      expectInputs('size', inputs, 0);
      return [{ dtype: 'i64', shape: [] }];
    case 'random_bits': {
      const [key] = expectInputs('random_bits', inputs, 1) as readonly [Value];
      expectKey('random_bits', key);
      return [{ dtype: 'i32', shape: source.shape }];
    }
    case 'fold_in': {
      const [key, data] = expectInputs('fold_in', inputs, 2) as readonly [Value, Value];
      expectKey('fold_in', key);
      if (data.type.dtype !== 'i64' || data.type.shape.length > 0)
        fail('fold_in', 'operand 1 must be an i64 of rank 0');
      return [keyType];
    }
  }
}

export const sourceRules: KindRules<'source'> = {
  kind: 'source',
  infer,
  jvp: (node) => node.results.map(() => undefined),
};
