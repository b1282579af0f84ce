// Compiles a program file to a module on disk, from the first pass to the typed bindings.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CudaKind } from '../codegen/build/cuda.js';
import { type Built, build, type Lowered, lower } from './build.js';
import { userError } from './errors.js';
import { readProgram } from './frontend.js';
import { nodeHost } from './host.js';
import type { CompiledModule } from './module.js';
import { observe } from './observed-host.js';
import { packageVersion } from './package.js';
import { keepReceipt, type Request, runtimeSpecifier, surroundings } from './receipt.js';

/** Writes a file in one step, so that a reader never sees half of it. */
function writeAtomically(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** Writes manifest, declarations and module beside the addon; returns their paths. */
async function writeBindings(
  lowered: Lowered,
  built: Built,
  outDir: string,
  cuda: CudaKind | undefined,
): Promise<readonly string[]> {
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
  const texts = { 'manifest.json': JSON.stringify(manifest), 'index.d.ts': dts, 'index.js': js };
  return Object.entries(texts).map(([name, text]) => {
    const file = path.join(outDir, name);
    writeAtomically(file, text);
    return file;
  });
}

/** Compiles a program, whether or not anything changed since the last time. */
export async function compileAnew(request: Request): Promise<CompiledModule> {
  const { file, options } = request;
  const { dims = {}, defaultFloat, mode = 'release', emit = 'addon', cpu, cuda, archs, precision } = options;
  const began = await surroundings(request);
  const host = observe(nodeHost());
  const { program, clean } = readProgram(file, { dims, ...(defaultFloat && { defaultFloat }) }, host);
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
  const bindings = emit === 'addon' ? await writeBindings(lowered, built, outDir, cuda) : [];
  const module = { outDir, entries, artefact: built.result };
  // What was reported is reported each time, so that only a compile without diagnostics can be left out.
  if (clean) {
    const files = [...built.result.files, ...bindings];
    await keepReceipt(request, { surroundings: began, observations: host.observations(), files, module });
  }
  return module;
}
