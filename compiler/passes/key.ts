// Keys by which nodes, and whole functions, are compared for structural equality.

import type { Func, Node, Value } from '../ir/graph.js';

/** Writes what JSON cannot: dimensions by their normal form, big integers, -0, infinities and NaN. */
function encode(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  const isDim = typeof value === 'object' && value !== null && 'terms' in value && 'key' in value;
  return isDim ? value.key : value;
}

/** A key that is equal for nodes that compute the same from the same inputs; `id` names the inputs. */
export function nodeKey(node: Node, id: (value: Value) => number | string): string {
  const { inputs, results: _results, origin: _origin, ...attributes } = node;
  return `${inputs.map(id).join(',')}|${JSON.stringify(attributes, encode)}`;
}

/** A key that is equal for functions that differ in names and origins only. */
export function functionKey(func: Func): string {
  const ids = new Map<Value, number>();
  const id = (value: Value) => ids.get(value) ?? -1;
  const define = (value: Value) => {
    ids.set(value, ids.size);
    return JSON.stringify(value.type, encode);
  };
  const lines = [func.params.map(define).join(';')];
  for (const node of func.nodes) {
    const key = nodeKey(node, id);
    lines.push(`${key}:${node.results.map(define).join(';')}`);
  }
  lines.push(func.results.map(id).join(','));
  return lines.join('\n');
}
