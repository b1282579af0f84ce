// Prints the right-hand side of a statement: one form for each kind of node.

import { loopInputs } from '../control.js';
import { isDimConst, shapeEquals } from '../dims.js';
import type {
  Access,
  Affine,
  Index,
  IndexSpace,
  LoopRegion,
  Node,
  NodeOf,
  Region,
  Subscript,
  Value,
} from '../graph.js';
import { dimsSpace, distinctNames, plainIndexOf, plainIndicesOf } from '../space.js';
import { printName, printNumber } from './words.js';

/** How an operand prints: its name, or its value when it is a rank-0 constant. */
export type PrintValue = (value: Value) => string;

const list = (items: readonly unknown[]): string => `[${items.join(', ')}]`;

/** A statement without its results, types and comment. */
export function printOperation(node: Node, value: PrintValue): string {
  const inputs = node.inputs.map(value);
  const operands = inputs.join(', ');
  switch (node.kind) {
    case 'elementwise':
      return `${printName(node.op)} ${operands}`;
    case 'contract':
      return printContract(node, inputs);
    case 'reduce':
      return printReduce(node, inputs);
    case 'view':
      return printView(node, operands);
    case 'assemble': {
      if (node.assemble.type === 'concat') return `concat ${operands} along ${node.assemble.dim}`;
      const { low, high, interior } = node.assemble;
      const between = interior.some((n) => n !== 0) ? ` interior ${list(interior)}` : '';
      return `pad ${inputs[0]} with ${inputs[1]} low ${list(low.map((d) => d.key))} high ${list(high.map((d) => d.key))}${between}`;
    }
    case 'index':
      return printIndexing(node, inputs);
    case 'order':
      return printOrder(node, operands);
    case 'source':
      return printSource(node, operands);
    case 'region':
      return printRegion(node.region, inputs);
  }
}

function printOrder({ op, dim, reverse, places }: NodeOf<'order'>, operands: string): string {
  const from = places === undefined ? '' : ` from [${places.start.key}]`;
  return `${printName(op)} ${operands} along ${dim}${reverse ? ' reverse' : ''}${from}`;
}

function printView(node: NodeOf<'view'>, operands: string): string {
  const { view } = node;
  switch (view.type) {
    case 'reshape':
      return `reshape ${operands}`;
    case 'permute':
      return `permute ${operands} by ${list(view.permutation)}`;
    case 'broadcast':
      return `broadcast ${operands} at ${list(view.dims)}`;
    case 'flip':
      return `flip ${operands} along ${list(view.dims)}`;
    case 'slice': {
      const steps = view.steps.some((step) => step !== 1) ? ` step ${list(view.steps)}` : '';
      return `slice ${operands} from ${list(view.starts.map((d) => d.key))}${steps}`;
    }
  }
}

function printSource(node: NodeOf<'source'>, operands: string): string {
  const { source } = node;
  switch (source.type) {
    case 'constant': {
      const [only] = source.data;
      return `constant ${source.data.length === 1 && only !== undefined ? printNumber(only) : list(source.data.map(printNumber))}`;
    }
    case 'iota':
      return `iota along ${source.dim}`;
    case 'size':
      return `size {${source.value.key}}`;
    default:
      return `${source.type} ${operands}`;
  }
}

function printRegion(region: Region, inputs: readonly string[]): string {
  const fn = `@${printName(region.fn)}`;
  switch (region.type) {
    case 'loop':
      return `loop ${fn}${printLoop(region, inputs)}`;
    case 'if': {
      const [condition, ...args] = inputs;
      return `if ${condition} then ${fn} else @${printName(region.otherwise)} (${args.join(', ')})`;
    }
    case 'jvp':
    case 'vjp':
      return `${region.type} ${fn}(${inputs.join(', ')}) wrt ${list(region.wrt)} of ${list(region.of)}`;
    case 'vmap':
      return `${region.type} ${fn}(${inputs.join(', ')}) over ${list(region.over)} size ${list([region.size.key])}`;
    case 'custom_jvp':
      return `${region.type} ${fn}(${inputs.join(', ')}) derivative @${printName(region.derivative)} wrt ${list(region.wrt)} of ${list(region.of)}`;
    default:
      return `${region.type} ${fn}(${inputs.join(', ')})`;
  }
}

/** The parts of a loop, each after a word of its own; parts that are empty are left out. */
function printLoop(region: LoopRegion, inputs: readonly string[]): string {
  const { trips, constants, carries, xs } = loopInputs(region, inputs);
  const part = (word: string, items: readonly string[]) => (items.length === 0 ? '' : ` ${word} ${items.join(', ')}`);
  return [
    region.length === undefined ? '' : ` over ${list([region.length.key])}`,
    part('times', trips),
    part('while', region.condition === undefined ? [] : [`@${printName(region.condition)}`]),
    region.reverse ? ' reverse' : '',
    part('with', constants),
    part('carry', carries),
    part('each', xs),
  ].join('');
}

// ---- index spaces -----------------------------------------------------------------------------------------------------

function printAffine(affine: Affine, indices: readonly Index[]): string {
  let text = '';
  const add = (negative: boolean, magnitude: string) => {
    if (text === '') text = negative ? `-${magnitude}` : magnitude;
    else text += ` ${negative ? '-' : '+'} ${magnitude}`;
  };
  for (const { index, coefficient } of affine.terms) {
    const size = Math.abs(coefficient);
    const name = indices[index]?.name ?? `?${index}`;
    add(coefficient < 0, size === 1 ? name : `${size}*${name}`);
  }
  const offset =
    affine.offset.terms.length === 1 && affine.offset.terms[0]?.atoms.length === 0 ? affine.offset.terms[0] : undefined;
  if (offset !== undefined) add(offset.coefficient < 0, String(Math.abs(offset.coefficient)));
  else if (!isDimConst(affine.offset, 0)) add(false, `{${affine.offset.key}}`);
  return text === '' ? '0' : text;
}

/** Prints lookups: the name of the index tensor, and its position among the inputs where that is not the one expected. */
type PrintLookup = (operand: number) => string;

function printSubscript(subscript: Subscript, indices: readonly Index[], lookup: PrintLookup): string {
  if (subscript.kind === 'lookup') {
    const name = lookup(subscript.operand);
    return `${name}${list(subscript.subscripts.map((inner) => printSubscript(inner, indices, lookup)))}`;
  }
  const expression = printAffine(subscript.expression, indices);
  const quotient = subscript.divisor === 1 ? expression : `(${expression}) / ${subscript.divisor}`;
  return subscript.masked ? `${quotient}?` : quotient;
}

const noLookup: PrintLookup = (operand) => `^${operand}`;

const printAccess = (access: Access, indices: readonly Index[], lookup: PrintLookup = noLookup): string =>
  list(access.map((subscript) => printSubscript(subscript, indices, lookup)));

/** An operand and how it is read, from which extents of inner indices can be told. */
export interface Reading {
  readonly value: Value;
  readonly access: Access;
}

/**
 * The extent of an index as a reader of the text takes it when none is written: the size of the dimension that the first
 * plain unmasked subscript addresses with it.
 */
export function impliedExtent(index: number, readings: readonly Reading[]): Index['extent'] | undefined {
  for (const { value, access } of readings) {
    const dim = access.findIndex((s) => s.kind === 'affine' && !s.masked && plainIndexOf(s) === index);
    if (dim >= 0) return value.type.shape[dim];
  }
  return undefined;
}

/** `[b, o] over k < 5, u`; an outer extent is that of the result (`shape`), an inner one is written where operands do not imply it. */
function printSpace(space: IndexSpace, shape: Value['type']['shape'], readings: readonly Reading[]): string {
  const texts = space.indices.map(({ name, extent }, i) => {
    const implied = i < space.outer ? shape[i] : impliedExtent(i, readings);
    return implied?.key === extent.key ? name : `${name} < ${extent.key}`;
  });
  const inner = texts.slice(space.outer);
  return `${list(texts.slice(0, space.outer))}${inner.length > 0 ? ` over ${inner.join(', ')}` : ''}`;
}

const withDistinctNames = (space: IndexSpace): IndexSpace => ({ ...space, indices: distinctNames(space.indices) });

const shapeOf = (node: Node) => node.results[0]?.type.shape ?? [];

function printContract(node: NodeOf<'contract'>, inputs: readonly string[]): string {
  const space = withDistinctNames(node.space);
  const readings = node.inputs.map((value, i) => ({ value, access: node.accesses[i] ?? [] }));
  const factors = inputs.map((input, i) => `${input}${printAccess(node.accesses[i] ?? [], space.indices)}`);
  const guards = node.guards.map((guard) => `${printAffine(guard, space.indices)} == 0`);
  const where = guards.length > 0 ? ` where ${guards.join(', ')}` : '';
  return `contract ${printSpace(space, shapeOf(node), readings)}: ${factors.join(' * ')}${where}`;
}

function printReduce(node: NodeOf<'reduce'>, inputs: readonly string[]): string {
  const op = printName(node.op);
  const operand = node.inputs[0] as Value;
  const whole = wholeDims(node, operand);
  if (whole !== undefined) return `${op} ${inputs[0]} over ${list(whole)}`;
  const space = withDistinctNames(node.space);
  const head = printSpace(space, shapeOf(node), [{ value: operand, access: node.access }]);
  return `${op} ${head}: ${inputs[0]}${printAccess(node.access, space.indices)}`;
}

/** The dimensions reduced, when the reduction is over whole dimensions in the usual order. */
function wholeDims(node: NodeOf<'reduce'>, operand: Value): readonly number[] | undefined {
  const plain = plainIndicesOf(node.access);
  if (plain === undefined) return undefined;
  const dims = plain.flatMap((index, dim) => (index >= node.space.outer ? [dim] : []));
  const [space, access] = dimsSpace(operand.type.shape, dims);
  const same =
    space.outer === node.space.outer &&
    plain.every((index, dim) => index === plainIndexOf(access[dim] as Subscript)) &&
    node.access.every((subscript) => subscript.kind === 'affine' && !subscript.masked) &&
    shapeEquals(
      space.indices.map((i) => i.extent),
      node.space.indices.map((i) => i.extent),
    );
  return same ? dims : undefined;
}

function printIndexing(node: NodeOf<'index'>, inputs: readonly string[]): string {
  const { indexing } = node;
  const space = withDistinctNames(indexing.space);
  const lookup = lookupPrinter(node, inputs);
  if (indexing.type === 'gather') {
    return `gather ${printSpace(space, shapeOf(node), [])}: ${inputs[0]}${printAccess(indexing.access, space.indices, lookup)}`;
  }
  const head = printSpace(space, node.inputs[1]?.type.shape ?? [], []);
  return `scatter ${indexing.mode} ${head}: ${inputs[0]}${printAccess(indexing.access, space.indices, lookup)} from ${inputs[1]}`;
}

/** The positions of index tensors as a reader of the text takes them: one for each name, in order of appearance. */
export class LookupPositions {
  readonly #positions = new Map<string, number>();
  #next: number;

  constructor(base: number) {
    this.#next = base;
  }

  /** The position taken when none is written. */
  expected(name: string): number {
    return this.#positions.get(name) ?? this.#next;
  }

  enter(name: string, position: number): void {
    if (!this.#positions.has(name)) this.#positions.set(name, position);
    this.#next = Math.max(this.#next, position + 1);
  }
}

/** The operands before the index tensors of a gather or scatter. */
export const fixedInputs = (type: 'gather' | 'scatter'): number => (type === 'gather' ? 1 : 2);

/**
 * A lookup names its index tensor. A reader gives index tensors their positions in the order in which they appear, one for each
 * value; where the node has it otherwise, the position is written: `%i^2[n]`.
 */
function lookupPrinter(node: NodeOf<'index'>, inputs: readonly string[]): PrintLookup {
  const base = fixedInputs(node.indexing.type);
  const positions = new LookupPositions(base);
  return (operand) => {
    const text = inputs[operand] ?? `?${operand}`;
    const mark = positions.expected(text) === operand ? '' : `^${operand}`;
    positions.enter(text, operand);
    return `${text}${mark}`;
  };
}
