// Expands derivatives. `jvp` regions are linearised: the function is copied, and beside each node stands what its kind's rule makes
// of the tangents. `vjp` regions are linearised and then transposed: what depends on a tangent is linear by construction, so
// walking it backwards with the kinds' transposition rules turns cotangents of the results into cotangents of the parameters.
//
// `vmap` regions become the function for many sets (batch/batch.ts).
//
// Functions come before their callers, so the function of a region holds no derivative regions itself: derivatives nest to any depth.
// Loops and conditional nodes become loops and conditional nodes; docs/differentiation.md says what they store and compute again.

import type { Builder } from '../ir/builder.js';
import type { Func, Module, RegionNode, Value, VmapRegion } from '../ir/graph.js';
import { inlineInto, mapFunction, mapModule } from '../ir/rewrite.js';
import { batchFunction } from './batch/batch.js';
import { openCustom } from './differentiate/custom.js';
import { linearise } from './differentiate/linearise.js';
import { Session, zeros } from './differentiate/session.js';
import { transpose } from './differentiate/transpose.js';
import type { Pass } from './pass.js';

export { DerivativeError } from './differentiate/session.js';

function expandJvp(session: Session, b: Builder, node: RegionNode, func: Func): readonly Value[] {
  const region = node.region as Extract<RegionNode['region'], { type: 'jvp' }>;
  const count = func.params.length;
  const tangents = func.params.map((_, i) => {
    const at = region.wrt.indexOf(i);
    return at < 0 ? undefined : node.inputs[count + at];
  });
  const linearised = linearise(session, 'together', b, func, node.inputs.slice(0, count), tangents);
  for (const each of linearised.linear) b.push(each);
  const outputs = region.of.map((i) => linearised.tangents[i] ?? zeros(b, linearised.results[i] as Value));
  return [...linearised.results, ...outputs];
}

function expandVjp(session: Session, b: Builder, node: RegionNode, func: Func): readonly Value[] {
  const region = node.region as Extract<RegionNode['region'], { type: 'vjp' }>;
  const count = func.params.length;
  const placeholders = region.wrt.map((i): Value => {
    const param = func.params[i] as Value;
    return { name: b.names.fresh(`t_${param.name}`), type: param.type };
  });
  const tangents = func.params.map((_, i) => placeholders[region.wrt.indexOf(i)]);
  const linearised = linearise(session, 'apart', b, func, node.inputs.slice(0, count), tangents);
  // Tangents are only the way to the cotangents: they are not part of the result, so their names are free again.
  for (const value of [...placeholders, ...linearised.linear.flatMap((each) => each.results)])
    b.names.release(value.name);
  const seeds = region.of.map((i, at) => [linearised.tangents[i], node.inputs[count + at] as Value] as const);
  const gradients = transpose(session, b, linearised, seeds, placeholders);
  const outputs = gradients.map((gradient, i) => gradient ?? zeros(b, placeholders[i] as Value));
  return [...linearised.results, ...outputs];
}

function expandVmap(session: Session, b: Builder, node: RegionNode, { fn, over, size }: VmapRegion): readonly Value[] {
  const func = session.get(fn);
  const batched = func.params.map((_, i) => over.includes(i));
  return inlineInto(b, batchFunction(session, func, batched, size), node.inputs);
}

/** The function with its derivative regions expanded; the session holds the functions before it. */
function expandFunction(session: Session, func: Func): Func {
  return mapFunction(func, (node, { builder }) => {
    if (node.kind !== 'region') return undefined;
    switch (node.region.type) {
      case 'jvp':
        return expandJvp(session, builder, node, session.get(node.region.fn));
      case 'vjp':
        return expandVjp(session, builder, node, session.get(node.region.fn));
      case 'vmap':
        return expandVmap(session, builder, node, node.region);
      default:
        return undefined;
    }
  });
}

/** A function in which `stop_gradient` is the identity that it computes: once derivatives are taken it has done its work. */
const dropStops = (func: Func): Func =>
  mapFunction(func, (node) => (node.kind === 'elementwise' && node.op === 'stop_gradient' ? node.inputs : undefined));

/** A module without `jvp` and `vjp` regions. Calls must have been opened before. */
export function expandDerivatives(module: Module): Module {
  const session = new Session(module);
  for (const func of module.functions.values()) session.functions.set(func.name, expandFunction(session, func));
  return mapModule(openCustom(session.finish()), dropStops);
}

export const differentiate: Pass = {
  name: 'differentiate',
  doc: 'Expands derivatives: linearises functions, and transposes the linear part where the derivative is taken in reverse.',
  reaches: 'differentiated',
  run: (program) => ({ ...program, module: expandDerivatives(program.module) }),
};
