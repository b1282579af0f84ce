// The text form of the graph IR. `parse.ts` reads it back.
//
//   tdir 1
//   fn loss(%x: f32[B, 784], %w: f32[10, 784]) -> f32[B, 10] {
//     %z = contract [b, o] over k: %x[b, k] * %w[o, k]  : f32[B, 10]  # mlp.td:13:79 fc1(x)
//     return %z
//   }
//
// A statement names its results, the operation with its attributes, the types of the results, and as a comment where it
// comes from (text/words.ts). Rank-0 constants are written where they are read: `gt %a, f32(0)`.
//
//   contract [b, o] over k: %x[b, k] * %w[o, k] where b - o == 0     outer indices in brackets, then the summed ones
//   max [n, i] over u < 2: %x[n, 2*i + u?]                           `?`: counts as absent outside the operand
//   sum %x over [1]                                                  whole dimensions
//   contract [i] over u < 3: %x[(i - u) / 2?]                        a divisor: absent where it leaves a remainder
//   gather [n, d]: %table[%ids[n], d]
//   scatter add [n, d]: %base[%ids[n], d] from %updates
//   reshape %x · permute %x by [1, 0] · broadcast %x at [1] · slice %x from [0, 2] step [1, 2] · flip %x along [0]
//   pad %x with f32(0) low [1] high [1] interior [0] · concat %x, %y along 0 · cumsum %x along 1 reverse
//   constant [1, 2, 3] · iota along 0 · size {2*B} · random_bits %key · fold_in %key, %data
//   call @f(%x) · vjp @loss(%x, %d) wrt [0] of [0] · kernel @k1(%x) · checkpoint @f(%x) · if %c then @f else @g (%x)
//   vmap @f(%x, %w) over [0] size [B]
//   custom_jvp @f(%x) derivative @df wrt [0] of [0]
//   loop @step over [T] reverse with %w carry %h0 each %xs           `times %n`: counted; `while @more`: with a condition

import type { Program } from '../program.js';
import type { Func, Module, Node, Value } from './graph.js';
import { definitions } from './rewrite.js';
import { inlineConstant } from './text/equal.js';
import { printHeader } from './text/header.js';
import { type PrintValue, printOperation } from './text/node.js';
import { printName, printOrigin, printType } from './text/words.js';

/** The first line of a text: the format and its number. */
export const formatLine = 'tdir 1';

/** Operations longer than this do not push the types of the other statements to the right. */
const longest = 72;

export { dotModule, dotProgram, jsonModule, jsonProgram } from './text/export.js';
export { printType } from './text/words.js';

/** A function without the format line. */
export function printFunction(func: Func): string {
  const print = valuePrinter(func);
  const named = ({ name, type }: Value) => `%${printName(name)}: ${printType(type)}`;
  const params = func.params.map(named).join(', ');
  const results = func.results.map((value) => printType(value.type)).join(', ');
  const head = `fn ${printName(func.name)}(${params}) -> ${func.results.length === 1 ? results : `(${results})`} {`;
  const rows = func.nodes
    .filter((node) => inlineConstant(node) === undefined)
    .map((node) => ({
      statement: printStatement(node, print),
      types: printTypes(node),
      origin: printOrigin(node.origin),
    }));
  const width = (column: (row: (typeof rows)[number]) => string) =>
    Math.max(0, ...rows.map((row) => column(row).length).filter((length) => length <= longest));
  const [statements, types] = [width((row) => row.statement), width((row) => row.types)];
  const lines = rows.map((row) => {
    const line = `  ${row.statement.padEnd(statements)}  : ${row.types}`;
    return row.origin === '' ? line : `${line.padEnd(statements + types + 6)}  # ${row.origin}`;
  });
  const origin = printOrigin(func.origin);
  const last = `  return${func.results.length > 0 ? ' ' : ''}${func.results.map(print).join(', ')}`;
  return [origin === '' ? head : `${head}  # ${origin}`, ...lines, last, '}', ''].join('\n');
}

/** One statement on a line, as in the text of its function, without its origin. */
export const printNode = (node: Node, func: Func): string =>
  `${printStatement(node, valuePrinter(func))} : ${printTypes(node)}`;

const printStatement = (node: Node, print: PrintValue): string => {
  const results = node.results.map((value) => `%${printName(value.name)}`).join(', ');
  return `${results === '' ? '()' : results} = ${printOperation(node, print)}`;
};

const printTypes = (node: Node): string =>
  node.results.length === 0 ? '()' : node.results.map((value) => printType(value.type)).join(', ');

function valuePrinter(func: Func): PrintValue {
  const defined = definitions(func);
  return (value) => {
    const definition = defined.get(value);
    return (definition && inlineConstant(definition.node)) ?? `%${printName(value.name)}`;
  };
}

const printFunctions = (module: Module): string => [...module.functions.values()].map(printFunction).join('\n');

/** A module as text that `parseModule` reads back. */
export const printModule = (module: Module): string => `${formatLine}\n\n${printFunctions(module)}`;

/** A program as text that `parseProgram` reads back: what the host sees, then the functions. */
export const printProgram = (program: Program): string =>
  `${formatLine}\n\n${printHeader(program)}\n${printFunctions(program.module)}`;
