// Lowers kernels in the form `rows`: loops over the rows outside; inside, one pass over the row for each reduction and one that writes
// results of full shape. A value that is dear to compute and needed in several passes is stored by the first one: as the result that
// it is, or in the row of another result until the last pass replaces it.

import { type Dim, dimConst, dimEquals } from '../../../compiler/ir/dims.js';
import type { Func, Node, Value } from '../../../compiler/ir/graph.js';
import { type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import { wholeDims } from '../../../compiler/passes/fuse/facts.js';
import type { Buffer, Position, Temp } from '../ir.js';
import { flatten } from '../positions.js';
import { elementwiseBody, type Lowering } from './values.js';

/** A value to be stored. */
export interface Output {
  readonly value: Value;
  readonly buffer: Buffer;
}

/** The iteration space of a rows kernel. */
export interface Rows {
  readonly shape: readonly Dim[];
  readonly reduced: readonly number[];
}

/** The rows over which all reductions of a function run; undefined for functions of another form. */
export function rowsOf(fn: Func): Rows | undefined {
  let rows: Rows | undefined;
  for (const node of fn.nodes) {
    if (node.kind === 'contract') return undefined;
    if (node.kind !== 'reduce') continue;
    const reduced = wholeDims(node);
    const shape = node.inputs[0]?.type.shape;
    if (reduced === undefined || shape === undefined) return undefined;
    if (rows !== undefined && !(sameShape(rows.shape, shape) && rows.reduced.join() === reduced.join()))
      return undefined;
    rows = { shape, reduced };
  }
  return rows;
}

const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => dimEquals(dim, b[i] as Dim));

/** The shape of one value for each row, without the reduced dimensions or with 1 in their place. */
const isRowShape = ({ shape, reduced }: Rows, of: readonly Dim[]): boolean =>
  sameShape(
    of,
    shape.filter((_, d) => !reduced.includes(d)),
  ) ||
  sameShape(
    of,
    shape.map((dim, d) => (reduced.includes(d) ? dimConst(1) : dim)),
  );

/** Whether every output has one value for each row or for each element of a row. */
export const fitsRows = (rows: Rows, outputs: readonly Output[]): boolean =>
  outputs.every(({ value }) => sameShape(value.type.shape, rows.shape) || isRowShape(rows, value.type.shape));

/** Stores the outputs row by row. */
export function lowerRows(lowering: Lowering, rows: Rows, outputs: readonly Output[]): void {
  const { body } = lowering;
  const { shape, reduced } = rows;
  const outer = shape.map((_, d) => d).filter((d) => !reduced.includes(d));
  const isFull = ({ value }: Output): boolean =>
    sameShape(value.type.shape, shape) && !isRowShape(rows, value.type.shape);
  const full = outputs.filter(isFull);
  for (const [value, buffer] of valuesToKeep(lowering.fn, rows, full)) lowering.keep(value, buffer);
  body.loops(
    outer.map((d) => shape[d] as Dim),
    'parallel',
    (row) => {
      const place = (inner: readonly Position[]): readonly Position[] =>
        shape.map((_, d) => (reduced.includes(d) ? inner[reduced.indexOf(d)] : row[outer.indexOf(d)]) as Position);
      const zeros = reduced.map(() => dimConst(0));
      // The passes of reductions come first: they keep what the last pass reads and replaces.
      for (const node of lowering.fn.nodes) if (node.kind === 'reduce') lowering.value(node.results[0] as Value, row);
      for (const { value, buffer } of outputs.filter((output) => !isFull(output))) {
        const at = value.type.shape.length === outer.length ? row : place(zeros);
        const temp = lowering.value(value, at);
        body.append({ kind: 'store', buffer, offset: flatten(at, value.type.shape), value: temp });
      }
      if (full.length === 0) return;
      body.loops(
        reduced.map((d) => shape[d] as Dim),
        'parallel',
        (inner) => {
          const at = place(inner);
          const left = full.filter(({ value, buffer }) => lowering.kept(value) !== buffer);
          const temps = left.map(({ value }) => lowering.value(value, at));
          for (const [i, { value, buffer }] of left.entries()) {
            body.append({ kind: 'store', buffer, offset: flatten(at, value.type.shape), value: temps[i] as Temp });
          }
        },
      );
    },
  );
}

/** Operations from which on reading a value back is cheaper than computing it again. */
const DEAR = 10;

/** Values that several passes need, with a result's buffer of the same dtype to keep each in. */
function valuesToKeep(fn: Func, rows: Rows, full: readonly Output[]): ReadonlyMap<Value, Buffer> {
  const passes = passesOf(fn, rows);
  const dear = fn.nodes.toReversed().flatMap((node): readonly Value[] => {
    const [value] = node.results;
    if (node.kind !== 'elementwise' || value === undefined) return [];
    const isNeededAgain = (passes.get(value)?.size ?? 0) > 1 && sameShape(value.type.shape, rows.shape);
    return isNeededAgain && scalarOperations(elementwiseBody(node)) >= DEAR ? [value] : [];
  });
  const kept = new Map(full.filter(({ value }) => dear.includes(value)).map(({ value, buffer }) => [value, buffer]));
  const free = full.filter(({ value }) => !kept.has(value)).map(({ buffer }) => buffer);
  for (const value of dear) {
    const at = kept.has(value) ? -1 : free.findIndex((buffer) => buffer.dtype === value.type.dtype);
    if (at >= 0) kept.set(value, free.splice(at, 1)[0] as Buffer);
  }
  return kept;
}

/** The passes over a row in which each value is computed: that of a reduction, or the last one. */
function passesOf(fn: Func, rows: Rows): ReadonlyMap<Value, ReadonlySet<Node | 'last'>> {
  const passes = new Map<Value, Set<Node | 'last'>>();
  const add = (value: Value, pass: Node | 'last'): void => {
    passes.set(value, (passes.get(value) ?? new Set()).add(pass));
  };
  for (const result of fn.results) if (sameShape(result.type.shape, rows.shape)) add(result, 'last');
  for (const node of fn.nodes.toReversed()) {
    for (const input of node.inputs) {
      if (node.kind === 'reduce') add(input, node);
      else for (const result of node.results) for (const pass of passes.get(result) ?? []) add(input, pass);
    }
  }
  return passes;
}

function scalarOperations(root: Scalar): number {
  const seen = new Set<Scalar>();
  const count = (node: Scalar): number => {
    if (seen.has(node)) return 0;
    seen.add(node);
    const own =
      node.kind === 'call'
        ? scalarOperations(node.fn.body)
        : node.kind === 'argument' || node.kind === 'constant'
          ? 0
          : 1;
    return scalarOperands(node).reduce((sum, part) => sum + count(part), own);
  };
  return count(root);
}
