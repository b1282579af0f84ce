// Prints elementwise kernels with wide accesses: a thread reads four neighbouring elements of every operand at once, computes them one after
// another, and writes four results at once. One block of random words serves the four as well.

import { dimSymbol, dimSymbols } from '../../../compiler/ir/dims.js';
import { argument, type Scalar } from '../../../compiler/ir/scalar.js';
import { philox } from '../../../compiler/scalar/philox.js';
import type { Items } from '../../kernel/gpu/schedule.js';
import { type Buffer, exprPositions, exprTemps, type Position, type Stmt } from '../../kernel/ir.js';
import { inner, type Lines, type Override, operandOf, type Scope, valueNamed, withRange } from '../context.js';
import { fromStorage, toStorage } from '../memory.js';
import { loopName } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm, storageType } from '../types.js';
import type { Unit } from '../unit.js';

/** The number of elements that a thread takes at once. */
export const WIDTH = 4;

type Let = Extract<Stmt, { kind: 'let' }>;

interface Wide {
  readonly index: string;
  /** Values that are the same for all elements, and those that are not. */
  readonly uniform: readonly Stmt[];
  readonly varying: readonly Stmt[];
  /** Buffers that are read or written at the index itself. */
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  readonly draws: readonly Let[];
}

/** What a phase does as a wide kernel; undefined for phases of another form. */
function wideForm({ grid, team, body }: Items): Wide | undefined {
  const [loop] = grid;
  if (loop === undefined || grid.length !== 1 || team !== 1) return undefined;
  const { index } = loop;
  const isPlain = body.every((stmt) => stmt.kind === 'let' || (stmt.kind === 'store' && isAt(stmt.offset, index)));
  if (!isPlain) return undefined;
  const varyingNames = new Set<string>();
  for (const stmt of body) {
    if (stmt.kind !== 'let') continue;
    const moves = exprPositions(stmt.value).some((position) => dimSymbols(position).has(index));
    if (moves || exprTemps(stmt.value).some(({ name }) => varyingNames.has(name))) varyingNames.add(stmt.temp.name);
  }
  const isUniform = (stmt: Stmt): boolean => stmt.kind === 'let' && !varyingNames.has(stmt.temp.name);
  const varying = body.filter((stmt) => !isUniform(stmt));
  const lets = varying.filter((stmt): stmt is Let => stmt.kind === 'let');
  const reads = lets.flatMap(({ value }) =>
    value.kind === 'load' && value.guards.length === 0 && isAt(value.offset, index) ? [value.buffer] : [],
  );
  const writes = varying.flatMap((stmt) => (stmt.kind === 'store' ? [stmt.buffer] : []));
  const draws = lets.filter(
    ({ value }) =>
      value.kind === 'random' && isAt(value.position, index) && value.key.every(({ name }) => !varyingNames.has(name)),
  );
  if (writes.length === 0 || new Set(writes).size < writes.length) return undefined;
  return { index, uniform: body.filter(isUniform), varying, reads: [...new Set(reads)], writes, draws };
}

const isAt = (position: Position, index: string): boolean => position.key === dimSymbol(index).key;

/** Prints phases of this form; `override` is what the printer of the phase asks about every statement. */
export class WidePrinter {
  /** Whether a phase was printed. */
  isUsed = false;
  #wide: Wide | undefined;
  #isWide = false;
  #names = new Map<Buffer, string>();
  #words = new Map<Stmt, string>();

  readonly override: Override = (lines, stmt, scope) => {
    if (!this.#isWide) return false;
    if (stmt.kind === 'let' && stmt.value.kind === 'load') return this.#load(lines, stmt, scope);
    if (stmt.kind === 'let' && this.#words.has(stmt)) {
      scope.values.set(stmt.temp.name, { texts: [`${this.#words.get(stmt)}[e]`], inLanes: false });
      return true;
    }
    if (stmt.kind !== 'store') return false;
    const value = operandOf(valueNamed(scope, stmt.value.name), 0).text;
    lines.line(
      `${this.#names.get(stmt.buffer)}.at[e] = ${toStorage(lines.unit, stmt.buffer.dtype, scalarForm, value)};`,
    );
    return true;
  };

  #load(lines: Lines, stmt: Let, scope: Scope): boolean {
    const { value, temp } = stmt;
    if (value.kind !== 'load' || value.guards.length > 0 || !isAt(value.offset, this.#wide?.index ?? '')) return false;
    const name = lines.fresh();
    const text = fromStorage(lines.unit, value.buffer.dtype, scalarForm, `${this.#names.get(value.buffer)}_in.at[e]`);
    lines.line(`const ${computeType(lines.unit, temp.dtype, scalarForm)} ${name} = ${text};`);
    scope.values.set(temp.name, { texts: [name], inLanes: false });
    return true;
  }

  /** Prints a phase; false where it is of another form. */
  print(lines: Lines, phase: Items, scope: Scope): boolean {
    const wide = wideForm(phase);
    if (wide === undefined) return false;
    this.#wide = wide;
    this.isUsed = true;
    const { index, uniform, varying, reads, writes, draws } = wide;
    const name = loopName(index);
    emitBody(lines, uniform, scope);
    const bufferName = lines.bufferName;
    const addresses = [...reads, ...writes].map((buffer) => `(uintptr_t)${bufferName(buffer)}`);
    lines.line('const int64_t thread = block * blockDim.x + threadIdx.x, threads = blocks * blockDim.x;');
    lines.line(`const int64_t packs = ((${addresses.join(' | ')}) & 31) == 0 ? items / ${WIDTH} : 0;`);
    const positions = withRange(scope, index, phase.grid[0]?.extent as never);
    lines.block(`for (int64_t pack = thread; pack < packs; pack += threads) `, () => {
      const own = inner(scope, { positions });
      for (const buffer of new Set([...reads, ...writes])) this.#names.set(buffer, lines.fresh('pack'));
      for (const buffer of reads) {
        const type = `td_pack<${storageType(buffer.dtype)}>`;
        lines.line(`const ${type} ${this.#names.get(buffer)}_in = ((const ${type} *)${bufferName(buffer)})[pack];`);
      }
      for (const buffer of writes) lines.line(`td_pack<${storageType(buffer.dtype)}> ${this.#names.get(buffer)};`);
      for (const draw of draws) this.#words.set(draw, this.#draw(lines, draw, own));
      this.#isWide = true;
      lines.line('TD_UNROLL');
      lines.block(`for (int32_t e = 0; e < ${WIDTH}; e++) `, () => {
        lines.line(`const int64_t ${name} = pack * ${WIDTH} + e;`);
        lines.line(`(void)${name};`);
        emitBody(lines, varying, inner(own, {}));
      });
      this.#isWide = false;
      for (const buffer of writes) {
        lines.line(
          `((td_pack<${storageType(buffer.dtype)}> *)${bufferName(buffer)})[pack] = ${this.#names.get(buffer)};`,
        );
      }
    });
    const rest = `for (int64_t ${name} = packs * ${WIDTH} + thread; ${name} < items; ${name} += threads) `;
    lines.block(rest, () => emitBody(lines, varying, inner(scope, { positions })));
    return true;
  }

  /** The four words of the block of random bits that a pack takes. */
  #draw(lines: Lines, { value }: Let, scope: Scope): string {
    if (value.kind !== 'random') throw new Error('a draw is no random value');
    const name = lines.fresh('words');
    const [first, second] = value.key.map((temp) => operandOf(valueNamed(scope, temp.name), 0).text);
    lines.line(`int32_t ${name}[${WIDTH}];`);
    lines.line(`${blockFunction(lines.unit)}(${first}, ${second}, pack, ${name});`);
    return name;
  }
}

const [low, high, k0l, k0h, k1l, k1h] = [0, 1, 2, 3, 4, 5].map((index) => argument(index, 'i32')) as [
  Scalar,
  Scalar,
  Scalar,
  Scalar,
  Scalar,
  Scalar,
];
const words = philox([low, high, k1l, k1h], [k0l, k0h]);

/** The function that computes a block of Philox. */
function blockFunction(unit: Unit): string {
  return unit.define('random_block', () => {
    const body: string[] = [];
    const sink = { unit, line: (text: string) => body.push(text), fresh: () => `v${body.length}` };
    const halves = (what: string): string[] => [`(int32_t)${what}`, `(int32_t)(${what} >> 32)`];
    const args = [...halves('block'), ...halves('k0'), ...halves('k1')].map((text) => ({ text, inLanes: false }));
    const results = emitScalars(sink, words, args, scalarForm);
    for (const [word, { text }] of results.entries()) body.push(`w[${word}] = ${text};`);
    return `/* Philox 4x32-10: the four words of a block. */\nTDSL_FUNCTION void random_block(int64_t k0, int64_t k1, int64_t block, int32_t *w) {\n  ${body.join('\n  ')}\n}\n`;
  });
}
