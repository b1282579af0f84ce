// What every record must have: documentation, sane dtypes and domains, one partial derivative for each operand, formulas over operations
// that exist, values of the dtype that the record promises.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DType, dtypes, isFloat } from '../../../compiler/ir/dtype.js';
import { hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Value } from '../../../compiler/ir/graph.js';
import { argument } from '../../../compiler/ir/scalar.js';
import { elementwiseOps } from '../../../compiler/ops/elementwise/index.js';
import type { Domain, ElementwiseOp, Formula, OpRecord } from '../../../compiler/ops/op.js';
import { orderOps } from '../../../compiler/ops/order.js';
import { reduceOps } from '../../../compiler/ops/reduce.js';
import { findElementwiseOp } from '../../../compiler/ops/table.js';
import { buildFunction, evaluate, moduleOf } from '../../support/calculus.js';

const records: readonly OpRecord[] = [...elementwiseOps, ...reduceOps, ...orderOps];

test('names are unique and are those of the language', () => {
  const names = records.map((record) => record.name);
  assert.is(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[a-z][a-z0-9_]*$/);
});

test('every record is documented in sentences', () => {
  for (const { name, doc } of records) {
    assert.ok(doc.length >= 8, name);
    assert.match(doc, /\.$/, name);
  }
});

test('every record takes dtypes, each once', () => {
  for (const { name, accepts } of records) {
    assert.ok(accepts.length > 0, name);
    assert.is(new Set(accepts).size, accepts.length, name);
    assert.ok(
      accepts.every((dtype) => dtypes.includes(dtype)),
      name,
    );
  }
});

const isSane = ({ low, high }: Domain): boolean => Number.isFinite(low) && Number.isFinite(high) && low < high;

test('domains are intervals', () => {
  for (const record of records) {
    const domains = record.kind === 'elementwise' ? record.domain : [record.domain];
    assert.ok(domains.every(isSane), record.name);
  }
});

/** Checks that a formula names operations with as many operands as it gives them, and operands that there are. */
function checkFormula(formula: Formula, { name, arity }: ElementwiseOp): void {
  if (formula.kind === 'operand') assert.ok(formula.index < arity, name);
  if (formula.kind !== 'apply') return;
  assert.is(findElementwiseOp(formula.op)?.arity, formula.args.length, `${name} uses ${formula.op}`);
  for (const arg of formula.args) checkFormula(arg, { name, arity } as ElementwiseOp);
}

for (const record of elementwiseOps) {
  test(`${record.name}: arity, partial derivatives and values`, () => {
    assert.is(record.partials.length, record.arity);
    assert.is(record.domain.length, record.arity);
    for (const partial of record.partials) {
      if (partial.kind === 'none') assert.ok(partial.reason.length > 0);
      else checkFormula(partial.formula, record);
    }
    for (const common of record.accepts) {
      for (const target of record.name === 'cast' ? dtypes : [undefined]) {
        const dtypeOf = (i: number): DType => record.fixed?.[i] ?? common;
        const args = Array.from({ length: record.arity }, (_, i) => argument(i, dtypeOf(i)));
        assert.is(record.value(args, common, target).dtype, record.result(common, target), `of ${common}`);
      }
    }
  });
}

/** The operands that a formula reads; the result counts as -1. */
function read(formula: Formula): readonly number[] {
  if (formula.kind === 'apply') return formula.args.flatMap(read);
  return formula.kind === 'operand' ? [formula.index] : formula.kind === 'result' ? [-1] : [];
}

test('where a record says that it is linear, its partial derivatives do not depend on those operands, and it is 0 at 0', () => {
  for (const record of elementwiseOps) {
    for (const operands of record.linear ?? []) {
      for (const i of operands) {
        const partial = record.partials[i];
        assert.ok(partial?.kind === 'formula', record.name);
        for (const other of read(partial.formula)) assert.not.ok([-1, ...operands].includes(other), record.name);
      }
      const dtypeOf = (i: number): DType => record.fixed?.[i] ?? 'f64';
      const types = record.partials.map((_, i) => ({ dtype: dtypeOf(i), shape: [] }));
      const func = buildFunction(types, (b, params) =>
        record.name === 'cast' ? [b.cast(params[0] as Value, 'f32')] : [b.elementwise(record.name, params)],
      );
      const at = record.partials.map((_, i) => hostTensor(dtypeOf(i), [], [operands.includes(i) ? 0 : 1]));
      assert.equal(evaluate(moduleOf(func), func.name, at).map(numbersOf), [[0]], record.name);
    }
  }
});

for (const record of reduceOps) {
  test(`${record.name}: states and results have the dtypes that it promises`, () => {
    for (const dtype of record.accepts) {
      const state = record.state(dtype);
      const dtypesOf = (values: readonly { readonly dtype: DType }[]) => values.map((value) => value.dtype);
      const args = state.map((each, i) => argument(i, each));
      const more = state.map((each, i) => argument(state.length + i, each));
      assert.equal(dtypesOf(record.init(dtype)), state);
      assert.equal(dtypesOf(record.step(args, argument(state.length, dtype), argument(9, 'i64'))), state);
      assert.equal(dtypesOf(record.merge(args, more)), state);
      assert.equal(dtypesOf(record.finish(args, dtype)), record.results(dtype));
    }
  });
}

for (const record of orderOps) {
  test(`${record.name}: states and results have the dtypes that it promises`, () => {
    for (const dtype of record.accepts) {
      if (record.method === 'sort') {
        const key = record.key(argument(0, dtype), true);
        assert.ok(['i8', 'i16', 'i32', 'i64'].includes(key.dtype), `the keys of ${dtype} are signed integers`);
        continue;
      }
      const state = record.init(dtype);
      const args = state.map((each, i) => argument(i, each.dtype));
      const next = record.step(args, argument(state.length, dtype), argument(9, 'i64'));
      assert.equal(
        next.map((value) => value.dtype),
        state.map((value) => value.dtype),
      );
      assert.equal(
        record.finish(args, dtype).map((value) => value.dtype),
        record.results(dtype),
      );
    }
  });
}

test('what has no derivative says why, and floats have one where they can', () => {
  for (const record of [...reduceOps, ...orderOps]) {
    if (record.derivative.kind === 'none') assert.ok(record.derivative.reason.length > 0, record.name);
    else assert.ok(record.accepts.some(isFloat), record.name);
  }
});

test.run();
