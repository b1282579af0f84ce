// Which lookups have been checked before: where every element of an index tensor has been looked up in a dimension of some size, looking up
// any of them in one of that size reports nothing new. So the scatter that a gather transposes to does not keep kernels before it from
// writing state.

import { type Dim, dimEquals, dimSubstitute, dimValue, shapeEquals } from '../../compiler/ir/dims.js';
import { type Func, type Node, type NodeOf, nodeName, type Subscript, type Value } from '../../compiler/ir/graph.js';
import { plainIndicesOf } from '../../compiler/ir/space.js';
import { wholeDims } from '../../compiler/passes/fuse/facts.js';
import type { FaultSite } from '../kernel/lower/values.js';
import type { Planner } from './blocks.js';
import type { LaunchStep, Step } from './steps.js';

interface Lookup {
  /** The tensor whose elements are looked up, or something made of one element each; undefined where counters are all it is made of. */
  readonly table: Value | undefined;
  /** What is made of an element, and the size of the dimension. */
  readonly key: string;
  /** Whether the kernel looks all elements up. */
  readonly everywhere: boolean;
}

/** The last step that may report a fault which no step before it has reported; -1 without one. */
export function lastNewFault(planner: Planner, steps: readonly Step[]): number {
  const checked = new Map<Value | undefined, Set<string>>();
  let last = -1;
  steps.forEach((step, at) => {
    if (step.kind === 'control') {
      if (planner.faultsOf(step) > 0) last = at;
      return;
    }
    const { faults } = planner.kernelOf(step.fn);
    const lookups = faults.length === 0 ? [] : lookupsOf(step);
    const isKnown = ({ table, key }: Lookup): boolean => checked.get(table)?.has(key) === true;
    const known = lookups.filter((each) => each.lookups.every(isKnown));
    const isNew = ({ origin, operation }: FaultSite): boolean =>
      !known.some(({ node }) => node.origin === origin && nodeName(node) === operation);
    if (faults.some(isNew)) last = at;
    for (const { table, key, everywhere } of lookups.flatMap((each) => each.lookups)) {
      if (everywhere) checked.set(table, (checked.get(table) ?? new Set()).add(key));
    }
  });
  return last;
}

/** The nodes of a launch all of whose lookups can be told apart. */
function lookupsOf(step: LaunchStep): readonly { readonly node: Node; readonly lookups: readonly Lookup[] }[] {
  const reader = new Reader(step);
  return step.fn.nodes.flatMap((node) => {
    if (node.kind !== 'index') return [];
    const lookups = node.indexing.access.flatMap((subscript, dim) =>
      subscript.kind === 'lookup' ? [reader.lookup(node, subscript, dim)] : [],
    );
    return lookups.includes(undefined) ? [] : [{ node, lookups: lookups as readonly Lookup[] }];
  });
}

class Reader {
  readonly #definition: ReadonlyMap<Value, Node>;

  constructor(readonly step: LaunchStep) {
    this.#definition = new Map(step.fn.nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  }

  lookup(
    node: NodeOf<'index'>,
    { operand, subscripts }: Extract<Subscript, { kind: 'lookup' }>,
    dim: number,
  ): Lookup | undefined {
    const table = node.inputs[operand] as Value;
    let [made, onlyReshaped] = [table, true];
    for (let view = this.#definition.get(made); view?.kind === 'view'; view = this.#definition.get(made)) {
      onlyReshaped &&= view.view.type === 'reshape';
      made = view.inputs[0] as Value;
    }
    const tables = new Set<Value>();
    const formula = this.#formula(made, tables);
    if (formula === undefined || tables.size > 1) return undefined;
    const { space } = node.indexing;
    const indices = plainIndicesOf(subscripts);
    const isWhole =
      indices?.every((index, d) => dimEquals(space.indices[index]?.extent as Dim, table.type.shape[d] as Dim)) ===
        true && new Set(indices).size === indices.length;
    const othersRun = space.indices.every(({ extent }, i) => indices?.includes(i) || (dimValue(extent) ?? 0) > 0);
    const everywhere = onlyReshaped && isWhole && othersRun && computesAll(this.step.fn, node.results[0] as Value);
    const size = (node.inputs[0] as Value).type.shape[dim] as Dim;
    return { table: [...tables][0], key: `${formula} < ${this.#key(size)}`, everywhere };
  }

  /** A value as a formula of one element of a tensor, or of a counter; undefined where more than one element counts. */
  #formula(value: Value, tables: Set<Value>): string | undefined {
    const param = this.step.fn.params.indexOf(value);
    if (param >= 0) {
      tables.add(this.step.inputs[param] as Value);
      return 'element';
    }
    const node = this.#definition.get(value);
    if (node?.kind === 'source') {
      const { source } = node;
      if (source.type === 'constant' && source.data.length === 1) return `${source.data[0]}: ${source.dtype}`;
      const shape = value.type.shape.map(this.#key).join();
      return source.type === 'iota' ? `counter ${source.dim} of [${shape}]` : undefined;
    }
    if (node?.kind !== 'elementwise') return undefined;
    const parts = node.inputs.map((input) => this.#formula(input, tables));
    return parts.includes(undefined) ? undefined : `${node.op} ${node.dtype ?? ''}(${parts.join(', ')})`;
  }

  /** A size in the run-time dimensions of the entry. */
  #key = (size: Dim): string => dimSubstitute(size, this.step.symbols).key;
}

/** Whether a kernel computes all elements of a value: it stores them, or what follows from each of them. */
function computesAll(fn: Func, value: Value): boolean {
  if (fn.results.includes(value)) return true;
  return fn.nodes.some((node) => {
    const [result] = node.results as readonly [Value];
    if (!node.inputs.includes(value)) return false;
    const keepsAll =
      (node.kind === 'elementwise' && shapeEquals(result.type.shape, value.type.shape)) ||
      (node.kind === 'view' && node.view.type === 'reshape') ||
      (node.kind === 'reduce' && wholeDims(node) !== undefined);
    return keepsAll && computesAll(fn, result);
  });
}
