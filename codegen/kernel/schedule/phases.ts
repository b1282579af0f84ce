// Divides a kernel into phases: each statement at the top that is more than a value runs as a whole, with all its chunks, before the
// next one begins.

import { dimSymbols } from '../../../compiler/ir/dims.js';
import { exprTemps, type Kernel, type Loop, type Stmt, stmtPositions, walk } from '../ir.js';

export interface Phase {
  readonly body: readonly Stmt[];
  /** The loop whose iterations may be run in chunks, undefined where the phase runs in one piece. */
  readonly loop: Loop | undefined;
}

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

/** The phases of a kernel in order. Values at the top are computed by each phase that needs them. */
export function phasesOf(kernel: Kernel): readonly Phase[] {
  // What an accumulate at the top defines, and what registers there hold, is read by what follows it; and a value at the top must be
  // loaded before a store at the top, which may overwrite it: such a kernel runs in one piece.
  const isWhole = kernel.body.some(({ kind }) => kind === 'accumulate' || kind === 'registers' || kind === 'store');
  if (isWhole) return [{ body: kernel.body, loop: undefined }];
  const values = kernel.body.filter(isValue);
  return kernel.body
    .filter((stmt) => !isValue(stmt))
    .map((stmt) => ({
      body: [...neededValues(values, [stmt]), stmt],
      loop: stmt.kind === 'for' && stmt.mark !== 'serial' && stmt.mark !== 'unroll' ? stmt : undefined,
    }));
}

/** The values among `values` that statements use, and those that these use in turn. */
export function neededValues(values: readonly Stmt[], users: readonly Stmt[]): readonly Stmt[] {
  const names = new Set<string>();
  const use = (stmt: Stmt): void => {
    for (const position of stmtPositions(stmt)) dimSymbols(position, names);
    if (stmt.kind === 'let') for (const temp of exprTemps(stmt.value)) names.add(temp.name);
    if (stmt.kind === 'store' || stmt.kind === 'assign' || stmt.kind === 'lookup') names.add(stmt.value.name);
    if (stmt.kind === 'fold') for (const temp of stmt.args) names.add(temp.name);
  };
  for (const stmt of walk(users)) use(stmt);
  return values
    .toReversed()
    .filter((stmt) => {
      const name =
        stmt.kind === 'let' ? stmt.temp.name : stmt.kind === 'lookup' || stmt.kind === 'define' ? stmt.index : '';
      if (!names.has(name)) return false;
      use(stmt);
      return true;
    })
    .toReversed();
}
