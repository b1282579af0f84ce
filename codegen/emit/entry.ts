// Prints the file of a model that is not kernels: one run function per entry, what is computed from the run-time dimensions, and the static
// tables that describe the model to the run-time system.

import { failureParts } from '../../compiler/constraints.js';
import { type Dim, dimAsSymbol, dimSub, dimSymbols, dimValue, isDimConst, printDim } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { TensorType } from '../../compiler/ir/graph.js';
import type { Program } from '../../compiler/program.js';
import type { EntryPlan, PlannedGroup, PlannedLaunch } from '../plan/entry.js';
import type { StateLayout } from '../plan/layout.js';
import { alignedSize, offsetsOf, type Workspace } from '../plan/memory.js';
import { stringText } from './literals.js';
import { sizeText } from './positions.js';
import { type LaunchedGroup, type LaunchedKernel, type RunContext, RunPrinter, type Site, siteText } from './run.js';
import { byteText, doubleText, type SizeName } from './sizes.js';

export interface ModelText {
  readonly program: Program;
  readonly layout: StateLayout;
  readonly plans: readonly EntryPlan[];
  readonly kernelOf: (step: PlannedLaunch) => LaunchedKernel;
  readonly groupOf: (group: PlannedGroup) => LaunchedGroup;
  readonly resident?: RunContext['resident'];
  readonly version: string;
  readonly sourceHash: string;
  readonly device: DeviceText;
}

/** What the description of a model says about its device. */
export interface DeviceText {
  readonly name: 'TDSL_CPU' | 'TDSL_CUDA';
  /** C expressions of strings. */
  readonly cpuFeatures: string;
  readonly gpuArchs: string;
  /** The number of CPUs that it holds kernels for, where loading chooses among several; else 0. */
  readonly versions: number;
}

/** Prints `model.c`. */
export function emitModel(model: ModelText): string {
  const sites: Site[] = [];
  const entries = model.plans.map((plan, i) => emitEntry(model, plan, i, sites));
  const faults = sites.map(
    ({ status, origin, operation, entry }) =>
      `  {${status}, ${stringText(siteText(origin))}, ${stringText(operation)}, ${entry}},`,
  );
  const { program, layout, device } = model;
  const leaves = program.state.map((leaf, i) => {
    const { offset, bytes } = layout.leaves[i] as { offset: number; bytes: number };
    const dims = leaf.shape.length === 0 ? '0' : leaf.shape.join(', ');
    return `  TDSL_LEAF(${stringText(leaf.path)}, TDSL_${leaf.role.toUpperCase()}, ${dtypeText(leaf.dtype)}, ${offset}, ${bytes}, ${leaf.shape.length}, ${dims}),`;
  });
  return [
    `/* ${program.name}: entries and tables. Written by tdsl ${model.version}. */`,
    '#include <string.h>\n\n#include "kernels.h"\n',
    ...entries.map((entry) => entry.text),
    table('static const tdsl_fault_site fault_sites[]', faults),
    table('static const tdsl_state_spec state_leaves[]', leaves),
    table(
      'static const tdsl_entry_spec entry_specs[]',
      entries.map((entry) => entry.spec),
    ),
    table(
      'static const tdsl_entry_def entry_defs[]',
      entries.map((entry) => entry.definition),
    ),
    `const tdsl_model_def tdsl_model_definition = {
  .info = {sizeof(tdsl_model_info), TDSL_ABI_VERSION, ${device.name}, 0, ${stringText(program.name)}, ${stringText(`tdsl ${model.version}`)},
           ${stringText(model.sourceHash)}, ${device.cpuFeatures}, ${device.gpuArchs}, ${entries.length}, ${leaves.length}, entry_specs, state_leaves, ${layout.bytes}},
  .entries = entry_defs,
  .fault_sites = fault_sites,${device.versions === 0 ? '' : `\n  .versions = kernel_versions,\n  .n_versions = ${device.versions},`}
};
`,
  ].join('\n');
}

/** A table; C has none without elements. */
const table = (head: string, rows: readonly string[]): string =>
  `${head} = {\n${rows.length > 0 ? rows.join('\n') : '  {0},'}\n};\n`;

const dtypeText = (dtype: DType): string => `TDSL_${dtype.toUpperCase()}`;

/** What the tables say about one entry. */
interface EntryText {
  readonly text: string;
  readonly spec: string;
  readonly definition: string;
}

function emitEntry(model: ModelText, plan: EntryPlan, index: number, sites: Site[]): EntryText {
  const { entry } = plan;
  const id = `${index}_${entry.name.replace(/\W/g, '_')}`;
  const symbolNames = new Map(entry.symbols.map((symbol, i) => [symbol, `s${i}`]));
  const sizeName: SizeName = (symbol) => {
    const name = symbolNames.get(symbol);
    if (name === undefined) throw new Error(`the run-time dimension ${symbol} is not one of the entry ${entry.name}`);
    return name;
  };
  const derived = new DerivedDims();
  const fn = model.program.module.functions.get(entry.fn);
  if (fn === undefined) throw new Error(`the entry ${entry.name} has no function @${entry.fn}`);
  const inputs = entry.inputs.flatMap((input, i) =>
    input.kind === 'argument'
      ? [argumentText(input.path, 'IN', (fn.params[i] as { type: TensorType }).type, entry.symbols, derived)]
      : [],
  );
  const outputs = entry.outputs.flatMap((output, i) =>
    output.kind === 'result'
      ? [argumentText(output.path, 'OUT', (fn.results[i] as { type: TensorType }).type, entry.symbols, derived)]
      : [],
  );
  const args = [...inputs, ...outputs];
  const reads = entry.inputs.some((input) => input.kind === 'state');
  const writes = entry.outputs.some((output) => output.kind === 'state');
  const isInit = entry.name === 'init' && writes;
  const flags = [reads ? 'TDSL_READS_STATE' : '', writes ? 'TDSL_WRITES_STATE' : '', isInit ? 'TDSL_ENTRY_INIT' : ''];
  const run = runText(model, plan, index, id, symbolNames, sizeName, sites);
  const memory = memoryText(plan, id, symbolNames, sizeName);
  const derive = deriveText(plan, id, symbolNames, sizeName, derived);
  const symbols = entry.symbols.map((symbol) => `  TDSL_SYMBOL(${stringText(symbol)}, 0, INT64_MAX),`);
  const text = [
    run.text,
    memory.text,
    derive.text,
    args.length > 0 ? table(`static const tdsl_tensor_spec args_${id}[]`, args) : '',
    symbols.length > 0 ? table(`static const tdsl_symbol_spec symbols_${id}[]`, symbols) : '',
  ];
  return {
    text: text.filter((part) => part !== '').join('\n'),
    spec: `  {sizeof(tdsl_entry_spec), ${flags.filter((flag) => flag !== '').join(' | ') || '0'}, ${stringText(entry.name)}, ${args.length}, ${symbols.length}, ${args.length > 0 ? `args_${id}` : 'NULL'}, ${symbols.length > 0 ? `symbols_${id}` : 'NULL'}},`,
    definition: `  {run_${id}, ${memory.names}, ${derive.names}, ${run.positions}},`,
  };
}

/** The dimensions of an entry's tensors that are expressions in its symbols. */
class DerivedDims {
  readonly dims: Dim[] = [];

  indexOf(dim: Dim): number {
    const known = this.dims.findIndex((other) => other.key === dim.key);
    if (known >= 0) return known;
    this.dims.push(dim);
    return this.dims.length - 1;
  }
}

function argumentText(
  path: string,
  role: 'IN' | 'OUT',
  type: TensorType,
  symbols: readonly string[],
  derived: DerivedDims,
): string {
  const dims = type.shape.map((dim) => {
    const value = dimValue(dim);
    if (value !== undefined) return String(value);
    const symbol = dimAsSymbol(dim);
    const at = symbol === undefined ? -1 : symbols.indexOf(symbol);
    return at >= 0 ? `TDSL_DIM_SYMBOL(${at})` : `TDSL_DIM_DERIVED(${derived.indexOf(dim)})`;
  });
  return `  TDSL_ARG(${stringText(path)}, TDSL_${role}, ${dtypeText(type.dtype)}, ${dims.length}, ${dims.join(', ') || '0'}),`;
}

function symbolLines(names: ReadonlyMap<string, string>, used: Iterable<Dim>, from: string): string[] {
  const symbols = new Set<string>();
  for (const dim of used) dimSymbols(dim, symbols);
  return [...names].flatMap(([symbol, name], i) =>
    symbols.has(symbol) ? [`  const int64_t ${name} = ${from}[${i}]; /* ${symbol} */`] : [],
  );
}

function runText(
  model: ModelText,
  plan: EntryPlan,
  index: number,
  id: string,
  names: ReadonlyMap<string, string>,
  sizeName: SizeName,
  sites: Site[],
): { readonly text: string; readonly positions: number } {
  const { workspace } = plan;
  const { slots } = workspace;
  const printer = new RunPrinter(plan, {
    kernelOf: model.kernelOf,
    groupOf: model.groupOf,
    resident: model.resident,
    leafOffset: (leaf) => model.layout.leaves[leaf]?.offset,
    sizeName,
    sites,
    entry: index,
    guardsAll: model.device.name === 'TDSL_CUDA',
    decides: model.device.name === 'TDSL_CUDA',
  });
  printer.print();
  const body = printer.lines;
  const { lines: offsetLines, offsets } = placedText(workspace, sizeName);
  const pointers = offsets.map((offset, i) => `  unsigned char *const w${i} = call->workspace + ${offset};`);
  const lines = [
    ...symbolLines(names, [...slots.map(({ bytes }) => bytes), ...printer.used], 'call->symbols'),
    ...offsetLines,
    ...pointers,
    ...body,
    ...pointers.map((_, i) => `  (void)w${i};`),
  ];
  const text = `static tdsl_status run_${id}(tdsl_call *call) {\n${[...lines, '  (void)call;', '  return TDSL_OK;'].join('\n')}\n}\n`;
  return { text, positions: printer.positions };
}

/** Where the slots of a workspace begin, and where they end, as C: numbers where they are known, else variables that `lines` declare. */
function placedText(
  workspace: Workspace,
  sizeName: SizeName,
): { readonly lines: readonly string[]; readonly offsets: readonly string[]; readonly end: string } {
  const isKnown = workspace.slots.every(({ bytes }) => dimValue(bytes) !== undefined);
  if (isKnown) {
    const { offsets, end } = offsetsOf(workspace, new Map());
    return { lines: [], offsets: offsets.map(String), end: String(end) };
  }
  const ends = workspace.slots.map(({ bytes }, i) => `o${i} + ${byteText(alignedSize(bytes), sizeName)}`);
  const largest = (slots: readonly number[]): string =>
    slots.reduce((text, slot) => (text === '0' ? (ends[slot] as string) : `tdsl_max(${text}, ${ends[slot]})`), '0');
  const top = workspace.slots.flatMap((_, i) => (workspace.slots.some(({ above }) => above.includes(i)) ? [] : [i]));
  return {
    lines: workspace.slots.map(({ above }, i) => `  const int64_t o${i} = ${largest(above)};`),
    offsets: workspace.slots.map((_, i) => `o${i}`),
    end: largest(top),
  };
}

/** A function of the run-time dimensions that gives a number of bytes; `sizes` are all that it adds up, of which no sum may overflow. */
function bytesText(
  name: string,
  names: ReadonlyMap<string, string>,
  sizes: readonly Dim[],
  sizeName: SizeName,
  lines: readonly string[],
  result: string,
): string {
  const isConstant = sizes.every((size) => dimValue(size) !== undefined);
  const overflow = sizes.map((size) => `__builtin_fmax(0, ${doubleText(size, sizeName)})`).join(' + ');
  return [
    `static uint64_t ${name}(const int64_t *symbols, const int64_t *derived) {`,
    ...symbolLines(names, sizes, 'symbols'),
    '  (void)symbols, (void)derived;',
    ...(isConstant ? [] : [`  if (!(${overflow} < 4e18)) return UINT64_MAX;`]),
    ...lines,
    `  return (uint64_t)(${result});`,
    '}\n',
  ].join('\n');
}

/** The functions that tell the memory of an entry, and their names. */
function memoryText(
  { workspace, threadScratch }: EntryPlan,
  id: string,
  names: ReadonlyMap<string, string>,
  sizeName: SizeName,
): { readonly text: string; readonly names: string } {
  const sizes = workspace.slots.map(({ bytes }) => bytes);
  const { lines, end } = placedText(workspace, sizeName);
  const hasScratch = !isDimConst(threadScratch, 0);
  const [whole, scratch] = [`workspace_${id}`, `scratch_${id}`];
  const text = [
    ...(sizes.length > 0 ? [bytesText(whole, names, sizes, sizeName, lines, end)] : []),
    ...(hasScratch
      ? [bytesText(scratch, names, [threadScratch], sizeName, [], byteText(threadScratch, sizeName))]
      : []),
  ];
  return { text: text.join('\n'), names: `${sizes.length > 0 ? whole : 'NULL'}, ${hasScratch ? scratch : 'NULL'}` };
}

function deriveText(
  plan: EntryPlan,
  id: string,
  names: ReadonlyMap<string, string>,
  sizeName: SizeName,
  derived: DerivedDims,
): { readonly text: string; readonly names: string } {
  const { constraints } = plan.entry;
  const { dims } = derived;
  if (dims.length === 0 && constraints.length === 0) return { text: '', names: 'NULL, NULL, NULL' };
  const used = [...dims, ...constraints.flatMap(({ left, right }) => (right === undefined ? [left] : [left, right]))];
  const parts = constraints.map(failureParts);
  const tests = constraints.map(({ left, right }, i) => {
    const holds =
      right === undefined ? `${sizeText(left, sizeName)} >= 0` : `${sizeText(dimSub(left, right), sizeName)} == 0`;
    const values = parts[i]?.filter((part) => typeof part !== 'string') ?? [];
    const kept = values.map((value, k) => `derived[${k}] = ${sizeText(value, sizeName)}, `);
    return `  if (!(${holds})) return ${kept.join('')}${i};`;
  });
  const text = [
    `static int32_t derive_${id}(const int64_t *symbols, int64_t *derived) {`,
    ...symbolLines(names, used, 'symbols'),
    '  (void)symbols, (void)derived;',
    ...dims.map((dim, k) => `  derived[${k}] = ${sizeText(dim, sizeName)};`),
    ...tests,
    '  return -1;',
    '}',
    dims.length > 0
      ? table(
          `static const char *const derived_${id}[]`,
          dims.map((dim) => `  ${stringText(printDim(dim))},`),
        )
      : '',
    constraints.length > 0
      ? table(
          `static const char *const checks_${id}[]`,
          parts.map((text) => {
            // The run-time system puts the values into the text, one for each of these characters.
            const strings = text.map((part) => (typeof part === 'string' ? stringText(part) : '"\\001"'));
            return `  ${strings.join(' ')},`;
          }),
        )
      : '',
  ];
  return {
    text: `${text.filter((line) => line !== '').join('\n')}\n`,
    names: `derive_${id}, ${dims.length > 0 ? `derived_${id}` : 'NULL'}, ${constraints.length > 0 ? `checks_${id}` : 'NULL'}`,
  };
}
