// Prints a kernel: a C function for each of its phases, which runs the iterations begin … end - 1 of the phase's loop, and the function that
// launches the phases one after another.

import { type Dim, dimAdd, dimConst, dimMul } from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Buffer, Kernel, Loop } from '../kernel/ir.js';
import { iterationCost, loopUnit } from '../kernel/schedule/cost.js';
import { type Phase, phasesOf } from '../kernel/schedule/phases.js';
import { alignedSize } from '../plan/memory.js';
import { Lines, type Scope, Values } from './context.js';
import { literalText } from './literals.js';
import { sizeText } from './positions.js';
import { byteText } from './sizes.js';
import { emitBody, emitSerialLoop, emitVectorRange } from './statements.js';
import { storageType } from './types.js';
import type { Unit } from './unit.js';

/** The prototype of a kernel. */
export const kernelPrototype = (name: string): string => `void ${name}(const kernel_args *args)`;

/** The operands and results of a kernel in the order in which they are passed. */
const passedBuffers = (kernel: Kernel): readonly Buffer[] =>
  kernel.buffers.filter(({ role }) => role === 'in' || role === 'out');

const scratchBuffers = (kernel: Kernel): readonly Buffer[] => kernel.buffers.filter(({ role }) => role === 'scratch');

const scratchSize = ({ dtype, size }: Buffer): Dim => alignedSize(dimMul(size, dimConst(dtypeBytes(dtype))));

/** Bytes of scratch memory that a kernel uses on each thread. */
export const scratchBytes = (kernel: Kernel): Dim =>
  scratchBuffers(kernel).reduce((sum, buffer) => dimAdd(sum, scratchSize(buffer)), dimConst(0));

/** Instructions of the estimate that take a nanosecond. */
const INSTRUCTIONS_PER_NANOSECOND = 6;

/** Prints a kernel as the C function `name`. `sizes` are the run-time dimensions that it is passed, in order. */
export function emitKernel(unit: Unit, kernel: Kernel, name: string, sizes: readonly string[]): string {
  const tables = kernel.buffers.filter((buffer) => buffer.role === 'table');
  const tableName = (buffer: Buffer): string => `${name}_table${tables.indexOf(buffer)}`;
  const printer = new PhasePrinter(unit, kernel, sizes, tableName);
  const phases = phasesOf(kernel);
  const names = phases.map((_, i) => `${name}_${i}`);
  const functions = phases.map((phase, i) => printer.print(phase, names[i] as string));
  const launches = phases.map((phase, i) => printer.launch(phase, names[i] as string));
  const used = launches.join(' ');
  const sizeLines = sizes.flatMap((symbol, i) =>
    new RegExp(`\\bn${i}\\b`).test(used) ? [`  const int64_t n${i} = args->sizes[${i}]; /* ${symbol} */`] : [],
  );
  const launcher = `${kernelPrototype(name)} {\n${[...sizeLines, ...launches].join('\n')}\n}\n`;
  return [...tables.map((table) => tableText(table, tableName(table))), ...functions, launcher].join('\n');
}

class PhasePrinter {
  constructor(
    readonly unit: Unit,
    readonly kernel: Kernel,
    readonly sizes: readonly string[],
    readonly tableName: (buffer: Buffer) => string,
  ) {}

  #sizeName(symbol: string): string {
    const at = this.sizes.indexOf(symbol);
    if (at < 0) throw new Error(`a kernel is not passed the size ${symbol}`);
    return `n${at}`;
  }

  /** The function of a phase. */
  print(phase: Phase, name: string): string {
    const lines = new Lines(this.unit, (buffer) => (buffer.role === 'table' ? this.tableName(buffer) : buffer.name));
    const scope: Scope = {
      positions: { known: new Map(), ranges: new Map(), sizeName: (symbol) => this.#sizeName(symbol) },
      values: new Values(),
      loads: new Map(),
      folds: new Map(),
    };
    for (const stmt of phase.body) {
      if (stmt === phase.loop) emitChunk(lines, stmt, scope);
      else emitBody(lines, [stmt], scope);
    }
    const body = [...this.#prologue(lines.text), lines.text].join('\n');
    return `static void ${name}(const kernel_args *args, int64_t begin, int64_t end, int32_t thread) {\n  (void)begin, (void)end, (void)thread;\n${body}\n}\n`;
  }

  /** The declarations of the buffers and sizes that a text mentions. */
  #prologue(text: string): string[] {
    const mentions = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
    const passed = passedBuffers(this.kernel);
    const buffers = passed.flatMap(({ name, role, dtype }, i) =>
      mentions(name)
        ? [`  ${role === 'in' ? 'const ' : ''}${storageType(dtype)} *const ${name} = args->buffers[${i}];`]
        : [],
    );
    let offset = dimConst(0);
    const scratch = scratchBuffers(this.kernel).flatMap((buffer) => {
      const start = dimAdd(offset, dimConst(0));
      offset = dimAdd(offset, scratchSize(buffer));
      if (!mentions(buffer.name)) return [];
      const sizeName = (symbol: string): string => this.#sizeName(symbol);
      const place = `thread * (int64_t)(${byteText(scratchBytes(this.kernel), sizeName)}) + ${sizeText(start, sizeName)}`;
      const type = storageType(buffer.dtype);
      return [`  ${type} *const ${buffer.name} = (${type} *)(args->call->extra + ${place});`];
    });
    const needed = `${text}${scratch.join(' ')}`;
    const sizes = this.sizes.flatMap((symbol, i) =>
      new RegExp(`\\bn${i}\\b`).test(needed) ? [`  const int64_t n${i} = args->sizes[${i}]; /* ${symbol} */`] : [],
    );
    return [...buffers, ...sizes, ...scratch];
  }

  /** The statement that runs a phase. */
  launch({ loop }: Phase, name: string): string {
    if (loop === undefined) return `  ${name}(args, 0, 1, 0);`;
    const { machine } = this.unit;
    const extent = sizeText(loop.extent, (symbol) => this.#sizeName(symbol));
    const nanoseconds = iterationCost(loop, machine) / INSTRUCTIONS_PER_NANOSECOND;
    return `  launch(${name}, args, ${extent}, ${loopUnit(loop, machine)}, ${nanoseconds.toPrecision(3)});`;
  }
}

function emitChunk(lines: Lines, loop: Loop, scope: Scope): void {
  if (loop.mark === 'vector') emitVectorRange(lines, loop, scope, 'begin', 'end');
  else emitSerialLoop(lines, loop, scope, 'begin', 'end');
}

function tableText(table: Buffer, name: string): string {
  const values = (table.data ?? []).map((value) => literalText(value, table.dtype));
  return `static const ${storageType(table.dtype)} ${name}[] = {${values.join(', ')}};\n`;
}
