// Checks a whole program: its module, and that entries and state fit the functions that compute them.

import type {
  Entry,
  EntryArgument,
  EntryConstraint,
  EntryInput,
  EntryOutput,
  Program,
  StateLeaf,
  Structure,
} from '../program.js';
import { type Dim, dimAdd, dimAsSymbol, dimConst, dimSub, shapeEquals } from './dims.js';
import type { Func, TensorType } from './graph.js';
import { printType } from './print.js';
import { VerifyError, type VerifyOptions, verifyModule } from './verify.js';

/** Throws `VerifyError` when the program is malformed. */
export function verifyProgram(program: Program, options: Pick<VerifyOptions, 'stage'> = {}): void {
  const positive = program.entries.flatMap((entry) => entry.constraints.flatMap(positiveParts));
  verifyModule(program.module, { ...options, positive });
  expectUnique(
    program.state.map((leaf) => leaf.path),
    'leaves of the state',
  );
  expectUnique(
    program.entries.map((entry) => entry.name),
    'entries',
  );
  for (const entry of program.entries) verifyEntry(entry, program);
}

function expectUnique(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new VerifyError(undefined, undefined, `two ${what} are called '${twice}'`);
}

/** What a constraint makes at least 1: `left ≥ 0` or `left = right`. */
function positiveParts({ left, right }: EntryConstraint): readonly Dim[] {
  const one = dimConst(1);
  if (right === undefined) return [dimAdd(left, one)];
  const difference = dimSub(left, right);
  return [dimAdd(difference, one), dimSub(one, difference)];
}

const stateType = ({ dtype, shape }: StateLeaf): TensorType => ({ dtype, shape: shape.map(dimConst) });

function verifyEntry(entry: Entry, program: Program): void {
  const fail = (problem: string): never => {
    throw new VerifyError(entry.fn, undefined, `entry '${entry.name}': ${problem}`);
  };
  const func = program.module.functions.get(entry.fn) ?? fail('its function does not exist');
  const expectType = (got: TensorType, want: TensorType, what: string) => {
    if (got.dtype !== want.dtype || !shapeEquals(got.shape, want.shape)) {
      fail(`${what} is ${printType(got)}, expected ${printType(want)}`);
    }
  };
  const checkFlat = (
    parts: readonly (EntryInput | EntryOutput)[],
    values: Func['params'],
    what: string,
  ): TensorType[] => {
    if (parts.length !== values.length) fail(`it describes ${parts.length} ${what}s of ${values.length}`);
    return parts.flatMap((part, i) => {
      const { type } = values[i] as Func['params'][number];
      if (part.kind !== 'state') return [type];
      const leaf = program.state[part.leaf] ?? fail(`there is no state leaf ${part.leaf}`);
      expectType(type, stateType(leaf), `${what} ${i}, the state ${leaf.path},`);
      return [];
    });
  };
  const args = checkFlat(entry.inputs, func.params, 'parameter');
  const results = checkFlat(entry.outputs, func.results, 'result');
  const covered = (structures: readonly Structure[], types: readonly TensorType[], what: string) => {
    const leaves = structures.flatMap(leavesOf);
    for (const { index, type } of leaves) {
      expectType(types[index] ?? fail(`there is no ${what} ${index}`), type, `${what} ${index}`);
    }
    const missing = types.findIndex((_, i) => leaves.every((leaf) => leaf.index !== i));
    if (missing >= 0) fail(`no structure has ${what} ${missing}`);
  };
  covered(
    entry.arguments.map((argument: EntryArgument) => argument.structure),
    args,
    'argument',
  );
  covered([entry.result], results, 'result');
  const bare = new Set(args.flatMap((type) => type.shape.map(dimAsSymbol)));
  const numbers = new Set(entry.arguments.flatMap(({ structure }) => numbersOf(structure)));
  for (const symbol of numbers) if (!entry.symbols.includes(symbol)) fail(`the argument ${symbol} is no dimension`);
  for (const symbol of entry.symbols)
    if (!bare.has(symbol) && !numbers.has(symbol)) fail(`no argument has the dimension ${symbol} by itself`);
  if (entry.evaluation !== undefined && program.entries.every(({ name }) => name !== entry.evaluation)) {
    fail(`there is no entry '${entry.evaluation}'`);
  }
}

function leavesOf(structure: Structure): readonly Extract<Structure, { kind: 'tensor' }>[] {
  switch (structure.kind) {
    case 'tensor':
      return [structure];
    case 'dim':
      return [];
    case 'record':
      return structure.fields.flatMap((field) => leavesOf(field.value));
    default:
      return structure.items.flatMap(leavesOf);
  }
}

/** The dimensions that are arguments themselves. */
function numbersOf(structure: Structure): readonly string[] {
  switch (structure.kind) {
    case 'tensor':
      return [];
    case 'dim':
      return [structure.symbol];
    case 'record':
      return structure.fields.flatMap((field) => numbersOf(field.value));
    default:
      return structure.items.flatMap(numbersOf);
  }
}
