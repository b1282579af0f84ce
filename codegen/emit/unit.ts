// One C file in the making: the types and helper functions that its kernels turn out to need, each defined once and after what it uses.

import type { Machine } from '../kernel/machine.js';

export class Unit {
  readonly #definitions = new Map<string, string | ((calls: number) => string)>();
  readonly #calls = new Map<string, number>();

  constructor(readonly machine: Machine) {}

  /** Adds a definition unless it is there already. `make` may define what the text needs; that comes first. Returns the name. */
  define(name: string, make: () => string): string {
    if (!this.#definitions.has(name)) this.#definitions.set(name, make());
    return name;
  }

  /** Notes a call of a function. `make` gives its definition, once, for the number of calls that the file turns out to have. */
  call(name: string, make: () => (calls: number) => string): string {
    this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1);
    if (!this.#definitions.has(name)) this.#definitions.set(name, make());
    return name;
  }

  /** All definitions in order. */
  get text(): string {
    return [...this.#definitions]
      .map(([name, text]) => (typeof text === 'string' ? text : text(this.#calls.get(name) ?? 0)))
      .join('\n');
  }
}
