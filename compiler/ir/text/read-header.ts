// Reads the header of a program in the text IR (see header.ts).

import type {
  Entry,
  EntryArgument,
  EntryConstraint,
  EntryInput,
  EntryOutput,
  Program,
  StateEntry,
  StateLeaf,
  Structure,
} from '../../program.js';
import { dimValue } from '../dims.js';
import type { Scanner } from './scanner.js';

const roles = ['param', 'buffer', 'state', 'key'] as const;

/** A program without its functions. */
export function readHeader(scanner: Scanner): Omit<Program, 'module'> {
  scanner.expect('program', 'and the header of a program');
  const name = scanner.name('the name of the program');
  scanner.expect('{');
  const state: StateLeaf[] = [];
  const tree: StateEntry[] = [];
  const entries: Entry[] = [];
  while (!scanner.accept('}')) {
    if (scanner.accept('state')) state.push(readLeaf(scanner));
    else if (scanner.accept('tree')) tree.push(readTree(scanner, state));
    else if (scanner.accept('entry')) entries.push(readEntry(scanner, state));
    else scanner.expected("'state', 'tree', 'entry' or '}'");
  }
  return { name, entries, state, ...(tree.length === 0 ? {} : { tree }) };
}

function readTree(scanner: Scanner, state: readonly StateLeaf[]): StateEntry {
  const shared = scanner.accept('shared');
  if (scanner.accept('model')) {
    const path = scanner.name('the path of a model');
    scanner.expect(':', 'and the name of the model');
    const model = scanner.name('the name of the model');
    const text = scanner.string('what the model prints, as a string');
    return { kind: 'model', path, model, text, ...(shared && { shared }) };
  }
  scanner.expect('leaf', "or 'model'");
  const path = scanner.name('a path');
  scanner.expect('=', 'and the path of a leaf');
  return { kind: 'leaf', path, leaf: readLeafPath(scanner, state) };
}

function readLeafPath(scanner: Scanner, state: readonly StateLeaf[]): number {
  const at = scanner.position;
  const path = scanner.name('the path of a leaf');
  const leaf = state.findIndex((candidate) => candidate.path === path);
  return leaf >= 0 ? leaf : scanner.fail(`there is no state at ${path}`, at);
}

function readLeaf(scanner: Scanner): StateLeaf {
  const path = scanner.name('the path of a leaf');
  scanner.expect(':', 'and what the leaf is');
  const role = roles.find((word) => scanner.accept(word)) ?? scanner.expected("'param', 'buffer', 'state' or 'key'");
  const at = scanner.position;
  const { dtype, shape } = scanner.type();
  const sizes = shape.map(
    (dim) => dimValue(dim) ?? scanner.fail(`the shape of state is fixed, but ${dim.key} is a run-time size`, at),
  );
  return { path, role, dtype, shape: sizes };
}

function readEntry(scanner: Scanner, state: readonly StateLeaf[]): Entry {
  const name = scanner.name('the name of an entry');
  scanner.expect('=', 'and the function');
  scanner.expect('@', 'and the name of a function');
  const fn = scanner.name('the name of a function');
  scanner.expect('{');
  const doc = scanner.accept('doc') ? scanner.string('the documentation as a string') : undefined;
  const evaluation = scanner.accept('evaluation') ? scanner.name('the name of an entry') : undefined;
  const symbols: string[] = [];
  if (scanner.accept('dims')) {
    do symbols.push(scanner.name('the name of a dimension'));
    while (scanner.accept(','));
  }
  const equalities: EntryConstraint[] = [];
  while (scanner.accept('equal')) equalities.push(readConstraint(scanner));
  const constraints: EntryConstraint[] = [];
  while (scanner.accept('require')) constraints.push(readConstraint(scanner));
  scanner.expect('in');
  const inputs = scanner.list((): EntryInput => readFlat(scanner, state, 'argument'), '(', ')');
  scanner.expect('out');
  const outputs = scanner.list((): EntryOutput => readFlat(scanner, state, 'result'), '(', ')');
  const args: EntryArgument[] = [];
  while (scanner.accept('argument')) {
    const argument = scanner.name('the name of an argument');
    scanner.expect(':', 'and its structure');
    args.push({ name: argument, structure: readStructure(scanner) });
  }
  scanner.expect('result');
  const result = readStructure(scanner);
  scanner.expect('}');
  const optional = {
    ...(equalities.length === 0 ? {} : { equalities }),
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(doc === undefined ? {} : { doc }),
  };
  return { name, fn, inputs, outputs, arguments: args, result, symbols, constraints, ...optional };
}

function readConstraint(scanner: Scanner): EntryConstraint {
  const left = scanner.dim('=:');
  const right = scanner.accept('=') ? scanner.dim(':') : undefined;
  scanner.expect(':', 'and a message');
  const message = scanner.string('a message as a string');
  const required = { left, ...(right === undefined ? {} : { right }), message };
  if (!scanner.accept('at')) return required;
  const file = scanner.string('the name of a file as a string');
  const line = scanner.integer('a line');
  return { ...required, site: { file, line, column: scanner.integer('a column') } };
}

function readFlat<K extends 'argument' | 'result'>(scanner: Scanner, state: readonly StateLeaf[], kind: K) {
  if (scanner.accept(kind)) return { kind, path: scanner.name('a path') };
  scanner.expect('state', `or '${kind}'`);
  return { kind: 'state' as const, leaf: readLeafPath(scanner, state) };
}

function readStructure(scanner: Scanner): Structure {
  if (scanner.sees('(')) return { kind: 'tuple', items: scanner.list(() => readStructure(scanner), '(', ')') };
  if (scanner.sees('[')) return { kind: 'list', items: scanner.list(() => readStructure(scanner)) };
  if (scanner.sees('{')) {
    const field = () => {
      const name = scanner.name('the name of a field');
      scanner.expect(':', 'and its structure');
      return { name, value: readStructure(scanner) };
    };
    return { kind: 'record', fields: scanner.list(field, '{', '}') };
  }
  if (scanner.accept('dim')) return { kind: 'dim', symbol: scanner.name('the name of a dimension') };
  const index = scanner.integer('a position and a type, or a structure in brackets');
  return { kind: 'tensor', index, type: scanner.type() };
}
