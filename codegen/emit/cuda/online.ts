// Prints the pass of a team over a row that finds a maximum and the sum of exponentials of differences from it (kernel/gpu/online.ts). A thread
// takes some elements at once: their maximum comes first, so that a sum is scaled once for all of them.

import { argument, constant, type Scalar } from '../../../compiler/ir/scalar.js';
import type { Online } from '../../kernel/gpu/online.js';
import type { Team } from '../../kernel/gpu/schedule.js';
import type { Accumulate } from '../../kernel/ir.js';
import { type FoldState, inner, type Lines, operandOf, type Scope, valueNamed, withRange } from '../context.js';
import { declareState, finishFold } from '../folds.js';
import { loopName, positionText } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';

/** The elements that a thread takes at once. */
const ROUNDS = 8;

/** Joins the states of all threads of the team, and gives each the result. */
type Join = (lines: Lines, state: FoldState) => void;

export class OnlinePrinter {
  readonly #sums = new Map<Accumulate, FoldState>();

  constructor(
    readonly pairs: readonly Online[],
    readonly team: Team,
    readonly lane: string,
    readonly join: Join,
  ) {}

  /** Prints one of the folds of a pair; false for others. */
  print(lines: Lines, stmt: Accumulate, scope: Scope): boolean {
    const pair = this.pairs.find(({ max }) => max === stmt);
    if (pair !== undefined) this.#pass(lines, pair, scope);
    const sum = this.#sums.get(stmt);
    if (pair === undefined && sum !== undefined) {
      this.join(lines, sum);
      finishFold(lines, stmt, sum, scope);
    }
    return pair !== undefined || sum !== undefined;
  }

  /** The pass, and the maximum of the row. The sums of the threads are then those for this maximum. */
  #pass(lines: Lines, pair: Online, scope: Scope): void {
    const { max, sum, pass } = pair;
    const [maxima, sums] = [declareState(lines, max, scope), declareState(lines, sum, scope)];
    const [[top], [total]] = [maxima.variables[0], sums.variables[0]] as [[string], [string]];
    const type = computeType(lines.unit, pair.element.dtype, scalarForm);
    const positions = withRange(scope, pass.index, pass.extent);
    const extent = positionText(pass.extent, scope.positions);
    const [index, next, elements] = [loopName(pass.index), lines.fresh('next'), lines.fresh('x')];
    const eachElement = (body: (element: string, own: Scope) => void): void => {
      lines.line('TD_UNROLL');
      lines.block(`for (int32_t each = 0; each < ${ROUNDS}; each++) `, () => {
        lines.line(`const int64_t ${index} = first + each * ${this.team};`);
        lines.block(`if (${index} < ${extent}) `, () => body(`${elements}[each]`, inner(scope, { positions })));
      });
    };
    lines.block(`for (int64_t first = ${this.lane}; first < ${extent}; first += ${ROUNDS * this.team}) `, () => {
      lines.line(`${type} ${elements}[${ROUNDS}], ${next} = ${top};`);
      eachElement((element, own) => {
        const lets = pass.body.filter(({ kind }) => kind === 'let');
        emitBody(lines, lets, own);
        lines.line(`${element} = ${operandOf(valueNamed(own, pair.element.name), 0).text};`);
      });
      eachElement((element) => lines.line(`${next} = ${scalarText(lines, max.fold.step[0], next, element)};`));
      this.#scale(lines, pair, total, top, next);
      lines.line(`${top} = ${next};`);
      eachElement((element) => {
        const term = scalarText(lines, pair.term, element, scalarText(lines, pair.shift, top));
        lines.line(`${total} = ${scalarText(lines, sum.fold.step[0], total, term)};`);
      });
    });
    const own = lines.fresh('own');
    lines.line(`const ${type} ${own} = ${top};`);
    this.join(lines, maxima);
    this.#scale(lines, pair, total, own, top);
    finishFold(lines, max, maxima, scope);
    this.#sums.set(sum, sums);
  }

  /** Scales a sum from one maximum to a larger one. Where all elements so far were -∞, what they make of a larger maximum is 0. */
  #scale(lines: Lines, pair: Online, total: string, from: string, to: string): void {
    const { dtype } = pair.element;
    const lowest = scalarText(lines, constant(Number.NEGATIVE_INFINITY, dtype));
    lines.block(`if (${from} != ${to}) `, () => {
      const shifts = [from, to].map((max) => scalarText(lines, pair.shift, max)) as [string, string];
      const factor = scalarText(lines, pair.term, ...shifts);
      lines.line(`${total} = ${from} == ${lowest} ? ${scalarText(lines, constant(0, dtype))} : ${total} * ${factor};`);
    });
  }
}

/** The text of a scalar expression of values that have names. */
function scalarText(lines: Lines, scalar: Scalar | undefined, ...args: readonly string[]): string {
  const operands = args.map((text) => ({ text, inLanes: false }));
  const [result] = emitScalars(lines, [scalar ?? argument(0, 'f32')], operands, scalarForm);
  return result?.text ?? '';
}
