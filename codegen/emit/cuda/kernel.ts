// Prints a kernel for GPUs: a __global__ function for each of its launches, and the host function that makes them one after another.

import { type Dim, dimAdd, dimConst, dimMul } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { matricesOf } from '../../kernel/gpu/matrix.js';
import type { Axis, Product } from '../../kernel/gpu/product.js';
import {
  BLOCK_THREADS,
  type Choice,
  type GpuKernel,
  type GpuPhase,
  gridSize,
  type Launch,
} from '../../kernel/gpu/schedule.js';
import type { Buffer, Kernel } from '../../kernel/ir.js';
import { alignedSize } from '../../plan/memory.js';
import { Lines, type Scope, Values } from '../context.js';
import { literalText } from '../literals.js';
import { sizeText } from '../positions.js';
import { byteText } from '../sizes.js';
import { storageType } from '../types.js';
import type { Unit } from '../unit.js';
import { emitItems } from './items.js';
import { emitProduct, productBytes } from './product.js';
import { RowPrinter } from './rows.js';
import { emitScan, scanItems } from './scan.js';
import { emitScatter, scatterItems } from './scatter.js';
import { emitSort, sortItems } from './sort.js';
import { teamOverride } from './statements.js';
import { emitSweeps } from './sweeps.js';
import { emitWgmma, type OwnParams, WGMMA, wgmmaChoice, wgmmaParams } from './wgmma.js';
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
  /** The threads of its blocks where they are more than usual: code without the function's instructions allows fewer. */
  readonly threads: number;
}

/** Prints the kernel `name`, which is passed the run-time dimensions `sizes`; its launches are numbered from `first` on. */
export function emitCudaKernel(
  unit: Unit,
  { kernel, phases, states }: GpuKernel,
  name: string,
  sizes: readonly string[],
  first: number,
): CudaKernelText {
  const { passed, nameOf } = bufferNames(kernel, name);
  const printed: PhaseText[] = [];
  let number = first;
  for (const [i, phase] of phases.entries()) {
    const text = printPhase({ unit, sizes, passed, states, nameOf, phase, name: `${name}_${i}`, number });
    number += text.functions.length;
    printed.push(text);
  }
  const host = printed.map(({ launch }) => launch).join('\n');
  const used = sizes.flatMap((symbol, i) =>
    new RegExp(`\\bn${i}\\b`).test(host) ? [`  const int64_t n${i} = args->sizes[${i}]; /* ${symbol} */`] : [],
  );
  return {
    device: `${tablesText(kernel, name)}${printed.map(({ text }) => text).join('\n')}`,
    host: `void ${name}(const kernel_args *args) {\n${[...used, host].join('\n')}\n}\n`,
    functions: printed.flatMap(({ functions }) => functions),
  };
}

/** The buffers that a kernel is passed, and what all of its buffers are called. */
export function bufferNames(kernel: Kernel, name: string) {
  const tables = kernel.buffers.filter(({ role }) => role === 'table');
  return {
    passed: kernel.buffers.filter(({ role }) => role === 'in' || role === 'out'),
    nameOf: (buffer: Buffer): string =>
      buffer.role === 'table' ? `${name}_table${tables.indexOf(buffer)}` : buffer.name,
  };
}

/** The type of a pointer to a buffer, as it is written before its name. */
export const pointerTo = ({ role, dtype }: Buffer): string => `${role === 'in' ? 'const ' : ''}${storageType(dtype)} *`;

/** The tables of a kernel. */
export const tablesText = (kernel: Kernel, name: string): string =>
  kernel.buffers
    .filter(({ role }) => role === 'table')
    .map((table) => `${tableText(table, bufferNames(kernel, name).nameOf(table))}\n`)
    .join('');

interface PhaseContext {
  readonly unit: Unit;
  readonly sizes: readonly string[];
  readonly passed: readonly Buffer[];
  readonly states: readonly Buffer[];
  readonly nameOf: (buffer: Buffer) => string;
  readonly phase: GpuPhase;
  readonly name: string;
  readonly number: number;
}

/** The device functions of a phase, and the host code that launches one of them. */
interface PhaseText {
  readonly functions: readonly DeviceFunction[];
  readonly text: string;
  readonly launch: string;
}

/** What all kernels begin with. */
export const STOP = '  if (td_stopped(fault, guarded, active)) return;\n';
/** Shared memory of a processor for sm_80, the least of the architectures that are compiled for. */
const SHARED_BYTES = 164 * 1024;

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
  phase: Launch,
  sizeName: (symbol: string) => string,
  bufferName: (buffer: Buffer) => string,
): PhaseBody {
  const team = phase.kind === 'items' ? phase.team : 1;
  const wide = new WidePrinter();
  const row = phase.kind === 'items' && phase.row !== undefined ? new RowPrinter(phase.row, team, 'lane') : undefined;
  const override = phase.kind === 'items' && team > 1 ? teamOverride(phase, 'lane', row) : wide.override;
  const lines = new Lines(unit, bufferName, override);
  const scope = outerScope(sizeName);
  if (phase.kind === 'product') {
    unit.define('#product', () => '#include "tdsl_product.cuh"\n');
    emitProduct(lines, phase, scope);
  } else if (phase.kind === 'sweeps') {
    unit.define('#chain', () => '#include "tdsl_chain.cuh"\n');
    emitSweeps(lines, phase, scope);
  } else if (phase.kind === 'sort') emitSort(lines, phase, scope);
  else if (phase.kind === 'scatter') emitScatter(lines, phase, scope);
  else if (phase.kind === 'scan') emitScan(lines, phase, scope);
  else emitItems(lines, phase, scope, wide, row);
  return bodyOf(lines.text, wide.isUsed ? WIDTH : 1);
}

const bodyOf = (text: string, width: number): PhaseBody => ({
  text,
  width,
  mentions: (word) => new RegExp(`\\b${word}\\b`).test(text),
});

const outerScope = (sizeName: (symbol: string) => string): Scope => ({
  positions: { known: new Map(), ranges: new Map(), sizeName },
  values: new Values(),
  loads: new Map(),
  folds: new Map(),
});

function printPhase(context: PhaseContext): PhaseText {
  const { unit, sizes, nameOf, phase, name, number } = context;
  const sizeName = (symbol: string): string => {
    const at = sizes.indexOf(symbol);
    if (at < 0) throw new Error(`a kernel is not passed the size ${symbol}`);
    return `n${at}`;
  };
  if (phase.kind === 'choice') return printChoice(context, phase, sizeText(phase.length, sizeName));
  const body = printBody(unit, phase, sizeName, nameOf);
  const isMerge = phase.kind === 'sort' && phase.part === 'merge';
  const made = printFunction(context, name, body, sizeName, isMerge ? mergeParams : undefined);
  const { items, call } = workOf(phase, sizeName);
  const count = body.width > 1 ? `(items + ${body.width - 1}) / ${body.width}` : 'items';
  const team = phase.kind === 'items' ? phase.team : phase.kind === 'scatter' ? 32 : isMerge ? 1 : BLOCK_THREADS;
  const launch = [
    `int64_t items = ${items};`,
    ...made.launch,
    `${call}(args->call, ${number}, ${count}, ${team}, params);`,
  ];
  // A run is merged with the next one until it is a whole row.
  const loop = isMerge
    ? `for (int64_t width = TDSL_SORT_CHUNK; width < ${sizeText(phase.length, sizeName)}; width *= 2) `
    : '';
  const own = { name, sharedBytes: sharedBytes(phase), threads: 0 };
  const other = phase.kind === 'product' ? printWgmma(context, phase, sizeName, nameOf) : undefined;
  if (other === undefined) return { functions: [own], text: made.text, launch: blockText('  ', loop, launch) };
  const choice = [...other.declarations, blockText('    ', `if (${other.condition}) `, other.launch).trimStart()];
  const text = [...choice.slice(0, -1), `${choice.at(-1)} else ${blockText('    ', '', launch).trimStart()}`];
  return {
    functions: [own, other.own],
    text: `${made.text}${other.text}`,
    launch: blockText('  ', '', text),
  };
}

/** The device functions for rows of different lengths, of which the host launches some. */
function printChoice(context: PhaseContext, { ways, long }: Choice, length: string): PhaseText {
  let { number } = context;
  const texts = [...ways.map(({ phases }) => phases), long].map((phases, way) =>
    phases.map((phase, i) => {
      const text = printPhase({ ...context, phase, name: `${context.name}_${way}${i === 0 ? '' : `_${i}`}`, number });
      number += text.functions.length;
      return text;
    }),
  );
  const conditions = [...ways.map(({ most }) => `if (length <= ${most}) `), ''];
  const launches = texts.map((own, way) => `${conditions[way]}{\n${own.map(({ launch }) => launch).join('\n')}\n  }`);
  return {
    functions: texts.flat().flatMap(({ functions }) => functions),
    text: texts
      .flat()
      .map(({ text }) => text)
      .join(''),
    launch: `  {\n  const int64_t length = ${length};\n  ${launches.join(' else ')}\n  }`,
  };
}

/** Dynamic shared memory of a block. */
export function sharedBytes(phase: GpuPhase): number {
  if (phase.kind === 'sweeps') return phase.layout.bytes;
  return phase.kind === 'product' ? productBytes(phase) : 0;
}

/** What a launch that merges runs is told beside the rest: their length. */
const mergeParams: OwnParams = { texts: ['int64_t width'], addresses: ['&width'] };

/** Lines between braces. */
const blockText = (indent: string, head: string, lines: readonly string[]): string =>
  `${indent}${head}{\n${lines.map((line) => `${indent}  ${line}\n`).join('')}${indent}}`;

/** The function that computes a product with wgmma, and how the host chooses and launches it; undefined where the product has no use for it. */
function printWgmma(
  context: PhaseContext,
  product: Product,
  sizeName: (symbol: string) => string,
  bufferName: (buffer: Buffer) => string,
) {
  const { unit, passed, number } = context;
  const matrices = matricesOf(product);
  if (matrices === undefined || !passed.includes(matrices.left.buffer) || !passed.includes(matrices.right.buffer))
    return undefined;
  unit.define('#wgmma', () => '#include "tdsl_wgmma.cuh"\n');
  const name = `${context.name}_wgmma`;
  const lines = new Lines(unit, bufferName);
  emitWgmma(lines, product, matrices, outerScope(sizeName));
  const made = printFunction(context, name, bodyOf(lines.text, 1), sizeName, wgmmaParams);
  const { tiles, declarations, condition } = wgmmaChoice(
    product,
    matrices,
    number + 1,
    sizeName,
    (buffer) => `args->buffers[${passed.indexOf(buffer)}]`,
  );
  return {
    own: { name, ...WGMMA },
    text: made.text,
    declarations: [`int64_t items = ${tiles};`, ...declarations],
    condition,
    launch: [...made.launch, `tdsl_launch_resident(args->call, ${number + 1}, items, ${WGMMA.threads}, params);`],
  };
}

/**
 * Whether two blocks must fit a processor. A thread of a large exact tile lives off others that run while it waits. Factors that are copied in packs
 * leave it registers enough, and those that are copied element by element where neighbours lie along the depth: a thread's places are few then, as all
 * of its elements are of a few rows. What is computed, or read across the depth element by element, would be written to memory and back.
 *
 * A chain that takes much shared memory is told the same for another reason: left to itself, nvcc saves registers for a third block, by spilling,
 * and there is no room for a third block.
 */
function needsTwoBlocks(phase: GpuPhase): boolean {
  if (phase.kind === 'sweeps') return phase.layout.bytes * 3 > SHARED_BYTES;
  return (
    phase.kind === 'product' &&
    phase.arithmetic === 'exact' &&
    phase.tile === 128 &&
    [phase.left, phase.right].every(
      ({ memory, isDeep }) => memory !== undefined && (memory.steps !== undefined || isDeep),
    )
  );
}

/** Prints a device function, and the C lines that put its arguments together. `special` are parameters that others do not have. */
function printFunction(
  { sizes, passed, states, phase }: PhaseContext,
  name: string,
  { text, mentions }: PhaseBody,
  sizeName: (symbol: string) => string,
  special?: OwnParams,
): { readonly text: string; readonly launch: readonly string[] } {
  const buffers = passed.flatMap((buffer, i) => (mentions(buffer.name) ? [{ buffer, i }] : []));
  const kept = states.flatMap((buffer, i) => (mentions(buffer.name) ? [{ buffer, i }] : []));
  const dims = sizes.flatMap((symbol, i) => (mentions(`n${i}`) ? [{ symbol, i }] : []));
  const hasFaults = mentions('TDSL_FAULT');
  const params = [
    `${hasFaults ? '' : 'const '}td_fault *fault`,
    'int32_t guarded',
    'const td_slot *active',
    ...(special?.texts ?? []),
    ...(hasFaults ? ['uint32_t site'] : []),
    ...[...buffers, ...kept].map(({ buffer }) => `${pointerTo(buffer)}${buffer.name}`),
    ...dims.map(({ i }) => `int64_t n${i}`),
    'int64_t items',
  ];
  const addresses = [
    'NULL',
    'NULL',
    'NULL',
    ...(special?.addresses ?? []),
    ...(hasFaults ? ['(void *)&args->site'] : []),
    ...buffers.map(({ i }) => `(void *)&args->buffers[${i}]`),
    ...kept.map(({ buffer }) => `&${buffer.name}`),
    ...dims.map(({ i }) => `(void *)&n${i}`),
    '&items',
  ];
  const places = kept.map(({ buffer, i }) => {
    const start = byteText(stateBytes(states.slice(0, i)), sizeName);
    return `unsigned char *${buffer.name} = (unsigned char *)args->buffers[${passed.length}] + ${start};`;
  });
  const place = mentions('block') ? '  const int64_t block = blockIdx.x, blocks = gridDim.x;\n  (void)blocks;\n' : '';
  const isWgmma = special === wgmmaParams;
  const bounds = isWgmma
    ? 'TD_WGMMA_BOUNDS'
    : `__launch_bounds__(${BLOCK_THREADS}${needsTwoBlocks(phase) ? ', 2' : ''})`;
  const own = `${STOP}${place}${text}`;
  const device = isWgmma ? `#if TD_HAS_WGMMA\n${own}\n#endif` : own;
  return {
    text: `extern "C" __global__ void ${bounds} ${name}(${params.join(', ')}) {\n${device}\n}\nTD_KERNEL(${name})\n`,
    launch: [...places, `void *params[] = {${addresses.join(', ')}};`],
  };
}

/** Bytes of memory that launches leave to each other. */
export const stateBytes = (states: readonly Buffer[]): Dim =>
  states.map(({ dtype, size }) => alignedSize(dimMul(size, dimConst(dtypeBytes(dtype))))).reduce(dimAdd, dimConst(0));

/** The number of pieces of work of a phase, and how it is launched. */
export function workOf(
  phase: Launch,
  sizeName: (symbol: string) => string,
): { readonly items: string; readonly call: string } {
  if (phase.kind === 'items') return { items: sizeText(gridSize(phase), sizeName), call: 'tdsl_launch' };
  if (phase.kind === 'sweeps')
    return { items: sizeText(phase.program.blocks.extent, sizeName), call: 'tdsl_launch_blocks' };
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

function tableText(table: Buffer, name: string): string {
  const values = (table.data ?? []).map((value) => literalText(value, table.dtype));
  return `TDSL_TABLE ${storageType(table.dtype)} ${name}[] = {${values.join(', ')}};\n`;
}
