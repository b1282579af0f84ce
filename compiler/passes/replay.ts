// Replays a pipeline on random inputs: every entry is evaluated before and after every pass, and the values are compared.

import { constraintHolds } from '../constraints.js';
import { dimEvaluate } from '../ir/dims.js';
import { type DType, dtypeKind } from '../ir/dtype.js';
import { EvaluationError } from '../ir/evaluate/error.js';
import { Interpreter } from '../ir/evaluate/evaluate.js';
import { elementCount, type HostTensor, hostTensor, numbersOf } from '../ir/evaluate/tensor.js';
import type { Entry, Program } from '../program.js';
import { differentiate } from './differentiate.js';
import { inline } from './inline.js';
import { defaultContext, type PipelineStep } from './pass.js';

/** The comparison of one pass. */
export interface ReplayStep {
  readonly pass: string;
  /** How many entries were compared. */
  readonly entries: number;
  /** The largest |before - after| / (1 + magnitude) of any element. */
  readonly largestDifference: number;
  /** What differs, when something does by more than rounding explains. */
  readonly failure?: string;
}

/** Relative differences that other orders of summation, and constants folded before rounding, may make. */
const tolerance: Readonly<Record<DType, number>> = {
  bool: 0,
  u8: 0,
  i8: 0,
  i16: 0,
  i32: 0,
  i64: 0,
  f16: 2e-2,
  bf16: 1e-1,
  f32: 2e-4,
  f64: 1e-9,
};

/** Uniform numbers in 0 ≤ x < 1 (xorshift32). */
function generator(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}

const attempts = 200;

/** Small sizes for the run-time dimensions of an entry that meet its constraints; undefined when none were found. */
function drawSizes(entry: Entry, next: () => number): ReadonlyMap<string, number> | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const largest = 3 + Math.floor(attempt / 20);
    const sizes = new Map(entry.symbols.map((name) => [name, 1 + Math.floor(next() * largest)]));
    if (entry.constraints.every((constraint) => constraintHolds(constraint, sizes))) return sizes;
  }
  return undefined;
}

/** Random inputs: integers are 0 or 1, so that they may be indices; optimizer state is positive, so that it has square roots. */
function drawInputs(
  program: Program,
  entry: Entry,
  sizes: ReadonlyMap<string, number>,
  next: () => number,
): readonly HostTensor[] {
  const func = program.module.functions.get(entry.fn);
  return (func?.params ?? []).map(({ type }, i) => {
    const input = entry.inputs[i];
    const isState = input?.kind === 'state' && program.state[input.leaf]?.role === 'state';
    const isFloat = dtypeKind(type.dtype) === 'float';
    const draw = () => (isFloat ? (isState ? 0.1 + 0.9 * next() : 2 * next() - 1) : Math.floor(2 * next()));
    const shape = type.shape.map((size) => dimEvaluate(size, sizes));
    return hostTensor(type.dtype, shape, Array.from({ length: elementCount(shape) }, draw));
  });
}

/** What an entry gives: its results, or the message of the error that it ends in. */
type Outcome = readonly HostTensor[] | string;

interface Trial {
  readonly entry: Entry;
  readonly sizes: ReadonlyMap<string, number>;
  readonly inputs: readonly HostTensor[];
}

/** A program that the interpreter can run: calls and derivatives that a stage still holds are expanded in a copy. */
const runnable = (program: Program): Program => differentiate.run(inline.run(program, defaultContext), defaultContext);

function evaluateTrials(program: Program, trials: readonly Trial[]): readonly Outcome[] {
  const interpreter = new Interpreter(runnable(program).module);
  return trials.map(({ entry, inputs, sizes }) => {
    try {
      return interpreter.run(entry.fn, inputs, { dims: sizes });
    } catch (error) {
      if (error instanceof EvaluationError) return error.message;
      throw error;
    }
  });
}

const differenceOf = (a: number, b: number): number => {
  if (Object.is(a, b) || a === b) return 0;
  const difference = Math.abs(a - b) / (1 + Math.max(Math.abs(a), Math.abs(b)));
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
};

function compareOutcomes(trial: Trial, before: Outcome, after: Outcome): { difference: number; failure?: string } {
  const { name } = trial.entry;
  if (typeof before === 'string' || typeof after === 'string') {
    const same = typeof before === typeof after;
    const text = (outcome: Outcome) => (typeof outcome === 'string' ? `the error '${outcome}'` : 'values');
    return same
      ? { difference: 0 }
      : { difference: Infinity, failure: `${name} gave ${text(before)}, now ${text(after)}` };
  }
  let largest = 0;
  for (const [i, tensor] of before.entries()) {
    const numbers = numbersOf(tensor);
    const others = numbersOf(after[i] as HostTensor);
    for (const [at, number] of numbers.entries()) {
      const difference = differenceOf(number, others[at] as number);
      largest = Math.max(largest, difference);
      if (difference > tolerance[tensor.dtype]) {
        return { difference, failure: `result ${i} of ${name} at ${at} was ${number}, is now ${others[at]}` };
      }
    }
  }
  return { difference: largest };
}

/** Runs passes and compares what every entry computes before and after each pass; ends with the first pass that changes a value. */
export function replay(program: Program, seed: number, pipeline: readonly PipelineStep[]): readonly ReplayStep[] {
  const next = generator(seed);
  const trials = program.entries.flatMap((entry): Trial[] => {
    const sizes = drawSizes(entry, next);
    return sizes === undefined ? [] : [{ entry, sizes, inputs: drawInputs(program, entry, sizes, next) }];
  });
  const steps: ReplayStep[] = [];
  let current = program;
  let before = evaluateTrials(program, trials);
  for (const { name, pass } of pipeline) {
    current = pass.run(current, defaultContext);
    const after = evaluateTrials(current, trials);
    const compared = trials.map((trial, i) => compareOutcomes(trial, before[i] as Outcome, after[i] as Outcome));
    const failure = compared.find((each) => each.failure !== undefined)?.failure;
    const largestDifference = Math.max(0, ...compared.map((each) => each.difference));
    steps.push({ pass: name, entries: trials.length, largestDifference, ...(failure !== undefined && { failure }) });
    if (failure !== undefined) break;
    before = after;
  }
  return steps;
}
