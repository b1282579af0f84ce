// Computes one element of any value of a kernel function: walks from the value to the function's parameters and turns views,
// broadcasts, gathers and masks into arithmetic on positions. Reductions become folds in the outermost loop where they can stand.

import {
  type Dim,
  dimAdd,
  dimAsSymbol,
  dimConst,
  dimExactDiv,
  dimMul,
  dimSub,
  dimSymbol,
  isDimConst,
} from '../../../compiler/ir/dims.js';
import { roundHalf } from '../../../compiler/ir/evaluate/tensor.js';
import type {
  Access,
  Affine,
  AssembleNode,
  ContractNode,
  ElementwiseNode,
  Func,
  IndexNode,
  IndexSpace,
  Node,
  Origin,
  ReduceNode,
  SourceNode,
  Subscript,
  TensorType,
  Value,
  ViewNode,
} from '../../../compiler/ir/graph.js';
import { nodeName } from '../../../compiler/ir/graph.js';
import { argument, cast, constant, type Scalar } from '../../../compiler/ir/scalar.js';
import { elementwiseOp, reduceOp } from '../../../compiler/ops/table.js';
import type { Buffer, Fold, Guard, Position, Temp } from '../ir.js';
import {
  atLeastZero,
  bothGuards,
  flatten,
  guardKey,
  insideGuards,
  isWithin,
  multipleGuards,
  quotient,
  reshapePosition,
  zeroGuards,
} from '../positions.js';
import { Body, type KernelNames } from './body.js';
import { conditionGuards } from './conditions.js';
import { accumulatorType, contractionFold, narrowPositions, reductionFold, usesArgument } from './folds.js';
import { foldInCalls } from './random.js';

/** A place in the program where a kernel may report a fault. */
export interface FaultSite {
  readonly origin: Origin;
  readonly operation: string;
  /** The whole message of a fault that is no index out of range. */
  readonly message?: string;
}

const zero = dimConst(0);

/** The lowering of one kernel function: its buffers, its body, and the elements computed so far. */
export class Lowering {
  readonly body: Body;
  readonly faults: FaultSite[] = [];
  /** Memory that each chunk has for itself. */
  readonly scratch: Buffer[] = [];
  readonly #tables: Buffer[] = [];
  readonly #inputs: ReadonlyMap<Value, Buffer>;
  readonly #definitions: ReadonlyMap<Value, { readonly node: Node; readonly result: number }>;
  readonly #scalars = new Map<Node, Scalar>();
  readonly #sites = new Map<Node, number>();
  /** Buffers in which values are kept once a fold has computed them for its whole row. */
  readonly #keep = new Map<Value, Buffer>();
  readonly #pending = new Set<Value>();
  readonly #kept = new Set<Value>();

  constructor(
    readonly fn: Func,
    names: KernelNames,
  ) {
    this.body = new Body({ names, ranges: new Map() });
    this.#inputs = new Map(fn.params.map((param, i) => [param, inputBuffer(`in${i}`, param.type)]));
    this.#definitions = new Map(
      fn.nodes.flatMap((node) => node.results.map((value, result) => [value, { node, result }] as const)),
    );
  }

  /** The buffers that are read: parameters in order, then constant tables. */
  get inputs(): readonly Buffer[] {
    return [...this.#inputs.values(), ...this.#tables];
  }

  definition(value: Value): { readonly node: Node; readonly result: number } | undefined {
    return this.#definitions.get(value);
  }

  /** The element `at` of a value. Where a guard fails nothing out of bounds is read, and the result is any number. */
  value(value: Value, at: readonly Position[], guards: readonly Guard[] = []): Temp {
    const kept = this.kept(value);
    if (kept !== undefined)
      return this.body.letHere({ kind: 'load', buffer: kept, offset: flatten(at, value.type.shape), guards });
    const input = this.#inputs.get(value);
    if (input !== undefined) return this.#load(input, value.type.shape, at, guards);
    const definition = this.#definitions.get(value);
    if (definition === undefined) throw new Error(`the value %${value.name} is not defined in its kernel`);
    const { node, result } = definition;
    switch (node.kind) {
      case 'elementwise':
        return this.#elementwise(node, at, guards);
      case 'view':
        return this.value(operand(node, 0), this.viewed(node, at), guards);
      case 'source':
        return this.#source(node, at, guards);
      case 'assemble':
        return this.#assemble(node, at, guards);
      case 'index':
        return this.#gather(node, at, guards);
      case 'reduce':
        return this.#fold(node, at, guards, () => this.#reduce(node, at, guards))[result] as Temp;
      case 'contract':
        return this.#fold(node, at, guards, () => this.#contract(node, at, guards))[0] as Temp;
      default:
        throw new Error(`${nodeName(node)} cannot stand inside of a kernel with other nodes`);
    }
  }

  #load(buffer: Buffer, shape: readonly Dim[], at: readonly Position[], guards: readonly Guard[]): Temp {
    return this.body.let({ kind: 'load', buffer, offset: flatten(at, shape), guards });
  }

  #elementwise(node: ElementwiseNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    // Without this, shared operands would be walked once for each path to them, of which there may be exponentially many.
    const places = at.map((position) => position.key).join();
    const key = `element ${node.results[0]?.name} ${places} ${guards.map(guardKey).join()}`;
    const known = this.body.recall(key);
    if (known !== undefined) return known;
    const temp = this.#apply(node, at, guards);
    this.body.remember(key, temp);
    return temp;
  }

  #apply(node: ElementwiseNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    const temp = this.#chosen(node, at, guards) ?? this.#computed(node, at, guards);
    const value = node.results[0] as Value;
    const buffer = this.#keep.get(value);
    if (buffer !== undefined && guards.length === 0 && isWholePlace(at, value.type.shape)) {
      this.body.append({ kind: 'store', buffer, offset: flatten(at, value.type.shape), value: temp });
      this.#pending.add(value);
    }
    return temp;
  }

  #computed(node: ElementwiseNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    const args = node.inputs.map((input) => this.value(input, broadcastPosition(at, input.type.shape), guards));
    const known = this.#scalars.get(node) ?? elementwiseBody(node);
    this.#scalars.set(node, known);
    return this.body.let({ kind: 'scalar', body: known, args });
  }

  /** The element of a selection by a condition on places. */
  #chosen(node: ElementwiseNode, at: readonly Position[], guards: readonly Guard[]): Temp | undefined {
    if (node.op !== 'where') return undefined;
    const [condition, ...choices] = node.inputs as readonly [Value, Value, Value];
    const where = broadcastPosition(at, condition.type.shape);
    const holds = conditionGuards(this, condition, where);
    const decides = holds ?? conditionGuards(this, condition, where, false);
    if (decides === undefined) return undefined;
    const [accepted, otherwise] = (holds === undefined ? choices.toReversed() : choices).map((choice) =>
      this.value(choice, broadcastPosition(at, choice.type.shape), guards),
    ) as [Temp, Temp];
    if (decides.length === 0) return accepted;
    return this.body.let({ kind: 'choose', guards: decides, accepted, otherwise });
  }

  /** Lets the next fold that computes a value for a whole row keep it in a buffer, from which it is read from then on. */
  keep(value: Value, buffer: Buffer): void {
    this.#keep.set(value, buffer);
  }

  /** The buffer in which a fold has kept a value. */
  kept(value: Value): Buffer | undefined {
    return this.#kept.has(value) ? this.#keep.get(value) : undefined;
  }

  /** Where the element of a view lies in the operand. */
  viewed(node: ViewNode, at: readonly Position[]): readonly Position[] {
    const { view } = node;
    const from = operand(node, 0).type.shape;
    switch (view.type) {
      case 'reshape':
        return reshapePosition(at, view.shape, from, this.body.ranges);
      case 'permute': {
        const position = from.map(() => zero);
        view.permutation.forEach((dim, i) => {
          position[dim] = at[i] as Position;
        });
        return position;
      }
      case 'broadcast':
        return from.map((dim, i) => (isDimConst(dim, 1) ? zero : (at[view.dims[i] as number] as Position)));
      case 'slice':
        return at.map((p, i) => dimAdd(view.starts[i] as Dim, dimMul(p, dimConst(view.steps[i] as number))));
      case 'flip':
        return at.map((p, i) => (view.dims.includes(i) ? dimSub(dimSub(from[i] as Dim, dimConst(1)), p) : p));
    }
  }

  #source(node: SourceNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    const { source } = node;
    switch (source.type) {
      case 'constant': {
        if (source.data.length === 1) {
          return this.constant(constant(source.data[0] as number | bigint, source.dtype));
        }
        const element = this.#load(this.#table(node, source), source.shape, at, guards);
        return this.#as(element, source.dtype);
      }
      case 'iota':
        return this.position(at[source.dim] as Position, source.dtype);
      case 'size':
        return this.position(source.value, 'i64');
      case 'random_bits': {
        const [first, second] = this.#key(operand(node, 0)) as [Temp, Temp];
        return this.body.let({ kind: 'random', key: [first, second], position: flatten(at, source.shape) });
      }
      case 'fold_in': {
        const data = this.value(operand(node, 1), []);
        const words = this.#key(operand(node, 0)).concat(data);
        const [low, high] = foldInCalls.map((body) => this.body.let({ kind: 'scalar', body, args: words }));
        return this.body.let({
          kind: 'choose',
          guards: [{ kind: 'nonnegative', value: dimSub(zero, at[0] as Position) }],
          accepted: low as Temp,
          otherwise: high as Temp,
        });
      }
    }
  }

  #key(key: Value): Temp[] {
    return [0, 1].map((word) => this.value(key, [dimConst(word)]));
  }

  constant(body: Scalar): Temp {
    return this.body.let({ kind: 'scalar', body, args: [] });
  }

  position(value: Position, dtype: Temp['dtype']): Temp {
    return this.body.let({ kind: 'position', value, dtype });
  }

  /** The elements of a constant in memory. Numbers of the narrow floats are kept as f32, which holds them exactly. */
  #table(node: Node, source: Extract<SourceNode['source'], { type: 'constant' }>): Buffer {
    const name = `table_${node.results[0]?.name}`;
    const known = this.#tables.find((table) => table.name === name);
    if (known !== undefined) return known;
    const data = source.data.map((number) => (typeof number === 'bigint' ? number : roundHalf(source.dtype, number)));
    const dtype = accumulatorType(source.dtype);
    const table: Buffer = { name, dtype, role: 'table', size: dimConst(data.length), data };
    this.#tables.push(table);
    return table;
  }

  #assemble(node: AssembleNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    const { assemble } = node;
    if (assemble.type === 'pad') {
      const input = operand(node, 0);
      const inside: Guard[] = [];
      const from = at.map((p, d) => {
        const step = (assemble.interior[d] as number) + 1;
        const place = dimSub(p, assemble.low[d] as Dim);
        const position = dimExactDiv(place, dimConst(step)) ?? quotient(place, dimConst(step), this.body.ranges);
        inside.push(...multipleGuards(place, step), ...this.#inside(position, input.type.shape[d] as Dim));
        return position;
      });
      const fill = this.value(operand(node, 1), [], guards);
      if (inside.length === 0) return this.value(input, from, guards);
      const accepted = this.value(input, from, bothGuards(guards, inside));
      return this.body.let({ kind: 'choose', guards: inside, accepted, otherwise: fill });
    }
    return this.#concatenated(node, assemble.dim, at, guards);
  }

  #concatenated(node: AssembleNode, dim: number, at: readonly Position[], guards: readonly Guard[]): Temp {
    const p = at[dim] as Position;
    let start = zero;
    const parts = node.inputs.map((input) => {
      const begin = start;
      start = dimAdd(start, input.type.shape[dim] as Dim);
      return { input, begin, end: start };
    });
    const last = parts.pop();
    if (last === undefined) throw new Error('concat has no operand');
    const part = ({ input, begin }: { input: Value; begin: Dim }): Temp => {
      const position = dimSub(p, begin);
      const inside = this.#inside(position, input.type.shape[dim] as Dim);
      return this.value(
        input,
        at.map((q, d) => (d === dim ? position : q)),
        bothGuards(guards, inside),
      );
    };
    return parts.reduceRight((otherwise, here) => {
      const before: Guard = { kind: 'nonnegative', value: dimSub(dimSub(here.end, dimConst(1)), p) };
      return this.body.let({ kind: 'choose', guards: [before], accepted: part(here), otherwise });
    }, part(last));
  }

  #inside(position: Position, size: Dim): readonly Guard[] {
    return insideGuards(position, size, this.body.ranges);
  }

  #gather(node: IndexNode, at: readonly Position[], guards: readonly Guard[]): Temp {
    const { indexing } = node;
    if (indexing.type !== 'gather') throw new Error('scatter cannot stand inside of a kernel with other nodes');
    const { from, absent } = this.access(indexing.access, operand(node, 0).type, at, node, guards);
    return this.masked(operand(node, 0), from, absent, guards);
  }

  /** The element of a value where the guards of `mask` hold, else 0. */
  masked(value: Value, at: readonly Position[], mask: readonly Guard[], guards: readonly Guard[]): Temp {
    const read = this.value(value, at, bothGuards(guards, mask));
    const isLoad = this.#inputs.has(value);
    if (mask.length === 0 || isLoad) return read;
    const otherwise = this.constant(constant(0, value.type.dtype));
    return this.body.let({ kind: 'choose', guards: mask, accepted: read, otherwise });
  }

  /** Where an access reads at a point of its index space, and under which guards there is an element. */
  access(
    access: Access,
    type: TensorType,
    point: readonly Position[],
    node: Node,
    guards: readonly Guard[],
  ): { readonly from: readonly Position[]; readonly absent: readonly Guard[] } {
    let absent: readonly Guard[] = [];
    const from = access.map((subscript, d) => {
      const size = type.shape[d] as Dim;
      const found = this.#subscript(subscript, size, point, node, guards);
      absent = bothGuards(absent, found.guards);
      return found.position;
    });
    return { from, absent };
  }

  #subscript(
    subscript: Subscript,
    size: Dim,
    point: readonly Position[],
    node: Node,
    guards: readonly Guard[],
  ): { readonly position: Position; readonly guards: readonly Guard[] } {
    if (subscript.kind === 'affine') {
      const expression = affinePosition(subscript.expression, point);
      const position = quotient(expression, dimConst(subscript.divisor), this.body.ranges);
      const inside = subscript.masked ? this.#inside(position, size) : [];
      return { position, guards: [...multipleGuards(expression, subscript.divisor), ...inside] };
    }
    const indices = operand(node, subscript.operand);
    const { from } = this.access(subscript.subscripts, indices.type, point, node, guards);
    const element = this.value(indices, from, guards);
    const value = this.#as(element, 'i64');
    const place = flatten(from, indices.type.shape);
    const index = this.body.lookup(value, size, this.site(node), place, guards);
    const nonempty = isWithin(zero, size, new Map())
      ? []
      : [{ kind: 'nonnegative', value: dimSub(size, dimConst(1)) } as const];
    return { position: dimSymbol(index), guards: nonempty };
  }

  /** The value in a dtype, which it may have already. */
  #as(temp: Temp, dtype: Temp['dtype']): Temp {
    if (temp.dtype === dtype) return temp;
    return this.body.let({ kind: 'scalar', body: cast(argument(0, temp.dtype), dtype), args: [temp] });
  }

  /** The fault site of a node. */
  site(node: Node): number {
    const known = this.#sites.get(node) ?? this.faults.length;
    if (known === this.faults.length) {
      this.faults.push({ origin: node.origin, operation: nodeName(node) });
      this.#sites.set(node, known);
    }
    return known;
  }

  /** Computes a fold once for each position of its result, before the loops that do not matter to it. */
  #fold(node: Node, at: readonly Position[], guards: readonly Guard[], make: () => readonly Temp[]): readonly Temp[] {
    const place = `${node.results[0]?.name} ${at.map((p) => p.key).join()}`;
    // Guards only allow other values where they fail.
    const always = guards.length === 0 ? undefined : this.body.found(`${place} `, this.body.depthOf(at));
    if (always !== undefined) return always;
    const depth = this.body.depthOf([...at, ...guards.map((guard) => guard.value)]);
    const results = this.body.once(`${place} ${guards.map(guardKey).join()}`, depth, make);
    for (const value of this.#pending) this.#kept.add(value);
    this.#pending.clear();
    return results;
  }

  #reduce(node: ReduceNode, at: readonly Position[], guards: readonly Guard[]): readonly Temp[] {
    const input = operand(node, 0);
    const inner = node.space.indices.slice(node.space.outer).map((index) => index.extent);
    const foldOf = (isWhole: boolean): Fold => {
      const plain = reductionFold(node.op, input.type.dtype, isWhole);
      return narrowPositions(plain, inner.reduce(dimMul, dimConst(1))) ?? plain;
    };
    const fold = foldOf(false);
    let isWhole = true;
    const positionType = fold.state.includes('i64') ? 'i64' : 'i32';
    const hasPosition = fold.step.some((body) => usesArgument(body, fold.state.length + 1));
    if (reduceOp(node.op).empty === 'error') this.#checkCount(node, inner);
    const fill = (name: string): void =>
      this.#inner(node.space, at, (point) => {
        const { from, absent } = this.access(node.access, input.type, point, node, guards);
        const element = this.value(input, from, bothGuards(guards, absent));
        const place = hasPosition ? [this.position(flatten(point.slice(node.space.outer), inner), positionType)] : [];
        isWhole &&= absent.length === 0;
        this.body.fold(name, [element, ...place], absent);
      });
    return this.body.accumulate(fold, fill, () => (isWhole ? foldOf(true) : fold));
  }

  /** Reports a fault where a fold that has no value for no elements has none. */
  #checkCount(node: ReduceNode, extents: readonly Dim[]): void {
    const guards = extents.flatMap((extent) => atLeastZero(dimSub(extent, dimConst(1)), new Map()));
    if (guards.length === 0) return;
    const site =
      this.faults.push({ origin: node.origin, operation: node.op, message: `${node.op} of no elements` }) - 1;
    this.body.append({ kind: 'check', guards, site });
  }

  /** Factors of narrow floats are widened before they are multiplied, and the sum is rounded: a product of f32 like any other. */
  #contract(node: ContractNode, at: readonly Position[], guards: readonly Guard[]): readonly Temp[] {
    const { dtype } = operand(node, 0).type;
    const wide = accumulatorType(dtype);
    const sums = this.body.accumulate(contractionFold(wide, node.inputs.length), (name) => {
      this.#inner(node.space, at, (point) => {
        const factors = node.inputs.map((input, k) => {
          const { from, absent } = this.access(node.accesses[k] as Access, input.type, point, node, guards);
          return this.#as(this.masked(input, from, absent, guards), wide);
        });
        this.body.fold(
          name,
          factors,
          node.guards.flatMap((guard) => zeroGuards(affinePosition(guard, point))),
        );
      });
    });
    return sums.map((sum) => this.#as(sum, dtype));
  }

  #inner(space: IndexSpace, at: readonly Position[], body: (point: readonly Position[]) => void): void {
    const extents = space.indices.slice(space.outer).map((index) => index.extent);
    this.body.loops(extents, 'serial', (inner) => body([...at, ...inner]));
  }
}

const inputBuffer = (name: string, type: TensorType): Buffer => ({
  name,
  dtype: type.dtype,
  role: 'in',
  size: type.shape.reduce(dimMul, dimConst(1)),
});

/** Whether a position stands for every element in turn: a loop variable of its own for each dimension with more than one element. */
function isWholePlace(at: readonly Position[], shape: readonly Dim[]): boolean {
  const names = at.flatMap((position, d) => (isDimConst(shape[d] as Dim, 1) ? [] : [dimAsSymbol(position) ?? '']));
  return names.every((name) => name.startsWith('$i')) && new Set(names).size === names.length;
}

/** The operand of a node by position. */
export function operand(node: { readonly inputs: readonly Value[] }, index: number): Value {
  const value = node.inputs[index];
  if (value === undefined) throw new Error(`a node lacks operand ${index}`);
  return value;
}

/** Where an operand of this shape is read when it broadcasts to a result that is computed at `at`. */
export function broadcastPosition(at: readonly Position[], shape: readonly Dim[]): readonly Position[] {
  const offset = at.length - shape.length;
  return shape.map((dim, d) => (isDimConst(dim, 1) ? zero : (at[d + offset] as Position)));
}

/** An affine expression at a point of its space. */
export const affinePosition = (a: Affine, point: readonly Position[]): Position =>
  a.terms.reduce(
    (sum, { index, coefficient }) => dimAdd(sum, dimMul(dimConst(coefficient), point[index] as Position)),
    a.offset,
  );

/** The value of an elementwise node as scalar IR over its operands. */
export function elementwiseBody(node: ElementwiseNode): Scalar {
  const args = node.inputs.map((input, i) => argument(i, input.type.dtype));
  const record = elementwiseOp(node.op);
  const common = node.inputs.find((_, i) => record.fixed?.[i] === undefined)?.type.dtype ?? 'bool';
  return record.value(args, common, node.dtype);
}
