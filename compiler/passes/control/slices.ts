// Products of a loop's slices with what is the same in every trip. They are computed before the loop for all slices at once: one large product in
// the place of many small ones, as of the inputs of a recurrent layer with its weights.

import type { Builder } from '../../ir/builder.js';
import { type Dim, dimAdd, dimConst, dimIsNonNegative, dimMul, dimProduct, dimSub } from '../../ir/dims.js';
import { dtypeBytes } from '../../ir/dtype.js';
import type { Func, Node, Value } from '../../ir/graph.js';
import { batchBody, type Functions } from '../batch/batch.js';
import { operationCost } from '../fuse/cost.js';

/** The parameters of a loop's function that are the same in every trip, and those that are slices. */
export interface LoopParams {
  readonly constants: readonly Value[];
  readonly slices: readonly Value[];
}

/** How many times as large as what the loop has in slices the slices of products may be. */
const MOST_GROWTH = 4;
/** Operations for an element that are done again rather than stored for each trip. */
const FEW_OPERATIONS = 4;

const bytesOf = (values: readonly Value[]): Dim =>
  values.reduce(
    (sum, { type }) => dimAdd(sum, dimProduct([dimConst(dtypeBytes(type.dtype)), ...type.shape])),
    dimConst(0),
  );

/** Whether a node may be evaluated before the loop: it fails nowhere, and gives for all slices what it gives for each. */
const isHarmless = (node: Node): boolean =>
  node.kind === 'contract' ||
  node.kind === 'view' ||
  node.kind === 'elementwise' ||
  (node.kind === 'source' && node.inputs.length === 0);

/** Whether the loop evaluates a node again, should it need the value, too. */
const isRepeated = (node: Node): boolean =>
  node.kind === 'view' ||
  node.kind === 'source' ||
  (node.kind === 'elementwise' && operationCost(node) <= FEW_OPERATIONS);

/** The products of a loop's function that are worth computing before it: nodes in order, and the values that the rest reads. */
function products(body: Func, { constants, slices }: LoopParams): { nodes: readonly Node[]; read: readonly Value[] } {
  const fixed = new Set<Value>(constants);
  const sliced = new Set<Value>(slices);
  const maker = new Map<Value, Node>();
  for (const node of body.nodes) {
    if (!isHarmless(node) || !node.inputs.every((input) => fixed.has(input) || sliced.has(input))) continue;
    const kind = node.inputs.some((input) => sliced.has(input)) ? sliced : fixed;
    for (const result of node.results) {
      kind.add(result);
      maker.set(result, node);
    }
  }
  const isProduct = (node: Node): boolean =>
    node.kind === 'contract' &&
    node.inputs.some((input) => sliced.has(input)) &&
    node.inputs.some((input) => fixed.has(input) && input.type.shape.length > 0);
  const moved = new Set<Node>();
  const visit = (node: Node | undefined): void => {
    if (node === undefined || moved.has(node)) return;
    moved.add(node);
    for (const input of node.inputs) visit(maker.get(input));
  };
  for (const node of maker.values()) if (isProduct(node)) visit(node);
  const rest = body.nodes.filter((node) => !moved.has(node) || isRepeated(node));
  const reads = new Set([...rest.flatMap((node) => node.inputs), ...body.results]);
  const nodes = body.nodes.filter((node) => moved.has(node));
  const read = nodes
    .filter((node) => !isRepeated(node))
    .flatMap((node) => node.results)
    .filter((value) => reads.has(value));
  return { nodes, read };
}

/** Adds the products for all slices to `b`, which has the loop's inputs; gives their stacks and the function that takes their slices besides. */
export function multiplySlices(
  functions: Functions,
  b: Builder,
  body: Func,
  params: LoopParams,
  inputs: LoopParams,
  length: Dim,
): { readonly body: Func; readonly stacks: readonly Value[] } {
  const { nodes, read } = products(body, params);
  const limit = dimMul(dimConst(MOST_GROWTH), bytesOf(params.slices));
  if (read.length === 0 || !dimIsNonNegative(dimSub(limit, bytesOf(read)))) return { body, stacks: [] };
  const own = [...params.constants, ...params.slices];
  const single: Func = { ...body, params: own, nodes, results: read };
  const isSlice = own.map((param) => params.slices.includes(param));
  const { of: all } = batchBody(
    functions,
    single,
    isSlice,
    length,
    read.map(() => true),
  );
  const values = new Map<Value, Value>(
    all.params.map((param, i) => [param, [...inputs.constants, ...inputs.slices][i] as Value]),
  );
  for (const node of all.nodes) {
    const results = node.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
    b.push({ ...node, inputs: node.inputs.map((input) => values.get(input) as Value), results });
    node.results.forEach((result, i) => void values.set(result, results[i] as Value));
  }
  return {
    body: {
      ...body,
      params: [...body.params, ...read],
      nodes: body.nodes.filter((node) => !node.results.some((result) => read.includes(result))),
    },
    stacks: all.results.map((result) => values.get(result) as Value),
  };
}
