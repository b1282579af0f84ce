// The values of tensors that depend on nothing but constants, so that mistakes in literal data are found when compiling.

import { dimValue } from '../ir/dims.js';
import { EvaluationError } from '../ir/evaluate/error.js';
import { evaluateFunction } from '../ir/evaluate/evaluate.js';
import type { HostTensor } from '../ir/evaluate/tensor.js';
import type { Node, Value } from '../ir/graph.js';
import type { Frame } from './frame.js';

/** More nodes or elements than these are not worth the time. */
const maxNodes = 256;
const maxElements = 65_536;

/** The value of a tensor of the function being written, when it is computed from small constants alone. */
export function knownValue(frame: Frame, value: Value): HostTensor | undefined {
  const makers = new Map<Value, Node>();
  for (const node of frame.nodes) for (const result of node.results) makers.set(result, node);
  const needed = new Set<Node>();
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const node = makers.get(next);
    if (node === undefined || !isConstant(node) || needed.size > maxNodes) return undefined;
    if (needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.inputs);
  }
  const nodes = frame.nodes.filter((node) => needed.has(node));
  const func = { name: 'known', params: [], nodes, results: [value], origin: {} };
  try {
    return evaluateFunction({ functions: new Map([[func.name, func]]) }, func.name, [])[0];
  } catch (error) {
    // An index out of range is reported when it is reached; here it only means that the value is not known.
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}

function isConstant(node: Node): boolean {
  if (node.kind === 'region') return false;
  if (node.kind === 'source' && node.source.type !== 'constant' && node.source.type !== 'iota') return false;
  return node.results.every(({ type }) => {
    const sizes = type.shape.map(dimValue);
    return sizes.every((size) => size !== undefined) && sizes.reduce((a: number, b) => a * (b ?? 0), 1) <= maxElements;
  });
}
