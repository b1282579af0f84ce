// Prints a kernel for GPUs: a __global__ function for each of its launches, and the host function that makes them one after another.

import { type Dim, dimAdd, dimConst, dimMul } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Axis } from '../../kernel/gpu/product.js';
import { type GpuKernel, type GpuPhase, gridSize, type Items } from '../../kernel/gpu/schedule.js';
import type { Buffer } from '../../kernel/ir.js';
import { alignedSize } from '../../plan/memory.js';
import { Lines, type Scope, Values, withRange } from '../context.js';
import { literalText } from '../literals.js';
import { loopName, positionText, sizeText } from '../positions.js';
import { byteText } from '../sizes.js';
import { emitBody } from '../statements.js';
import { storageType } from '../types.js';
import type { Unit } from '../unit.js';
import { emitProduct, productBytes } from './product.js';
import { RowPrinter } from './rows.js';
import { emitScan, scanItems } from './scan.js';
import { emitScatter, scatterItems } from './scatter.js';
import { emitSort, sortItems } from './sort.js';
import { teamOverride } from './statements.js';
import { WIDTH, WidePrinter } from './wide.js';

/** The text of a kernel. */
export interface CudaKernelText {
  /** CUDA: tables and functions. */
  readonly device: string;
  /** C: the host function. */
  readonly host: string;
  /** The device functions in the order of their numbers, which begin at the number given. */
  readonly functions: readonly DeviceFunction[];
}

export interface DeviceFunction {
  readonly name: string;
  /** Dynamic shared memory of a block. */
  readonly sharedBytes: number;
}

/** Prints the kernel `name`, which is passed the run-time dimensions `sizes`; its launches are numbered from `first` on. */
export function emitCudaKernel(
  unit: Unit,
  { kernel, phases, states }: GpuKernel,
  name: string,
  sizes: readonly string[],
  first: number,
): CudaKernelText {
  const tables = kernel.buffers.filter((buffer) => buffer.role === 'table');
  const passed = kernel.buffers.filter(({ role }) => role === 'in' || role === 'out');
  const tableName = (buffer: Buffer): string => `${name}_table${tables.indexOf(buffer)}`;
  const printed = phases.map((phase, i) =>
    printPhase({ unit, sizes, passed, states, tableName, phase, name: `${name}_${i}`, number: first + i }),
  );
  const host = printed.map(({ launch }) => launch).join('\n');
  const used = sizes.flatMap((symbol, i) =>
    new RegExp(`\\bn${i}\\b`).test(host) ? [`  const int64_t n${i} = args->sizes[${i}]; /* ${symbol} */`] : [],
  );
  return {
    device: [...tables.map((table) => tableText(table, tableName(table))), ...printed.map(({ text }) => text)].join(
      '\n',
    ),
    host: `void ${name}(const kernel_args *args) {\n${[...used, host].join('\n')}\n}\n`,
    functions: phases.map((phase, i) => ({
      name: `${name}_${i}`,
      sharedBytes: phase.kind === 'product' ? productBytes(phase) : 0,
    })),
  };
}

interface PhaseText {
  readonly unit: Unit;
  readonly sizes: readonly string[];
  readonly passed: readonly Buffer[];
  readonly states: readonly Buffer[];
  readonly tableName: (buffer: Buffer) => string;
  readonly phase: GpuPhase;
  readonly name: string;
  readonly number: number;
}

/** What all kernels begin with. */
export const STOP = '  if (td_stopped(fault, guarded)) return;\n';
/** The most threads of a block, which the compiler may count on. */
export const BLOCK = 256;

/** What a phase does in a block, which is number `block` of `blocks` and has its share of all `items`. */
export interface PhaseBody {
  readonly text: string;
  /** How many items a thread or team takes at once. */
  readonly width: number;
  /** Whether the text has a word. */
  readonly mentions: (word: string) => boolean;
}

/** Prints what a phase does. `sizeName` names run-time dimensions, `bufferName` memory. */
export function printBody(
  unit: Unit,
  phase: GpuPhase,
  sizeName: (symbol: string) => string,
  bufferName: (buffer: Buffer) => string,
): PhaseBody {
  const team = phase.kind === 'items' ? phase.team : 1;
  const wide = new WidePrinter();
  const row = phase.kind === 'items' && phase.row !== undefined ? new RowPrinter(phase.row, team, 'lane') : undefined;
  const override = phase.kind === 'items' && team > 1 ? teamOverride(phase, 'lane', row) : wide.override;
  const lines = new Lines(unit, bufferName, override);
  const scope: Scope = {
    positions: { known: new Map(), ranges: new Map(), sizeName },
    values: new Values(),
    loads: new Map(),
    folds: new Map(),
  };
  if (phase.kind === 'product') {
    unit.define('#product', () => '#include "tdsl_product.cuh"\n');
    emitProduct(lines, phase, scope);
  } else if (phase.kind === 'sort') emitSort(lines, phase, scope);
  else if (phase.kind === 'scatter') emitScatter(lines, phase, scope);
  else if (phase.kind === 'scan') emitScan(lines, phase, scope);
  else emitItems(lines, phase, scope, wide, row);
  const { text } = lines;
  return { text, width: wide.isUsed ? WIDTH : 1, mentions: (word) => new RegExp(`\\b${word}\\b`).test(text) };
}

function printPhase(context: PhaseText): { readonly text: string; readonly launch: string } {
  const { unit, sizes, passed, states, tableName, phase, name, number } = context;
  const sizeName = (symbol: string): string => {
    const at = sizes.indexOf(symbol);
    if (at < 0) throw new Error(`a kernel is not passed the size ${symbol}`);
    return `n${at}`;
  };
  const bufferName = (buffer: Buffer): string => (buffer.role === 'table' ? tableName(buffer) : buffer.name);
  const { text, width, mentions } = printBody(unit, phase, sizeName, bufferName);
  const buffers = passed.flatMap((buffer, i) => (mentions(buffer.name) ? [{ buffer, i }] : []));
  const kept = states.flatMap((buffer, i) => (mentions(buffer.name) ? [{ buffer, i }] : []));
  const dims = sizes.flatMap((symbol, i) => (mentions(`n${i}`) ? [{ symbol, i }] : []));
  const hasFaults = mentions('TDSL_FAULT');
  const isMerge = phase.kind === 'sort' && phase.part === 'merge';
  const params = [
    `${hasFaults ? '' : 'const '}td_fault *fault`,
    'int32_t guarded',
    ...(hasFaults ? ['uint32_t site'] : []),
    ...buffers.map(
      ({ buffer }) => `${buffer.role === 'in' ? 'const ' : ''}${storageType(buffer.dtype)} *${buffer.name}`,
    ),
    ...kept.map(({ buffer }) => `${storageType(buffer.dtype)} *${buffer.name}`),
    ...dims.map(({ i }) => `int64_t n${i}`),
    'int64_t items',
    ...(isMerge ? ['int64_t width'] : []),
  ];
  const { items, call } = workOf(phase, sizeName);
  const count = width > 1 ? `(items + ${width - 1}) / ${width}` : 'items';
  const addresses = [
    'NULL',
    'NULL',
    ...(hasFaults ? ['(void *)&args->site'] : []),
    ...buffers.map(({ i }) => `(void *)&args->buffers[${i}]`),
    ...kept.map(({ buffer }) => `&${buffer.name}`),
    ...dims.map(({ i }) => `(void *)&n${i}`),
    '&items',
    ...(isMerge ? ['&width'] : []),
  ];
  const places = kept.map(({ buffer, i }) => {
    const start = byteText(stateBytes(states.slice(0, i)), sizeName);
    return `    unsigned char *${buffer.name} = (unsigned char *)args->buffers[${passed.length}] + ${start};\n`;
  });
  // A run is merged with the next one until it is a whole row.
  const loop = isMerge
    ? `for (int64_t width = TDSL_SORT_CHUNK; width < ${sizeText(phase.length, sizeName)}; width *= 2) `
    : '';
  const team = phase.kind === 'items' ? phase.team : phase.kind === 'scatter' ? 32 : isMerge ? 1 : BLOCK;
  const launch = `  ${loop}{
    int64_t items = ${items};
${places.join('')}    void *params[] = {${addresses.join(', ')}};
    ${call}(args->call, ${number}, ${count}, ${team}, params);
  }`;
  const place = mentions('block') ? '  const int64_t block = blockIdx.x, blocks = gridDim.x;\n  (void)blocks;\n' : '';
  return {
    text: `extern "C" __global__ void __launch_bounds__(${BLOCK}) ${name}(${params.join(', ')}) {\n${STOP}${place}${text}\n}\nTD_KERNEL(${name})\n`,
    launch,
  };
}

/** Bytes of memory that launches leave to each other. */
export const stateBytes = (states: readonly Buffer[]): Dim =>
  states.map(({ dtype, size }) => alignedSize(dimMul(size, dimConst(dtypeBytes(dtype))))).reduce(dimAdd, dimConst(0));

/** The number of pieces of work of a phase, and how it is launched. */
function workOf(
  phase: GpuPhase,
  sizeName: (symbol: string) => string,
): { readonly items: string; readonly call: string } {
  if (phase.kind === 'items') return { items: sizeText(gridSize(phase), sizeName), call: 'tdsl_launch' };
  if (phase.kind === 'sort') {
    return { items: sortItems(phase, sizeName), call: phase.part === 'merge' ? 'tdsl_launch' : 'tdsl_launch_blocks' };
  }
  if (phase.kind === 'scan') return { items: scanItems(phase, sizeName), call: 'tdsl_launch_blocks' };
  if (phase.kind === 'scatter') return { items: scatterItems(phase, sizeName), call: 'tdsl_launch' };
  const size = (axes: readonly Axis[]): string =>
    sizeText(
      axes.reduce((product, { extent }) => dimMul(product, extent), dimConst(1)),
      sizeName,
    );
  const tiles = (axes: readonly Axis[]): string => `((${size(axes)} + ${phase.tile - 1}) / ${phase.tile})`;
  return {
    items: `(${size(phase.batches)}) * ${tiles(phase.rows)} * ${tiles(phase.columns)}`,
    call: 'tdsl_launch_blocks',
  };
}

function emitItems(lines: Lines, phase: Items, outer: Scope, wide: WidePrinter, row: RowPrinter | undefined): void {
  const { team, values, grid } = phase;
  if (team > 1) lines.line(`const int32_t lane = threadIdx.x & ${team - 1};`);
  row?.declare(lines);
  emitBody(lines, values, outer);
  if (wide.print(lines, phase, outer)) return;
  if (grid.length === 0) {
    emitOnce(lines, phase, outer);
    return;
  }
  let scope = outer;
  for (const { index, extent } of grid) scope = { ...scope, positions: withRange(scope, index, extent) };
  emitGrid(lines, phase, scope);
}

/** A phase without a grid is the work of one thread or team. */
function emitOnce(lines: Lines, { team, body }: Items, scope: Scope): void {
  lines.line(`if (block > 0${team === 1 ? ' || threadIdx.x > 0' : ''}) return;`);
  emitBody(lines, body, scope);
}

/** The iterations of a grid, dealt out to all its threads or teams in turn. */
function emitGrid(lines: Lines, { grid, team, body }: Items, scope: Scope): void {
  const own = team === 1 ? 'threadIdx.x' : `(int32_t)(threadIdx.x / ${team})`;
  const perBlock = team === 1 ? 'blockDim.x' : `(int32_t)(blockDim.x / ${team})`;
  const start = `block * ${perBlock} + ${own}`;
  const step = `blocks * ${perBlock}`;
  const item = grid.length === 1 ? loopName((grid[0] as { index: string }).index) : 'item';
  lines.block(`for (int64_t ${item} = ${start}; ${item} < items; ${item} += ${step}) `, () => {
    if (grid.length > 1) splitItem(lines, grid, scope);
    emitBody(lines, body, scope);
  });
}

/** Defines the loop variables of a grid from the number of the iteration, the last one running fastest. */
function splitItem(lines: Lines, grid: Items['grid'], scope: Scope): void {
  let rest = 'item';
  grid.toReversed().forEach(({ index, extent }, i) => {
    const name = loopName(index);
    if (i === grid.length - 1) {
      lines.line(`const int64_t ${name} = ${rest};`);
      return;
    }
    const size = positionText(extent, scope.positions);
    const quotient = lines.fresh('rest');
    lines.line(`const int64_t ${quotient} = td_divide(${rest}, ${size});`);
    lines.line(`const int64_t ${name} = ${rest} - ${quotient} * (${size});`);
    rest = quotient;
  });
}

function tableText(table: Buffer, name: string): string {
  const values = (table.data ?? []).map((value) => literalText(value, table.dtype));
  return `TDSL_TABLE ${storageType(table.dtype)} ${name}[] = {${values.join(', ')}};\n`;
}
