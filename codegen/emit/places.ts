// Where the loads of a loop of products begin. C compilers work the addresses of all loads out by themselves, and where rows lie at run-time
// distances they run out of registers: so each place that loads begin at is a pointer, computed before the outermost loop of products.
//
// Pointers and the vectors that several products use are also kept in registers (TDSL_KEEP, TDSL_KEEP_VECTOR in instructions.h): compilers
// take pointers apart again, and read a vector from memory once for each product.

import { dimConst, dimSub, dimSubstitute } from '../../compiler/ir/dims.js';
import { type Buffer, type Loop, type Position, walk } from '../kernel/ir.js';
import type { Lines } from './context.js';
import { type PositionScope, positionText, resolved } from './positions.js';
import { storageType } from './types.js';

/** Pointers for which there are registers beside the index, the end and what else a loop needs. */
const KEPT_POINTERS = 10;

/** Whether this is the outermost loop of a tile's products: the tile's sums are declared outside of it. */
export function isProductLoop(loop: Loop): boolean {
  let hasProducts = false;
  for (const stmt of walk(loop.body)) {
    if (stmt.kind === 'registers') return false;
    if (stmt.kind === 'let' && stmt.value.kind === 'muladd') hasProducts = true;
  }
  return hasProducts;
}

/** The pointers that a loop of products reads at. They are declared before it while it is being printed. */
export class Places {
  readonly #pointers = new Map<string, string>();
  /** Positions that change inside the loop, at 0. */
  readonly #inner = new Map<string, Position>();
  readonly #declare: (text: string) => void;

  constructor(readonly lines: Lines) {
    this.#declare = lines.later();
  }

  /** Notes a position that changes inside the loop. */
  enter(index: string): void {
    this.#inner.set(index, dimConst(0));
  }

  /** A pointer and the offset from it at which an element lies. */
  at(buffer: Buffer, offset: Position, scope: PositionScope): readonly [pointer: string, offset: string] {
    const whole = resolved(offset, scope);
    const first = dimSubstitute(whole, this.#inner);
    const start = dimSub(first, dimConst(constantTerm(first)));
    return [this.#pointer(buffer, start, scope), positionText(dimSub(whole, start), scope)];
  }

  #pointer(buffer: Buffer, start: Position, scope: PositionScope): string {
    const name = this.lines.bufferName(buffer);
    if (start.terms.length === 0) return name;
    const key = `${name} ${start.key}`;
    const known = this.#pointers.get(key);
    if (known !== undefined) return known;
    const pointer = this.lines.fresh('at');
    const keep = this.#pointers.size < KEPT_POINTERS ? ` TDSL_KEEP(${pointer});` : '';
    this.#pointers.set(key, pointer);
    this.#declare(`const ${storageType(buffer.dtype)} *${pointer} = ${name} + (${positionText(start, scope)});${keep}`);
    return pointer;
  }
}

const constantTerm = ({ terms }: Position): number => terms.find(({ atoms }) => atoms.length === 0)?.coefficient ?? 0;
