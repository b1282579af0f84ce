// Reads the text form of the graph IR (see print.ts) back: functions, modules and programs.

import type { Program } from '../program.js';
import { NameSupply } from './builder.js';
import { shapeEquals } from './dims.js';
import type { DType } from './dtype.js';
import type { Func, Module, Node, TensorType, Value } from './graph.js';
import { readHeader } from './text/read-header.js';
import { type ReadOperand, readOperation } from './text/read-node.js';
import { Scanner } from './text/scanner.js';
import { isValueOf, parseOrigin, printNumber, printType } from './text/words.js';

export { ParseError } from './text/scanner.js';

/** The number of the format, as the first line says it. */
export const formatNumber = 1;

/** Reads a module. The text of a program is read as well; its header is then left out. */
export function parseModule(text: string, file?: string): Module {
  const scanner = open(text, file);
  if (scanner.sees('program')) readHeader(scanner);
  return readFunctions(scanner);
}

/** Reads a program. */
export function parseProgram(text: string, file?: string): Program {
  const scanner = open(text, file);
  const header = readHeader(scanner);
  return { ...header, module: readFunctions(scanner) };
}

function open(text: string, file: string | undefined): Scanner {
  const scanner = new Scanner(text, file);
  scanner.expect('tdir', 'and the number of the format');
  const at = scanner.position;
  const number = scanner.integer('the number of the format');
  if (number !== formatNumber) scanner.fail(`this is format ${number}; only format ${formatNumber} is known`, at);
  return scanner;
}

function readFunctions(scanner: Scanner): Module {
  const functions = new Map<string, Func>();
  while (!scanner.atEnd) {
    const at = scanner.position;
    const func = readFunction(scanner);
    if (functions.has(func.name)) scanner.fail(`there are two functions @${func.name}`, at);
    functions.set(func.name, func);
  }
  return { functions };
}

/** Reads one function: names, values in scope, and the constants that the text writes inside other statements. */
function readFunction(scanner: Scanner): Func {
  scanner.expect('fn', 'and a function');
  const name = scanner.name('the name of a function');
  const scope = new Map<string, Value>();
  const define = (at: number, value: Value): Value => {
    if (scope.has(value.name)) scanner.fail(`%${value.name} is defined twice`, at);
    scope.set(value.name, value);
    return value;
  };
  const params = scanner.list(
    () => {
      const { at, name: param } = readValueName(scanner);
      scanner.expect(':', 'and a type');
      return define(at, { name: param, type: scanner.type() });
    },
    '(',
    ')',
  );
  scanner.expect('->', 'and the types of the results');
  const types = scanner.sees('(') ? scanner.list(() => scanner.type(), '(', ')') : [scanner.type()];
  scanner.expect('{');
  const origin = parseOrigin(scanner.comment());
  const nodes: Node[] = [];
  const operand = operandReader(scanner, scope, nodes);
  while (!scanner.accept('return')) {
    if (!scanner.sees('%') && !scanner.sees('()')) scanner.expected("a statement or 'return'");
    readStatement(scanner, operand, define, nodes);
  }
  const at = scanner.position;
  const results: Value[] = [];
  if (!scanner.sees('}')) {
    do results.push(operand());
    while (scanner.accept(','));
  }
  checkResults(scanner, at, types, results);
  scanner.expect('}');
  return { name, params, nodes, results, origin };
}

function checkResults(scanner: Scanner, at: number, types: readonly TensorType[], results: readonly Value[]): void {
  if (types.length !== results.length) {
    scanner.fail(`the function has ${types.length} result types and returns ${results.length} values`, at);
  }
  results.forEach(({ name, type }, i) => {
    const declared = types[i] as TensorType;
    if (declared.dtype !== type.dtype || !shapeEquals(declared.shape, type.shape)) {
      scanner.fail(`result ${i} is declared ${printType(declared)}, but %${name} is ${printType(type)}`, at);
    }
  });
}

function readValueName(scanner: Scanner): { at: number; name: string } {
  const at = scanner.position;
  scanner.expect('%', 'and the name of a value');
  return { at, name: scanner.name('the name of a value') };
}

function readStatement(
  scanner: Scanner,
  operand: ReadOperand,
  define: (at: number, value: Value) => Value,
  nodes: Node[],
): void {
  const start = scanner.position;
  const names: { at: number; name: string }[] = [];
  if (!scanner.accept('()')) {
    do names.push(readValueName(scanner));
    while (scanner.accept(','));
  }
  scanner.expect('=', 'and an operation');
  const { draft, types } = readOperation(scanner, operand);
  const origin = parseOrigin(scanner.comment());
  if (types.length !== names.length) {
    scanner.fail(`the statement names ${names.length} results and gives ${types.length} types`, start);
  }
  const results = names.map(({ at, name }, i) => define(at, { name, type: types[i] as TensorType }));
  nodes.push({ ...draft, results, origin } as Node);
}

/** Reads operands. A rank-0 constant becomes a node before the statement that reads it, one for each value of a function. */
function operandReader(scanner: Scanner, scope: ReadonlyMap<string, Value>, nodes: Node[]): ReadOperand {
  const names = new NameSupply();
  for (const match of scanner.text.matchAll(/%([\w.$]+)/g)) names.reserve(match[1] as string);
  const constants = new Map<string, Value>();
  const constant = (dtype: DType): Value => {
    scanner.expect('(');
    const at = scanner.position;
    const value = scanner.number(dtype);
    if (!isValueOf(value, dtype)) scanner.fail(`${printNumber(value)} is not a value of ${dtype}`, at);
    scanner.expect(')');
    const key = `${dtype}(${printNumber(value)})`;
    const known = constants.get(key);
    if (known !== undefined) return known;
    const result: Value = { name: names.fresh('c'), type: { dtype, shape: [] } };
    nodes.push({
      kind: 'source',
      source: { type: 'constant', dtype, shape: [], data: [value] },
      inputs: [],
      results: [result],
      origin: {},
    });
    constants.set(key, result);
    return result;
  };
  return () => {
    const dtype = scanner.dtypeBefore('(');
    if (dtype !== undefined) return constant(dtype);
    if (!scanner.sees('%')) scanner.expected('an operand');
    const { at, name } = readValueName(scanner);
    return scope.get(name) ?? scanner.fail(`%${name} is not defined before this`, at);
  };
}
