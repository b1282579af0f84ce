// Program to native module: passes, code generation, native build. What `compile`, `run --backend c` and the tests share.

import { createHash } from 'node:crypto';
import { buildCuda, type CudaKind } from '../codegen/build/cuda.js';
import { type BuildResult, buildAddon } from '../codegen/build/index.js';
import { targetMachine } from '../codegen/build/target.js';
import { DEFAULT_ARCHS, type Generated, generate } from '../codegen/generate.js';
import type { Precision } from '../codegen/kernel/gpu/schedule.js';
import { printProgram } from '../compiler/ir/print.js';
import { defaultPipeline, runPipeline } from '../compiler/pipeline.js';
import type { Program } from '../compiler/program.js';
import { usageError } from './errors.js';
import { packageVersion } from './package.js';

export interface Lowered {
  readonly program: Program;
  /** The text of the IR after each pass. */
  readonly stages: ReadonlyMap<string, string>;
}

/** Runs the default pipeline; keeps the text of every stage. */
export function lower(program: Program): Lowered {
  const stages = new Map([['lower', printProgram(program)]]);
  const lowered = runPipeline(program, defaultPipeline, {
    onStage: (name, stage) => stages.set(name, printProgram(stage)),
  });
  return { program: lowered, stages };
}

export interface BuildOptions {
  readonly outDir: string;
  readonly mode: 'release' | 'dev';
  readonly emit: 'addon' | 'lib' | 'source';
  readonly cpu?: string;
  /** Compiles for GPUs, or for the emulator that runs the same kernels on the CPU; for the CPU without it. */
  readonly cuda?: CudaKind;
  /** The architectures of GPUs, as nvcc names them. */
  readonly archs?: readonly string[];
  /** How products of f32 are computed on GPUs. */
  readonly precision?: Precision;
}

export interface Built {
  readonly generated: Generated;
  readonly result: BuildResult;
  readonly sourceHash: string;
}

async function buildForCuda(
  program: Program,
  options: BuildOptions,
  kind: CudaKind,
  sourceHash: string,
): Promise<Built> {
  const archs = options.archs ?? DEFAULT_ARCHS;
  const generated = generate(program, {
    target: 'cuda',
    version: packageVersion,
    sourceHash,
    archs,
    ...(options.precision === undefined ? {} : { precision: options.precision }),
  });
  const result = await buildCuda({ ...options, kind, archs, name: program.name, sources: generated.sources });
  return { generated, result, sourceHash };
}

/** Ends the command where the C compiler knows this machine's CPU but not the one that is asked for. */
async function refuseCpu(cpu: string): Promise<void> {
  if ((await targetMachine()) === undefined) return;
  throw usageError(
    `--cpu takes native, generic, x86-64-v3, x86-64-v4 or another name that the C compiler knows, got '${cpu}'`,
  );
}

/** Generates code for a lowered program and builds it. */
export async function build(lowered: Lowered, options: BuildOptions): Promise<Built> {
  const source = lowered.stages.get('lower') ?? '';
  const sourceHash = createHash('sha256').update(packageVersion).update(source).digest('hex').slice(0, 16);
  if (options.cuda !== undefined) return buildForCuda(lowered.program, options, options.cuda, sourceHash);
  // Sources for others hold code for every class of processors.
  const machine = options.emit === 'source' ? undefined : await targetMachine(options.cpu);
  if (machine === undefined && options.cpu !== undefined && options.emit !== 'source') await refuseCpu(options.cpu);
  const generated = generate(lowered.program, {
    target: 'c',
    version: packageVersion,
    sourceHash,
    ...(machine === undefined ? {} : { machine }),
  });
  const result = await buildAddon({ ...options, name: lowered.program.name, sources: generated.sources });
  return { generated, result, sourceHash };
}
