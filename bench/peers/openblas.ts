// Finds the kernels with which a peer's OpenBLAS is fastest here: old versions take those of a Pentium 4 on processors that they do not know.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string>>;

/** Prints the best of many times, in seconds, of a product of 512 by 512. */
const product = (library: 'torch' | 'numpy'): string => `
import time, ${library} as lib
${library === 'torch' ? 'lib.set_num_threads(1)' : ''}
a = lib.ones((512, 512), dtype=lib.float32)
def sample():
    start = time.perf_counter()
    a @ a
    return time.perf_counter() - start
print(min(sample() for _ in range(100)))
`;

function secondsOf(python: string, library: 'torch' | 'numpy', chosen: Environment): number {
  const { OPENBLAS_CORETYPE: _type, ...env } = process.env;
  const { status, stdout } = spawnSync(python, ['-c', product(library)], {
    env: { ...env, OPENBLAS_NUM_THREADS: '1', ...chosen },
    encoding: 'utf8',
  });
  return status === 0 ? Number(stdout) : Number.POSITIVE_INFINITY;
}

/** Kernels for AVX-512 by OpenBLAS's names; a name that a version does not know leaves the choice to it. */
const AVX512_KERNELS = ['SkylakeX', 'Sapphirerapids'];

/** What to set for the fastest products of a library: nothing, where OpenBLAS chooses well or has no other choice. */
export function fastestKernels(python: string, library: 'torch' | 'numpy'): Environment {
  if (process.platform !== 'linux' || !/\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return {};
  const choices = [{}, ...AVX512_KERNELS.map((type) => ({ OPENBLAS_CORETYPE: type }))];
  const timed = choices.map((choice) => ({ choice, seconds: secondsOf(python, library, choice) }));
  const own = timed[0]?.seconds ?? 0;
  const best = timed.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  // Less than a tenth is within what a clock drifts; the library's own choice is then the one that users have.
  return best.seconds < 0.9 * own ? best.choice : {};
}
