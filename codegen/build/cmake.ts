// Drives cmake-js. It knows generators, compilers and headers; here we only take its command lines and run them ourselves, because its own
// `build()` changes the working directory, which is forbidden in worker threads, and throws away what the compiler says.

import { createRequire } from 'node:module';
import os from 'node:os';
import { explainFailure } from './doctor.js';
import { isMachineFailure } from './jobs.js';
import { run } from './process.js';

/** The part of cmake-js that is used; the package has no types. */
interface CMakeJs {
  readonly BuildSystem: new (options: {
    readonly directory: string;
    readonly out: string;
    readonly noLog: boolean;
    readonly parallel: number;
  }) => {
    getConfigureCommand(): Promise<string[]>;
    getBuildCommand(): Promise<string[]>;
  };
}

/** A failed build step, with what the compiler wrote. */
export interface BuildFailure {
  readonly output: string;
}

/**
 * Configures and builds the CMake project in `source` in the folder `build`, which exists. A machine that cannot do it gives a
 * ToolchainError; a compiler that refuses the code gives a BuildFailure.
 */
export async function cmakeBuild(source: string, build: string): Promise<BuildFailure | undefined> {
  const { BuildSystem } = createRequire(import.meta.url)('cmake-js') as CMakeJs;
  const system = new BuildSystem({
    directory: source,
    out: build,
    noLog: true,
    parallel: os.availableParallelism(),
  });
  let configure: string[];
  try {
    configure = await system.getConfigureCommand();
  } catch (error) {
    throw await explainFailure('cmake-js', error instanceof Error ? error.message : String(error));
  }
  const configured = await run(configure, build);
  if (configured.status !== 0) throw await explainFailure('cmake', configured.output);
  const built = await run((await system.getBuildCommand()).map(String), build);
  if (built.status === 0) return undefined;
  if (isMachineFailure(built.status, built.output)) throw await explainFailure('the build', built.output);
  return { output: built.output.trim() };
}
