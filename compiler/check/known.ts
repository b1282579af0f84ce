// The values of tensors that depend on nothing but constants, so that mistakes in literal data are found when compiling, and shapes can
// depend on such data. Where a program is specialised to its arguments, these count as constants.

import { dimValue } from '../ir/dims.js';
import { EvaluationError } from '../ir/evaluate/error.js';
import { evaluateFunction } from '../ir/evaluate/evaluate.js';
import type { HostTensor } from '../ir/evaluate/tensor.js';
import type { Func, Node, Region, Value } from '../ir/graph.js';
import type { Context } from './context.js';

/** More nodes or elements than these are not worth the time, nor more trips of a loop or elements in one. */
const maxNodes = 256;
const maxElements = 65_536;
const [maxTrips, maxLoopElements] = [64, 4096];

/** The value of a tensor of the function being written, when it is computed from small constants alone. */
export function knownValue({ b: frame, functions }: Context, value: Value): HostTensor | undefined {
  const nodes: Node[] = [];
  const params = new Set<Value>();
  const seen = new Set<Node>();
  const visit = (needed: Value): boolean => {
    if (frame.data(needed) !== undefined) {
      params.add(needed);
      return true;
    }
    const node = frame.maker(needed);
    if (node === undefined || !isConstant(node, functions, maxElements) || seen.size > maxNodes) return false;
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
    return evaluateFunction({ functions: new Map([...functions, [func.name, func]]) }, func.name, data)[0];
  } catch (error) {
    // An index out of range is reported when it is reached; here it only means that the value is not known.
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}

type Functions = ReadonlyMap<string, Func>;

function isConstant(node: Node, functions: Functions, most: number): boolean {
  if (node.kind === 'region' && !isShortRegion(node.region, functions)) return false;
  if (node.kind === 'source' && node.source.type !== 'constant' && node.source.type !== 'iota') return false;
  return node.results.every(({ type }) => {
    const sizes = type.shape.map(dimValue);
    return sizes.every((size) => size !== undefined) && sizes.reduce((a: number, b) => a * (b ?? 0), 1) <= most;
  });
}

/** Whether a region is a call, or a loop of a few trips, of a function that computes the same from the same operands. */
function isShortRegion(region: Region, functions: Functions): boolean {
  const isLoop = region.type === 'loop' && region.condition === undefined && !region.counted;
  const trips = isLoop && region.length !== undefined ? dimValue(region.length) : undefined;
  if (region.type !== 'call' && region.type !== 'custom_jvp' && (trips ?? maxTrips + 1) > maxTrips) return false;
  return functions.get(region.fn)?.nodes.every((node) => isConstant(node, functions, maxLoopElements)) === true;
}
