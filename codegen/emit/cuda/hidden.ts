// Prints what a sweep of a chain does about columns that a condition hides from all rows of a block: it finds out whether their elements would change
// anything, and if not writes of them what the caller gets.

import { type Hidden, type Idle, userOf, variesInRow } from '../../kernel/gpu/chain/hidden.js';
import type { RowFold } from '../../kernel/gpu/chain/rows.js';
import type { Sweep, Sweeps } from '../../kernel/gpu/chain/sweeps.js';
import type { Factor, Product } from '../../kernel/gpu/product.js';
import type { Temp } from '../../kernel/ir.js';
import { neededValues } from '../../kernel/schedule/phases.js';
import { type FoldState, inner, type Lines, operandOf, type Scope, valueNamed } from '../context.js';
import { positionText } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { scalarForm } from '../types.js';
import { type ElementPrinter, textOf, typeOf } from './elements.js';

/** Numbers below this have sums and products that are finite. */
const MODERATE = '1e15';
/** Numbers below this are finite, and stay so when they are rounded to bf16. */
const FINITE = '1e38';

/** The texts of the factors of both products. */
export interface FactorTexts {
  readonly left: string;
  readonly right: string;
  readonly values: string;
}

export class HiddenPrinter {
  constructor(
    readonly lines: Lines,
    readonly phase: Sweeps,
    readonly hidden: Hidden,
    readonly states: ReadonlyMap<string, FoldState>,
    readonly elements: ElementPrinter,
    readonly factors: FactorTexts,
  ) {}

  /** Defines the tiles of which something may be seen. */
  declare({ positions }: Scope): void {
    const { start, length } = this.hidden.seen;
    const [first, count] = [start, length].map((dim) => positionText(dim, positions));
    this.lines.line(`const td_seen<${this.phase.layout.columns}> seen(${first}, ${count}, width);`);
  }

  /** Leaves the loop over the two parts of a sweep before the second one, the hidden tiles, where these change nothing. */
  leave(sweep: Sweep, idle: Idle, isLast: boolean, scope: Scope): void {
    const { lines } = this;
    lines.line('if (seen.is_all()) break;');
    lines.line('bool matters = false;');
    lines.block('if (chain.row() < height) ', () => this.#checks(sweep, idle, inner(scope, {})));
    this.#sizes(idle, isLast);
    lines.block('if (!__syncthreads_or(matters)) ', () => {
      if (isLast && this.phase.elementStores.length > 0) this.#stores(scope);
      lines.line('break;');
    });
  }

  /** Whether hidden elements change a fold of this thread, or are not 0 where they have to be. */
  #checks({ online }: Sweep, { folds, zeros }: Idle, scope: Scope): void {
    const { lines, hidden } = this;
    if (online !== undefined) {
      const running = this.#variables(online.largest)[0] as string;
      const base = lines.fresh();
      const type = typeOf(lines, online.element.dtype);
      lines.line(`const ${type} ${base} = ${running} == -__builtin_inf() ? 0 : ${running};`);
      scope.values.set((online.largest.accumulate.results[0] as Temp).name, { texts: [base], inLanes: false });
    }
    const users = [
      ...folds.map((fold) => ({ args: fold.args, print: (within: Scope) => this.#step(fold, within) })),
      ...zeros.map((zero) => ({
        args: [zero],
        print: (within: Scope) => lines.line(`matters |= ${textOf(within, zero)} != 0;`),
      })),
    ];
    const print = (own: typeof users, within: Scope): void => {
      emitBody(lines, neededValues(hidden.values, [userOf(own.flatMap(({ args }) => args))]), within);
      for (const each of own) each.print(within);
    };
    const varying = users.filter(({ args }) => variesInRow(hidden, args));
    print(
      users.filter((each) => !varying.includes(each)),
      inner(scope, {}),
    );
    if (varying.length > 0) this.#each(scope, (within) => print(varying, within));
  }

  #variables({ accumulate }: RowFold): readonly string[] {
    return this.states.get(accumulate.name)?.variables[0] as readonly string[];
  }

  /** Whether a step changes the state of a fold. */
  #step(fold: RowFold, scope: Scope): void {
    const variables = this.#variables(fold);
    const operands = [
      ...variables.map((text) => ({ text, inLanes: false })),
      ...fold.args.map((arg) => operandOf(valueNamed(scope, arg.name), 0)),
    ];
    emitScalars(this.lines, fold.accumulate.fold.step, operands, scalarForm).forEach(({ text }, i) => {
      this.lines.line(`matters |= !td_is_same(${text}, ${variables[i]});`);
    });
  }

  /** Whether 0 times what it stands before is 0: factors of the second product, and scores where they are multiplied themselves. */
  #sizes({ needsScores }: Idle, isLast: boolean): void {
    const { lines, factors, phase } = this;
    const { program, layout } = phase;
    const { scores, mixed } = program;
    const below = (
      text: string,
      { isDeep }: Factor,
      product: Product,
      side: number,
      limit: string,
      range: string,
    ): void => {
      const types = `${typeOf(lines, product.dtype)}, ${isDeep === (product === scores) ? side : layout.columns}`;
      lines.line(`matters |= !td_is_below<${types}>(${text}, ${range}, ${limit});`);
    };
    const { depth, features } = layout;
    if (needsScores) below(factors.left, scores.left, scores, depth, MODERATE, '0, height, 0, depth');
    for (const range of ['0, seen.begin', 'seen.end, width']) {
      if (needsScores) below(factors.right, scores.right, scores, depth, MODERATE, `${range}, 0, depth`);
      if (isLast) below(factors.values, mixed.right, mixed, features, FINITE, `0, features, ${range}`);
    }
  }

  #stores(scope: Scope): void {
    const { lines, hidden, phase } = this;
    this.#each(scope, (within) => {
      emitBody(lines, neededValues(hidden.values, phase.elementStores), within);
      emitBody(lines, phase.elementStores, within);
    });
  }

  /** Prints a loop over the hidden columns of this thread. */
  #each(scope: Scope, body: (scope: Scope) => void): void {
    const print = (): void => this.elements.each(scope, body);
    this.lines.block('for (int64_t start = seen.first(1); start < width; start = seen.after(1, start)) ', print);
  }
}
