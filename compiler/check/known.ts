// The values of tensors that depend on nothing but constants, so that mistakes in literal data are found when compiling, and shapes can
// depend on such data. Where a program is specialised to its arguments, these count as constants.

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
  const nodes: Node[] = [];
  const params = new Set<Value>();
  const seen = new Set<Node>();
  const visit = (needed: Value): boolean => {
    if (frame.data(needed) !== undefined) {
      params.add(needed);
      return true;
    }
    const node = frame.maker(needed);
    if (node === undefined || !isConstant(node) || seen.size > maxNodes) return false;
    if (seen.has(node)) return true;
    seen.add(node);
    if (!node.inputs.every(visit)) return false;
    nodes.push(node);
    return true;
  };
  if (!visit(value)) return undefined;
  const func = { name: 'known', params: [...params], nodes, results: [value], origin: {} };
  const data = func.params.map((param) => frame.data(param) as HostTensor);
  try {
    return evaluateFunction({ functions: new Map([[func.name, func]]) }, func.name, data)[0];
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
