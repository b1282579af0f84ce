// Prints a kernel that does the work of many launches of one form: each block finds the launch that it belongs to in a table among the
// kernel's parameters.

import { withoutSize } from '../../kernel/gpu/form.js';
import { BLOCK_THREADS, type GpuKernel } from '../../kernel/gpu/schedule.js';
import type { Unit } from '../unit.js';
import { type CudaKernelText, pointerTo, printBody, STOP } from './kernel.js';

/**
 * Prints the kernel `name` as number `number`. `columns` says for each operand which column of the table it is, or that it is the same for all
 * launches.
 */
export function emitCudaGroup(
  unit: Unit,
  { kernel, phases }: GpuKernel,
  name: string,
  columns: readonly (number | undefined)[],
  number: number,
): CudaKernelText {
  const [phase] = phases;
  if (phase?.kind !== 'items') throw new Error(`launches of ${name} cannot be made at once`);
  const noSize = (symbol: string): string => {
    throw new Error(`launches of ${name} differ in the size ${symbol}`);
  };
  const { text, width, mentions } = printBody(unit, withoutSize(phase), noSize, ({ name: own }) => own);
  const operands = kernel.buffers.flatMap((buffer, i) =>
    mentions(buffer.name) ? [{ buffer, column: columns[i] }] : [],
  );
  const same = operands.filter(({ column }) => column === undefined);
  const count = Math.max(...columns.map((column) => (column ?? -1) + 1));
  const params = [
    'const td_fault *fault',
    'int32_t guarded',
    'const td_slot *active',
    `const __grid_constant__ td_segments<${count}> segments`,
    ...same.map(({ buffer }) => `${pointerTo(buffer)}${buffer.name}`),
  ];
  const own = operands.flatMap(({ buffer, column }) =>
    column === undefined
      ? []
      : [`  ${pointerTo(buffer)}const ${buffer.name} = (${pointerTo(buffer)})segments.rows[segment].at[${column}];`],
  );
  const device = `extern "C" __global__ void __launch_bounds__(${BLOCK_THREADS}) ${name}_0(${params.join(', ')}) {
${STOP}  const int32_t segment = td_find_segment(segments);
  const int64_t first = segment > 0 ? segments.rows[segment - 1].end : 0;
  const int64_t block = blockIdx.x - first, blocks = segments.rows[segment].end - first, items = segments.rows[segment].items;
  (void)blocks, (void)items;
${own.join('\n')}
${text}
}
TD_KERNEL(${name}_0)
`;
  const passed = columns.flatMap((column, i) => (column === undefined ? [i] : []));
  const addresses = same.map(({ buffer }) => `(void *)&args->same[${passed.indexOf(kernel.buffers.indexOf(buffer))}]`);
  const host = `void ${name}(const group_args *args) {
  void *params[] = {${['NULL', 'NULL', 'NULL', 'NULL', ...addresses].join(', ')}};
  tdsl_launch_group(args->call, ${number}, ${phase.team}, ${width}, args->columns, ${count}, args->items, args->count, params);
}
`;
  return { device, host, functions: [{ name: `${name}_0`, sharedBytes: 0, threads: 0 }] };
}
