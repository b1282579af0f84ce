// What passes are written with: rebuilding a function node by node, copying one function into another, and the small
// analyses that passes share (uses, definitions, free symbols, the order of functions in a module).

import { Builder, NameSupply } from './builder.js';
import { type Dim, dimSymbols } from './dims.js';
import type {
  Affine,
  Func,
  Index,
  IndexSpace,
  Module,
  Node,
  NodeDraft,
  Origin,
  Region,
  Subscript,
  TensorType,
  Value,
} from './graph.js';

// ---- analyses ---------------------------------------------------------------------------------------------------------

/** The node that computes a value, and which of its results the value is. */
export interface Definition {
  readonly node: Node;
  readonly result: number;
}

/** The node of every value that has one; parameters are not in the map. */
export function definitions(func: Func): ReadonlyMap<Value, Definition> {
  const map = new Map<Value, Definition>();
  for (const node of func.nodes) node.results.forEach((value, result) => void map.set(value, { node, result }));
  return map;
}

/** The nodes that read each value, in order, once for each operand position; results of the function are not uses. */
export function uses(func: Func): ReadonlyMap<Value, readonly Node[]> {
  const map = new Map<Value, Node[]>();
  for (const node of func.nodes) {
    for (const input of node.inputs) {
      const readers = map.get(input);
      if (readers === undefined) map.set(input, [node]);
      else readers.push(node);
    }
  }
  return map;
}

/** Every value of a function: parameters and results of nodes, in order. */
export const allValues = (func: Func): readonly Value[] => [
  ...func.params,
  ...func.nodes.flatMap((node) => node.results),
];

/** A supply of names that knows those of a function. */
export function namesOf(func: Func): NameSupply {
  const names = new NameSupply();
  for (const value of allValues(func)) names.reserve(value.name);
  return names;
}

/** The functions that a region carries. */
export function regionFunctions(region: Region): readonly string[] {
  if (region.type === 'loop') return region.condition === undefined ? [region.fn] : [region.fn, region.condition];
  if (region.type === 'custom_jvp') return [region.fn, region.derivative];
  return region.type === 'if' ? [region.fn, region.otherwise] : [region.fn];
}

/** The region with the functions that it carries under other names. */
export function renameRegion(region: Region, rename: (fn: string) => string): Region {
  const fn = rename(region.fn);
  if (region.type === 'if') return { ...region, fn, otherwise: rename(region.otherwise) };
  if (region.type === 'custom_jvp') return { ...region, fn, derivative: rename(region.derivative) };
  if (region.type === 'loop' && region.condition !== undefined)
    return { ...region, fn, condition: rename(region.condition) };
  return { ...region, fn };
}

const affineDims = (affine: Affine): readonly Dim[] => [affine.offset];

const subscriptDims = (subscript: Subscript): readonly Dim[] =>
  subscript.kind === 'affine' ? affineDims(subscript.expression) : subscript.subscripts.flatMap(subscriptDims);

const spaceDims = (space: IndexSpace): readonly Dim[] => space.indices.map((index: Index) => index.extent);

/** Every dimension expression among the attributes of a node; types of its operands and results are not included. */
export function attributeDims(node: NodeDraft): readonly Dim[] {
  switch (node.kind) {
    case 'contract':
      return [
        ...spaceDims(node.space),
        ...node.accesses.flat().flatMap(subscriptDims),
        ...node.guards.flatMap(affineDims),
      ];
    case 'reduce':
      return [...spaceDims(node.space), ...node.access.flatMap(subscriptDims)];
    case 'index':
      return [...spaceDims(node.indexing.space), ...node.indexing.access.flatMap(subscriptDims)];
    case 'view':
      if (node.view.type === 'reshape' || node.view.type === 'broadcast') return node.view.shape;
      return node.view.type === 'slice' ? [...node.view.starts, ...node.view.sizes] : [];
    case 'assemble':
      return node.assemble.type === 'pad' ? [...node.assemble.low, ...node.assemble.high] : [];
    case 'order':
      return node.places === undefined ? [] : [node.places.start, node.places.size];
    case 'source':
      if (node.source.type === 'size') return [node.source.value];
      return node.source.type === 'fold_in' ? [] : node.source.shape;
    case 'region':
      if (node.region.type === 'vmap') return [node.region.size];
      return node.region.type === 'loop' && node.region.length !== undefined ? [node.region.length] : [];
    default:
      return [];
  }
}

/** The run-time dimensions that a function mentions, those of its parameters first, in order of appearance. */
export function freeSymbols(func: Func): ReadonlySet<string> {
  const symbols = new Set<string>();
  const add = (dims: readonly Dim[]) => {
    for (const dim of dims) dimSymbols(dim, symbols);
  };
  for (const param of func.params) add(param.type.shape);
  for (const node of func.nodes) {
    add(attributeDims(node));
    for (const result of node.results) add(result.type.shape);
  }
  return symbols;
}

// ---- rebuilding -------------------------------------------------------------------------------------------------------

/** The node reading other operands; the node itself when they are the same. */
export function withInputs<N extends Node>(node: N, inputs: readonly Value[]): N {
  return inputs.every((value, i) => value === node.inputs[i]) ? node : { ...node, inputs };
}

/** What a visitor of `mapFunction` works with. */
export interface Rewriting {
  /** Makes the nodes of the new function; they get the origin of the node visited. */
  readonly builder: Builder;
  /** The value of the new function that stands for a value of the old one. */
  readonly value: (old: Value) => Value;
  /** The node of the new function that computes a value; undefined for parameters. */
  readonly definition: (value: Value) => Definition | undefined;
}

/**
 * Sees each node in order, its inputs already those of the new function. It returns one value for each result, or undefined
 * to keep the node (it must then have built nothing). The names of the node's results are free while it runs: give the value that
 * stands for a result its name as the hint.
 */
export type Visitor = (node: Node, rewriting: Rewriting) => readonly Value[] | undefined;

/** Rebuilds a function. Parameters, nodes that are kept and their results stay the same objects wherever their inputs do. */
export function mapFunction(func: Func, visit: Visitor): Func {
  const names = namesOf(func);
  const builder = new Builder(func.name, names);
  const replaced = new Map<Value, Value>();
  const value = (old: Value): Value => replaced.get(old) ?? old;
  const defined = new Map<Value, Definition>();
  let seen = 0;
  const definition = (wanted: Value): Definition | undefined => {
    for (; seen < builder.nodes.length; seen++) {
      const node = builder.nodes[seen] as Node;
      node.results.forEach((result, i) => void defined.set(result, { node, result: i }));
    }
    return defined.get(wanted);
  };
  for (const old of func.nodes) {
    const node = withInputs(old, old.inputs.map(value));
    const before = builder.nodes.length;
    for (const result of old.results) names.release(result.name);
    const replacement = builder.withOrigin(old.origin, () => visit(node, { builder, value, definition }));
    if (replacement === undefined) {
      if (builder.nodes.length !== before)
        throw new Error(`a rewrite of ${func.name} built nodes and kept the old one`);
      for (const result of old.results) names.reserve(result.name);
      builder.push(node);
    } else {
      if (replacement.length !== old.results.length) {
        throw new Error(
          `a rewrite of ${func.name} gave ${replacement.length} values for ${old.results.length} results`,
        );
      }
      old.results.forEach((result, i) => void replaced.set(result, replacement[i] as Value));
    }
  }
  return { ...func, nodes: [...builder.nodes], results: func.results.map(value) };
}

/** Applies a change to every function of a module; a function for which it returns undefined is dropped. */
export function mapModule(module: Module, change: (func: Func) => Func | undefined): Module {
  const functions = new Map<string, Func>();
  for (const func of module.functions.values()) {
    const changed = change(func);
    if (changed !== undefined) functions.set(changed.name, changed);
  }
  return { functions };
}

/**
 * Copies the nodes of a function into the one being built, reading `args` for its parameters, and returns the values of its
 * results. Results get fresh names after their old ones; `origin` may change the origin of a copied node.
 */
export function inlineInto(
  builder: Builder,
  func: Func,
  args: readonly Value[],
  origin: (old: Origin) => Origin = (old) => old,
): readonly Value[] {
  if (args.length !== func.params.length)
    throw new Error(`${func.name} takes ${func.params.length} values, got ${args.length}`);
  const values = new Map<Value, Value>(func.params.map((param, i) => [param, args[i] as Value]));
  const value = (old: Value): Value => {
    const found = values.get(old);
    if (found === undefined) throw new Error(`%${old.name} is used in ${func.name} before it is defined`);
    return found;
  };
  for (const node of func.nodes)
    builder.push(copyNode(builder.names, node, node.inputs.map(value), values, origin(node.origin)));
  return func.results.map(value);
}

/** A copy of a node with other inputs and with new result values, which are entered into `values`. */
function copyNode(
  names: NameSupply,
  node: Node,
  inputs: readonly Value[],
  values: Map<Value, Value>,
  origin: Origin,
): Node {
  const results = node.results.map((result): Value => {
    const copy = { name: names.fresh(result.name), type: result.type };
    values.set(result, copy);
    return copy;
  });
  return { ...node, inputs, results, origin };
}

/** A function made of nodes of another one, and the values of that one which it must be given, in order of first use. */
export interface Outlined {
  readonly func: Func;
  readonly args: readonly Value[];
}

/**
 * Makes a function of some nodes of another one (in their order): values that they read and do not compute become its
 * parameters, `results` its results. `args` fixes the first parameters where their order matters.
 */
export function outline(
  name: string,
  nodes: readonly Node[],
  results: readonly Value[],
  origin: Origin = {},
  args: readonly Value[] = [],
): Outlined {
  const computed = new Set(nodes.flatMap((node) => node.results));
  const needed = new Set<Value>(args);
  for (const value of [...nodes.flatMap((node) => node.inputs), ...results])
    if (!computed.has(value)) needed.add(value);
  const params = [...needed];
  return { func: { name, params, nodes: [...nodes], results: [...results], origin }, args: params };
}

// ---- modules ----------------------------------------------------------------------------------------------------------

/** The names of the functions that a function's regions carry, in order of appearance. */
export function callees(func: Func): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of func.nodes) {
    if (node.kind === 'region') for (const fn of regionFunctions(node.region)) names.add(fn);
  }
  return names;
}

/**
 * A module of the given functions with callees before callers; with `roots`, only what these reach. Functions keep their
 * order where the calls allow it. Recursion and calls of missing functions are errors.
 */
export function topologicalModule(functions: Iterable<Func>, roots?: Iterable<string>): Module {
  const byName = new Map<string, Func>();
  for (const func of functions) byName.set(func.name, func);
  const sorted = new Map<string, Func>();
  const open: string[] = [];
  const visit = (name: string): void => {
    if (sorted.has(name)) return;
    const func = byName.get(name);
    if (func === undefined)
      throw new Error(`there is no function @${name}${open.length > 0 ? `, called by @${open.at(-1)}` : ''}`);
    if (open.includes(name))
      throw new Error(`recursion: ${[...open.slice(open.indexOf(name)), name].map((n) => `@${n}`).join(' calls ')}`);
    open.push(name);
    for (const callee of callees(func)) visit(callee);
    open.pop();
    sorted.set(name, func);
  };
  for (const name of roots ?? byName.keys()) visit(name);
  return { functions: sorted };
}

/** The types of some values. */
export const typesOf = (values: readonly Value[]): readonly TensorType[] => values.map((value) => value.type);
