// Whether two functions, modules or programs say the same: equality up to what the text form does not keep.
//
// Names of indices are bound variables and do not count. Rank-0 constants print inside the nodes that read them, so they count
// as values: where such a constant is computed, what it is called, and whether two readers share one node make no difference.

import type { Program } from '../../program.js';
import type { Affine, Func, IndexSpace, Module, Node, Subscript, Value } from '../graph.js';
import { definitions } from '../rewrite.js';
import { printNumber, printOrigin, printType } from './words.js';

/** The value of a node that is a rank-0 constant. */
export function inlineConstant(node: Node): string | undefined {
  if (node.kind !== 'source' || node.source.type !== 'constant' || node.source.shape.length > 0) return undefined;
  const [value] = node.source.data;
  return value === undefined ? undefined : `${node.source.dtype}(${printNumber(value)})`;
}

const affineKey = (affine: Affine): unknown => [
  affine.terms.map((term) => [term.index, term.coefficient]),
  affine.offset.key,
];

const subscriptKey = (subscript: Subscript): unknown =>
  subscript.kind === 'affine'
    ? [affineKey(subscript.expression), subscript.divisor, subscript.masked]
    : [subscript.operand, subscript.subscripts.map(subscriptKey)];

const spaceKey = (space: IndexSpace): unknown => [space.outer, space.indices.map((index) => index.extent.key)];

/** The attributes of a node as plain data, without names of indices. */
function attributesKey(node: Node): unknown {
  switch (node.kind) {
    case 'elementwise':
      return [node.op, node.dtype];
    case 'contract':
      return [
        spaceKey(node.space),
        node.accesses.map((access) => access.map(subscriptKey)),
        node.guards.map(affineKey),
      ];
    case 'reduce':
      return [node.op, spaceKey(node.space), node.access.map(subscriptKey)];
    case 'view':
      return keyed(node.view);
    case 'assemble':
      return keyed(node.assemble);
    case 'index': {
      const { space, access, ...rest } = node.indexing;
      return [rest, spaceKey(space), access.map(subscriptKey)];
    }
    case 'order':
      return [node.op, node.dim, node.reverse, node.places?.start.key];
    case 'source': {
      const { source } = node;
      return source.type === 'constant'
        ? [keyed({ ...source, data: [] }), source.data.map(printNumber)]
        : keyed(source);
    }
    case 'region':
      return node.region.type === 'loop' || node.region.type === 'vmap' ? keyed(node.region) : node.region;
  }
}

/** Attributes with their dimension expressions as text. */
const keyed = (attributes: object): unknown =>
  Object.entries(attributes).map(([name, value]) => [name, Array.isArray(value) ? value.map(dimKey) : dimKey(value)]);

const dimKey = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'key' in value ? value.key : value;

/** A text that two functions share exactly when they are equal. */
export function functionKey(func: Func): string {
  const defined = definitions(func);
  const reference = (value: Value): string => {
    const definition = defined.get(value);
    const constant = definition === undefined ? undefined : inlineConstant(definition.node);
    return constant ?? `%${value.name}`;
  };
  const named = (value: Value): unknown => [value.name, printType(value.type)];
  const nodes = func.nodes
    .filter((node) => inlineConstant(node) === undefined)
    .map((node) => [
      node.kind,
      attributesKey(node),
      node.inputs.map(reference),
      node.results.map(named),
      printOrigin(node.origin),
    ]);
  return JSON.stringify([
    func.name,
    func.params.map(named),
    nodes,
    func.results.map(reference),
    printOrigin(func.origin),
  ]);
}

/** Whether two functions are equal, value names and origins included. */
export const functionEquals = (a: Func, b: Func): boolean => functionKey(a) === functionKey(b);

/** Whether two modules hold equal functions in the same order. */
export function moduleEquals(a: Module, b: Module): boolean {
  const [left, right] = [[...a.functions.values()], [...b.functions.values()]];
  return left.length === right.length && left.every((func, i) => functionEquals(func, right[i] as Func));
}

/** Whether two programs have equal modules, entries and state. */
export function programEquals(a: Program, b: Program): boolean {
  const header = (program: Program) => JSON.stringify(sorted({ ...program, module: undefined }));
  return header(a) === header(b) && moduleEquals(a.module, b.module);
}

/** Data with the fields of every record in alphabetic order, and dimension expressions as text. */
function sorted(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(sorted);
  if (typeof data !== 'object' || data === null) return data;
  if ('key' in data && 'terms' in data) return data.key;
  return Object.fromEntries(
    Object.entries(data)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([name, value]) => [name, sorted(value)]),
  );
}
