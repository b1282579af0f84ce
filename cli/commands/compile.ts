// `tdsl compile`: a program to a self-contained module: native addon, index.js, index.d.ts, manifest.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import type { ArenaLayout } from '../../codegen/bindings/manifest.js';
import { build, type Built, type Lowered, lower } from '../build.js';
import { usageError, userError } from '../errors.js';
import { loadProgram, parseDims } from '../frontend.js';
import { packageRoot, packageVersion } from '../package.js';

interface Options {
  readonly output?: string;
  readonly target: string;
  readonly emit: string;
  readonly dim: readonly string[];
  readonly dev?: boolean;
  readonly release?: boolean;
  readonly cpu?: string;
}

const emitForms = ['addon', 'lib', 'source'] as const;
type EmitForm = (typeof emitForms)[number];
const isEmitForm = (text: string): text is EmitForm => (emitForms as readonly string[]).includes(text);

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

async function writeBindings(lowered: Lowered, built: Built, outDir: string): Promise<void> {
  const [{ buildManifest }, { writeModule }] = await Promise.all([
    import('../../codegen/bindings/manifest.js'),
    import('../../codegen/bindings/module.js'),
  ]);
  const layout: ArenaLayout = built.generated.layout;
  const manifest = buildManifest(lowered.program, {
    version: packageVersion,
    sourceHash: built.sourceHash,
    target: 'c',
    layout,
    workspace: built.generated.workspace,
    stages: lowered.stages,
  });
  const addon = path.basename(built.result.file);
  const { js, dts } = writeModule(manifest, { addon, runtime: runtimeSpecifier(outDir) });
  writeAtomically(path.join(outDir, 'manifest.json'), JSON.stringify(manifest));
  writeAtomically(path.join(outDir, 'index.d.ts'), dts);
  writeAtomically(path.join(outDir, 'index.js'), js);
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KB`;

async function compileCommand(file: string, options: Options): Promise<void> {
  if (options.target === 'cuda') throw userError('the CUDA backend is not part of this version; --target c compiles for the CPU');
  if (options.target !== 'c') throw usageError(`--target takes c or cuda, got '${options.target}'`);
  if (!isEmitForm(options.emit)) throw usageError(`--emit takes ${emitForms.join(', ')}, got '${options.emit}'`);
  if (options.dev === true && options.release === true) throw usageError('--dev and --release exclude each other');
  const started = performance.now();
  const program = loadProgram(file, { dims: parseDims(options.dim) });
  if (program.entries.every(({ name }) => name === 'init')) throw userError(`${file} exports no function: write \`export fn\` for each entry point`);
  const outDir = path.resolve(options.output ?? path.join('build', program.name));
  mkdirSync(outDir, { recursive: true });
  const lowered = lower(program);
  const built = await build(lowered, {
    outDir,
    mode: options.dev === true ? 'dev' : 'release',
    emit: options.emit,
    ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
  });
  if (options.emit === 'addon') await writeBindings(lowered, built, outDir);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { file: artefact, bytes, cached } = built.result;
  const names = program.entries.map(({ name }) => name).filter((name) => name !== 'init');
  process.stdout.write(`${path.relative(process.cwd(), artefact)}: ${names.join(', ')}; ${kilobytes(bytes)} in ${seconds} s${cached ? ' (unchanged)' : ''}\n`);
}

export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a program to a native module')
    .argument('<file>', 'a program (.td)')
    .option('-o, --output <dir>', 'where the module goes (default: build/NAME)')
    .option('--target <target>', 'c or cuda', 'c')
    .option('--emit <form>', 'addon (for Node), lib (a plain C library) or source', 'addon')
    .option('--dim <name=size>', 'fix a dimension (repeatable)', (value: string, all: readonly string[]) => [...all, value], [])
    .option('--cpu <name>', 'the processor to compile for (default: this machine)')
    .option('--dev', 'compile faster, run slower')
    .option('--release', 'compile for speed (default)')
    .action(compileCommand);
}
