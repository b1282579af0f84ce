// In which sweep over its columns a row's values are known: those of an element in the sweep after that of the folds that they depend on.

import { exprPositions, exprTemps, type Temp } from '../../ir.js';
import { mentions } from '../../positions.js';
import { COLUMN, type Let, type RowFold, type RowProgram } from './rows.js';

export class Levels {
  readonly #lets: ReadonlyMap<string, Let>;
  readonly #results: ReadonlyMap<string, RowFold>;
  readonly #levels = new Map<string, number>();
  readonly #elements = new Map<string, boolean>();

  /** `known`: values that are taken to be known in a sweep all the same, and folds, by their names, that are taken in one. */
  constructor(
    readonly program: RowProgram,
    readonly known: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#lets = new Map(program.values.map((stmt) => [stmt.temp.name, stmt]));
    this.#results = new Map(
      program.folds.flatMap((fold) => fold.accumulate.results.map((temp) => [temp.name, fold] as const)),
    );
  }

  letOf(temp: Temp): Let | undefined {
    return this.#lets.get(temp.name);
  }

  #operands({ name }: Temp): readonly Temp[] {
    const value = this.#lets.get(name)?.value;
    return value === undefined ? [] : exprTemps(value);
  }

  /** The number of the first sweep in which a value is known. */
  of(temp: Temp): number {
    const { name } = temp;
    const level = this.known.get(name) ?? this.#levels.get(name);
    if (level !== undefined) return level;
    const fold = this.#results.get(name);
    const made = fold === undefined ? this.#latest(this.#operands(temp)) : this.ofFold(fold) + 1;
    this.#levels.set(name, made);
    return made;
  }

  /** The sweep in which a fold is taken. */
  ofFold({ accumulate, args }: RowFold): number {
    return this.known.get(accumulate.name) ?? this.#latest(args);
  }

  #latest(temps: readonly Temp[]): number {
    return Math.max(0, ...temps.map((temp) => this.of(temp)));
  }

  /** Whether a value differs between the elements of a row. */
  isElement(temp: Temp): boolean {
    const { name } = temp;
    const known = this.#elements.get(name);
    if (known !== undefined) return known;
    const value = this.#lets.get(name)?.value;
    const made =
      name === this.program.score.name ||
      (value !== undefined &&
        (exprPositions(value).some((position) => mentions(position, COLUMN)) ||
          exprTemps(value).some((operand) => this.isElement(operand))));
    this.#elements.set(name, made);
    return made;
  }
}
