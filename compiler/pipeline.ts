// The pipelines: which passes run in which order, as data, and the function that runs them.

import type { Node } from './ir/graph.js';
import { VerifyError, verifyModule } from './ir/verify.js';
import { autocast } from './passes/autocast.js';
import { canonicalise } from './passes/canonicalise.js';
import { cse } from './passes/cse.js';
import { dce } from './passes/dce.js';
import { differentiate } from './passes/differentiate.js';
import { fuse } from './passes/fuse.js';
import { hoist } from './passes/hoist.js';
import { inline } from './passes/inline.js';
import { defaultContext, type Pass, type PassContext, type PipelineStep } from './passes/pass.js';
import { type ReplayStep, replay } from './passes/replay.js';
import type { Program } from './program.js';

export type { ReplayStep } from './passes/replay.js';

/** A list of passes; one may run several times. */
export type Pipeline = readonly Pass[];

/** All passes by name, as `tdsl ir --after NAME` takes them. */
export const passes: ReadonlyMap<string, Pass> = new Map(
  [inline, canonicalise, cse, dce, hoist, differentiate, autocast, fuse].map((pass) => [pass.name, pass]),
);

const simplify: Pipeline = [canonicalise, cse, hoist, dce];
const derived: Pipeline = [inline, ...simplify, differentiate, ...simplify, canonicalise];

export const pipelines = {
  /** From the elaborated program to kernels. */
  default: [...derived, fuse],
  /** The same for GPUs with `--precision bf16`. */
  bf16: [...derived, autocast, fuse],
  /** What the interpreter needs: no calls to open at run time, no derivatives left. */
  reference: [inline, differentiate, dce],
} as const satisfies Readonly<Record<string, Pipeline>>;

export const defaultPipeline: Pipeline = pipelines.default;

/** The pipeline for the precision in which GPUs multiply f32. */
export const pipelineFor = (precision: 'f32' | 'tf32' | 'bf16' = 'f32'): Pipeline =>
  precision === 'bf16' ? pipelines.bf16 : pipelines.default;

export interface PipelineOptions {
  /** Check the program after every pass; on unless it is turned off. */
  readonly verify?: boolean;
  /** Is given the program after every pass. A pass that runs again is called `NAME.2`, `NAME.3`, … */
  readonly onStage?: (name: string, program: Program) => void;
  readonly context?: PassContext;
}

/** The passes of a pipeline with the names of their stages. */
export function pipelineSteps(pipeline: Pipeline): readonly PipelineStep[] {
  const counts = new Map<string, number>();
  return pipeline.map((pass) => {
    const count = (counts.get(pass.name) ?? 0) + 1;
    counts.set(pass.name, count);
    return { name: count === 1 ? pass.name : `${pass.name}.${count}`, pass };
  });
}

/** Runs the passes of a pipeline in order. A program that a pass has damaged throws a `VerifyError` that names the pass. */
export function runPipeline(program: Program, pipeline: Pipeline, options: PipelineOptions = {}): Program {
  const { verify = true, onStage, context = defaultContext } = options;
  let current = program;
  const known = new WeakSet<Node>();
  let stage = verify ? checkStage('the front end', current, 'elaborated', known) : undefined;
  for (const { name, pass } of pipelineSteps(pipeline)) {
    current = pass.run(current, context);
    if (verify) stage = checkStage(name, current, pass.reaches ?? stage, known);
    onStage?.(name, current);
  }
  return current;
}

/** Verifies a program after a pass, which the error names. */
function checkStage(after: string, program: Program, stage: Pass['reaches'], known: WeakSet<Node>): Pass['reaches'] {
  try {
    verifyModule(program.module, { known, ...(stage !== undefined && { stage }) });
  } catch (error) {
    if (error instanceof VerifyError) throw new VerifyError(error.fn, error.node, `${error.problem} (after ${after})`);
    throw error;
  }
  return stage;
}

/** Evaluates every entry on random inputs before and after each pass, and compares; ends with the first pass that changes a value. */
export const replayPasses = (
  program: Program,
  seed: number,
  pipeline: Pipeline = defaultPipeline,
): readonly ReplayStep[] => replay(program, seed, pipelineSteps(pipeline));
