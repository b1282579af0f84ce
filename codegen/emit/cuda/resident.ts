// Prints loops that one block runs: a device function for each kernel in them, and for each loop a kernel whose threads all go through the trips and meet
// after every step (tdsl_resident.cuh).

import type { GpuKernel } from '../../kernel/gpu/schedule.js';
import type { CompiledKernel, CompiledLoop } from '../../targets/target.js';
import { byteText } from '../sizes.js';
import type { Unit } from '../unit.js';
import {
  bufferNames,
  type CudaKernelText,
  pointerTo,
  printBody,
  STOP,
  sharedBytes,
  stateBytes,
  tablesText,
  workOf,
} from './kernel.js';

const noSize = (symbol: string): string => {
  throw new Error(`a loop is not passed the size ${symbol}`);
};

/** Prints the function that does in a block what the launches of a kernel do: a function for each of them, called in order. */
export function emitBlockFunction(unit: Unit, { name, scheduled }: CompiledKernel<GpuKernel>): string {
  const { kernel, phases, states } = scheduled;
  const { passed, nameOf } = bufferNames(kernel, name);
  const typed = [...passed, ...states].map((buffer) => `${pointerTo(buffer)}${buffer.name}`);
  const functions = phases.map((phase, i) => {
    if (phase.kind === 'choice') throw new Error(`the sizes of ${name} are not known`);
    const { text } = printBody(unit, phase, noSize, nameOf);
    const { items } = workOf(phase, noSize);
    return `static __device__ void ${name}_${i}_part(${['td_fault *fault', 'uint32_t site', ...typed].join(', ')}) {
  const int64_t block = 0, blocks = 1, items = ${items};
  (void)fault, (void)site, (void)block, (void)blocks, (void)items;
${text}
}
`;
  });
  const given = [...passed.map((_, i) => `b${i}`), ...(states.length > 0 ? [`b${passed.length}`] : [])];
  const operands = [
    ...passed.map((buffer, i) => `(${pointerTo(buffer)})b${i}`),
    ...states.map(
      (buffer, i) => `(${pointerTo(buffer)})(b${passed.length} + ${byteText(stateBytes(states.slice(0, i)), noSize)})`,
    ),
  ];
  const calls = functions.map(
    (_, i) => `  ${name}_${i}_part(${['call->fault', 'site', ...operands].join(', ')});\n  __syncthreads();\n`,
  );
  return `${tablesText(kernel, name)}${functions.join('')}static __device__ void ${name}_block(${['const td_block *call', 'uint32_t site', ...given.map((own) => `unsigned char *${own}`)].join(', ')}) {
${calls.join('')}}
`;
}

/** Prints the kernel of a loop as number `number`. */
export function emitLoop(
  { name, threads, kernels, params, lines, positions }: CompiledLoop<GpuKernel>,
  number: number,
): CudaKernelText {
  const given = [
    'td_fault *fault',
    'int32_t guarded',
    'const td_slot *active',
    ...params.map((own) => `unsigned char *${own}`),
  ];
  const places =
    positions === 0 ? '  int64_t *const positions = nullptr;' : `  TD_SHARED(int64_t, positions, [${positions}]);`;
  const device = `extern "C" __global__ void __launch_bounds__(${threads}) ${name}_0(${given.join(', ')}) {
${STOP}${places}
  const td_block own = {fault, positions}, *const call = &own;
${lines.join('\n')}
}
TD_KERNEL(${name}_0)
`;
  const addresses = ['NULL', 'NULL', 'NULL', ...params.map((_, i) => `(void *)&args->buffers[${i}]`)];
  const host = `void ${name}(const kernel_args *args) {
  void *params[] = {${addresses.join(', ')}};
  tdsl_launch_blocks(args->call, ${number}, 1, ${threads}, params);
}
`;
  const shared = kernels.flatMap(({ scheduled }) => scheduled.phases.map(sharedBytes));
  return { device, host, functions: [{ name: `${name}_0`, sharedBytes: Math.max(0, ...shared), threads: 0 }] };
}
