// Random choices drawn from a list of numbers, so that a property test can record and shrink them: 0 always stands for the simplest
// choice, and a list that is used up gives zeros.

export class Choices {
  #at = 0;

  constructor(readonly numbers: readonly number[]) {}

  /** A number from 0 to `count - 1`. */
  below(count: number): number {
    const number = this.numbers[this.#at++] ?? 0;
    return number % count;
  }

  of<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('there is nothing to choose from');
    return items[this.below(items.length)] as T;
  }

  /** True once in `odds` times. */
  oneIn(odds: number): boolean {
    return this.below(odds) === odds - 1;
  }

  /** Whether all numbers are used up. */
  get exhausted(): boolean {
    return this.#at >= this.numbers.length;
  }
}
