// Prints passes of a team over rows that do not stay in registers. A thread reads some of its elements at once before it works on them, so that
// as many reads are under way; the compiler could not move them over stores.

import { dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { exprPositions, type Loop, type Stmt, walk } from '../../kernel/ir.js';
import { inner, type Lines, type Override, operandOf, type Scope, valueNamed, withRange } from '../context.js';
import { loopName, positionText } from '../positions.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';

/** How many elements a thread takes at once at most, and the registers of 32 bits that it has for them. */
const ROUNDS = 8;
const REGISTERS = 32;

type Load = Extract<Stmt, { kind: 'let' }>;

export class TilePrinter {
  /** The arrays that hold what was read. */
  #arrays: ReadonlyMap<Stmt, string> = new Map();

  constructor(
    readonly team: number,
    readonly lane: string,
  ) {}

  print(lines: Lines, pass: Loop, scope: Scope): void {
    const { index, body } = pass;
    const name = loopName(index);
    const extent = positionText(pass.extent, scope.positions);
    const positions = withRange(scope, index, pass.extent);
    const loads = loadsOf(pass);
    const rounds = this.#rounds(pass, loads);
    if (rounds < 2) {
      lines.block(`for (int64_t ${name} = ${this.lane}; ${name} < ${extent}; ${name} += ${this.team}) `, () =>
        emitBody(lines, body, inner(scope, { positions })),
      );
      return;
    }
    const eachElement = (print: () => void): void => {
      lines.line('TD_UNROLL');
      lines.block(`for (int32_t each = 0; each < ${rounds}; each++) `, () => {
        lines.line(`const int64_t ${name} = first + each * ${this.team};`);
        lines.block(`if (${name} < ${extent}) `, print);
      });
    };
    const arrays = new Map(loads.map((load) => [load, lines.fresh('x')]));
    lines.block(`for (int64_t first = ${this.lane}; first < ${extent}; first += ${rounds * this.team}) `, () => {
      for (const [{ temp }, array] of arrays) {
        lines.line(`${computeType(lines.unit, temp.dtype, scalarForm)} ${array}[${rounds}];`);
      }
      eachElement(() => {
        const own = inner(scope, { positions });
        for (const [load, array] of arrays) {
          emitBody(lines, [load], own);
          lines.line(`${array}[each] = ${operandOf(valueNamed(own, load.temp.name), 0).text};`);
        }
      });
      this.#arrays = arrays;
      eachElement(() => emitBody(lines, body, inner(scope, { positions })));
      this.#arrays = new Map();
    });
  }

  #rounds({ extent }: Loop, loads: readonly Load[]): number {
    const registers = loads.reduce((sum, { temp }) => sum + Math.max(1, dtypeBytes(temp.dtype) / 4), 0);
    const most = Math.ceil((dimValue(extent) ?? Number.POSITIVE_INFINITY) / this.team);
    return registers === 0 ? 1 : Math.min(ROUNDS, most, Math.floor(REGISTERS / registers));
  }

  /** Takes what was read from its array. */
  readonly override: Override = (_, stmt, scope) => {
    const array = this.#arrays.get(stmt);
    if (array === undefined || stmt.kind !== 'let') return false;
    scope.values.set(stmt.temp.name, { texts: [`${array}[each]`], inLanes: false });
    return true;
  };
}

/** The loads that can be made before anything else is done for an element: of what the pass does not write. */
function loadsOf({ index, body }: Loop): readonly Load[] {
  if (body.some((stmt) => 'body' in stmt)) return [];
  const written = new Set([...walk(body)].flatMap((stmt) => (stmt.kind === 'store' ? [stmt.buffer.name] : [])));
  const own = new Set(body.flatMap((stmt) => (stmt.kind === 'lookup' || stmt.kind === 'define' ? [stmt.index] : [])));
  return body.filter((stmt): stmt is Load => {
    if (stmt.kind !== 'let' || stmt.value.kind !== 'load' || written.has(stmt.value.buffer.name)) return false;
    const symbols = new Set<string>();
    for (const position of exprPositions(stmt.value)) dimSymbols(position, symbols);
    return symbols.has(index) && ![...symbols].some((name) => own.has(name));
  });
}
