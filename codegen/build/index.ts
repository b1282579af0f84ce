// Builds emitted C into a native module: an addon for Node, a plain shared library, or a folder of sources that needs neither.

import { type Building, NativeBuilding, SourceBuilding } from './building.js';
import type { Mode } from './options.js';

export type { Building } from './building.js';
export { diagnose, type Finding, formatFinding } from './doctor.js';
export { EmittedCodeError, ToolchainError } from './errors.js';

export interface BuildTarget {
  readonly outDir: string;
  /** The model's name: of the library, and in messages. */
  readonly name: string;
  /** `dev` compiles faster and runs slower. */
  readonly mode?: Mode;
  readonly emit?: 'addon' | 'lib' | 'source';
  /**
   * What `-march` takes; `native`, which it is without any, is this machine. For several, the files `kernels_*.c` are compiled once for each, with
   * TDSL_VERSION as its number, and all others for the plainest CPU.
   */
  readonly cpus?: readonly string[];
  /** What `compilerIdentity` gives, where it was asked before. */
  readonly compilers?: Promise<string>;
}

export interface BuildRequest extends BuildTarget {
  /** Emitted files by name (`model.c`, `kernels_0.c`, …); each C file is a translation unit, and they are compiled side by side. */
  readonly sources: ReadonlyMap<string, string>;
  /** Work for this process while the compilers run. */
  readonly meanwhile?: () => Promise<void>;
}

export interface BuildResult {
  /** The addon, the library, or the folder of sources. */
  readonly file: string;
  /** All files that make up the output. */
  readonly files: readonly string[];
  readonly bytes: number;
  readonly milliseconds: number;
  /** True where the output was there already. */
  readonly cached: boolean;
}

/** Begins a build, which takes the files of the model as they are generated. */
export async function startBuild(target: BuildTarget): Promise<Building> {
  const { name, emit = 'addon', cpus = ['native'] } = target;
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) throw new Error(`'${name}' cannot name a file`);
  const strange = cpus.find((cpu) => !/^[A-Za-z0-9_.+-]+$/.test(cpu));
  if (strange !== undefined) throw new Error(`'${strange}' is not a CPU`);
  return emit === 'source' ? new SourceBuilding(target) : NativeBuilding.start(target);
}

/**
 * Builds a model. Addons are named by the hash of all that goes into them, `model.<hash>.node`: a loaded addon is never overwritten, and one that is
 * there already is not built again. Throws a ToolchainError where the machine cannot build, and an EmittedCodeError where the compiler
 * refuses the code.
 */
export async function buildAddon({ sources, meanwhile, ...target }: BuildRequest): Promise<BuildResult> {
  const building = await startBuild(target);
  const isUnit = ([file]: readonly [string, string]): boolean => file.endsWith('.c');
  const files = [...sources];
  for (const [file, text] of [...files.filter((each) => !isUnit(each)), ...files.filter(isUnit)])
    building.add(file, text);
  return building.finish(meanwhile);
}
