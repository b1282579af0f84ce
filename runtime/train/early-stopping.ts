// Ends a training when what is watched has not improved for a while, and keeps the best state.

import type { Tensor } from '../tensor.js';

export interface EarlyStoppingOptions {
  /** The training ends when so many epochs in a row have brought no improvement; 5 unless given. */
  readonly patience?: number;
  /** How much better a value must be to count as an improvement; 0 unless given. */
  readonly minDelta?: number;
  /** Whether small values are better (losses) or large ones (accuracies); `min` unless given. */
  readonly mode?: 'min' | 'max';
}

/** What early stopping needs of a session to keep its best state. */
export interface StateHolder {
  stateDict(): Record<string, Tensor>;
  loadStateDict(tensors: Readonly<Record<string, Tensor>>): unknown;
}

/**
 * Tells after each epoch whether training should go on:
 *
 *     const stopping = new EarlyStopping({ patience: 3 });
 *     await fit(session, { …, onEpoch: ({ loss }) => stopping.step(loss, session) });
 *     stopping.restore(session);
 */
export class EarlyStopping {
  readonly patience: number;
  readonly minDelta: number;
  readonly mode: 'min' | 'max';
  /** The best value so far, and the step (from 0 on) that brought it; undefined before the first. */
  best: number | undefined;
  bestStep = -1;
  #steps = 0;
  #state: Readonly<Record<string, Tensor>> | undefined;

  constructor(options: EarlyStoppingOptions = {}) {
    const { patience = 5, minDelta = 0, mode = 'min' } = options;
    if (!Number.isInteger(patience) || patience < 1)
      throw new RangeError(`the patience is a number of epochs, not ${patience}`);
    if (!(minDelta >= 0)) throw new RangeError(`the least improvement is at least 0, not ${minDelta}`);
    this.patience = patience;
    this.minDelta = minDelta;
    this.mode = mode;
  }

  /**
   * Notes the value of an epoch; false when `patience` epochs in a row have brought no improvement. A NaN is no improvement. Where a session
   * is given, its state is copied at each improvement.
   */
  step(value: number, session?: StateHolder): boolean {
    const step = this.#steps++;
    const gain =
      this.best === undefined
        ? Number.isNaN(value)
          ? -1
          : Number.POSITIVE_INFINITY
        : this.mode === 'min'
          ? this.best - value
          : value - this.best;
    if (gain > this.minDelta) {
      this.best = value;
      this.bestStep = step;
      if (session !== undefined) {
        this.#state = Object.fromEntries(
          Object.entries(session.stateDict()).map(([name, tensor]) => [name, tensor.clone()]),
        );
      }
      return true;
    }
    return step - this.bestStep < this.patience;
  }

  /** Puts the best state that was kept back into the session; false where none was kept. */
  restore(session: StateHolder): boolean {
    if (this.#state === undefined) return false;
    session.loadStateDict(this.#state);
    return true;
  }
}
