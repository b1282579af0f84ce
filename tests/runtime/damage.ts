// Damaged files: every text that a file can be cut to, and bytes turned over, for the readers of all formats.

import * as assert from 'uvu/assert';

/** The numbers of a fixed sequence, so that failures repeat (xorshift). */
function* sequence(seed: number): Generator<number> {
  for (let state = seed | 1; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/**
 * Reads a file that was damaged in many ways. A reader may accept a damaged file (an element may be any bits), but what it throws must be an
 * error that names the file, and it must not take long or much memory.
 */
export function checkDamage(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array, name: RegExp): void {
  const attempt = (damaged: Uint8Array, what: string): boolean => {
    try {
      read(damaged);
      return true;
    } catch (error) {
      assert.instance(error, Error);
      assert.match((error as Error).message, name, `${what}: ${(error as Error).message}`);
      return false;
    }
  };
  const step = Math.max(1, Math.floor(bytes.length / 400));
  for (let length = 0; length < bytes.length; length += step) {
    assert.not.ok(attempt(bytes.slice(0, length), `cut to ${length}`), `cut to ${length} of ${bytes.length} bytes`);
  }
  const numbers = sequence(12345);
  const next = (bound: number): number => (numbers.next().value as number) % bound;
  for (let round = 0; round < 600; round++) {
    const damaged = bytes.slice();
    // Half of the damage goes to the first bytes, where headers are.
    const reach = round % 2 === 0 ? Math.min(bytes.length, 200) : bytes.length;
    for (let i = 0; i <= round % 3; i++) damaged[next(reach)] = next(256);
    attempt(damaged, `round ${round}`);
  }
}
