// Compiles a program file to a module on disk, and loads it: what `tdsl compile` does, as a function for scripts and tests. The compiler itself is
// loaded only where there is something to do.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildResult } from '../codegen/build/index.js';
import type { DType } from '../compiler/ir/dtype.js';
import type { BuildOptions } from './build.js';
import { checkArchs } from './options.js';
import { findReceipt } from './receipt.js';

export interface ModuleOptions extends Partial<Omit<BuildOptions, 'outDir'>> {
  /** Default: `build/NAME` in the working directory. */
  readonly outDir?: string;
  /** The dtype of floats that state none, in the place of what the file says. */
  readonly defaultFloat?: DType;
  /** Sizes of dimensions to fix. */
  readonly dims?: Readonly<Record<string, number>>;
}

export interface CompiledModule {
  readonly outDir: string;
  /** The names of the exported functions. */
  readonly entries: readonly string[];
  readonly artefact: BuildResult;
}

/** Compiles a program, unless that would change nothing. Errors of the program are thrown as a `ProgramError`, whose message is the report. */
export async function compileModule(file: string, options: ModuleOptions = {}): Promise<CompiledModule> {
  const started = performance.now();
  const request = { file, options };
  checkArchs(options.archs ?? []);
  const known = await findReceipt(request);
  if (known === undefined) return (await import('./compile-module.js')).compileAnew(request);
  return { ...known, artefact: { ...known.artefact, milliseconds: performance.now() - started, cached: true } };
}

/** Imports a compiled module. The caller names its type, which `index.d.ts` of the module declares. */
export async function importModule<T>(compiled: CompiledModule): Promise<T> {
  return (await import(pathToFileURL(path.join(compiled.outDir, 'index.js')).href)) as T;
}
