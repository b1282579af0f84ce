// Builds one function of the graph: makes nodes with inferred types, unique value names and the current origin.

import { inferTypes } from '../ops/table.js';
import { type Dim, dimEquals, isDimConst } from './dims.js';
import type { DType } from './dtype.js';
import {
  type Access,
  type Affine,
  type Func,
  type IndexSpace,
  type Node,
  type NodeDraft,
  nodeName,
  type Origin,
  type Region,
  type ScatterMode,
  type TensorType,
  type Value,
  type View,
} from './graph.js';
import { dimsSpace } from './space.js';

export { affineIndex, dimsSpace, indexName, plainAccess, plainSubscript } from './space.js';

/** Several values named after one hint get the suffixes `.1`, `.2`, …; hints are cleaned to identifier characters. */
export class NameSupply {
  readonly #taken = new Set<string>();
  /** The last suffix tried for each stem, so that a thousand values of one name do not search from the start. */
  readonly #last = new Map<string, number>();

  fresh(hint: string): string {
    const wanted = hint.replace(/[^\w.$]/g, '_') || 'v';
    let name = wanted;
    if (this.#taken.has(name)) {
      // `x.3` asked for again continues the series of `x` instead of starting `x.3.1`.
      const stem = wanted.replace(/(?<=.)\.\d+$/, '');
      let last = this.#last.get(stem) ?? 0;
      do name = `${stem}.${++last}`;
      while (this.#taken.has(name));
      this.#last.set(stem, last);
    }
    this.#taken.add(name);
    return name;
  }

  /** Takes a name as it is, for a value that exists already. */
  reserve(name: string): void {
    this.#taken.add(name);
  }

  /** Gives a name back, for the value that replaces the one which had it. */
  release(name: string): void {
    this.#taken.delete(name);
  }
}

export class Builder {
  readonly names: NameSupply;
  readonly #params: Value[] = [];
  readonly #nodes: Node[] = [];
  #origin: Origin = {};

  constructor(
    readonly name: string,
    names: NameSupply = new NameSupply(),
  ) {
    this.names = names;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The origin given to the nodes made from now on. */
  get origin(): Origin {
    return this.#origin;
  }

  /** Runs `body` with another origin for the nodes that it makes. */
  withOrigin<T>(origin: Origin, body: () => T): T {
    const outer = this.#origin;
    this.#origin = origin;
    try {
      return body();
    } finally {
      this.#origin = outer;
    }
  }

  param(hint: string, type: TensorType): Value {
    const value: Value = { name: this.names.fresh(hint), type };
    this.#params.push(value);
    return value;
  }

  /** Adds a node; returns its results. `hint` names the first result, `hint.1` … the others; without it the operation does. */
  add(draft: NodeDraft, hint?: string): readonly Value[] {
    return this.#append(draft, inferTypes(draft), hint);
  }

  /** Adds a node that carries functions; its result types follow from theirs, which the caller knows. */
  region(region: Region, inputs: readonly Value[], types: readonly TensorType[], hint?: string): readonly Value[] {
    return this.#append({ kind: 'region', region, inputs }, types, hint);
  }

  #append(draft: NodeDraft, types: readonly TensorType[], hint = nodeName(draft)): readonly Value[] {
    const results = types.map((type) => ({ name: this.names.fresh(hint), type }));
    this.#nodes.push({ ...draft, results, origin: this.#origin } as Node);
    return results;
  }

  /** Adds a node that exists already, with results and origin, as a pass does that keeps it. */
  push(node: Node): void {
    this.#nodes.push(node);
  }

  #one(draft: NodeDraft, hint?: string): Value {
    const [result] = this.add(draft, hint);
    if (result === undefined) throw new Error(`${nodeName(draft)} has no result`);
    return result;
  }

  elementwise(op: string, inputs: readonly Value[], hint?: string): Value {
    return this.#one({ kind: 'elementwise', op, inputs }, hint);
  }

  /** The operand itself when it has the dtype already. */
  cast(input: Value, dtype: DType, hint?: string): Value {
    if (input.type.dtype === dtype) return input;
    return this.#one({ kind: 'elementwise', op: 'cast', inputs: [input], dtype }, hint);
  }

  /** A rank-0 constant, or a tensor full of it. */
  constant(value: number | bigint | boolean, dtype: DType, shape: readonly Dim[] = []): Value {
    const number = typeof value === 'boolean' ? Number(value) : value;
    return this.#one({ kind: 'source', source: { type: 'constant', dtype, shape, data: [number] }, inputs: [] }, 'c');
  }

  /** A tensor of all its elements in row-major order; the shape is constant. */
  literal(data: readonly (number | bigint)[], dtype: DType, shape: readonly Dim[]): Value {
    return this.#one({ kind: 'source', source: { type: 'constant', dtype, shape, data }, inputs: [] }, 'c');
  }

  iota(shape: readonly Dim[], dim: number, dtype: DType = 'i64'): Value {
    return this.#one({ kind: 'source', source: { type: 'iota', dtype, shape, dim }, inputs: [] });
  }

  /** The value of a dimension expression as a rank-0 i64, or another dtype. */
  size(value: Dim, dtype: DType = 'i64'): Value {
    return this.cast(this.#one({ kind: 'source', source: { type: 'size', value }, inputs: [] }), dtype);
  }

  contract(
    space: IndexSpace,
    accesses: readonly Access[],
    inputs: readonly Value[],
    guards: readonly Affine[] = [],
    hint?: string,
  ): Value {
    return this.#one({ kind: 'contract', space, accesses, guards, inputs }, hint);
  }

  /** A reduction over whole dimensions; `keepdim` is a reshape away. The results keep the other dimensions in order. */
  reduce(op: string, input: Value, dims: readonly number[], hint?: string): readonly Value[] {
    return this.reduceOver(op, input, ...dimsSpace(input.type.shape, dims), hint);
  }

  reduceOver(op: string, input: Value, space: IndexSpace, access: Access, hint?: string): readonly Value[] {
    return this.add({ kind: 'reduce', op, space, access, inputs: [input] }, hint);
  }

  /** Sum over whole dimensions; the operand itself when there are none. */
  sum(input: Value, dims: readonly number[], hint?: string): Value {
    if (dims.length === 0) return input;
    const [result] = this.reduce('sum', input, dims, hint);
    if (result === undefined) throw new Error('sum has no result');
    return result;
  }

  view(input: Value, view: View, hint?: string): Value {
    return this.#one({ kind: 'view', view, inputs: [input] }, hint);
  }

  reshape(input: Value, shape: readonly Dim[], hint?: string): Value {
    const same =
      shape.length === input.type.shape.length && shape.every((d, i) => dimEquals(d, input.type.shape[i] as Dim));
    return same ? input : this.view(input, { type: 'reshape', shape }, hint);
  }

  permute(input: Value, permutation: readonly number[], hint?: string): Value {
    return permutation.every((from, to) => from === to)
      ? input
      : this.view(input, { type: 'permute', permutation }, hint);
  }

  /** Repeats to `shape` by NumPy's rules: right-aligned, dimensions of size 1 and missing leading dimensions repeat. */
  broadcastTo(input: Value, shape: readonly Dim[], hint?: string): Value {
    const offset = shape.length - input.type.shape.length;
    const same = offset === 0 && shape.every((d, i) => dimEquals(d, input.type.shape[i] as Dim));
    if (same) return input;
    return this.view(input, { type: 'broadcast', shape, dims: input.type.shape.map((_, i) => i + offset) }, hint);
  }

  pad(
    input: Value,
    value: Value,
    low: readonly Dim[],
    high: readonly Dim[],
    interior: readonly number[],
    hint?: string,
  ): Value {
    return this.#one(
      { kind: 'assemble', assemble: { type: 'pad', low, high, interior }, inputs: [input, value] },
      hint,
    );
  }

  concat(inputs: readonly Value[], dim: number, hint?: string): Value {
    return this.#one({ kind: 'assemble', assemble: { type: 'concat', dim }, inputs }, hint);
  }

  gather(space: IndexSpace, access: Access, inputs: readonly Value[], hint?: string): Value {
    return this.#one({ kind: 'index', indexing: { type: 'gather', space, access }, inputs }, hint);
  }

  scatter(mode: ScatterMode, space: IndexSpace, access: Access, inputs: readonly Value[], hint?: string): Value {
    return this.#one({ kind: 'index', indexing: { type: 'scatter', mode, space, access }, inputs }, hint);
  }

  /** Sums a value over the dimensions that broadcasting it to its own shape from `shape` added or repeated: the transposition of broadcasting. */
  sumToShape(input: Value, shape: readonly Dim[], hint?: string): Value {
    const offset = input.type.shape.length - shape.length;
    const repeated = input.type.shape.flatMap((dim, i) => {
      const target = shape[i - offset];
      return target === undefined || (isDimConst(target, 1) && !isDimConst(dim, 1)) ? [i] : [];
    });
    return this.reshape(this.sum(input, repeated, hint), shape, hint);
  }

  finish(results: readonly Value[], origin: Origin = {}): Func {
    return { name: this.name, params: [...this.#params], nodes: [...this.#nodes], results, origin };
  }
}
