// Leaves positions that folds find in the i32 in which they were counted, where all that reads them makes them i32 again.

import { argument, type Scalar } from '../../../compiler/ir/scalar.js';
import { type Expr, exprTemps, type Stmt, type Temp, walk } from '../ir.js';
import { mapStatements } from './rewrite.js';

/** The body with results of folds that are widened for nobody left as they are. */
export function narrowResults(body: readonly Stmt[]): readonly Stmt[] {
  const narrowed = new Set<string>();
  const read = new Set<string>();
  for (const stmt of walk(body)) {
    if (stmt.kind === 'let')
      for (const temp of exprTemps(stmt.value)) (isNarrowing(stmt.value) ? narrowed : read).add(temp.name);
    if (stmt.kind === 'store' || stmt.kind === 'assign' || stmt.kind === 'lookup') read.add(stmt.value.name);
    if (stmt.kind === 'fold') for (const temp of stmt.args) read.add(temp.name);
  }
  const isKept = ({ name }: Temp): boolean => narrowed.has(name) && !read.has(name);
  const kept = new Map<string, Temp>();
  for (const stmt of walk(body)) {
    if (stmt.kind !== 'accumulate') continue;
    stmt.results.forEach((result, i) => {
      if (isKept(result) && isWidening(stmt.fold.finish[i])) kept.set(result.name, { ...result, dtype: 'i32' });
    });
  }
  if (kept.size === 0) return body;
  return mapStatements(body, (stmt) => {
    if (stmt.kind === 'accumulate') {
      const results = stmt.results.map((result) => kept.get(result.name) ?? result);
      const finish = stmt.fold.finish.map((scalar, i) =>
        scalar.kind === 'cast' && scalar.dtype !== results[i]?.dtype ? scalar.arg : scalar,
      );
      return { ...stmt, results, fold: { ...stmt.fold, finish } };
    }
    if (stmt.kind !== 'let' || stmt.value.kind !== 'scalar' || !isNarrowing(stmt.value)) return stmt;
    const [source] = stmt.value.args.map(({ name }) => kept.get(name));
    return source === undefined
      ? stmt
      : { ...stmt, value: { kind: 'scalar', body: argument(0, 'i32'), args: [source] } };
  });
}

const isWidening = (scalar: Scalar | undefined): boolean =>
  scalar?.kind === 'cast' && scalar.dtype === 'i64' && scalar.arg.dtype === 'i32';

/** Whether an expression is an i64 made i32. */
const isNarrowing = (expr: Expr): boolean =>
  expr.kind === 'scalar' &&
  expr.body.kind === 'cast' &&
  expr.body.dtype === 'i32' &&
  expr.body.arg.kind === 'argument' &&
  expr.body.arg.dtype === 'i64';
