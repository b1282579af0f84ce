// Prints the header of a program: its state, and for each entry what the host passes and gets.
//
//   program mlp {
//     state net.fc1.weight: param f32[256, 784]
//     tree model net: MLP ""
//     tree model net.fc1: Linear "in_features=784, out_features=256, bias=True"
//     tree leaf net.fc1.weight = net.fc1.weight
//     entry predict = @predict {
//       doc "The most likely class of each image."
//       dims B
//       require B - 1: "the batch must not be empty"
//       in (state net.fc1.weight, argument x)
//       out (result "")
//       argument x: 0 f32[B, 784]
//       result 0 i64[B]
//     }
//   }
//
// A structure is a position and a type, `(a, b)` for a tuple, `[a, b]` for a list, `{name: a}` for a record.

import type {
  Entry,
  EntryConstraint,
  EntryInput,
  EntryOutput,
  Program,
  StateEntry,
  StateLeaf,
  Structure,
} from '../../program.js';
import { printName, printType } from './words.js';

function printStructure(structure: Structure): string {
  switch (structure.kind) {
    case 'tensor':
      return `${structure.index} ${printType(structure.type)}`;
    case 'dim':
      return `dim ${printName(structure.symbol)}`;
    case 'tuple':
      return `(${structure.items.map(printStructure).join(', ')})`;
    case 'list':
      return `[${structure.items.map(printStructure).join(', ')}]`;
    case 'record':
      return `{${structure.fields.map(({ name, value }) => `${printName(name)}: ${printStructure(value)}`).join(', ')}}`;
  }
}

const printLeaf = ({ path, role, dtype, shape }: StateLeaf): string =>
  `state ${printName(path)}: ${role} ${dtype}${shape.length > 0 ? `[${shape.join(', ')}]` : ''}`;

const printTree = (entry: StateEntry, state: readonly StateLeaf[]): string =>
  entry.kind === 'model'
    ? `tree ${entry.shared ? 'shared ' : ''}model ${printName(entry.path)}: ${printName(entry.model)} ${JSON.stringify(entry.text)}`
    : `tree leaf ${printName(entry.path)} = ${printName(state[entry.leaf]?.path ?? `?${entry.leaf}`)}`;

function printFlat(part: EntryInput | EntryOutput, state: readonly StateLeaf[]): string {
  const path = part.kind === 'state' ? (state[part.leaf]?.path ?? `?${part.leaf}`) : part.path;
  return `${part.kind} ${printName(path)}`;
}

const printConstraint = (word: 'require' | 'equal', { left, right, message, site }: EntryConstraint): string => {
  const place = site === undefined ? '' : ` at ${JSON.stringify(site.file)} ${site.line} ${site.column}`;
  return `${word} ${left.key}${right === undefined ? '' : ` = ${right.key}`}: ${JSON.stringify(message)}${place}`;
};

function printEntry(entry: Entry, state: readonly StateLeaf[]): readonly string[] {
  const flat = (parts: readonly (EntryInput | EntryOutput)[]) => parts.map((part) => printFlat(part, state)).join(', ');
  const body = [
    ...(entry.doc === undefined ? [] : [`doc ${JSON.stringify(entry.doc)}`]),
    ...(entry.evaluation === undefined ? [] : [`evaluation ${printName(entry.evaluation)}`]),
    ...(entry.symbols.length > 0 ? [`dims ${entry.symbols.join(', ')}`] : []),
    ...(entry.equalities ?? []).map((equality) => printConstraint('equal', equality)),
    ...entry.constraints.map((constraint) => printConstraint('require', constraint)),
    `in (${flat(entry.inputs)})`,
    `out (${flat(entry.outputs)})`,
    ...entry.arguments.map(({ name, structure }) => `argument ${printName(name)}: ${printStructure(structure)}`),
    `result ${printStructure(entry.result)}`,
  ];
  return [`entry ${printName(entry.name)} = @${printName(entry.fn)} {`, ...body.map((line) => `  ${line}`), '}'];
}

/** The header of a program. */
export function printHeader(program: Program): string {
  const body = [
    ...program.state.map(printLeaf),
    ...(program.tree ?? []).map((entry) => printTree(entry, program.state)),
    ...program.entries.flatMap((entry) => printEntry(entry, program.state)),
  ];
  return [`program ${printName(program.name)} {`, ...body.map((line) => `  ${line}`), '}', ''].join('\n');
}
