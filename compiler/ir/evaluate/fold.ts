// Reductions and order operations in the interpreter. Many folds advance together, one in each lane of a block.

import type { DType } from '../dtype.js';
import { absent } from './access.js';
import { copyElements } from './elementwise.js';
import type { FoldProgram } from './programs.js';
import { blockSize, type ScalarProgram } from './scalar/compile.js';
import { allocate, type Elements, type HostTensor, roundElements } from './tensor.js';

/** The elements of `lanes` folds: fold `lane` meets the element at `offsets[lane · length + position]`, or none. */
export interface Folds {
  readonly data: Elements;
  readonly offsets: Int32Array;
  readonly lanes: number;
  readonly length: number;
}

/** The results of each fold at its end. Calls `onEmpty` when a fold has met no element. */
export function reduceFolds(
  program: FoldProgram,
  folds: Folds,
  dtypes: readonly DType[],
  onEmpty: () => void,
): readonly Elements[] {
  const results = dtypes.map((dtype) => allocate(dtype, folds.lanes));
  const { step, finish } = program;
  for (let first = 0; first < folds.lanes; first += blockSize) {
    const n = Math.min(blockSize, folds.lanes - first);
    initialise(program, n);
    const met = new Uint8Array(n);
    for (let position = 0; position < folds.length; position++) advance(program, folds, first, n, position, met);
    if (met.includes(0)) onEmpty();
    copyState(program.state, finish.args, step.args, n);
    finish.run(n);
    results.forEach((result, i) => void copyElements(result, first, finish.outputs[i] as Elements, 0, n));
  }
  dtypes.forEach((dtype, i) => void roundElements(dtype, results[i] as Elements));
  return results;
}

/** The results of each fold after every element, at the offset of that element; `reverse` starts from the other end. */
export function scanFolds(
  program: FoldProgram,
  folds: Folds,
  dtypes: readonly DType[],
  reverse: boolean,
): readonly Elements[] {
  const results = dtypes.map((dtype) => allocate(dtype, folds.offsets.length));
  const { step, finish } = program;
  const met = new Uint8Array(blockSize);
  for (let first = 0; first < folds.lanes; first += blockSize) {
    const n = Math.min(blockSize, folds.lanes - first);
    initialise(program, n);
    for (let turn = 0; turn < folds.length; turn++) {
      const position = reverse ? folds.length - 1 - turn : turn;
      advance(program, folds, first, n, position, met);
      copyState(program.state, finish.args, step.args, n);
      finish.run(n);
      results.forEach((result, i) => {
        const output = finish.outputs[i] as Elements;
        for (let lane = 0; lane < n; lane++) {
          result[folds.offsets[(first + lane) * folds.length + position] as number] = output[lane] as never;
        }
      });
    }
  }
  dtypes.forEach((dtype, i) => void roundElements(dtype, results[i] as Elements));
  return results;
}

function initialise({ state, init, step }: FoldProgram, n: number): void {
  init.run(n);
  copyState(state, step.args, init.outputs, n);
}

/** One step of `n` lanes; lanes without an element keep their state. */
function advance(
  { state, step }: FoldProgram,
  { data, offsets, length }: Folds,
  first: number,
  n: number,
  position: number,
  met: Uint8Array,
): void {
  const element = step.args[state.length] as Elements;
  let missing = false;
  for (let lane = 0; lane < n; lane++) {
    const offset = offsets[(first + lane) * length + position] as number;
    if (offset === absent) missing = true;
    else {
      element[lane] = data[offset] as never;
      met[lane] = 1;
    }
  }
  (step.args[state.length + 1] as BigInt64Array).fill(BigInt(position), 0, n);
  step.run(n);
  if (!missing) {
    copyState(state, step.args, step.outputs, n);
    return;
  }
  for (let lane = 0; lane < n; lane++) {
    if (offsets[(first + lane) * length + position] === absent) continue;
    state.forEach((_, i) => void copyElements(step.args[i] as Elements, lane, step.outputs[i] as Elements, lane, 1));
  }
}

function copyState(
  state: readonly DType[],
  into: ScalarProgram['args'],
  from: ScalarProgram['outputs'],
  n: number,
): void {
  for (let i = 0; i < state.length; i++) copyElements(into[i] as Elements, 0, from[i] as Elements, 0, n);
}

/** The folds along one dimension of a tensor, a lane for every position in the other dimensions. */
export function lanesAlong({ data, shape }: HostTensor, dim: number): Folds {
  const length = shape[dim] as number;
  const inner = shape.slice(dim + 1).reduce((product, size) => product * size, 1);
  const outer = shape.slice(0, dim).reduce((product, size) => product * size, 1);
  const offsets = new Int32Array(data.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let position = 0; position < length; position++) offsets[at++] = (o * length + position) * inner + i;
    }
  }
  return { data, offsets, lanes: outer * inner, length };
}
