// `tdsl size`: the memory of each entry point, as formulas in its run-time dimensions, and in bytes where those are given.

import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { targetMachine } from '../../codegen/build/target.js';
import { generate } from '../../codegen/generate.js';
import { copiesIn } from '../../codegen/plan/copies.js';
import type { EntryPlan } from '../../codegen/plan/entry.js';
import { liveBytes, offsetsOf, type Workspace, workspaceBound } from '../../codegen/plan/memory.js';
import {
  type Dim,
  dimAdd,
  dimConst,
  dimMul,
  dimProduct,
  dimSubstitute,
  dimSymbols,
  dimValue,
  isDimConst,
  printDim,
} from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { TensorType } from '../../compiler/ir/graph.js';
import type { Entry, Program } from '../../compiler/program.js';
import { lower } from '../build.js';
import { userError } from '../errors.js';
import { loadProgram } from '../frontend.js';
import { parseDims } from '../options.js';
import { packageVersion } from '../package.js';

interface Options {
  readonly fn?: string;
  readonly dim: readonly string[];
  readonly threads: number;
}

const sum = (sizes: readonly Dim[]): Dim => sizes.reduce(dimAdd, dimConst(0));
const bytesOf = ({ dtype, shape }: TensorType): Dim => dimProduct([dimConst(dtypeBytes(dtype)), ...shape]);

type Part = readonly [name: string, bytes: Dim, note?: string];

interface Setting {
  readonly dims: ReadonlyMap<string, number>;
  readonly threads: number;
}

/** What a call of an entry holds: its arguments and results, which are the caller's, its workspace, and what threads need for themselves. */
function partsOf(program: Program, plan: EntryPlan, { dims, threads }: Setting): readonly Part[] {
  const { entry, workspace, threadScratch } = plan;
  const fn = program.module.functions.get(entry.fn);
  const params = (fn?.params ?? []).filter((_, i) => entry.inputs[i]?.kind === 'argument');
  const results = (fn?.results ?? []).filter((_, i) => entry.outputs[i]?.kind === 'result');
  return [
    ['arguments', sum(params.map(({ type }) => bytesOf(type)))],
    ['results', sum(results.map(({ type }) => bytesOf(type)))],
    workspacePart(workspace, dims),
    ...(isDimConst(threadScratch, 0) ? [] : [scratchPart(threadScratch, threads)]),
  ];
}

const scratchPart = (each: Dim, threads: number): Part => [
  'scratch',
  dimMul(each, dimConst(threads)),
  threads === 1 ? ' for 1 thread' : ` for ${threads} threads`,
];

/** The workspace: exactly, and how it compares with what lives in it, where all dimensions are given; else what it does not exceed. */
function workspacePart(workspace: Workspace, given: ReadonlyMap<string, number>): Part {
  const symbols = new Set<string>();
  for (const { bytes } of workspace.lifetimes) dimSymbols(bytes, symbols);
  if ([...symbols].some((symbol) => !given.has(symbol))) return ['workspace', workspaceBound(workspace), ' at most'];
  const [{ end }, live] = [offsetsOf(workspace, given), liveBytes(workspace, given)];
  const note =
    live === 0 ? '' : `, ${(end / live).toFixed(2)} times the ${live.toLocaleString('en-US')} that live at once`;
  return ['workspace', dimConst(end), note];
}

/** What kernels write that only rearrange what is in memory: no memory of its own, but time. */
function copiesPart({ steps }: EntryPlan): readonly Part[] {
  const copies = copiesIn(steps);
  if (copies.length === 0) return [];
  const bytes = sum(copies.flatMap(({ outputs }) => outputs.map(({ type }) => bytesOf(type))));
  return [['copies', bytes, ` by ${copies.length} ${copies.length === 1 ? 'kernel' : 'kernels'}`]];
}

/** The entries to show: that of the name, or all that a host calls. */
function selected(program: Program, name: string | undefined): readonly Entry[] {
  const hidden = new Set(['init', ...program.entries.flatMap(({ evaluation }) => evaluation ?? [])]);
  const shown = program.entries.filter((entry) => (name === undefined ? !hidden.has(entry.name) : entry.name === name));
  if (shown.length > 0) return shown;
  const names = program.entries.map((entry) => entry.name).filter((other) => !hidden.has(other));
  throw userError(
    name === undefined
      ? 'the program exports no function'
      : `there is no function '${name}'; there are ${names.join(', ')}`,
  );
}

async function size(file: string, options: Options): Promise<void> {
  const given = new Map(Object.entries(parseDims(options.dim)));
  const { program } = lower(loadProgram(file));
  const entries = selected(program, options.fn);
  const known = new Set(program.entries.flatMap(({ symbols }) => symbols));
  const unknown = [...given.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    const names = [...known].join(', ') || 'none';
    throw userError(`there is no run-time dimension ${unknown}; there are ${names}`);
  }
  // Without a compiler the widest need of all classes of processors is shown.
  const machine = await targetMachine().catch(() => undefined);
  const { plan, layout } = generate(program, {
    target: 'c',
    version: packageVersion,
    sourceHash: '',
    ...(machine === undefined ? {} : { machines: [machine] }),
  });
  const text = (bytes: Dim): string => {
    const known = dimSubstitute(bytes, new Map([...given].map(([name, value]) => [name, dimConst(value)])));
    const value = dimValue(known);
    return value === undefined ? printDim(known) : `${value.toLocaleString('en-US')} bytes`;
  };
  const state = dimConst(layout.bytes);
  process.stdout.write(`state: ${text(state)}\n`);
  for (const entry of entries) {
    const parts = partsOf(program, plan.entries.get(entry.name) as EntryPlan, {
      dims: given,
      threads: options.threads,
    });
    const symbols = entry.symbols.length > 0 ? `(${entry.symbols.join(', ')})` : '';
    const lines: readonly Part[] = [['peak', sum([state, ...parts.map(([, bytes]) => bytes)])], ...parts];
    process.stdout.write(`${entry.name}${symbols}\n`);
    for (const [name, bytes, note = ''] of [...lines, ...copiesPart(plan.entries.get(entry.name) as EntryPlan)])
      process.stdout.write(`  ${name.padEnd(9)} ${text(bytes)}${note}\n`);
  }
}

function threadCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new InvalidArgumentError('It takes a whole number from 1 to 256.');
}

export function addSize(program: Command): void {
  program
    .command('size')
    .description('print the peak memory of each entry point')
    .argument('<file>', 'a program (.td) or text IR (.tdir)')
    .option('--fn <name>', 'only this function')
    .option(
      '--dim <name=size>',
      'the size of a run-time dimension (repeatable)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .option('--threads <n>', 'the threads of a session, each with scratch memory', threadCount, availableParallelism())
    .action(size);
}
