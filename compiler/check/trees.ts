// Trees of tensors: the parameters of a model, gradients and moments like them, records, tuples and lists of tensors.

import { shapeEquals } from '../ir/dims.js';
import type { TensorType } from '../ir/graph.js';
import type { Context } from './context.js';
import { through } from './scope.js';
import { type Cell, contents, describe, list, tuple, typeText, type Val } from './values.js';

export type Tree =
  | { readonly kind: 'leaf'; readonly value: Val }
  | {
      readonly kind: 'node';
      readonly form: 'record' | 'list' | 'tuple';
      readonly entries: readonly (readonly [string, Tree])[];
    };

const leaf = (value: Val): Tree => ({ kind: 'leaf', value });

/** A value as a tree. A model counts with its parameters, each once; buffers and state are not part of it. */
export function treeOf(cx: Context, val: Val, seen: Set<Cell> = new Set()): Tree {
  switch (val.kind) {
    case 'model': {
      const entries = [...val.instance.fields].flatMap(([name, field]): (readonly [string, Tree])[] => {
        const inside = parameterTree(cx, through(val, field), seen);
        if (name === contents && inside?.kind === 'node') return [...inside.entries];
        return inside === undefined ? [] : [[name, inside]];
      });
      return { kind: 'node', form: 'record', entries };
    }
    case 'record':
      return {
        kind: 'node',
        form: 'record',
        entries: [...val.fields].map(([name, field]) => [name, treeOf(cx, field)]),
      };
    case 'list':
    case 'tuple':
      return { kind: 'node', form: val.kind, entries: val.items.map((item, i) => [String(i), treeOf(cx, item)]) };
    default:
      return leaf(val);
  }
}

/** The parameters in the field of a model; undefined where there are none. */
function parameterTree(cx: Context, field: Val, seen: Set<Cell>): Tree | undefined {
  if (field.kind === 'cell') {
    if (field.cell.role !== 'param' || seen.has(field.cell)) return undefined;
    seen.add(field.cell);
    return leaf(field);
  }
  if (field.kind === 'model') {
    const inside = treeOf(cx, field, seen);
    return inside.kind === 'node' && inside.entries.length === 0 ? undefined : inside;
  }
  if (field.kind !== 'list' && field.kind !== 'tuple' && field.kind !== 'record') return undefined;
  const items: readonly (readonly [string, Val])[] =
    field.kind === 'record' ? [...field.fields] : field.items.map((item, i): [string, Val] => [String(i), item]);
  // A list of models keeps its positions: an element without parameters is an empty node.
  const entries = items.map(([name, item]): [string, Tree] => [
    name,
    parameterTree(cx, item, seen) ?? { kind: 'node', form: 'record', entries: [] },
  ]);
  return entries.every(([, inside]) => leaves(inside).length === 0)
    ? undefined
    : { kind: 'node', form: field.kind, entries };
}

/** The tree that `like(x)` names. */
export function likeTree(cx: Context, val: Val): Tree {
  if (
    val.kind === 'model' ||
    val.kind === 'record' ||
    val.kind === 'list' ||
    val.kind === 'tuple' ||
    val.kind === 'tensor' ||
    val.kind === 'cell'
  ) {
    return treeOf(cx, val);
  }
  return cx.fail('E0301', { message: `like takes a model or a tree of tensors, not ${describe(val)}` });
}

export interface Leaf {
  /** Dotted, empty for a tree that is one leaf. */
  readonly path: string;
  readonly value: Val;
}

/** The leaves in order. */
export function leaves(tree: Tree, path = ''): readonly Leaf[] {
  if (tree.kind === 'leaf') return [{ path, value: tree.value }];
  return tree.entries.flatMap(([name, inside]) => leaves(inside, path === '' ? name : `${path}.${name}`));
}

/** The type of a leaf that is a tensor. */
export function leafType(val: Val): TensorType | undefined {
  if (val.kind === 'tensor') return val.value.type;
  return val.kind === 'cell' ? val.cell.type : undefined;
}

/** What is first found to differ between two trees, structure and types; undefined when nothing does. */
export function treeDifference(expected: Tree, found: Tree, path = ''): string | undefined {
  const at = path === '' ? '' : ` at \`${path}\``;
  if (expected.kind === 'leaf') {
    const [wanted, own] = [leafType(expected.value), found.kind === 'leaf' ? leafType(found.value) : undefined];
    if (wanted === undefined) return undefined;
    if (own === undefined) return `a tensor ${typeText(wanted)} is missing${at}`;
    const same = wanted.dtype === own.dtype && shapeEquals(wanted.shape, own.shape);
    return same ? undefined : `${typeText(own)} stands${at} for ${typeText(wanted)}`;
  }
  if (found.kind === 'leaf') return `${describe(found.value)} stands${at} for a tree of ${expected.entries.length}`;
  return structureDifference(expected, found, path) ?? firstDifference(expected, found, path);
}

type NodeOf<T> = Extract<T, { kind: 'node' }>;

function structureDifference(expected: NodeOf<Tree>, found: NodeOf<Tree>, path: string): string | undefined {
  const at = path === '' ? '' : ` under \`${path}\``;
  const names = new Set(found.entries.map(([name]) => name));
  const missing = expected.entries.find(([name]) => !names.has(name));
  if (missing !== undefined) return `\`${missing[0]}\` is missing${at}`;
  const known = new Set(expected.entries.map(([name]) => name));
  const extra = found.entries.find(([name]) => !known.has(name));
  return extra && `\`${extra[0]}\` is not expected${at}`;
}

function firstDifference(expected: NodeOf<Tree>, found: NodeOf<Tree>, path: string): string | undefined {
  const inside = new Map(found.entries);
  for (const [name, tree] of expected.entries) {
    const difference = treeDifference(tree, inside.get(name) as Tree, path === '' ? name : `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The value with the structure of a tree whose leaves `make` gives; models become records. */
export function rebuild(tree: Tree, make: (value: Val, path: string) => Val, path = ''): Val {
  if (tree.kind === 'leaf') return make(tree.value, path);
  const items = tree.entries.map(([name, inside]): [string, Val] => [
    name,
    rebuild(inside, make, path === '' ? name : `${path}.${name}`),
  ]);
  if (tree.form === 'record') return { kind: 'record', fields: new Map(items) };
  const values = items.map(([, value]) => value);
  return tree.form === 'list' ? list(values) : tuple(values);
}

/** Walks several trees of equal structure; `visit` gets the leaves of all of them at one path. */
export function alignTrees(
  cx: Context,
  trees: readonly Tree[],
  names: readonly string[],
  visit: (path: string, leaves: readonly Val[]) => Val,
): Val {
  const walk = (nodes: readonly Tree[], path: string): Val => {
    const [first, ...others] = nodes as readonly [Tree, ...Tree[]];
    if (first.kind === 'leaf') {
      others.forEach((other, i) => {
        if (other.kind === 'node') refuse(i + 1, `a tree stands at \`${path}\` for a tensor`);
      });
      return visit(
        path,
        nodes.map((node) => (node as Extract<Tree, { kind: 'leaf' }>).value),
      );
    }
    others.forEach((other, i) => {
      const difference =
        other.kind === 'leaf' ? `a leaf stands at \`${path}\` for a tree` : structureDifference(first, other, path);
      if (difference !== undefined) refuse(i + 1, difference);
    });
    const inside = others.map((other) => new Map((other as NodeOf<Tree>).entries));
    const items = first.entries.map(([name, tree]): [string, Val] => {
      const rest = inside.map((entries) => entries.get(name) as Tree);
      return [name, walk([tree, ...rest], path === '' ? name : `${path}.${name}`)];
    });
    if (first.form === 'record') return { kind: 'record', fields: new Map(items) };
    const values = items.map(([, value]) => value);
    return first.form === 'list' ? list(values) : tuple(values);
  };
  const refuse = (tree: number, difference: string): never =>
    cx.fail('E0315', { message: `\`${names[tree]}\` is not a tree like \`${names[0]}\`: ${difference}` });
  return walk(trees, '');
}
