// The type rules of all kinds of nodes: what they infer, and what they refuse with which words.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../../compiler/ir/builder.js';
import { dimConst, dimSymbol } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import type { NodeDraft, Value } from '../../../compiler/ir/graph.js';
import { printType } from '../../../compiler/ir/print.js';
import { plainAccess, plainSubscript } from '../../../compiler/ir/space.js';
import { TypeRuleError } from '../../../compiler/ops/op.js';
import {
  elementwiseOp,
  findElementwiseOp,
  findOrderOp,
  findReduceOp,
  inferTypes,
  kindRules,
} from '../../../compiler/ops/table.js';

const B = dimSymbol('B');
const dims = (...sizes: readonly (number | typeof B)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : size));
const v = (dtype: DType, ...sizes: readonly (number | typeof B)[]): Value => ({
  name: 'v',
  type: { dtype, shape: dims(...sizes) },
});

const infers = (draft: NodeDraft, expected: string) => assert.is(inferTypes(draft).map(printType).join(), expected);
const refuses = (draft: NodeDraft, message: RegExp) =>
  assert.throws(
    () => inferTypes(draft),
    (error: Error) => error instanceof TypeRuleError && message.test(error.message),
  );
const elementwise = (op: string, ...inputs: readonly Value[]): NodeDraft => ({ kind: 'elementwise', op, inputs });

test('elementwise nodes broadcast and share one dtype', () => {
  infers(elementwise('add', v('f32', B, 10), v('f32', 10)), 'f32[B, 10]');
  infers(elementwise('mul', v('f32', 3, 1), v('f32', 1, B)), 'f32[3, B]');
  infers(elementwise('lt', v('i64', B), v('i64')), 'bool[B]');
  infers(elementwise('where', v('bool', B, 1), v('f16', 4), v('f16')), 'f16[B, 4]');
  infers({ kind: 'elementwise', op: 'cast', inputs: [v('bool', 2)], dtype: 'f64' }, 'f64[2]');
  refuses(elementwise('add', v('f32', 3), v('f64', 3)), /add: operand 1 must be f32, got f64/);
  refuses(elementwise('add', v('f32', 3), v('f32', 4)), /\[3\] and \[4\] do not broadcast: 4 against 3/);
  refuses(elementwise('add', v('f32', 3)), /add: takes 2 operands, got 1/);
  refuses(elementwise('exp', v('i64', 3)), /exp: does not accept i64/);
  refuses(elementwise('where', v('f32', 3), v('f32', 3), v('f32', 3)), /operand 0 must be bool, got f32/);
  refuses(elementwise('cast', v('f32', 3)), /exactly a cast has a target/);
  refuses(elementwise('nonsense', v('f32', 3)), /no elementwise operation 'nonsense'/);
});

const matmulSpace = {
  indices: [
    { name: 'i', extent: B },
    { name: 'j', extent: dimConst(4) },
    { name: 'k', extent: dimConst(8) },
  ],
  outer: 2,
};
const matmul = (a: Value, b: Value): NodeDraft => ({
  kind: 'contract',
  space: matmulSpace,
  accesses: [plainAccess([0, 2]), plainAccess([2, 1])],
  guards: [],
  inputs: [a, b],
});

test('contractions have the shape of their outer indices', () => {
  infers(matmul(v('f32', B, 8), v('f32', 8, 4)), 'f32[B, 4]');
  refuses(matmul(v('f32', B, 8), v('f64', 8, 4)), /contract: operands have the dtypes f32 and f64/);
  refuses(matmul(v('f32', B, 8, 1), v('f32', 8, 4)), /rank 3 is read with 2 subscripts/);
  refuses(matmul(v('bool', B, 8), v('bool', 8, 4)), /does not accept bool/);
  refuses({ ...matmul(v('f32', B, 8), v('f32', 8, 4)), inputs: [] } as NodeDraft, /one or two operands, got 0/);
});

const over = (op: string, input: Value, outer: number): NodeDraft => ({
  kind: 'reduce',
  op,
  space: { indices: input.type.shape.map((extent, i) => ({ name: `i${i}`, extent })), outer },
  access: plainAccess(input.type.shape.map((_, i) => i)),
  inputs: [input],
});

test('reductions keep the outer indices and have the results of their record', () => {
  infers(over('sum', v('f32', B, 4), 1), 'f32[B]');
  infers(over('max_with_index', v('f32', 3, 4), 1), 'f32[3],i64[3]');
  infers(over('argmax', v('f32', 3, 4), 0), 'i64');
  refuses(over('max', v('f32', 3, 0), 1), /max: has no value over no elements/);
  refuses(over('sum', v('bool', 3), 0), /sum: does not accept bool/);
});

const view = (type: Extract<NodeDraft, { kind: 'view' }>['view'], input: Value): NodeDraft => ({
  kind: 'view',
  view: type,
  inputs: [input],
});

test('views', () => {
  infers(view({ type: 'reshape', shape: dims(B, 12) }, v('f32', B, 3, 4)), 'f32[B, 12]');
  infers(view({ type: 'permute', permutation: [2, 0, 1] }, v('f32', 2, 3, 4)), 'f32[4, 2, 3]');
  infers(view({ type: 'broadcast', shape: dims(5, 3, B), dims: [1] }, v('f32', 3)), 'f32[5, 3, B]');
  infers(view({ type: 'slice', starts: dims(1), steps: [2], sizes: dims(2) }, v('f32', 5)), 'f32[2]');
  infers(view({ type: 'flip', dims: [0] }, v('f32', 5)), 'f32[5]');
  refuses(view({ type: 'reshape', shape: dims(5) }, v('f32', 2, 3)), /\[2, 3\] and \[5\] have different numbers/);
  refuses(view({ type: 'permute', permutation: [0, 0] }, v('f32', 2, 3)), /\[0, 0\] is no permutation/);
  refuses(view({ type: 'broadcast', shape: dims(4), dims: [0] }, v('f32', 3)), /3 does not repeat to 4/);
  refuses(
    view({ type: 'slice', starts: dims(1), steps: [0], sizes: dims(2) }, v('f32', 5)),
    /steps must be at least 1/,
  );
});

test('sizes that no one can decide at compile time are not refused', () => {
  infers(view({ type: 'reshape', shape: [dimSymbol('A')] }, v('f32', B)), 'f32[A]');
});

test('paddings and concatenations', () => {
  const pad = (interior: number, value = v('f32')): NodeDraft => ({
    kind: 'assemble',
    assemble: { type: 'pad', low: dims(1), high: dims(2), interior: [interior] },
    inputs: [v('f32', B), value],
  });
  infers(pad(0), 'f32[B + 3]');
  infers(pad(1), 'f32[2*B + 2]');
  refuses(pad(0, v('f32', 1)), /padding value must be a f32 of rank 0/);
  const concat = (...inputs: readonly Value[]): NodeDraft => ({
    kind: 'assemble',
    assemble: { type: 'concat', dim: 1 },
    inputs,
  });
  infers(concat(v('f32', 2, B), v('f32', 2, 3)), 'f32[2, B + 3]');
  refuses(concat(v('f32', 2, B), v('f32', 3, 3)), /shapes of the operands differ outside dimension 1/);
});

test('gathers, scatters, orders and sources', () => {
  const space = { indices: [{ name: 'i', extent: B }], outer: 1 };
  const lookup = (operand: number) => ({ kind: 'lookup', operand, subscripts: [plainSubscript(0)] }) as const;
  const gather = (...inputs: readonly Value[]): NodeDraft => ({
    kind: 'index',
    indexing: { type: 'gather', space, access: [lookup(1)] },
    inputs,
  });
  infers(gather(v('f32', 9), v('i64', B)), 'f32[B]');
  refuses(gather(v('f32', 9), v('f32', B)), /an index tensor is i64 or i32, got f32/);
  refuses(gather(v('f32', 9)), /operand 1 is no index tensor/);
  const scatter = (updates: Value): NodeDraft => ({
    kind: 'index',
    indexing: { type: 'scatter', mode: 'add', space, access: [lookup(2)] },
    inputs: [v('f32', 9), updates, v('i64', B)],
  });
  infers(scatter(v('f32', B)), 'f32[9]');
  refuses(scatter(v('f32', 4)), /updates are f32\[4\], expected f32\[B\]/);
  infers({ kind: 'order', op: 'cumsum', dim: 0, reverse: false, inputs: [v('f32', B)] }, 'f32[B]');
  refuses({ kind: 'order', op: 'cumsum', dim: 1, reverse: false, inputs: [v('f32', B)] }, /no dimension 1 in rank 1/);
  infers({ kind: 'source', source: { type: 'random_bits', shape: dims(B, 2) }, inputs: [v('i64', 2)] }, 'i32[B, 2]');
  refuses(
    { kind: 'source', source: { type: 'random_bits', shape: [] }, inputs: [v('i64', 3)] },
    /must be a key i64\[2\]/,
  );
  refuses(
    { kind: 'source', source: { type: 'constant', dtype: 'f32', shape: dims(3), data: [1, 2] }, inputs: [] },
    /2 elements for the shape \[3\]/,
  );
});

test('lookups by name', () => {
  assert.is(elementwiseOp('add').name, 'add');
  assert.is(findElementwiseOp('nonsense'), undefined);
  assert.is(findReduceOp('sum')?.linear, true);
  assert.is(findOrderOp('cumsum')?.linear, true);
  assert.is(kindRules('view').kind, 'view');
});

test('the builder names values after hints and operations', () => {
  const b = new Builder('f');
  const x = b.param('x', { dtype: 'f32', shape: dims(2) });
  assert.is(b.elementwise('exp', [x]).name, 'exp');
  assert.is(b.elementwise('exp', [x], 'h').name, 'h');
});

test.run();
