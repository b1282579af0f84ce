// Finds what a derivative cannot go through: loops without a bound, backwards; and calls of functions that state their derivative, by what
// that says nothing of.

import { isLoop, type LoopNode, loopInputs } from '../../ir/control.js';
import { isFloat } from '../../ir/dtype.js';
import type { Func, Node, RegionNode, Value } from '../../ir/graph.js';

/** A node that a derivative cannot go through; `input` is what a stated derivative says nothing of. */
export interface Obstacle {
  readonly node: Node;
  readonly input?: Value;
}

class Found extends Error {
  constructor(readonly obstacle: Obstacle) {
    super('a derivative does not go through');
  }
}

/** The functions of the module; whether the derivative is taken in reverse. */
interface Functions {
  readonly byName: ReadonlyMap<string, Func>;
  readonly inReverse: boolean;
}

const functionOf = (functions: Functions, name: string): Func => {
  const func = functions.byName.get(name);
  if (func === undefined) throw new Error(`there is no function @${name}`);
  return func;
};

/** Which results of a function depend differentiably on the active parameters. */
function activeResults(functions: Functions, func: Func, params: readonly boolean[]): readonly boolean[] {
  const active = new Set(func.params.filter((param, i) => params[i] && isFloat(param.type.dtype)));
  for (const node of func.nodes) {
    const inputs = node.inputs.map((input) => active.has(input));
    if (!inputs.includes(true) || (node.kind === 'elementwise' && node.op === 'stop_gradient')) continue;
    const results = node.kind === 'region' ? regionResults(functions, node, inputs) : node.results.map(() => true);
    node.results.forEach((result, i) => {
      if (results[i] && isFloat(result.type.dtype)) active.add(result);
    });
  }
  return func.results.map((result) => active.has(result));
}

function regionResults(functions: Functions, node: RegionNode, inputs: readonly boolean[]): readonly boolean[] {
  if (isLoop(node)) return loopResults(functions, node, inputs);
  const { region } = node;
  const func = functionOf(functions, region.fn);
  if (region.type === 'if') {
    const args = inputs.slice(1);
    const [a, b] = [func, functionOf(functions, region.otherwise)].map((each) => activeResults(functions, each, args));
    return (a ?? []).map((flag, i) => flag || b?.[i] === true);
  }
  if (region.type === 'custom_jvp') {
    const input = node.inputs.find(({ type }, i) => inputs[i] && isFloat(type.dtype) && !region.wrt.includes(i));
    if (input !== undefined) throw new Found({ node, input });
    // Tangents go through the stated derivative, not through the body.
    const derivative = functionOf(functions, region.derivative);
    const rest = [...func.params, ...func.results].map(() => false);
    const given = activeResults(functions, derivative, [...rest, ...region.wrt.map((i) => inputs[i] === true)]);
    return node.results.map((_, i) => given[region.of.indexOf(i)] === true);
  }
  // The tangent of a parameter goes through the same loops as the parameter.
  const params = inputs.slice(0, func.params.length);
  if (region.type === 'jvp')
    region.wrt.forEach((param, i) => {
      if (inputs[func.params.length + i]) params[param] = true;
    });
  const own = activeResults(functions, func, params);
  return node.results.map((_, i) => own[i] ?? true);
}

function loopResults(functions: Functions, node: LoopNode, inputs: readonly boolean[]): readonly boolean[] {
  const { region } = node;
  const body = functionOf(functions, region.fn);
  const given = loopInputs(region, inputs);
  const carries = [...given.carries];
  if (region.length === undefined && functions.inReverse) throw new Found({ node });
  for (;;) {
    const active = [false, ...given.constants, ...carries, ...given.xs];
    const results = activeResults(functions, body, active);
    const grown = carries.map((flag, k) => flag || results[k] === true);
    if (grown.every((flag, k) => flag === carries[k])) return [...carries, ...results.slice(carries.length)];
    carries.splice(0, carries.length, ...grown);
  }
}

/** The first node that the derivative of a function with respect to some parameters cannot go through. */
export function obstacle(
  byName: ReadonlyMap<string, Func>,
  mode: 'jvp' | 'vjp',
  fn: string,
  wrt: readonly number[],
): Obstacle | undefined {
  const functions = { byName, inReverse: mode === 'vjp' };
  const func = functionOf(functions, fn);
  try {
    activeResults(
      functions,
      func,
      func.params.map((_, i) => wrt.includes(i)),
    );
    return undefined;
  } catch (error) {
    if (error instanceof Found) return error.obstacle;
    throw error;
  }
}
