// What has tangents: the tensors of floats in the arguments of a function that states its derivative, and the types that may hold some.

import { isFloat } from '../ir/dtype.js';
import type { Value } from '../ir/graph.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import type { OpenNames } from './signature.js';
import { leaves, rebuild, treeOf } from './trees.js';
import { type Cell, none, tensor, type Val } from './values.js';

/** The tensors of floats in the arguments, which have tangents, and the arguments made of others. */
export interface Differentiable {
  readonly values: readonly Value[];
  readonly names: readonly string[];
  /** The leaves of the state among them, which are places. */
  readonly cells: readonly (Cell | undefined)[];
  /** The arguments with other tensors; models stay what they are, since their leaves are places. */
  readonly rebuild: (from: readonly Value[]) => readonly Val[];
  /** For each argument what is tangent to it: `none` where it holds no tensor of floats. */
  readonly tangents: (from: readonly Value[], tangentOf: (captured: Value) => Value | undefined) => readonly Val[];
}

export function differentiable(cx: Context, args: readonly Val[], argumentNames: readonly string[]): Differentiable {
  const values: Value[] = [];
  const names: string[] = [];
  const cells: (Cell | undefined)[] = [];
  type Made = {
    readonly value: (from: readonly Value[]) => Val;
    readonly tangent: (from: readonly Value[], tangentOf: (captured: Value) => Value | undefined) => Val;
  };
  const leaf = (value: Value, name: string, cell?: Cell): number => {
    names.push(name);
    cells.push(cell);
    return values.push(value) - 1;
  };
  const walk = (val: Val, name: string): Made => {
    const asItIs: Made = { value: () => val, tangent: () => none };
    switch (val.kind) {
      case 'tensor': {
        if (!isFloat(val.value.type.dtype)) return asItIs;
        const at = leaf(val.value, name);
        return { value: (from) => tensor(from[at] as Value), tangent: (from) => tensor(from[at] as Value) };
      }
      case 'cell':
      case 'model': {
        const tree = treeOf(cx, val);
        const places = new Map<string, number>();
        for (const { path, value } of leaves(tree)) {
          if (value.kind !== 'cell' || !isFloat(value.cell.type.dtype)) continue;
          places.set(path, leaf(value.cell.value, value.cell.path, value.cell));
        }
        const tangent: Made['tangent'] = (from) =>
          rebuild(tree, (_, path) => {
            const at = places.get(path);
            return at === undefined ? none : tensor(from[at] as Value);
          });
        return { value: () => val, tangent };
      }
      case 'list':
      case 'tuple': {
        const items = val.items.map((item, i) => walk(item, `${name}.${i}`));
        return {
          value: (from) => ({ ...val, items: items.map((item) => item.value(from)) }),
          tangent: (from, tangentOf) => ({ ...val, items: items.map((item) => item.tangent(from, tangentOf)) }),
        };
      }
      case 'record': {
        const fields = [...val.fields].map(([key, field]) => [key, walk(field, `${name}.${key}`)] as const);
        const record = (of: (made: Made) => Val): Val => ({
          kind: 'record',
          fields: new Map(fields.map(([key, field]) => [key, of(field)])),
        });
        return {
          value: (from) => record((field) => field.value(from)),
          tangent: (from, tangentOf) => record((field) => field.tangent(from, tangentOf)),
        };
      }
      case 'function':
        return {
          value: () => val,
          tangent: (_, tangentOf) => ({ kind: 'function', fn: { type: 'tangent', of: val, tangentOf } }),
        };
      default:
        return asItIs;
    }
  };
  const made = args.map((arg, i) => walk(arg, argumentNames[i] ?? 'x'));
  return {
    values,
    names,
    cells,
    rebuild: (from) => made.map((each) => each.value(from)),
    tangents: (from, tangentOf) => made.map((each) => each.tangent(from, tangentOf)),
  };
}

/** Types whose values have no tangents. */
const withoutTangent = new Set([
  'int',
  'dim',
  'float',
  'string',
  'dtype',
  'key',
  'bool',
  'u8',
  'i8',
  'i16',
  'i32',
  'i64',
]);

/** Whether values of a type may hold tensors of floats, so that the derivative has a parameter for them. */
export function hasTangent(type: ast.Type, open: OpenNames): boolean {
  const isAny = (types: readonly ast.Type[]): boolean => types.some((each) => hasTangent(each, open));
  switch (type.kind) {
    case 'NamedType':
    case 'ShapedType': {
      const { name } = type.kind === 'NamedType' ? type.name : type.dtype;
      const variable = open.get(name);
      return variable?.kind === 'dtype' ? variable.alternatives.some(isFloat) : !withoutTangent.has(name);
    }
    case 'OptionalType':
    case 'MutType':
      return hasTangent(type.type, open);
    case 'ListType':
      return hasTangent(type.element, open);
    case 'TupleType':
      return isAny(type.elements);
    case 'UnionType':
      return isAny(type.alternatives);
    case 'RecordType':
      return isAny(type.fields.map((field) => field.type));
    default:
      return true;
  }
}
