// Compiles a program file to a module on disk, from the first pass to the typed bindings.

import path from 'node:path';
import { buildManifest } from '../codegen/bindings/manifest.js';
import { fileTitle } from '../compiler/index.js';
import { printProgram } from '../compiler/ir/print.js';
import { makeFolder } from '../runtime/io/folders.js';
import { type Bindings, makeBindings, writeBindings } from './bindings.js';
import { askCompilers, build, lower } from './build.js';
import { userError } from './errors.js';
import { readProgram } from './frontend.js';
import { nodeHost } from './host.js';
import type { CompiledModule } from './module.js';
import { writeModuleType } from './module-type.js';
import { observe } from './observed-host.js';
import { packageVersion } from './package.js';
import { keepReceipt, type Request, runtimeSpecifier, surroundings } from './receipt.js';

/** Compiles a program, whether or not anything changed since the last time. */
export async function compileAnew(request: Request): Promise<CompiledModule> {
  const { file, options } = request;
  const { dims = {}, defaultFloat, mode = 'release', emit = 'addon', cpu, cuda, archs, precision } = options;
  // Asked at the beginning: what is replaced on the way must not be taken for what the result was made with.
  const answers = askCompilers({
    emit,
    ...(cpu === undefined ? {} : { cpu }),
    ...(cuda === undefined ? {} : { cuda }),
  });
  const began = surroundings(request, answers?.compilers);
  const host = observe(nodeHost());
  const { program, clean } = readProgram(file, { dims, ...(defaultFloat && { defaultFloat }) }, host);
  const hidden = new Set(['init', ...program.entries.flatMap(({ evaluation }) => evaluation ?? [])]);
  const entries = program.entries.map(({ name }) => name).filter((name) => !hidden.has(name));
  if (entries.length === 0) throw userError(`${file} exports no function: write \`export fn\` for each entry point`);
  // Folders can have names that C cannot; text IR has a name of its own.
  const title = file.endsWith('.td') ? fileTitle(file) : program.name;
  const outDir = path.resolve(options.outDir ?? path.join('build', title));
  makeFolder(outDir);
  const lowered = lower(program, precision);
  let bindings: Bindings | undefined;
  const built = await build(
    lowered,
    {
      outDir,
      mode,
      emit,
      ...(cpu === undefined ? {} : { cpu }),
      ...(cuda === undefined ? {} : { cuda }),
      ...(archs === undefined ? {} : { archs }),
      ...(precision === undefined ? {} : { precision }),
    },
    async ({ layout, plan }, sourceHash) => {
      if (emit !== 'addon') return;
      const target = cuda === undefined ? 'c' : 'cuda';
      const stages = new Map([...lowered.stages].map(([name, stage]) => [name, printProgram(stage)]));
      bindings = await makeBindings(
        buildManifest(lowered.program, {
          version: packageVersion,
          sourceHash,
          target,
          layout,
          workspace: plan.workspace,
          stages,
        }),
        runtimeSpecifier(outDir),
      );
    },
    answers,
  );
  // Written last: until then the module is the one before.
  if (bindings !== undefined) writeModuleType(outDir);
  const written = bindings === undefined ? [] : writeBindings(bindings, path.basename(built.result.file), outDir);
  const module = { outDir, entries, artefact: built.result };
  // What was reported is reported each time, so that only a compile without diagnostics can be left out.
  if (clean) {
    const files = [...built.result.files, ...written];
    await keepReceipt(request, { surroundings: await began, observations: host.observations(), files, module });
  }
  return module;
}
