// Orders the nodes of a fused entry. Besides the order that values demand, a kernel that replaces a state leaf waits for the kernels that
// read its old value, so that it can write in place.

import type { Node, Value } from '../../ir/graph.js';

/** A state leaf's old value and the value that replaces it. */
export interface StateUpdate {
  readonly from: Value;
  readonly to: Value;
}

/** The nodes in an order that respects their inputs and, where that is possible, reads state before it is replaced. */
export function orderKernels(nodes: readonly Node[], updates: readonly StateUpdate[]): readonly Node[] {
  const maker = new Map<Value, Node>(nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  const before = new Map<Node, Set<Node>>(
    nodes.map((node) => [node, new Set(node.inputs.flatMap((input) => maker.get(input) ?? []))]),
  );
  const comesAfter = (node: Node, other: Node, seen = new Set<Node>()): boolean => {
    if (node === other) return true;
    if (seen.has(node)) return false;
    seen.add(node);
    return [...(before.get(node) ?? [])].some((earlier) => comesAfter(earlier, other, seen));
  };
  for (const { from, to } of updates) {
    const writer = maker.get(to);
    if (writer === undefined) continue;
    for (const reader of readersOf(from, nodes)) {
      if (reader !== writer && !comesAfter(reader, writer)) before.get(writer)?.add(reader);
    }
  }
  return depthFirst(nodes, before);
}

/** The nodes that read a value, or a reshape of it. */
function readersOf(value: Value, nodes: readonly Node[]): readonly Node[] {
  return nodes.flatMap((node) => {
    if (!node.inputs.includes(value)) return [];
    return node.kind === 'view' ? [node, ...readersOf(node.results[0] as Value, nodes)] : [node];
  });
}

function depthFirst(nodes: readonly Node[], before: ReadonlyMap<Node, ReadonlySet<Node>>): readonly Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const earlier of before.get(node) ?? []) visit(earlier);
    order.push(node);
  };
  for (const node of nodes) visit(node);
  return order;
}
