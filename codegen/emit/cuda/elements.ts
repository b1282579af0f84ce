// Prints what the threads of a row make of a tile of scores in a chain (rts/cuda/tdsl_chain.cuh): folds, weights and results.

import { dimConst } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import type { Scalar } from '../../../compiler/ir/scalar.js';
import { userOf } from '../../kernel/gpu/chain/hidden.js';
import type { Online } from '../../kernel/gpu/chain/online.js';
import { COLUMN, type RowFold, type Store } from '../../kernel/gpu/chain/rows.js';
import type { Sweep, Sweeps } from '../../kernel/gpu/chain/sweeps.js';
import type { Stmt, Temp } from '../../kernel/ir.js';
import { neededValues } from '../../kernel/schedule/phases.js';
import { type FoldState, inner, type Lines, operandOf, type Scope, valueNamed } from '../context.js';
import { declareState } from '../folds.js';
import { loopName } from '../positions.js';
import { emitScalar } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';
import { joinWarp } from './statements.js';

/** Threads that share a row. */
export const TEAM = 4;
/** The condition of the thread that speaks for a row. */
export const IS_FIRST = `threadIdx.x % ${TEAM} == 0`;

export const typeOf = (lines: Lines, dtype: DType): string => computeType(lines.unit, dtype, scalarForm);

/** The step of a fold. */
const stepOf = ({ accumulate, args, guards }: RowFold): Stmt => ({ kind: 'fold', into: accumulate.name, args, guards });

/** What the elements of a tile are for. */
interface Uses {
  readonly folds: readonly RowFold[];
  readonly stores: readonly Store[];
  readonly weight: readonly Temp[];
}

/** Prints the elements of a sweep; `states` are those of its folds. */
export class ElementPrinter {
  constructor(
    readonly lines: Lines,
    readonly phase: Sweeps,
    readonly states: ReadonlyMap<string, FoldState>,
  ) {}

  /** What the threads of a row do with a tile of scores. */
  print(sweep: Sweep, isLast: boolean, scope: Scope): void {
    const { lines, phase } = this;
    const { program, weight } = phase;
    const { online } = sweep;
    const uses: Uses = {
      folds: [...sweep.folds, ...(online?.sums ?? [])],
      stores: isLast ? phase.elementStores : [],
      weight: isLast ? [weight?.temp ?? program.weight] : [],
    };
    if (online === undefined) {
      this.#elements(uses, scope);
      return;
    }
    const within = inner(scope, {});
    // What the largest is sought among may stay where its score was if nothing else wants that.
    const { element } = online;
    const mayStay =
      phase.sweeps.length === 1 &&
      !this.#readsScore(uses, element) &&
      typeOf(lines, element.dtype) === typeOf(lines, program.score.dtype);
    this.#largest(online, within, mayStay);
    this.#elements(uses, within, mayStay ? element : undefined);
  }

  /** Finds the largest element of the row so far, and multiplies the sums by the exponential of the difference. */
  #largest({ largest, element, exponential, sums }: Online, scope: Scope, stays: boolean): void {
    const { lines } = this;
    const {
      name: fold,
      fold: { merge },
      results,
    } = largest.accumulate;
    const own = declareState(lines, largest.accumulate, scope);
    this.each(scope, (within) => {
      emitBody(lines, this.#needed({ folds: [largest], stores: [], weight: [] }), within);
      emitBody(lines, [stepOf(largest)], { ...within, folds: new Map([[fold, own]]) });
      if (stays) lines.line(`chain.score(slot, i) = ${textOf(within, element)};`);
    });
    joinWarp(lines, own, TEAM);
    const named = (value: string): string => {
      const fresh = lines.fresh();
      lines.line(`const ${typeOf(lines, element.dtype)} ${fresh} = ${value};`);
      return fresh;
    };
    const apply = (scalar: Scalar, ...texts: readonly string[]): string => {
      const operands = texts.map((text) => ({ text, inLanes: false }));
      return named(emitScalar(lines, scalar, operands, scalarForm).text);
    };
    const running = this.#variable(fold);
    const top = apply(merge[0] as Scalar, running, own.variables[0]?.[0] as string);
    // Below nothing but -inf all exponentials are 0.
    const base = named(`${top} == -__builtin_inf() ? 0 : ${top}`);
    const scale = apply(exponential, `(${running} - ${base})`);
    lines.line(`${running} = ${top};`);
    for (const { accumulate } of sums) lines.line(`${this.#variable(accumulate.name)} *= ${scale};`);
    if (this.phase.weight !== undefined) lines.line(`if (${IS_FIRST}) chain.scales[chain.row()] = ${scale};`);
    scope.values.set((results[0] as Temp).name, { texts: [base], inLanes: false });
  }

  /** The variable of a fold with one state. */
  #variable(fold: string): string {
    return this.states.get(fold)?.variables[0]?.[0] as string;
  }

  /** The values of an element that uses need, without one that is there already. */
  #needed({ folds, stores, weight }: Uses, known?: Temp): readonly Stmt[] {
    const { program, levels } = this.phase;
    const own = program.values.filter(({ temp }) => levels.isElement(temp) && temp.name !== known?.name);
    return neededValues(own, [...folds.map(stepOf), ...stores, userOf(weight)]);
  }

  /** Whether uses need the score itself where a value is known. */
  #readsScore(uses: Uses, known: Temp): boolean {
    const { score } = this.phase.program;
    const place: Stmt = {
      kind: 'let',
      temp: score,
      value: { kind: 'position', value: dimConst(0), dtype: score.dtype },
    };
    const { folds, stores, weight } = uses;
    return (
      neededValues([place], [...this.#needed(uses, known), ...folds.map(stepOf), ...stores, userOf(weight)]).length > 0
    );
  }

  /** Prints a loop over the columns of this thread; `body` sees the score of each. */
  each(scope: Scope, body: (scope: Scope) => void, otherwise = ''): void {
    const { lines } = this;
    const column = loopName(COLUMN);
    lines.block('TD_UNROLL_SOME for (int i = 0; i < chain.OWN; i++) ', () => {
      lines.line(`const int64_t ${column} = start + chain.column(i);`);
      const print = (): void => {
        const within = inner(scope, {});
        within.values.set(this.phase.program.score.name, { texts: ['chain.score(slot, i)'], inLanes: false });
        body(within);
      };
      lines.block(`if (${column} < own_width) `, print, otherwise);
    });
  }

  /** Prints what uses take of every element of a tile. `stayed` is a value that lies where the score was. */
  #elements(uses: Uses, scope: Scope, stayed?: Temp): void {
    const { lines } = this;
    const { folds, stores, weight } = uses;
    const print = (within: Scope): void => {
      if (stayed !== undefined) within.values.set(stayed.name, { texts: ['chain.score(slot, i)'], inLanes: false });
      emitBody(lines, this.#needed(uses, stayed), within);
      emitBody(lines, folds.map(stepOf), { ...within, folds: this.states });
      for (const temp of weight) lines.line(`chain.weigh(i, ${textOf(within, temp)});`);
      emitBody(lines, stores, within);
    };
    this.each(scope, print, weight.length === 0 ? '' : ' else chain.weigh(i, 0);');
  }
}

/** The text of a value. */
export const textOf = (scope: Scope, temp: Temp): string => operandOf(valueNamed(scope, temp.name), 0).text;
