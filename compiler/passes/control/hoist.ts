// Moves work across the edges of loops and branches: what is the same in every trip is computed before the loop, products of slices are computed
// there for all trips at once, constants are made where they are used, and a carry that never changes becomes a constant of the loop.

import type { Builder } from '../../ir/builder.js';
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
import { mapFunction, namesOf, type Rewriting, renameRegion } from '../../ir/rewrite.js';
import { reduceOp } from '../../ops/table.js';
import { operationCost } from '../fuse/cost.js';
import { multiplySlices } from './slices.js';

/** Elementwise work of fewer operations is not worth a tensor that every trip loads. */
const cheapOperations = 4;

/** Whether a node is worth computing once instead of in every trip, and cannot fail where the loop makes none. */
function isWorthHoisting(node: Node): boolean {
  switch (node.kind) {
    case 'contract':
    case 'order':
      return true;
    case 'reduce':
      return reduceOp(node.op).empty === 'identity';
    case 'elementwise':
      return operationCost(node) > cheapOperations;
    default:
      return false;
  }
}

/** Whether a node may be copied before a loop because something worth hoisting reads it. */
const isHarmless = (node: Node): boolean =>
  isWorthHoisting(node) || node.kind === 'elementwise' || node.kind === 'view' || node.kind === 'source';

const isConstant = (node: Node | undefined): boolean => node?.kind === 'source' && node.inputs.length === 0;

/** The invariant values of a loop's function that are computed before it: nodes in order, and which of their values the rest reads. */
function invariants(body: Func, constants: ReadonlySet<Value>): { nodes: readonly Node[]; read: readonly Value[] } {
  const fixed = new Set<Value>(constants);
  const maker = new Map<Value, Node>();
  for (const node of body.nodes) {
    if (!isHarmless(node) || !node.inputs.every((input) => fixed.has(input))) continue;
    for (const result of node.results) {
      fixed.add(result);
      maker.set(result, node);
    }
  }
  const hoisted = new Set<Node>();
  const visit = (value: Value): void => {
    const node = maker.get(value);
    if (node === undefined || hoisted.has(node)) return;
    hoisted.add(node);
    node.inputs.forEach(visit);
  };
  for (const [value, node] of maker) if (isWorthHoisting(node)) visit(value);
  const rest = [...body.nodes.filter((node) => !hoisted.has(node)).flatMap((node) => node.inputs), ...body.results];
  const read = [...new Set(rest)].filter((value) => {
    const node = maker.get(value);
    return node !== undefined && hoisted.has(node) && !isConstant(node);
  });
  return { nodes: body.nodes.filter((node) => hoisted.has(node)), read };
}

/** What a constant input becomes: a node made again in the function called, or another input of the same value; undefined to leave it. */
type Sunk = ((names: NameSupply) => Node) | number | undefined;

/** Decides for the constant inputs of a region. */
function sinkings(values: readonly Value[], { definition }: Rewriting): readonly Sunk[] {
  return values.map((value, i) => {
    const same = values.indexOf(value);
    if (same < i) return same;
    const node = definition(value)?.node;
    if (node === undefined || !isConstant(node)) return undefined;
    return (names) => ({
      ...node,
      results: node.results.map((result) => ({ ...result, name: names.fresh(result.name) })),
    });
  });
}

/** The function without the parameters that are sunk; parameter `first` + i is the one that `sunk[i]` tells about. */
function withSunk(func: Func, first: number, sunk: readonly Sunk[]): Func {
  const names = namesOf(func);
  const known = new Map<Value, Value>();
  const made: Node[] = [];
  sunk.forEach((each, i) => {
    const param = func.params[first + i] as Value;
    if (typeof each === 'number') {
      const same = func.params[first + each] as Value;
      known.set(param, known.get(same) ?? same);
    } else if (each !== undefined) {
      const node = each(names);
      made.push(node);
      known.set(param, node.results[0] as Value);
    }
  });
  const value = (old: Value): Value => known.get(old) ?? old;
  return {
    ...func,
    params: func.params.filter((param) => !known.has(param)),
    nodes: [...made, ...func.nodes.map((node) => ({ ...node, inputs: node.inputs.map(value) }))],
    results: func.results.map(value),
  };
}

/** A loop while it is rewritten: its constants and carries, and the functions that take them. */
interface Parts {
  readonly constants: readonly Value[];
  readonly carries: readonly Value[];
  readonly body: Func;
  readonly test: Func | undefined;
}

/** Constants of the function that calls are made where they are used. */
function sinkConstants(parts: Parts, around: Rewriting): Parts {
  const sunk = sinkings(parts.constants, around);
  if (sunk.every((each) => each === undefined)) return parts;
  return {
    ...parts,
    constants: parts.constants.filter((_, i) => sunk[i] === undefined),
    body: withSunk(parts.body, 1, sunk),
    test: parts.test && withSunk(parts.test, 1, sunk),
  };
}

/** Carries that the function gives as it takes them become constants. */
function fixCarries(parts: Parts): Parts & { readonly isFixed: readonly boolean[] } {
  const { constants, carries, body, test } = parts;
  const first = 1 + constants.length;
  const isFixed = carries.map((_, k) => body.results[k] === body.params[first + k]);
  if (!isFixed.includes(true)) return { ...parts, isFixed };
  const reordered = ({ params }: Func): readonly Value[] => {
    const own = params.slice(first, first + carries.length);
    const [fixed, free] = [own.filter((_, k) => isFixed[k]), own.filter((_, k) => !isFixed[k])];
    return [...params.slice(0, first), ...fixed, ...free, ...params.slice(first + carries.length)];
  };
  return {
    constants: [...constants, ...carries.filter((_, k) => isFixed[k])],
    carries: carries.filter((_, k) => !isFixed[k]),
    body: { ...body, params: reordered(body), results: body.results.filter((_, k) => isFixed[k] !== true) },
    test: test && { ...test, params: reordered(test) },
    isFixed,
  };
}

/** What is the same in every trip is computed before the loop and becomes a constant of it. */
function hoistInvariants(parts: Parts, b: Builder): Parts {
  const { constants, body, test } = parts;
  const end = 1 + constants.length;
  const params = body.params.slice(1, end);
  const { nodes, read } = invariants(body, new Set(params));
  if (nodes.length === 0) return parts;
  const outer = new Map<Value, Value>(params.map((param, i) => [param, constants[i] as Value]));
  for (const node of nodes) {
    const results = node.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
    node.results.forEach((result, i) => void outer.set(result, results[i] as Value));
    b.push({ ...node, inputs: node.inputs.map((input) => outer.get(input) as Value), results });
  }
  const gone = new Set(nodes.filter((node) => !isConstant(node)));
  const names = test && namesOf(test);
  return {
    ...parts,
    constants: [...constants, ...read.map((value) => outer.get(value) as Value)],
    body: {
      ...body,
      params: [...body.params.slice(0, end), ...read, ...body.params.slice(end)],
      nodes: body.nodes.filter((node) => !gone.has(node)),
    },
    test: test && {
      ...test,
      params: [
        ...test.params.slice(0, end),
        ...read.map((value) => ({ ...value, name: (names as NameSupply).fresh(value.name) })),
        ...test.params.slice(end),
      ],
    },
  };
}

/** Adds a node; its results replace those of another one that it stands for, under their names. */
function replacement(b: Builder, node: Node): readonly Value[] {
  const results = node.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
  b.push({ ...node, results });
  return results;
}

/** Rewrites the loops and branches of all functions. */
export class Hoister {
  readonly #functions = new Map<string, Func>();
  readonly #names = new NameSupply();

  constructor(readonly module: Module) {
    for (const name of module.functions.keys()) this.#names.reserve(name);
  }

  run(): readonly Func[] {
    for (const func of this.module.functions.values()) {
      const isPlain = !func.nodes.some(isControl);
      this.#functions.set(func.name, isPlain ? func : mapFunction(func, (node, around) => this.#visit(node, around)));
    }
    return [...this.#functions.values()];
  }

  #get(name: string): Func {
    const func = this.#functions.get(name);
    if (func === undefined) throw new Error(`@${name} is used before it is defined`);
    return func;
  }

  #add(func: Func): string {
    const name = this.#names.fresh(func.name);
    this.#functions.set(name, { ...func, name });
    return name;
  }

  #visit(node: Node, around: Rewriting): readonly Value[] | undefined {
    if (!isControl(node)) return undefined;
    return isLoop(node) ? this.#loop(node, around) : this.#calls(node, around);
  }

  /** Conditional nodes and checkpoints. */
  #calls(node: ControlNode, around: Rewriting): readonly Value[] | undefined {
    const args = argumentsOf(node);
    const sunk = sinkings(args, around);
    if (sunk.every((each) => each === undefined)) return undefined;
    const inputs = [
      ...node.inputs.slice(0, node.inputs.length - args.length),
      ...args.filter((_, i) => sunk[i] === undefined),
    ];
    const region = renameRegion(node.region, (name) => this.#add(withSunk(this.#get(name), 0, sunk)));
    return replacement(around.builder, { ...node, region, inputs });
  }

  #loop(node: LoopNode, around: Rewriting): readonly Value[] | undefined {
    const { region } = node;
    const inputs = loopInputs(region, node.inputs);
    const before: Parts = {
      constants: inputs.constants,
      carries: inputs.carries,
      body: this.#get(region.fn),
      test: region.condition === undefined ? undefined : this.#get(region.condition),
    };
    const fixed = fixCarries(before);
    const hoisted = hoistInvariants(sinkConstants(fixed, around), around.builder);
    const { parts, stacks } = this.#multiplySlices(hoisted, node, inputs.xs, around.builder);
    if (parts.body === before.body) return undefined;
    const results = loopResults(region, node.results);
    const values = replacement(around.builder, {
      ...node,
      region: {
        ...region,
        fn: this.#add(parts.body),
        ...(parts.test !== undefined && { condition: this.#add(parts.test) }),
        carries: parts.carries.length,
        xs: inputs.xs.length + stacks.length,
      },
      inputs: [...inputs.trips, ...parts.constants, ...parts.carries, ...inputs.xs, ...stacks],
      results: [...results.carries.filter((_, k) => !fixed.isFixed[k]), ...results.ys, ...results.made],
    } as LoopNode);
    let at = 0;
    return node.results.map((_, k) => (fixed.isFixed[k] ? inputs.carries[k] : values[at++]) as Value);
  }

  /** Products of slices that all trips would make come before the loop, unless it may end early: then some would be for nothing. */
  #multiplySlices(
    parts: Parts,
    { region }: LoopNode,
    xs: readonly Value[],
    b: Builder,
  ): { readonly parts: Parts; readonly stacks: readonly Value[] } {
    const { body, constants } = parts;
    if (region.length === undefined || region.counted || region.condition !== undefined) return { parts, stacks: [] };
    const params = {
      constants: body.params.slice(1, 1 + constants.length),
      slices: body.params.slice(body.params.length - xs.length),
    };
    const functions = { get: (name: string) => this.#get(name), add: (func: Func) => this.#add(func) };
    const given = { constants, slices: xs };
    const { body: smaller, stacks } = multiplySlices(functions, b, body, params, given, region.length);
    return { parts: { ...parts, body: smaller }, stacks };
  }
}
