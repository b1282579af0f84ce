// Whether a kernel may write a result where one of its operands lies.

import { type Kernel, type Stmt, walk } from './ir.js';

/**
 * Whether buffer `output` may be the memory of buffer `input`: every element of the operand is read in the iteration that writes
 * the element in its place, before it is written, and nowhere else. Holds for the lowered kernel; schedules keep it, since they
 * neither move an element's reads behind its write nor read an element early for another one.
 */
export function mayOverwrite(kernel: Kernel, input: string, output: string): boolean {
  const stores = [...bodies(kernel.body)].filter((body) => body.some((stmt) => isStore(stmt, output)));
  const [body] = stores;
  if (stores.length !== 1 || body === undefined) return false;
  const at = body.findIndex((stmt) => isStore(stmt, output));
  const store = body[at];
  if (store?.kind !== 'store' || body.filter((stmt) => isStore(stmt, output)).length !== 1) return false;
  for (const stmt of walk(kernel.body)) {
    if (stmt.kind !== 'let' || stmt.value.kind !== 'load' || stmt.value.buffer.name !== input) continue;
    const place = body.indexOf(stmt);
    if (place < 0 || place > at || stmt.value.offset.key !== store.offset.key) return false;
  }
  return true;
}

const isStore = (stmt: Stmt, buffer: string): boolean => stmt.kind === 'store' && stmt.buffer.name === buffer;

function* bodies(body: readonly Stmt[]): Generator<readonly Stmt[]> {
  yield body;
  for (const stmt of body) if ('body' in stmt) yield* bodies(stmt.body);
}
