// Splits a function at its loops and branches: a kernel may hold nothing that runs partly before and partly after one of them.

import { isControl } from '../../ir/control.js';
import type { Func, Node, Value } from '../../ir/graph.js';
import { namesOf } from '../../ir/rewrite.js';

const isConstant = (node: Node): boolean => node.kind === 'source' && node.inputs.length === 0;

/** How many loops and branches must have run, one after another, before each node can. Views are read late, so they come late. */
function levelsOf(func: Func): ReadonlyMap<Node, number> {
  const level = new Map<Node, number>();
  const ready = new Map<Value, number>();
  for (const node of func.nodes) {
    const own = Math.max(0, ...node.inputs.map((input) => ready.get(input) ?? 0));
    level.set(node, own);
    for (const result of node.results) ready.set(result, isControl(node) ? own + 1 : own);
  }
  const results = new Set(func.results);
  const earliest = new Map<Value, number>();
  for (const node of func.nodes.toReversed()) {
    if (node.kind === 'view' && !node.results.some((result) => results.has(result))) {
      const late = Math.min(...node.results.map((result) => earliest.get(result) ?? Number.POSITIVE_INFINITY));
      if (Number.isFinite(late)) level.set(node, late);
    }
    const own = level.get(node) as number;
    for (const input of node.inputs) earliest.set(input, Math.min(own, earliest.get(input) ?? own));
  }
  return level;
}

/**
 * The parts of a function between its loops and branches, in order, each a function of its own: it takes the values that it reads and
 * gives those that other parts, loops, branches and the function's results need. Constants are in every part that reads them.
 */
export function partsOf(func: Func): readonly Func[] {
  const level = levelsOf(func);
  const visible = new Set<Value>(func.results);
  for (const node of func.nodes) if (isControl(node)) for (const input of node.inputs) visible.add(input);
  const shared = new Map<Value, Node>();
  for (const node of func.nodes) {
    const [result] = node.results;
    if (result !== undefined && isConstant(node) && !visible.has(result)) shared.set(result, node);
  }
  const readAt = new Map<Value, Set<number>>();
  for (const node of func.nodes) {
    for (const input of node.inputs) readAt.set(input, (readAt.get(input) ?? new Set()).add(level.get(node) as number));
  }
  const names = namesOf(func);
  const last = Math.max(0, ...level.values());
  return Array.from({ length: last + 1 }, (_, at): Func => {
    const own = func.nodes.filter(
      (node) => level.get(node) === at && !isControl(node) && !shared.has(node.results[0] as Value),
    );
    const copies = new Map<Value, Node>();
    const read = (value: Value): Value => {
      const constant = shared.get(value);
      if (constant === undefined) return value;
      const known = copies.get(value) ?? {
        ...constant,
        results: [{ ...value, name: names.fresh(value.name) }],
      };
      copies.set(value, known);
      return known.results[0] as Value;
    };
    const inside = own.map((node) => ({ ...node, inputs: node.inputs.map(read) }));
    const nodes = [...copies.values(), ...inside];
    const computed = new Set(nodes.flatMap((node) => node.results));
    const params = new Set(inside.flatMap((node) => node.inputs).filter((input) => !computed.has(input)));
    const results = own.flatMap((node) =>
      node.results.filter(
        (result) => visible.has(result) || [...(readAt.get(result) ?? [])].some((reader) => reader !== at),
      ),
    );
    return { ...func, params: [...params], nodes, results };
  }).filter((part) => part.nodes.length > 0);
}
