// Lowers a kernel function of the fused graph to the kernel IR: one loop nest over the dimensions that all results share, and inside it
// what is left of each. Nodes that work in order or in place (scans, scatters, concatenations) get nests of their own.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimMul,
  dimSub,
  dimSymbol,
  dimValue,
  isDimConst,
} from '../../../compiler/ir/dims.js';
import type { AssembleNode, Func, IndexNode, Node, OrderNode, Value } from '../../../compiler/ir/graph.js';
import { argument, cast, type Scalar } from '../../../compiler/ir/scalar.js';
import type { ScanOp, SortOp } from '../../../compiler/ops/op.js';
import { orderOp } from '../../../compiler/ops/table.js';
import { and, eq, lt, or } from '../../../compiler/scalar/expression.js';
import { type Buffer, type Kernel, kernelOf, type Position, type Register, type Temp } from '../ir.js';
import { flatten, insideGuards } from '../positions.js';
import { KernelNames } from './body.js';
import { reductionFold, scatterJoin, usesArgument } from './folds.js';
import { fitsRows, lowerRows, type Output, rowsOf } from './rows.js';
import { type FaultSite, Lowering, operand } from './values.js';

/** A kernel and the places in the program where it may report a fault. */
export interface Lowered {
  readonly kernel: Kernel;
  readonly faults: readonly FaultSite[];
}

/**
 * Lowers a function whose body one kernel computes. Its buffers are the parameters, the results, then tables and memory of the chunks. Rows of
 * up to `ranked` elements are sorted without memory.
 */
export function lowerKernel(fn: Func, ranked = 0, names = new KernelNames()): Lowered {
  const lowering = new Lowering(fn, names);
  const outputs = fn.results.map((value, i) => outputBuffer(`out${i}`, value));
  const plain: Output[] = [];
  const done = new Set<Node>();
  fn.results.forEach((value, i) => {
    const output = { value, buffer: outputs[i] as Buffer };
    const node = lowering.definition(value)?.node;
    if (node === undefined || !standsAlone(node)) plain.push(output);
    else if (!done.has(node)) {
      done.add(node);
      lowerAlone(lowering, node, (result) => outputs[fn.results.indexOf(result)], ranked);
    }
  });
  const rows = rowsOf(fn);
  if (rows !== undefined && fitsRows(rows, plain)) lowerRows(lowering, rows, plain);
  else lowerTogether(lowering, plain);
  const [inputs, tables] = [lowering.inputs.slice(0, fn.params.length), lowering.inputs.slice(fn.params.length)];
  return {
    kernel: kernelOf(
      [...inputs, ...outputs, ...tables, ...lowering.scratch],
      lowering.body.statements,
      lowering.faults.length,
    ),
    faults: lowering.faults,
  };
}

const outputBuffer = (name: string, { type }: Value): Buffer => ({
  name,
  dtype: type.dtype,
  role: 'out',
  size: type.shape.reduce(dimMul, dimConst(1)),
});

const standsAlone = (node: Node): boolean =>
  node.kind === 'order' ||
  (node.kind === 'index' && node.indexing.type === 'scatter') ||
  (node.kind === 'assemble' && (node.assemble.type === 'concat' || node.assemble.interior.every((gap) => gap === 0)));

type OutputOf = (result: Value) => Buffer | undefined;

function lowerAlone(lowering: Lowering, node: Node, outputOf: OutputOf, ranked: number): void {
  if (node.kind === 'order') {
    const record = orderOp(node.op);
    if (record.method === 'scan') lowerScan(lowering, node, record, outputOf);
    else if ((dimValue(operand(node, 0).type.shape[node.dim] as Dim) ?? Infinity) <= ranked)
      lowerRanks(lowering, node, record, outputOf);
    else lowerSort(lowering, node, record, outputOf);
  } else if (node.kind === 'index') lowerScatter(lowering, node, outputOf);
  else if (node.kind === 'assemble') lowerAssembly(lowering, node, outputOf);
}

/** Stores all values, which are computed before the first store: an output may lie where an operand lies that is read at the same place. */
function lowerTogether(lowering: Lowering, outputs: readonly Output[]): void {
  const [first] = outputs;
  if (first === undefined) return;
  const shared = outputs.reduce(
    (length, { value }) => commonPrefix(first.value.type.shape, value.type.shape, length),
    first.value.type.shape.length,
  );
  const { body } = lowering;
  const isWhole = outputs.every(({ value }) => value.type.shape.length === shared);
  body.loops(first.value.type.shape.slice(0, shared), 'parallel', (row) => {
    if (isWhole) {
      const temps = outputs.map(({ value }) => lowering.value(value, row));
      outputs.forEach(({ value, buffer }, i) => {
        body.append({ kind: 'store', buffer, offset: flatten(row, value.type.shape), value: temps[i] as Temp });
      });
      return;
    }
    for (const { value, buffer } of outputs) {
      const { shape } = value.type;
      body.loops(shape.slice(shared), 'parallel', (rest) => {
        const at = [...row, ...rest];
        body.append({ kind: 'store', buffer, offset: flatten(at, shape), value: lowering.value(value, at) });
      });
    }
  });
}

function commonPrefix(a: readonly Dim[], b: readonly Dim[], limit: number): number {
  let length = 0;
  while (length < limit && length < b.length && dimEquals(a[length] as Dim, b[length] as Dim)) length++;
  return length;
}

/** A scan: for every other position, a loop in order along the dimension with the state in registers. */
function lowerScan(lowering: Lowering, node: OrderNode, record: ScanOp, outputOf: OutputOf): void {
  const { body } = lowering;
  const input = operand(node, 0);
  const { shape, dtype } = input.type;
  const init = record.init(dtype);
  const state = init.map((scalar, i) => argument(i, scalar.dtype));
  const step = record.step(state, argument(state.length, dtype), argument(state.length + 1, 'i64'));
  const finish = record.finish(state, dtype);
  const merge = record.merge(
    state,
    state.map((part, i) => argument(state.length + i, part.dtype)),
  );
  const length = shape[node.dim] as Dim;
  const hasPosition = step.some((scalar) => usesArgument(scalar, state.length + 1));
  const others = shape.filter((_, d) => d !== node.dim);
  body.loops(others, 'parallel', (outer) => {
    const registers = state.map(({ dtype: type }): Register => ({ name: body.fresh('s'), dtype: type, shape: [] }));
    const set = (scalars: readonly Scalar[], args: readonly Temp[]): readonly Temp[] => {
      const temps = scalars.map((scalar) => body.letHere({ kind: 'scalar', body: scalar, args }));
      for (const [i, register] of registers.entries()) {
        body.append({ kind: 'assign', register, at: [], value: temps[i] as Temp });
      }
      return temps;
    };
    for (const register of registers) body.append({ kind: 'registers', register });
    set(init, []);
    const each = (along: Position): void => {
      const p = node.reverse ? dimSub(dimSub(length, dimConst(1)), along) : along;
      const at = [...outer.slice(0, node.dim), p, ...outer.slice(node.dim)];
      const element = lowering.value(input, at);
      const place = hasPosition ? [lowering.position(p, 'i64')] : [];
      const before = registers.map((register) => body.letHere({ kind: 'register', register, at: [] }));
      const after = set(step, [...before, element, ...place]);
      node.results.forEach((result, i) => {
        const buffer = outputOf(result);
        if (buffer === undefined) return;
        const value = body.letHere({ kind: 'scalar', body: finish[i] as Scalar, args: after });
        body.append({ kind: 'store', buffer, offset: flatten(at, shape), value });
      });
    };
    if (isDimConst(length, 1)) each(dimConst(0));
    else body.loop(length, 'serial', (index) => each(dimSymbol(index)), { scan: { registers, merge } });
  });
}

/** Sorting: for every other position, the keys of the elements along the dimension go to memory of the chunk, and are put in order there. */
function lowerSort(lowering: Lowering, node: OrderNode, record: SortOp, outputOf: OutputOf): void {
  const { body } = lowering;
  const result = node.results[0] as Value;
  const buffer = outputOf(result);
  if (buffer === undefined) throw new Error('a sort without a result');
  const input = operand(node, 0);
  const { shape, dtype } = input.type;
  const length = shape[node.dim] as Dim;
  const { start, size: count } = node.places ?? { start: dimConst(0), size: length };
  const key = record.key(argument(0, dtype), node.reverse);
  const size = dimMul(length, dimConst(2));
  const keys: Buffer = { name: body.fresh('keys'), dtype: key.dtype, role: 'scratch', size };
  const order: Buffer = { name: body.fresh('order'), dtype: 'i64', role: 'scratch', size };
  lowering.scratch.push(keys, order);
  body.loops(
    shape.filter((_, d) => d !== node.dim),
    'parallel',
    (outer) => {
      const at = (along: Position) => [...outer.slice(0, node.dim), along, ...outer.slice(node.dim)];
      body.loops([length], 'serial', ([along]) => {
        const place = along as Position;
        const value = body.let({ kind: 'scalar', body: key, args: [lowering.value(input, at(place))] });
        body.append({ kind: 'store', buffer: keys, offset: place, value });
      });
      body.append({ kind: 'sort', keys, order, length, start, count });
      body.loop(count, 'serial', (index) => {
        const place = dimSymbol(index);
        const value = body.letHere({ kind: 'load', buffer: order, offset: place, guards: [] });
        body.append({ kind: 'store', buffer, offset: flatten(at(place), result.type.shape), value });
      });
    },
  );
}

/** Sorting without memory: the place of an element is the number of those that come before it. */
function lowerRanks(lowering: Lowering, node: OrderNode, record: SortOp, outputOf: OutputOf): void {
  const { body } = lowering;
  const result = node.results[0] as Value;
  const buffer = outputOf(result);
  if (buffer === undefined) throw new Error('a sort without a result');
  const input = operand(node, 0);
  const { shape, dtype } = input.type;
  const length = shape[node.dim] as Dim;
  const key = record.key(argument(0, dtype), node.reverse);
  const [own, other, here, there] = [
    argument(0, key.dtype),
    argument(1, key.dtype),
    argument(2, 'i64'),
    argument(3, 'i64'),
  ] as const;
  const precedes = or(lt(other, own), and(eq(other, own), lt(there, here)));
  const keyAt = (at: readonly Position[]): Temp =>
    body.let({ kind: 'scalar', body: key, args: [lowering.value(input, at)] });
  body.loops(shape, 'parallel', (at) => {
    const along = (position: Position) => at.map((p, d) => (d === node.dim ? position : p));
    const [place, mine] = [lowering.position(at[node.dim] as Position, 'i64'), keyAt(at)];
    const [rank] = body.accumulate(reductionFold('sum', 'i64', true), (name) => {
      body.loops([length], 'serial', ([position]) => {
        const args = [mine, keyAt(along(position as Position)), place, lowering.position(position as Position, 'i64')];
        const step = body.let({ kind: 'scalar', body: cast(precedes, 'i64'), args });
        body.fold(name, [step], []);
      });
    });
    const target = dimSymbol(body.lookup(rank as Temp, length, lowering.site(node), flatten(at, shape), []));
    const { start, size } = node.places ?? { start: dimConst(0), size: length };
    const own = dimSub(target, start);
    body.when(insideGuards(own, size, body.ranges), () => {
      body.append({ kind: 'store', buffer, offset: flatten(along(own), result.type.shape), value: place });
    });
  });
}

/** A scatter: the base, then the updates one after another, so that the last of several to one place wins and sums do not depend on threads. */
function lowerScatter(lowering: Lowering, node: IndexNode, outputOf: OutputOf): void {
  const { body } = lowering;
  const { indexing } = node;
  const [base, updates] = [operand(node, 0), operand(node, 1)];
  const buffer = outputOf(node.results[0] as Value);
  if (indexing.type !== 'scatter' || buffer === undefined) throw new Error('a scatter without a result');
  const { shape } = base.type;
  body.loops(shape, 'parallel', (at) => {
    body.append({ kind: 'store', buffer, offset: flatten(at, shape), value: lowering.value(base, at) });
  });
  const join = scatterJoin(indexing.mode, base.type.dtype);
  body.loops(
    indexing.space.indices.map((index) => index.extent),
    'serial',
    (point) => {
      const { from, absent } = lowering.access(indexing.access, base.type, point, node, []);
      const update = lowering.value(updates, point, absent);
      const offset = flatten(from, shape);
      body.when(absent, () => {
        const args = join === undefined ? [] : [body.letHere({ kind: 'load', buffer, offset, guards: [] }), update];
        const value = join === undefined ? update : body.letHere({ kind: 'scalar', body: join, args });
        body.append({ kind: 'store', buffer, offset, value });
      });
    },
  );
}

/** Copies operands to their places in the result: a nest for each. */
function lowerAssembly(lowering: Lowering, node: AssembleNode, outputOf: OutputOf): void {
  const { body } = lowering;
  const { assemble } = node;
  const result = node.results[0] as Value;
  const buffer = outputOf(result);
  if (buffer === undefined) throw new Error('an assembled value without a result');
  const { shape } = result.type;
  const place = (input: Value, start: readonly Dim[]): void => {
    body.loops(input.type.shape, 'parallel', (from) => {
      const at = from.map((p, d) => dimAdd(p, start[d] as Dim));
      body.append({ kind: 'store', buffer, offset: flatten(at, shape), value: lowering.value(input, from) });
    });
  };
  if (assemble.type === 'pad') {
    body.loops(shape, 'parallel', (at) => {
      body.append({ kind: 'store', buffer, offset: flatten(at, shape), value: lowering.value(operand(node, 1), []) });
    });
    place(operand(node, 0), assemble.low);
    return;
  }
  let start = dimConst(0);
  for (const input of node.inputs) {
    place(
      input,
      shape.map((_, d) => (d === assemble.dim ? start : dimConst(0))),
    );
    start = dimAdd(start, input.type.shape[assemble.dim] as Dim);
  }
}
