// Removes from loops and branches what nobody reads: results, the carries and slices that only they need, and unused inputs.

import { NameSupply } from '../../ir/builder.js';
import {
  argumentsOf,
  type ControlNode,
  isControl,
  isLoop,
  type LoopNode,
  loopInputs,
  loopResults,
} from '../../ir/control.js';
import type { Func, Module, Node, Value } from '../../ir/graph.js';
import { regionFunctions, renameRegion } from '../../ir/rewrite.js';

const select = <T>(values: readonly T[], keep: (value: T, i: number) => boolean): readonly T[] => values.filter(keep);

/** Versions of the functions of loops and branches that compute less; the rest of a function is cleaned on the way. */
export class Trimmer {
  readonly functions = new Map<string, Func>();
  readonly #names = new NameSupply();
  readonly #versions = new Map<string, string>();

  constructor(readonly module: Module) {
    for (const name of module.functions.keys()) this.#names.reserve(name);
  }

  /** All functions, cleaned, and the versions of them that loops and branches use. */
  run(): readonly Func[] {
    for (const func of this.module.functions.values()) this.functions.set(func.name, this.#clean(func));
    return [...this.functions.values()];
  }

  #source(name: string): Func {
    const func = this.module.functions.get(name);
    if (func === undefined) throw new Error(`there is no function @${name}`);
    return func;
  }

  /** The nodes that the results depend on. */
  #clean(func: Func): Func {
    const live = new Set<Value>(func.results);
    const kept: Node[] = [];
    for (const node of func.nodes.toReversed()) {
      if (!node.results.some((result) => live.has(result))) continue;
      const trimmed = isControl(node) ? this.#control(node, live) : node;
      for (const input of trimmed.inputs) live.add(input);
      kept.push(trimmed);
    }
    const isSame = kept.length === func.nodes.length && kept.every((node, i) => node === func.nodes.at(-1 - i));
    return isSame ? func : { ...func, nodes: kept.reverse() };
  }

  /** The name of the version of a function with these parameters and results. */
  #version(name: string, params: readonly number[], results: readonly number[]): string {
    const key = `${name}(${params}) ${results}`;
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const func = this.#source(name);
    const isWhole = params.length === func.params.length && results.length === func.results.length;
    const version = isWhole ? name : this.#names.fresh(name);
    this.#versions.set(key, version);
    if (isWhole) return version;
    const smaller = {
      ...func,
      name: version,
      params: params.map((i) => func.params[i] as Value),
      results: results.map((i) => func.results[i] as Value),
    };
    this.functions.set(version, this.#clean(smaller));
    return version;
  }

  #control(node: ControlNode, live: ReadonlySet<Value>): ControlNode {
    return isLoop(node) ? this.#loop(node, live) : this.#calls(node, live);
  }

  #loop(node: LoopNode, live: ReadonlySet<Value>): ControlNode {
    const { region } = node;
    const body = this.#source(region.fn);
    const test = region.condition === undefined ? undefined : this.#source(region.condition);
    const own = loopResults(region, node.results);
    const tested = test === undefined ? new Set<number>() : usedParams(test, test.results);
    const carry = body.params.length - region.carries - region.xs;
    const wanted = new Set<number>();
    [...own.carries, ...own.ys].forEach((result, i) => {
      if (live.has(result) || (i < region.carries && tested.has(carry + i))) wanted.add(i);
    });
    let used: ReadonlySet<number>;
    for (;;) {
      const before = wanted.size;
      used = usedParams(
        body,
        [...wanted].map((i) => body.results[i] as Value),
      );
      for (let k = 0; k < region.carries; k++) if (used.has(carry + k)) wanted.add(k);
      if (wanted.size === before) break;
    }
    const isKept = (param: number): boolean =>
      param === 0 ||
      (param >= carry && param < carry + region.carries
        ? wanted.has(param - carry)
        : used.has(param) || tested.has(param));
    const params = [...body.params.keys()].filter(isKept);
    const results = [...body.results.keys()].filter((i) => wanted.has(i));
    const first = region.counted ? 1 : 0;
    const { trips } = loopInputs(region, node.inputs);
    return {
      ...node,
      region: {
        ...region,
        fn: this.#version(region.fn, params, results),
        ...(region.condition !== undefined && {
          condition: this.#version(
            region.condition,
            params.filter((param) => param < carry + region.carries),
            [0],
          ),
        }),
        carries: results.filter((i) => i < region.carries).length,
        xs: params.filter((param) => param >= carry + region.carries).length,
      },
      inputs: [...trips, ...select(node.inputs.slice(first), (_, i) => isKept(i + 1))],
      results: [...select([...own.carries, ...own.ys], (_, i) => wanted.has(i)), ...own.made],
    };
  }

  /** Conditional nodes and checkpoints. */
  #calls(node: ControlNode, live: ReadonlySet<Value>): ControlNode {
    const results = [...node.results.keys()].filter((i) => live.has(node.results[i] as Value));
    const used = regionFunctions(node.region).map((name) => {
      const func = this.#source(name);
      const wanted = results.map((i) => func.results[i] as Value);
      return usedParams(func, wanted);
    });
    const args = argumentsOf(node);
    const params = [...args.keys()].filter((i) => used.some((set) => set.has(i)));
    return {
      ...node,
      region: renameRegion(node.region, (name) => this.#version(name, params, results)) as ControlNode['region'],
      inputs: [...node.inputs.slice(0, node.inputs.length - args.length), ...params.map((i) => args[i] as Value)],
      results: results.map((i) => node.results[i] as Value),
    };
  }
}

/** The positions of the parameters that some values of a function depend on. */
function usedParams(func: Func, values: readonly Value[]): ReadonlySet<number> {
  const live = new Set<Value>(values);
  for (const node of func.nodes.toReversed()) {
    if (node.results.some((result) => live.has(result))) for (const input of node.inputs) live.add(input);
  }
  return new Set([...func.params.keys()].filter((i) => live.has(func.params[i] as Value)));
}
