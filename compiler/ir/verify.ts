// Checks that a module is well-formed and that it is what a stage of the pipeline promises. It runs after every pass: a failure is a
// bug of the pass, never of the user's program.
//
// Checked: single assignment and definition before use, unique names, result types against the type rules, normal forms of affine
// expressions, unmasked subscripts inside their operands, regions against the functions that they carry, the order of functions
// without recursion, and the kinds of nodes that the stage allows.

import { inferTypes } from '../ops/table.js';
import { isProvablyNonNegative } from './bounds.js';
import { ifProblem, isLoop, loopProblem, stacked } from './control.js';
import { type Dim, dimAdd, dimConst, dimEquals, dimMul, dimSub, dimValue, shapeEquals } from './dims.js';
import { isFloat } from './dtype.js';
import type {
  Access,
  Affine,
  CustomJvpRegion,
  Func,
  IndexSpace,
  Module,
  Node,
  NodeOf,
  Region,
  TensorType,
  Value,
} from './graph.js';
import { printNode, printType } from './print.js';
import { regionFunctions, typesOf } from './rewrite.js';
import { affineRange } from './space.js';

/** A graph that no correct compiler makes. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  /** The code of the diagnostic that reports it. */
  readonly code = 'B0902';

  constructor(
    /** The function that is malformed, when one is. */
    readonly fn: string | undefined,
    /** The text of the node, when one is. */
    readonly node: string | undefined,
    readonly problem: string,
  ) {
    const where = [fn === undefined ? undefined : `@${fn}`, node].filter((part) => part !== undefined);
    super([...where, problem].join(': '));
  }
}

/** How far a module has come; each stage allows fewer forms than the one before, or other ones. */
export type Stage = 'elaborated' | 'inlined' | 'differentiated' | 'fused';

/** The regions that each stage allows. */
const allowedRegions: Readonly<Record<Stage, readonly Region['type'][]>> = {
  elaborated: ['call', 'jvp', 'vjp', 'vmap', 'custom_jvp', 'loop', 'if', 'checkpoint'],
  inlined: ['jvp', 'vjp', 'vmap', 'custom_jvp', 'loop', 'if', 'checkpoint'],
  differentiated: ['loop', 'if', 'checkpoint'],
  fused: ['kernel', 'loop', 'if', 'checkpoint'],
};

export interface VerifyOptions {
  /** Without it nothing about stages is checked. */
  readonly stage?: Stage;
  /** Expressions that are at least 1 whenever a function runs, such as checked constraints give. */
  readonly positive?: readonly Dim[];
  /**
   * Nodes that were found right, by calls with the same `positive`; those that are found right now are added. Nodes do not change and passes keep
   * what they do not rewrite, so that types and attributes are looked at once.
   */
  readonly known?: WeakSet<Node>;
}

/** Throws `VerifyError` when the module is malformed. */
export function verifyModule(module: Module, options: VerifyOptions = {}): void {
  const before = new Map<string, Func>();
  for (const [name, func] of module.functions) {
    if (name !== func.name) throw new VerifyError(func.name, undefined, `the module has it under the name @${name}`);
    new FunctionVerifier(func, before, options).verify();
    before.set(name, func);
  }
  if (options.stage === 'fused') verifyFused(module);
}

/** After `fuse`, a function that is no kernel holds kernels, loops and conditional nodes alone, and kernels hold no regions. */
function verifyFused(module: Module): void {
  const regions = [...module.functions.values()].flatMap(({ nodes }) =>
    nodes.flatMap((node) => (node.kind === 'region' ? [node.region] : [])),
  );
  const kernels = new Set(regions.flatMap((region) => (region.type === 'kernel' ? [region.fn] : [])));
  for (const func of module.functions.values()) {
    for (const node of func.nodes) {
      const isRegion = node.kind === 'region';
      const isFree = node.kind === 'view' && node.view.type === 'reshape';
      const problem = kernels.has(func.name)
        ? isRegion && 'a kernel may not run kernels'
        : !isRegion && !isFree && `the ${node.kind} node stands outside a kernel`;
      if (problem) throw new VerifyError(func.name, printNode(node, func), problem);
    }
  }
}

class FunctionVerifier {
  readonly #values = new Set<Value>();
  readonly #names = new Set<string>();

  constructor(
    readonly func: Func,
    readonly before: ReadonlyMap<string, Func>,
    readonly options: VerifyOptions,
  ) {}

  #fail(problem: string, node?: Node): never {
    throw new VerifyError(this.func.name, node === undefined ? undefined : printNode(node, this.func), problem);
  }

  verify(): void {
    const { func } = this;
    for (const param of func.params) this.#define(param);
    for (const node of func.nodes) this.#node(node);
    for (const result of func.results) {
      if (!this.#values.has(result)) this.#fail(`it returns %${result.name}, which it does not compute`);
    }
  }

  #define(value: Value, node?: Node): void {
    if (this.#values.has(value)) this.#fail(`%${value.name} is defined twice`, node);
    if (this.#names.has(value.name)) this.#fail(`two values are called %${value.name}`, node);
    this.#values.add(value);
    this.#names.add(value.name);
  }

  #node(node: Node): void {
    for (const input of node.inputs) {
      if (!this.#values.has(input)) this.#fail(`%${input.name} is used before it is defined`, node);
    }
    const { known } = this.options;
    if (node.kind === 'region') this.#region(node);
    else if (known?.has(node) !== true) {
      this.#types(node, this.#inferred(node));
      this.#attributes(node);
      known?.add(node);
    }
    for (const result of node.results) this.#define(result, node);
  }

  #inferred(node: Node): readonly TensorType[] {
    try {
      return inferTypes(node);
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error), node);
    }
  }

  #types(node: Node, expected: readonly TensorType[]): void {
    if (expected.length !== node.results.length) {
      this.#fail(`it has ${node.results.length} results, expected ${expected.length}`, node);
    }
    node.results.forEach(({ name, type }, i) => {
      const want = expected[i] as TensorType;
      if (!typeEquals(type, want)) this.#fail(`%${name} is ${printType(type)}, expected ${printType(want)}`, node);
    });
  }

  #region(node: NodeOf<'region'>): void {
    const { region } = node;
    const { stage } = this.options;
    if (stage !== undefined && !allowedRegions[stage].includes(region.type)) {
      this.#fail(`there is no ${region.type} in the stage '${stage}'`, node);
    }
    const [callee, other] = regionFunctions(region).map((fn) => {
      const func = this.before.get(fn);
      return func ?? this.#fail(`no function before this one is called @${fn}`, node);
    }) as [Func, Func?];
    if (region.type === 'loop' || region.type === 'if') {
      const problem = isLoop(node) ? loopProblem(node, callee, other) : ifProblem(node, callee, other as Func);
      if (problem !== undefined) this.#fail(problem, node);
      return;
    }
    if (region.type === 'custom_jvp') this.#derivative(node, region, callee, other as Func);
    const { inputs, results } = this.#signature(node, callee);
    if (inputs.length !== node.inputs.length)
      this.#fail(`it has ${node.inputs.length} operands, expected ${inputs.length}`, node);
    node.inputs.forEach(({ name, type }, i) => {
      const want = inputs[i] as TensorType;
      if (!typeEquals(type, want))
        this.#fail(`operand ${i}, %${name}, is ${printType(type)}, expected ${printType(want)}`, node);
    });
    this.#types(node, results);
  }

  /** The types of operands and results of a region, by the function that it carries. */
  #signature(node: NodeOf<'region'>, callee: Func): { inputs: readonly TensorType[]; results: readonly TensorType[] } {
    const region = node.region as Exclude<Region, { type: 'loop' | 'if' }>;
    const params = callee.params.map((param) => param.type);
    const results = callee.results.map((result) => result.type);
    if (region.type === 'vmap') {
      const outside = region.over.find((at) => params[at] === undefined);
      if (outside !== undefined) this.#fail(`@${callee.name} has no parameter ${outside}`, node);
      const over = new Set(region.over);
      return {
        inputs: params.map((type, i) => (over.has(i) ? stacked(type, region.size) : type)),
        results: results.map((type) => stacked(type, region.size)),
      };
    }
    if (region.type !== 'jvp' && region.type !== 'vjp') return { inputs: params, results };
    const { wrt, of } = this.#differentiated(node, region, callee);
    return region.type === 'jvp'
      ? { inputs: [...params, ...wrt], results: [...results, ...of] }
      : { inputs: [...params, ...of], results: [...results, ...wrt] };
  }

  /** The types of the parameters and results that a derivative is about. */
  #differentiated(
    node: Node,
    region: { readonly wrt: readonly number[]; readonly of: readonly number[] },
    callee: Func,
  ): { readonly wrt: readonly TensorType[]; readonly of: readonly TensorType[] } {
    const select = (values: readonly Value[], positions: readonly number[], what: string) =>
      positions.map((position) => {
        const type = values[position]?.type;
        if (type === undefined) this.#fail(`@${callee.name} has no ${what} ${position}`, node);
        if (!isFloat(type.dtype))
          this.#fail(`${what} ${position} of @${callee.name} is ${type.dtype}, which has no derivatives`, node);
        return type;
      });
    return { wrt: select(callee.params, region.wrt, 'parameter'), of: select(callee.results, region.of, 'result') };
  }

  /** A stated derivative takes parameters, results and tangents, and gives tangents. */
  #derivative(node: Node, region: CustomJvpRegion, callee: Func, derivative: Func): void {
    const { wrt, of } = this.#differentiated(node, region, callee);
    const expected = [...typesOf(callee.params), ...typesOf(callee.results), ...wrt];
    const fits = (values: readonly Value[], types: readonly TensorType[]): boolean =>
      values.length === types.length && values.every(({ type }, i) => typeEquals(type, types[i] as TensorType));
    if (!fits(derivative.params, expected))
      this.#fail(`@${derivative.name} does not take the parameters, the results and the tangents`, node);
    if (!fits(derivative.results, of))
      this.#fail(`@${derivative.name} does not give the tangents of the results`, node);
  }

  #attributes(node: Node): void {
    const shapeOf = (operand: number): readonly Dim[] => node.inputs[operand]?.type.shape ?? [];
    switch (node.kind) {
      case 'contract':
        node.accesses.forEach((access, operand) => void this.#access(node, access, shapeOf(operand), node.space));
        for (const guard of node.guards) this.#affine(node, guard, node.space);
        return;
      case 'reduce':
        this.#access(node, node.access, shapeOf(0), node.space);
        return;
      case 'index':
        this.#access(node, node.indexing.access, shapeOf(0), node.indexing.space);
        this.#lookups(node);
        return;
      case 'view':
        if (node.view.type === 'slice') this.#slice(node, node.view, shapeOf(0));
        return;
      default:
    }
  }

  #affine(node: Node, { terms }: Affine, space: IndexSpace): void {
    terms.forEach(({ index, coefficient }, i) => {
      const previous = terms[i - 1]?.index ?? -1;
      if (index <= previous || index >= space.indices.length)
        this.#fail('the terms of an affine expression are not in order', node);
      if (coefficient === 0 || !Number.isSafeInteger(coefficient))
        this.#fail(`${coefficient} is not a coefficient`, node);
    });
  }

  #access(node: Node, access: Access, shape: readonly Dim[], space: IndexSpace): void {
    access.forEach((subscript, dim) => {
      if (subscript.kind === 'lookup') {
        this.#access(node, subscript.subscripts, node.inputs[subscript.operand]?.type.shape ?? [], space);
        return;
      }
      this.#affine(node, subscript.expression, space);
      if (subscript.masked || this.#isInside(subscript.expression, subscript.divisor, shape[dim] as Dim, space)) return;
      this.#fail(`subscript ${dim} is not masked and may leave a dimension of size ${shape[dim]?.key}`, node);
    });
  }

  /** Whether `expression / divisor`, where it is exact, is provably a position; a point exists only where all extents are positive. */
  #isInside(expression: Affine, divisor: number, size: Dim, space: IndexSpace): boolean {
    const { low, high } = affineRange(expression, space.indices);
    const positive = [...space.indices.map((index) => index.extent), ...(this.options.positive ?? [])];
    const aboveLow = dimAdd(low, dimConst(divisor - 1));
    const belowHigh = dimSub(dimSub(dimMul(size, dimConst(divisor)), dimConst(1)), high);
    const isEmpty = positive.some((extent) => (dimValue(extent) ?? 1) < 1);
    return isEmpty || (isProvablyNonNegative(aboveLow, positive) && isProvablyNonNegative(belowHigh, positive));
  }

  /** Every index tensor is read: the text form and the interpreter know them by their use. */
  #lookups(node: NodeOf<'index'>): void {
    const used = new Set<number>();
    const visit = (access: Access): void => {
      for (const subscript of access) {
        if (subscript.kind === 'affine') continue;
        used.add(subscript.operand);
        visit(subscript.subscripts);
      }
    };
    visit(node.indexing.access);
    for (let i = node.indexing.type === 'gather' ? 1 : 2; i < node.inputs.length; i++) {
      if (!used.has(i)) this.#fail(`operand ${i} is not read`, node);
    }
  }

  /** Refuses slices that surely leave the operand; where run-time sizes decide, the checks on entry have done so. */
  #slice(node: Node, slice: Extract<NodeOf<'view'>['view'], { type: 'slice' }>, shape: readonly Dim[]): void {
    slice.sizes.forEach((size, dim) => {
      const start = slice.starts[dim] as Dim;
      const last = dimAdd(start, dimMul(dimSub(size, dimConst(1)), dimConst(slice.steps[dim] as number)));
      const room = dimValue(dimSub(shape[dim] as Dim, last));
      const isEmpty = dimEquals(size, dimConst(0));
      if (!isEmpty && ((dimValue(start) ?? 0) < 0 || (room ?? 1) < 1 || (dimValue(size) ?? 0) < 0)) {
        this.#fail(`the slice leaves dimension ${dim} of size ${shape[dim]?.key}`, node);
      }
    });
  }
}

const typeEquals = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && shapeEquals(a.shape, b.shape);
