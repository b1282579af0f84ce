// `tdsl compile`: a program to a self-contained module: native addon, index.js, index.d.ts, manifest.

import path from 'node:path';
import type { Command } from 'commander';
import { usageError } from '../errors.js';
import { compileModule } from '../module.js';
import { needGpus, parseDefaultFloat, parseDims, parsePrecision } from '../options.js';

interface Options {
  readonly output?: string;
  readonly target: string;
  readonly emit: string;
  readonly dim: readonly string[];
  readonly defaultFloat?: string;
  readonly dev?: boolean;
  readonly release?: boolean;
  readonly cpu?: string;
  readonly arch: readonly string[];
  readonly precision?: string;
}

const emitForms = ['addon', 'lib', 'source'] as const;
type EmitForm = (typeof emitForms)[number];
const isEmitForm = (text: string): text is EmitForm => (emitForms as readonly string[]).includes(text);

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KB`;

async function compileCommand(file: string, options: Options): Promise<void> {
  if (options.target !== 'c' && options.target !== 'cuda')
    throw usageError(`--target takes c or cuda, got '${options.target}'`);
  if (!isEmitForm(options.emit)) throw usageError(`--emit takes ${emitForms.join(', ')}, got '${options.emit}'`);
  const isForGpus = options.target === 'cuda';
  const choice = { isForGpus, wanted: '--target cuda', found: `--target ${options.target}` };
  const precision = parsePrecision(options.precision, choice);
  if (options.arch.length > 0) needGpus('--arch', choice);
  if (options.dev === true && options.release === true) throw usageError('--dev and --release exclude each other');
  const started = performance.now();
  const { artefact, entries } = await compileModule(file, {
    dims: parseDims(options.dim),
    ...parseDefaultFloat(options.defaultFloat),
    mode: options.dev === true ? 'dev' : 'release',
    emit: options.emit,
    ...(options.output === undefined ? {} : { outDir: options.output }),
    ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
    ...(isForGpus ? { cuda: 'gpu', ...precision } : {}),
    ...(options.arch.length === 0 ? {} : { archs: options.arch }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const shown = path.relative(process.cwd(), artefact.file);
  process.stdout.write(
    `${shown}: ${entries.join(', ')}; ${kilobytes(artefact.bytes)} in ${seconds} s${artefact.cached ? ' (unchanged)' : ''}\n`,
  );
}

export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a program to a native module')
    .argument('<file>', 'a program (.td)')
    .option('-o, --output <dir>', 'where the module goes (default: build/NAME)')
    .option('--target <target>', 'c or cuda', 'c')
    .option('--emit <form>', 'addon (for Node), lib (a plain C library) or source', 'addon')
    .option('--default-float <dtype>', 'the dtype of floats that state none (default: what the file says, or f32)')
    .option(
      '--dim <name=size>',
      'fix a dimension (repeatable)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .option(
      '--cpu <name>',
      'the processor to compile for, several with commas, or portable; loading takes the best (default: this machine)',
    )
    .option(
      '--precision <name>',
      'for cuda: products of f32 exactly (f32, default), or on tensor cores in tf32 or bf16',
    )
    .option(
      '--arch <name>',
      'an architecture of GPUs from sm_80 on, as nvcc names it (repeatable; default: sm_80, sm_90a, compute_90)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .option('--dev', 'compile faster, run slower')
    .option('--release', 'compile for speed (default)')
    .action(compileCommand);
}
