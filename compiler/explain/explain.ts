// Walks the derivative of a function: each line of the backward pass, the line of the forward pass that it belongs to, and the rule that
// it comes from. Everything is read off the origins of the nodes, which `differentiate` leaves behind.

import { Builder } from '../ir/builder.js';
import { isFloat } from '../ir/dtype.js';
import type { Func, Module, Node, Value } from '../ir/graph.js';
import { printNode, printType } from '../ir/print.js';
import { regionFunctions } from '../ir/rewrite.js';
import { inlineConstant } from '../ir/text/equal.js';
import { canonicalise } from '../passes/canonicalise.js';
import { cse } from '../passes/cse.js';
import { dce, removeDeadNodes } from '../passes/dce.js';
import { expandDerivatives } from '../passes/differentiate.js';
import { inline } from '../passes/inline.js';
import { type Pipeline, runPipeline } from '../pipeline.js';
import type { Entry, Program } from '../program.js';
import { ruleNamed } from './rules.js';

/** A statement of the graph. */
export interface ExplainedLine {
  /** Its number; all lines of a function are numbered together. */
  readonly number: number;
  readonly text: string;
  /** `mlp.td:16`, where known. */
  readonly place?: string;
  /** The source text that it computes. */
  readonly source?: string;
}

/** A statement of the backward pass. */
export interface ExplainedStep extends ExplainedLine {
  /** The forward line whose derivative this is; undefined where nothing needs that line any more. */
  readonly of?: ExplainedLine;
  /** The name of the rule, such as `d mul`. */
  readonly rule: string;
  readonly why: string;
}

/** One function: the entry, or what a loop or a branch in it carries. */
export interface ExplainedFunction {
  readonly signature: string;
  readonly forward: readonly ExplainedLine[];
  readonly backward: readonly ExplainedStep[];
  /** What is made of the gradients, such as the step of an optimizer. */
  readonly after: readonly ExplainedLine[];
  /** The names of the results. */
  readonly results: readonly string[];
}

export interface Explanation {
  /** Whether the gradient was taken to explain it, because the function takes no derivative itself. */
  readonly added: boolean;
  readonly functions: readonly ExplainedFunction[];
}

/** Why a function has no derivative to explain. */
export class ExplainError extends Error {
  override readonly name = 'ExplainError';
}

const before: Pipeline = [inline, canonicalise, cse, dce];

const derives = (node: Node): boolean =>
  node.kind === 'region' && (node.region.type === 'vjp' || node.region.type === 'jvp');

/** The functions that can be reached from one, which comes last. */
function reachable(module: Module, root: string): readonly Func[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const node of module.functions.get(name)?.nodes ?? []) {
      if (node.kind !== 'region') continue;
      for (const fn of regionFunctions(node.region)) if (!found.has(fn)) visit(fn);
    }
    found.add(name);
  };
  visit(root);
  return [...found].flatMap((name) => module.functions.get(name) ?? []);
}

const floats = (values: readonly Value[]): number[] =>
  values.flatMap((value, i) => (isFloat(value.type.dtype) ? [i] : []));

/** A function that gives the values of another and the gradient of its first float result by its state, or else by all its float parameters. */
function gradientFunction(func: Func, { name, inputs }: Entry): Func {
  const every = floats(func.params);
  const state = every.filter((i) => inputs[i]?.kind === 'state');
  const wrt = state.length > 0 ? state : every;
  const of = floats(func.results).slice(0, 1);
  const result = func.results[of[0] ?? -1];
  if (result === undefined) throw new ExplainError(`${name} gives no floats, so it has no derivative`);
  if (wrt.length === 0) throw new ExplainError(`${name} takes no floats, so it has no derivative`);
  const b = new Builder(`grad.${func.name}`);
  const params = func.params.map((param) => b.param(param.name, param.type));
  const seed = result.type.shape.length === 0 ? b.constant(1, result.type.dtype, []) : b.param('d_result', result.type);
  const types = [...func.results, ...wrt.map((i) => func.params[i] as Value)].map(({ type }) => type);
  return b.finish(b.region({ type: 'vjp', fn: func.name, wrt, of }, [...params, seed], types));
}

/** Explains the derivative that an entry takes, or where it takes none, its gradient by its parameters and other state, or else by its arguments. */
export function explain(program: Program, name: string): Explanation {
  const entry = program.entries.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new ExplainError(`there is no function ${name}`);
  const { module } = runPipeline(program, before);
  const own = module.functions.get(entry.fn);
  if (own === undefined) throw new Error(`the entry ${name} has no function`);
  const added = !reachable(module, entry.fn).some(({ nodes }) => nodes.some(derives));
  const root = added ? gradientFunction(own, entry) : own;
  const expanded = expandDerivatives({ functions: new Map([...module.functions, [root.name, root]]) });
  const functions = reachable(expanded, root.name)
    .map((func) => explainFunction(removeDeadNodes(func)))
    .filter(({ backward }) => backward.length > 0)
    .reverse();
  if (functions.length === 0) throw new ExplainError(`nothing in ${name} has a derivative`);
  return { added, functions };
}

const isDerivative = ({ origin }: Node): boolean => origin.rule?.startsWith('d ') === true;

function explainFunction(func: Func): ExplainedFunction {
  const shown = func.nodes.filter((node) => inlineConstant(node) === undefined);
  const lines = shown.map((node, i) => lineOf(node, func, i + 1));
  const numbered = shown.map((node, i) => ({ node, line: lines[i] as ExplainedLine }));
  const byName = new Map(
    numbered.flatMap((each) =>
      isDerivative(each.node) ? [] : each.node.results.map(({ name }) => [name, each] as const),
    ),
  );
  const made = new Set<Value>(func.nodes.filter(isDerivative).flatMap(({ results }) => results));
  const [forward, backward, after]: [ExplainedLine[], ExplainedStep[], ExplainedLine[]] = [[], [], []];
  for (const { node, line } of numbered) {
    if (isDerivative(node)) {
      const of = byName.get(node.origin.of ?? '');
      const step = { ...line, rule: node.origin.rule ?? '', why: why(node, of?.node, made) };
      backward.push(of === undefined ? step : { ...step, of: of.line });
    } else if (node.inputs.some((input) => made.has(input))) {
      for (const result of node.results) made.add(result);
      after.push(line);
    } else {
      forward.push(line);
    }
  }
  const params = func.params.map(({ name, type }) => `%${name}: ${printType(type)}`).join(', ');
  return {
    signature: `${func.name}(${params})`,
    forward,
    backward,
    after,
    results: func.results.map(({ name }) => `%${name}`),
  };
}

function lineOf(node: Node, func: Func, number: number): ExplainedLine {
  const { site, text } = node.origin;
  return {
    number,
    text: printNode(node, func),
    ...(site && { place: `${site.file}:${site.line}` }),
    ...(text && { source: text }),
  };
}

/** The reason for a backward line, given the forward node that it belongs to. */
function why(node: Node, of: Node | undefined, made: ReadonlySet<Value>): string {
  const addsUp = node.kind === 'elementwise' && node.op === 'add' && node.inputs.every((input) => made.has(input));
  if (addsUp) return 'a value that is read several times gets the sum of its cotangents';
  const undoes = of?.kind === 'elementwise' && node.kind === 'reduce' && node.op === 'sum';
  if (undoes)
    return 'an operand that was repeated to the shape of the other gets the sum over the axes along which it was';
  // The name of a rule is that of the forward operation, perhaps with the operand that is meant.
  return ruleNamed(node.origin.rule?.replace(/^d /, '').replace(/,.*$/, '') ?? '');
}
