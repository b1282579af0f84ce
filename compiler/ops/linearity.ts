// Whether a function of the graph is linear in some of its parameters: what a stated derivative must be in its tangents, since reverse
// mode transposes it. The answer is conservative: what is called linear is, but a function may be linear without being called so.
//
// Each value is `zero` whatever the parameters are, `free` of them, `linear` in them (homogeneous: it is 0 where they are all 0), or
// `other`, which ends the search.

import { isLoop, type LoopNode, loopInputs } from '../ir/control.js';
import { isFloat } from '../ir/dtype.js';
import type { Func, Node, NodeOf, Value } from '../ir/graph.js';
import { elementwiseOp, orderOp, reduceOp } from './records.js';

export type Dependence = 'zero' | 'free' | 'linear';

/** Thrown at the first node that is not linear in what depends on the parameters. */
class NonLinear extends Error {
  constructor(readonly node: Node) {
    super('not linear');
  }
}

/** How the results depend on the marked parameters, or the node that is not known to be linear. */
export type Linearity = { readonly results: readonly Dependence[] } | { readonly node: Node };

type Functions = ReadonlyMap<string, Func>;

export function linearity(functions: Functions, func: Func, marked: readonly boolean[]): Linearity {
  try {
    return {
      results: resultsOf(
        functions,
        func,
        func.params.map((_, i) => (marked[i] ? 'linear' : 'free')),
      ),
    };
  } catch (error) {
    if (error instanceof NonLinear) return { node: error.node };
    throw error;
  }
}

function resultsOf(functions: Functions, func: Func, params: readonly Dependence[]): readonly Dependence[] {
  const known = new Map<Value, Dependence>(func.params.map((param, i) => [param, params[i] ?? 'free']));
  for (const node of func.nodes) {
    const results = nodeResults(
      functions,
      node,
      node.inputs.map((input) => known.get(input) ?? 'free'),
    );
    node.results.forEach((result, i) => void known.set(result, results[i] ?? 'free'));
  }
  return func.results.map((result) => known.get(result) ?? 'free');
}

/** The dependence of what is a sum over some values, each perhaps read in another way: linear where none of them is free. */
const joined = (node: Node, values: readonly Dependence[]): Dependence => {
  if (!values.includes('linear')) return values.every((value) => value === 'zero') ? 'zero' : 'free';
  if (values.includes('free')) throw new NonLinear(node);
  return 'linear';
};

/** The dependence of a product of which each factor may be the linear one. */
const product = (node: Node, values: readonly Dependence[]): Dependence => {
  if (values.includes('zero')) return 'zero';
  const linear = values.filter((value) => value === 'linear').length;
  if (linear > 1) throw new NonLinear(node);
  return linear === 1 ? 'linear' : 'free';
};

/** What must not depend on the parameters: conditions, positions. */
const expectFree = (node: Node, values: readonly Dependence[]): void => {
  if (values.includes('linear')) throw new NonLinear(node);
};

function elementwise(node: NodeOf<'elementwise'>, inputs: readonly Dependence[]): Dependence {
  const isReal = isFloat((node.results[0] as Value).type.dtype);
  const sets = isReal ? (elementwiseOp(node.op).linear ?? []) : [];
  for (const set of sets) {
    if (inputs.some((input, i) => input === 'linear' && !set.includes(i))) continue;
    const own = set.map((i) => inputs[i] ?? 'free');
    if (own.every((input) => input === 'zero')) return 'zero';
    if (own.includes('linear') && !own.includes('free')) return 'linear';
  }
  expectFree(node, inputs);
  return 'free';
}

function nodeResults(functions: Functions, node: Node, inputs: readonly Dependence[]): readonly Dependence[] {
  const [first = 'free', ...others] = inputs;
  switch (node.kind) {
    case 'elementwise':
      return [elementwise(node, inputs)];
    case 'contract':
      return [product(node, inputs)];
    case 'reduce':
      if (reduceOp(node.op).linear) return [first];
      break;
    case 'view':
      return [first];
    case 'assemble':
      return [joined(node, inputs)];
    case 'index': {
      const data = node.indexing.type === 'gather' ? 1 : 2;
      expectFree(node, inputs.slice(data));
      const isSum = node.indexing.type === 'gather' || node.indexing.mode === 'add' || node.indexing.mode === 'set';
      if (isSum) return [joined(node, inputs.slice(0, data))];
      break;
    }
    case 'order':
      if (orderOp(node.op).linear) return [first];
      break;
    case 'source':
      return [isZero(node) ? 'zero' : 'free'];
    case 'region':
      return region(functions, node, inputs);
  }
  expectFree(node, [first, ...others]);
  return node.results.map(() => 'free');
}

const isZero = ({ source }: NodeOf<'source'>): boolean =>
  source.type === 'constant' && source.data.every((number) => Number(number) === 0);

const functionOf = (functions: Functions, name: string): Func => {
  const func = functions.get(name);
  if (func === undefined) throw new Error(`there is no function @${name}`);
  return func;
};

function region(functions: Functions, node: NodeOf<'region'>, inputs: readonly Dependence[]): readonly Dependence[] {
  if (isLoop(node)) return loop(functions, node, inputs);
  const own = node.region;
  const func = functionOf(functions, own.fn);
  switch (own.type) {
    case 'if': {
      expectFree(node, inputs.slice(0, 1));
      const args = inputs.slice(1);
      const [then, otherwise] = [func, functionOf(functions, own.otherwise)].map((each) =>
        resultsOf(functions, each, args),
      );
      return (then ?? []).map((value, i) => joined(node, [value, otherwise?.[i] ?? 'free']));
    }
    case 'jvp':
    case 'vjp': {
      // Linear in the vector at a point that is fixed.
      const point = inputs.slice(0, func.params.length);
      expectFree(node, point);
      const vector = joined(node, inputs.slice(func.params.length));
      return node.results.map((_, i) => (i < func.results.length ? 'free' : vector));
    }
    default:
      return resultsOf(functions, func, inputs.slice(0, func.params.length));
  }
}

/** A loop: what its carries depend on grows until it stays the same. */
function loop(functions: Functions, node: LoopNode, inputs: readonly Dependence[]): readonly Dependence[] {
  const { region: own } = node;
  const given = loopInputs(own, inputs);
  expectFree(node, given.trips);
  const body = functionOf(functions, own.fn);
  let carries = given.carries;
  for (;;) {
    const results = resultsOf(functions, body, ['free', ...given.constants, ...carries, ...given.xs]);
    const next = carries.map((carry, k) => joined(node, [carry, results[k] ?? 'free']));
    if (next.some((carry, k) => carry !== carries[k])) {
      carries = next;
      continue;
    }
    if (own.condition !== undefined) {
      const condition = functionOf(functions, own.condition);
      expectFree(node, resultsOf(functions, condition, ['free', ...given.constants, ...carries]));
    }
    // Positions without a trip are 0.
    return [...carries, ...results.slice(own.carries), ...(own.condition === undefined ? [] : ['free' as const])];
  }
}
