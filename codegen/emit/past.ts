// Prints vector loops that write their result past the caches where it is too large for them.

import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Buffer, Loop, Stmt } from '../kernel/ir.js';
import { mentions } from '../kernel/positions.js';
import { inner, type Lines, type Scope } from './context.js';
import { streamInstruction } from './intrinsics.js';
import { loopName, positionText } from './positions.js';
import type { Form } from './types.js';

/** The bytes of a common last cache. What moves more is not found there again. */
const LAST_CACHE = 2 ** 25;

type Store = Extract<Stmt, { kind: 'store' }>;

/** The store of a loop that may go past the caches, undefined where there is none or the machine has no such instruction. */
export function pastStore(lines: Lines, loop: Loop, form: Form): Store | undefined {
  const store = loop.body.find((stmt): stmt is Store => stmt.kind === 'store' && stmt.isPast === true);
  if (store === undefined || store.buffer.dtype === 'bool') return undefined;
  const isWhole = dtypeBytes(store.buffer.dtype) * form.lanes === lines.unit.machine.vectorBytes;
  return isWhole && streamInstruction(lines.unit, '', '') !== undefined ? store : undefined;
}

/**
 * Prints the blocks of a loop for results that are larger than the last cache. Such stores must be aligned: the first block is written as
 * usual, and the second one begins, still inside of the first, where vectors are aligned. So what is read must lie elsewhere.
 */
export function emitPast(
  lines: Lines,
  {
    loop,
    store,
    block,
    end,
  }: { readonly loop: Loop; readonly store: Store; readonly block: number; readonly end: string },
  scope: Scope,
  emitBlock: (scope: Scope) => void,
): void {
  const { machine } = lines.unit;
  const result = lines.bufferName(store.buffer);
  const bytes = dtypeBytes(store.buffer.dtype);
  const operands = new Map<string, Buffer>();
  const moving = new Map([[store.buffer.name, store.buffer]]);
  for (const stmt of loop.body) {
    if (stmt.kind !== 'let' || stmt.value.kind !== 'load') continue;
    const { buffer, offset } = stmt.value;
    operands.set(buffer.name, buffer);
    if (mentions(offset, loop.index)) moving.set(buffer.name, buffer);
  }
  const moved = [...moving.values()].reduce((sum, { dtype }) => sum + dtypeBytes(dtype), 0);
  const apart = [...operands.values()].map(
    (each) => `(const void *)${lines.bufferName(each)} != (const void *)${result}`,
  );
  const name = loopName(loop.index);
  const [skip, past] = [lines.fresh('skip'), lines.fresh('past')];
  const extent = positionText(loop.extent, scope.positions);
  const condition = [`${moved} * (${extent}) >= ${LAST_CACHE}`, ...apart].join(' && ');
  lines.block(`if (${condition}) `, () => {
    const place = `${result} + (${positionText(store.offset, scope.positions)})`;
    lines.line(`const int64_t ${skip} = (int64_t)(-(uintptr_t)(${place}) % ${machine.vectorBytes} / ${bytes});`);
    lines.line(`int ${past} = ${skip} == 0;`);
    const next = `${name} += ${past} ? ${block} : ${skip}, ${past} = 1`;
    lines.block(`for (; ${name} + ${block} <= ${end}; ${next}) `, () => emitBlock(inner(scope, { past })));
    lines.line('_mm_sfence();');
  });
}
