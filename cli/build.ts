// Program to native module: passes, code generation, native build. What `compile`, `run --backend c` and the tests share.

import { createHash } from 'node:crypto';
import { buildCuda, type CudaKind } from '../codegen/build/cuda.js';
import { compilerIdentity } from '../codegen/build/identity.js';
import { type BuildResult, startBuild } from '../codegen/build/index.js';
import { cpusOf, targetMachine } from '../codegen/build/target.js';
import { DEFAULT_ARCHS, type Generated, generate } from '../codegen/generate.js';
import type { Precision } from '../codegen/kernel/gpu/schedule.js';
import type { Machine } from '../codegen/kernel/machine.js';
import { printProgram } from '../compiler/ir/print.js';
import { pipelineFor, runPipeline } from '../compiler/pipeline.js';
import type { Program } from '../compiler/program.js';
import { usageError } from './errors.js';
import { packageVersion } from './package.js';

export interface Lowered {
  readonly program: Program;
  /** The program before the first pass, `lower`, and after each. */
  readonly stages: ReadonlyMap<string, Program>;
}

/** Runs the pipeline for a precision of products on GPUs; keeps every stage. */
export function lower(program: Program, precision?: Precision): Lowered {
  const stages = new Map([['lower', program]]);
  const lowered = runPipeline(program, pipelineFor(precision), { onStage: (name, stage) => stages.set(name, stage) });
  return { program: lowered, stages };
}

export interface BuildOptions {
  readonly outDir: string;
  readonly mode: 'release' | 'dev';
  readonly emit: 'addon' | 'lib' | 'source';
  /** A CPU as the C compiler names it, several with commas between them, or `portable`; this machine without it. */
  readonly cpu?: string;
  /** Compiles for GPUs, or for the emulator that runs the same kernels on the CPU; for the CPU without it. */
  readonly cuda?: CudaKind;
  /** The architectures of GPUs, as nvcc names them. */
  readonly archs?: readonly string[];
  /** How products of f32 are computed on GPUs. */
  readonly precision?: Precision;
}

/** What else this process does while compilers run. */
type Meanwhile = (generated: Generated, sourceHash: string) => Promise<void>;

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
  meanwhile: Meanwhile,
  answers: Answers | undefined,
): Promise<Built> {
  const archs = options.archs ?? DEFAULT_ARCHS;
  const generated = generate(program, {
    target: 'cuda',
    version: packageVersion,
    sourceHash,
    archs,
    ...(options.precision === undefined ? {} : { precision: options.precision }),
  });
  const result = await buildCuda({
    ...options,
    kind,
    archs,
    name: program.name,
    sources: generated.sources,
    ...(answers && { compilers: answers.compilers }),
    meanwhile: () => meanwhile(generated, sourceHash),
  });
  return { generated, result, sourceHash };
}

/**
 * The classes of the CPUs. Ends the command where the C compiler knows this machine's CPU but not one that is asked for; undefined where there is
 * no compiler that could be asked.
 */
async function classesOf(cpus: readonly string[]): Promise<readonly Machine[] | undefined> {
  const classes: Machine[] = [];
  for (const cpu of cpus) {
    const known = await targetMachine(cpu);
    if (known !== undefined) classes.push(known);
    else if ((await targetMachine()) === undefined) return undefined;
    else
      throw usageError(
        `--cpu takes portable, native, generic, x86-64-v3, x86-64-v4 or other names that the C compiler knows, got '${cpu}'`,
      );
  }
  return classes;
}

/** What the C compilers are asked for, who answer while the program is read. Errors come up where an answer is needed. */
export interface Answers {
  readonly compilers: Promise<string>;
  /** The classes of the CPUs that code is wanted for; sources for others hold code for every class, which undefined stands for. */
  readonly machines: Promise<readonly Machine[] | undefined>;
}

/** Asks the C compilers; undefined where none is needed. */
export function askCompilers({ emit, cpu, cuda }: Omit<BuildOptions, 'outDir' | 'mode'>): Answers | undefined {
  if (emit === 'source') return undefined;
  const compilers = compilerIdentity();
  const machines = cuda === undefined ? classesOf(cpusOf(cpu ?? 'native')) : Promise.resolve(undefined);
  for (const answer of [compilers, machines]) answer.catch(() => undefined);
  return { compilers, machines };
}

/** Generates code for a lowered program and builds it. */
export async function build(
  lowered: Lowered,
  options: BuildOptions,
  meanwhile: Meanwhile = async () => undefined,
  answers = askCompilers(options),
): Promise<Built> {
  const first = lowered.stages.get('lower');
  const source = first === undefined ? '' : printProgram(first);
  const sourceHash = createHash('sha256').update(packageVersion).update(source).digest('hex').slice(0, 16);
  if (options.cuda !== undefined)
    return buildForCuda(lowered.program, options, options.cuda, sourceHash, meanwhile, answers);
  const cpus = cpusOf(options.cpu ?? 'native');
  const machines = await answers?.machines;
  const { name } = lowered.program;
  const building = await startBuild({ ...options, cpus, name, ...(answers && { compilers: answers.compilers }) });
  let generated: Generated;
  try {
    generated = generate(lowered.program, {
      target: 'c',
      version: packageVersion,
      sourceHash,
      cpus,
      ...(machines === undefined ? {} : { machines }),
      onFile: (name, text) => building.add(name, text),
    });
  } catch (error) {
    await building.abandon();
    throw error;
  }
  const result = await building.finish(() => meanwhile(generated, sourceHash));
  return { generated, result, sourceHash };
}
