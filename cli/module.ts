// Compiles a program file to a module on disk, and loads it: what `tdsl compile` does, as a function for scripts and tests.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CudaKind } from '../codegen/build/cuda.js';
import type { BuildResult } from '../codegen/build/index.js';
import type { DType } from '../compiler/ir/dtype.js';
import { type BuildOptions, type Built, build, type Lowered, lower } from './build.js';
import { userError } from './errors.js';
import { loadProgram } from './frontend.js';
import { packageRoot, packageVersion } from './package.js';

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

/** Writes a file in one step, so that a reader never sees half of it. */
function writeAtomically(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** `tdsl` where a module in `outDir` can import it by name, else the URL of this package's runtime. */
function runtimeSpecifier(outDir: string): string {
  try {
    createRequire(path.join(outDir, 'index.js')).resolve('tdsl/package.json');
    return 'tdsl';
  } catch {
    return pathToFileURL(path.join(packageRoot, 'dist', 'runtime', 'index.js')).href;
  }
}

async function writeBindings(
  lowered: Lowered,
  built: Built,
  outDir: string,
  cuda: CudaKind | undefined,
): Promise<void> {
  // ts-morph takes longer to load than a program takes to check, so it is loaded only here.
  const [{ buildManifest }, { writeModule }] = await Promise.all([
    import('../codegen/bindings/manifest.js'),
    import('../codegen/bindings/module.js'),
  ]);
  const manifest = buildManifest(lowered.program, {
    version: packageVersion,
    sourceHash: built.sourceHash,
    target: cuda === undefined ? 'c' : 'cuda',
    layout: built.generated.layout,
    workspace: built.generated.plan.workspace,
    stages: lowered.stages,
  });
  const addon = path.basename(built.result.file);
  const { js, dts } = writeModule(manifest, { addon, runtime: runtimeSpecifier(outDir) });
  writeAtomically(path.join(outDir, 'manifest.json'), JSON.stringify(manifest));
  writeAtomically(path.join(outDir, 'index.d.ts'), dts);
  writeAtomically(path.join(outDir, 'index.js'), js);
}

/** Compiles a program. Errors of the program are printed and end in a `CommandError`. */
export async function compileModule(file: string, options: ModuleOptions = {}): Promise<CompiledModule> {
  const { dims = {}, defaultFloat, mode = 'release', emit = 'addon', cpu, cuda, archs, precision } = options;
  const program = loadProgram(file, { dims, ...(defaultFloat && { defaultFloat }) });
  const hidden = new Set(['init', ...program.entries.flatMap(({ evaluation }) => evaluation ?? [])]);
  const entries = program.entries.map(({ name }) => name).filter((name) => !hidden.has(name));
  if (entries.length === 0) throw userError(`${file} exports no function: write \`export fn\` for each entry point`);
  const outDir = path.resolve(options.outDir ?? path.join('build', program.name));
  mkdirSync(outDir, { recursive: true });
  const lowered = lower(program);
  const built = await build(lowered, {
    outDir,
    mode,
    emit,
    ...(cpu === undefined ? {} : { cpu }),
    ...(cuda === undefined ? {} : { cuda }),
    ...(archs === undefined ? {} : { archs }),
    ...(precision === undefined ? {} : { precision }),
  });
  if (emit === 'addon') await writeBindings(lowered, built, outDir, cuda);
  return { outDir, entries, artefact: built.result };
}

/** Imports a compiled module. The caller names its type, which `index.d.ts` of the module declares. */
export async function importModule<T>(compiled: CompiledModule): Promise<T> {
  return (await import(pathToFileURL(path.join(compiled.outDir, 'index.js')).href)) as T;
}
