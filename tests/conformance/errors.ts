// Cases of errors that running brings about: functions that get the program of the transcription and must fail as the host would see it.

import { Tensor } from 'tdsl';
import type { Program } from '../../compiler/program.js';
import { loadInto } from '../../runtime/state.js';

/** A checkpoint without the bias. */
export function errors_load_missing_key({ state }: Program): void {
  const target = new Map(state.map(({ path, dtype, shape }) => [path, Tensor.zeros([...shape], { dtype })]));
  loadInto(target, { 'net.weight': Tensor.zeros([1, 2]) }, true);
}
