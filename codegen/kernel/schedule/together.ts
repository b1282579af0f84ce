// Lets folds that run over the same elements and do not need each other's results run in one loop: what both read is then read once. The
// gradients of a scale and a shift are two sums over one tensor, and the derivative of a normalisation takes two sums of a row.

import { dimEquals, dimSymbol } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { argument, type Scalar, select } from '../../../compiler/ir/scalar.js';
import { type Accumulate, exprTemps, type Fold, type Loop, type Stmt, walk } from '../ir.js';
import { guardKey, substitute } from '../positions.js';
import { mapPositions } from './rewrite.js';

/** Joins folds in all bodies of a kernel. */
export function foldTogether(body: readonly Stmt[]): readonly Stmt[] {
  const inner = body.map((stmt) => ('body' in stmt ? { ...stmt, body: foldTogether(stmt.body) } : stmt));
  return joinFirst(inner);
}

/** The statements with folds joined from the first one on. */
function joinFirst(body: readonly Stmt[]): readonly Stmt[] {
  for (const [at, first] of body.entries()) {
    if (first.kind !== 'accumulate') continue;
    const found = partner(first, body.slice(at + 1));
    if (found === undefined) continue;
    const { joined, before, after } = found;
    return [...body.slice(0, at), ...joinFirst([...before, joined, ...after])];
  }
  return body;
}

/** A later fold that can join this one, with the statements that come before and after both. */
function partner(first: Accumulate, rest: readonly Stmt[]) {
  const later = new Set(first.results.map(({ name }) => name));
  const before: Stmt[] = [];
  const after: Stmt[] = [];
  for (const [at, stmt] of rest.entries()) {
    // What a fold stores on its way may be read by later ones, which stay behind it.
    if (stmt.kind !== 'let' && (stmt.kind !== 'accumulate' || stores(stmt))) return undefined;
    const waits = [...walk([stmt])].some((part) => readsOf(part).some((name) => later.has(name)));
    const joined = stmt.kind === 'accumulate' && !waits ? join(first, stmt) : undefined;
    if (joined !== undefined) return { joined, before, after: [...after, ...rest.slice(at + 1)] };
    // What does not wait for the first fold moves before it; a fold that could not join stays where it is.
    if (stmt.kind === 'let' && !waits) before.push(stmt);
    else {
      after.push(stmt);
      for (const { name } of stmt.kind === 'let' ? [stmt.temp] : stmt.results) later.add(name);
    }
  }
  return undefined;
}

const stores = (stmt: Stmt): boolean => [...walk([stmt])].some(({ kind }) => kind === 'store');

/** The names of the temporaries that a statement itself reads. */
function readsOf(stmt: Stmt): readonly string[] {
  if (stmt.kind === 'let') return exprTemps(stmt.value).map(({ name }) => name);
  if (stmt.kind === 'fold') return stmt.args.map(({ name }) => name);
  return stmt.kind === 'store' || stmt.kind === 'assign' || stmt.kind === 'lookup' ? [stmt.value.name] : [];
}

/** Two folds as one, undefined where their loops differ or do more than to compute and fold. */
function join(a: Accumulate, b: Accumulate): Accumulate | undefined {
  const bytes = new Set([...a.fold.state, ...b.fold.state].map(dtypeBytes));
  const body = bytes.size === 1 ? joinLoops(a.body, b.body, a, b) : undefined;
  return (
    body && { ...a, fold: joinFolds(a.fold, b.fold, argumentsOf(a.body)), results: [...a.results, ...b.results], body }
  );
}

/** The number of arguments of the steps in a body. */
function argumentsOf(body: readonly Stmt[]): number {
  for (const stmt of walk(body)) if (stmt.kind === 'fold') return stmt.args.length;
  return 0;
}

function joinLoops(
  first: readonly Stmt[],
  second: readonly Stmt[],
  a: Accumulate,
  b: Accumulate,
): readonly Stmt[] | undefined {
  const [outer, inner] = [parts(first, a), parts(second, b)];
  if (outer === undefined || inner === undefined || outer.last.kind !== inner.last.kind) return undefined;
  const lets = [...outer.lets, ...inner.lets];
  if (outer.last.kind === 'fold' && inner.last.kind === 'fold') {
    if (outer.last.guards.map(guardKey).join() !== inner.last.guards.map(guardKey).join()) return undefined;
    return [...lets, { ...outer.last, args: [...outer.last.args, ...inner.last.args] }];
  }
  const [x, y] = [outer.last as Loop, inner.last as Loop];
  if (!dimEquals(x.extent, y.extent) || x.mark !== y.mark) return undefined;
  const moved = y.body.map((stmt) =>
    mapPositions(stmt, (position) => substitute(position, y.index, dimSymbol(x.index))),
  );
  const body = joinLoops(x.body, moved, a, b);
  return body && [...lets, { ...x, body }];
}

/** A body as values followed by one loop or one step of its fold. */
function parts(body: readonly Stmt[], { name }: Accumulate) {
  const last = body.at(-1);
  const lets = body.slice(0, -1);
  if (last === undefined || lets.some(({ kind }) => kind !== 'let')) return undefined;
  return last.kind === 'for' || (last.kind === 'fold' && last.into === name) ? { lets, last } : undefined;
}

/** One fold with the states of both: those of `a` first, and the arguments of a step likewise. */
function joinFolds(a: Fold, b: Fold, argsOfA: number): Fold {
  const [m, n] = [a.state.length, b.state.length];
  // A step takes (states…, arguments…), a merge (left states…, right states…).
  const both = (key: 'step' | 'merge' | 'finish', ofA: (i: number) => number, ofB: (i: number) => number) => [
    ...a[key].map(renumbering(ofA)),
    ...b[key].map(renumbering(ofB)),
  ];
  return {
    name: `${a.name}_${b.name}`,
    state: [...a.state, ...b.state],
    init: [...a.init, ...b.init],
    step: both(
      'step',
      (i) => (i < m ? i : i + n),
      (i) => (i < n ? m + i : m + argsOfA + i),
    ),
    merge: both(
      'merge',
      (i) => (i < m ? i : i + n),
      (i) => m + i + (i < n ? 0 : m),
    ),
    finish: both(
      'finish',
      (i) => i,
      (i) => m + i,
    ),
    ...(a.absorbsZero && b.absorbsZero && { absorbsZero: true }),
  };
}

/** Gives the arguments of scalar expressions other numbers; shared nodes stay shared. */
function renumbering(numberOf: (index: number) => number): (root: Scalar) => Scalar {
  const done = new Map<Scalar, Scalar>();
  const visit = (node: Scalar): Scalar => {
    const known = done.get(node);
    if (known !== undefined) return known;
    const made = rebuilt(node);
    done.set(node, made);
    return made;
  };
  const rebuilt = (node: Scalar): Scalar => {
    switch (node.kind) {
      case 'argument':
        return argument(numberOf(node.index), node.dtype);
      case 'constant':
        return node;
      case 'select':
        return select(visit(node.condition), visit(node.then), visit(node.otherwise));
      case 'cast':
      case 'bitcast':
        return { ...node, arg: visit(node.arg) };
      default:
        return { ...node, args: node.args.map(visit) };
    }
  };
  return visit;
}
