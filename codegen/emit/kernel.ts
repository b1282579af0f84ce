// Prints a kernel as a C function that runs the iterations begin … end - 1 of its outermost loop.

import type { Buffer, Kernel, Loop } from '../kernel/ir.js';
import { chunkedLoop } from '../kernel/schedule/index.js';
import { Lines, type Scope } from './context.js';
import { literalText } from './literals.js';
import { emitBody, emitSerialLoop, emitVectorRange } from './statements.js';
import { storageType } from './types.js';
import type { Unit } from './unit.js';

/** The prototype of a kernel. */
export const kernelPrototype = (name: string): string =>
  `void ${name}(const kernel_args *args, int64_t begin, int64_t end)`;

/** The buffers that a kernel is passed, in order. */
export const passedBuffers = (kernel: Kernel): readonly Buffer[] =>
  kernel.buffers.filter((buffer) => buffer.role !== 'table');

/** Prints a kernel as the C function `name`, after its tables. */
export function emitKernel(unit: Unit, kernel: Kernel, name: string): string {
  const tables = kernel.buffers.filter((buffer) => buffer.role === 'table');
  const passed = passedBuffers(kernel);
  const bufferName = (buffer: Buffer): string => {
    const table = tables.indexOf(buffer);
    return table < 0 ? buffer.name : `${name}_table${table}`;
  };
  const sizeNames = new Map(kernel.sizes.map((symbol, i) => [symbol, `n${i}`]));
  const lines = new Lines(unit, bufferName);
  passed.forEach((buffer, i) => {
    const type = `${buffer.role === 'in' ? 'const ' : ''}${storageType(buffer.dtype)}`;
    lines.line(`${type} *const ${buffer.name} = args->buffers[${i}];`);
  });
  for (const [i, symbol] of kernel.sizes.entries())
    lines.line(`const int64_t n${i} = args->sizes[${i}]; /* ${symbol} */`);
  const scope: Scope = {
    positions: { known: new Map(), ranges: new Map(), sizeName: (symbol) => sizeNames.get(symbol) ?? symbol },
    values: new Map(),
    loads: new Map(),
    folds: new Map(),
  };
  const chunked = chunkedLoop(kernel);
  for (const stmt of kernel.body) {
    if (stmt === chunked) emitChunk(lines, stmt, scope);
    else emitBody(lines, [stmt], scope);
  }
  const definitions = tables.map((table) => tableText(table, bufferName(table)));
  return `${definitions.join('')}${kernelPrototype(name)} {\n${lines.text}\n}\n`;
}

function emitChunk(lines: Lines, loop: Loop, scope: Scope): void {
  if (loop.mark === 'vector') emitVectorRange(lines, loop, scope, 'begin', 'end');
  else emitSerialLoop(lines, loop, scope, 'begin', 'end');
}

function tableText(table: Buffer, name: string): string {
  const values = (table.data ?? []).map((value) => literalText(value, table.dtype));
  return `static const ${storageType(table.dtype)} ${name}[] = {${values.join(', ')}};\n`;
}
