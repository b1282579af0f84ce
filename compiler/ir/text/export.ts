// The graph IR for other tools: as JSON data, and as a graph for Graphviz.

import type { Program } from '../../program.js';
import type { Func, Module, Node, Value } from '../graph.js';
import { nodeName } from '../graph.js';
import { definitions, regionFunctions } from '../rewrite.js';
import { inlineConstant } from './equal.js';
import { printName, printOrigin, printType } from './words.js';

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Attributes as JSON: dimension expressions and bigints become text, numbers that JSON lacks too. */
function toJson(data: unknown): Json {
  if (Array.isArray(data)) return data.map(toJson);
  if (typeof data === 'number') return Number.isFinite(data) ? data : String(data);
  if (typeof data === 'bigint') return String(data);
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (typeof data !== 'object' || data === null) return null;
  if ('key' in data && 'terms' in data) return data.key as string;
  const fields = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields.map(([name, value]) => [name, toJson(value)]));
}

const valueJson = ({ name, type }: Value): Json => ({ name, ...(toJson(type) as object) });

function nodeJson({ inputs, results, ...attributes }: Node): Json {
  const names = inputs.map((value) => value.name);
  return { ...(toJson(attributes) as object), inputs: names, results: results.map(valueJson) };
}

const functionJson = (func: Func): Json => ({
  name: func.name,
  params: func.params.map(valueJson),
  nodes: func.nodes.map(nodeJson),
  results: func.results.map((value) => value.name),
  origin: toJson(func.origin),
});

/** A module as data for JSON. */
export const jsonModule = (module: Module): Json => ({ functions: [...module.functions.values()].map(functionJson) });

/** A program as data for JSON. */
export const jsonProgram = ({ module, ...header }: Program): Json => ({
  ...(toJson(header) as object),
  ...(jsonModule(module) as object),
});

const quote = (text: string): string => `"${text.replace(/[\\"]/g, (c) => `\\${c}`).replace(/\n/g, '\\n')}"`;

/** One function as a cluster: parameters and nodes with what they are, edges with types. Rank-0 constants are part of their readers. */
function dotFunction(func: Func, prefix: string): string {
  const defined = definitions(func);
  const ids = new Map<Node, string>(func.nodes.map((node, i) => [node, quote(`${prefix}.${i}`)]));
  const lines: string[] = [];
  const paramIds = new Map(func.params.map((param) => [param, quote(`${prefix}%${param.name}`)]));
  for (const [param, id] of paramIds)
    lines.push(`${id} [shape=ellipse, label=${quote(`%${param.name}\n${printType(param.type)}`)}];`);
  const edge = (value: Value, to: string) => {
    const node = defined.get(value)?.node;
    if (node !== undefined && inlineConstant(node) !== undefined) return;
    const from = node === undefined ? paramIds.get(value) : ids.get(node);
    lines.push(`${from ?? quote('?')} -> ${to} [label=${quote(printType(value.type))}];`);
  };
  for (const node of func.nodes) {
    if (inlineConstant(node) !== undefined) continue;
    const id = ids.get(node) as string;
    const constants = node.inputs.flatMap((value) => {
      const source = defined.get(value)?.node;
      return source === undefined ? [] : (inlineConstant(source) ?? []);
    });
    const region =
      node.kind === 'region'
        ? regionFunctions(node.region)
            .map((fn) => ` @${printName(fn)}`)
            .join('')
        : '';
    const label = [
      `${[nodeName(node) + region, ...constants].join(' ')}`,
      node.results.map((r) => `%${r.name}`).join(', '),
    ];
    const origin = printOrigin(node.origin);
    lines.push(`${id} [label=${quote(label.join('\n'))}${origin === '' ? '' : `, tooltip=${quote(origin)}`}];`);
    for (const input of node.inputs) edge(input, id);
  }
  func.results.forEach((value, i) => {
    const id = quote(`${prefix}=${i}`);
    lines.push(`${id} [shape=ellipse, label=${quote(`result ${i}`)}];`);
    edge(value, id);
  });
  const body = lines.map((line) => `    ${line}`).join('\n');
  return `  subgraph ${quote(`cluster_${prefix}`)} {\n    label=${quote(`@${func.name}`)};\n${body}\n  }`;
}

/** A module as text for Graphviz. */
export function dotModule(module: Module): string {
  const clusters = [...module.functions.values()].map((func) => dotFunction(func, func.name));
  return `digraph {\n  node [shape=box, fontname="monospace"];\n  edge [fontname="monospace", fontsize=10];\n${clusters.join('\n')}\n}\n`;
}

/** A program as text for Graphviz. */
export const dotProgram = (program: Program): string => dotModule(program.module);
