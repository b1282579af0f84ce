// Builds the body of a kernel: nested loops, and for every value the outermost loop in which it can be computed. A value that does
// not depend on an inner loop is placed before it, so that reductions of a row, scales and biases are computed once.

import {
  type Dim,
  dimConst,
  dimFloorDiv,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimSymbols,
  isDimConst,
} from '../../../compiler/ir/dims.js';
import type { Scalar } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  type Expr,
  exprPositions,
  exprTemps,
  exprType,
  type Fold,
  type Guard,
  isPositionName,
  type Loop,
  type LoopMark,
  type Position,
  type Stmt,
  type Temp,
} from '../ir.js';
import { guardKey, type Ranges } from '../positions.js';

interface Scope {
  readonly statements: Stmt[];
  readonly known: Map<string, Temp>;
  readonly positions: Map<string, Dim>;
}

const newScope = (): Scope => ({ statements: [], known: new Map(), positions: new Map() });

/** Makes names that occur once in a kernel; those of two parts of a kernel differ by their prefix. */
export class KernelNames {
  readonly #counts = new Map<string, number>();

  constructor(readonly prefix = '') {}

  fresh(stem: string): string {
    const count = this.#counts.get(stem) ?? 0;
    this.#counts.set(stem, count + 1);
    return `${stem}${this.prefix}${count}`;
  }
}

/** What a body stands in: the names of the kernel, and the positions in scope around it. */
export interface Surroundings {
  readonly names: KernelNames;
  readonly ranges: Ranges;
}

export class Body {
  #scopes: Scope[] = [newScope()];
  readonly #depths = new Map<string, number>();
  readonly #scalarIds = new Map<Scalar, number>();
  readonly #names: KernelNames;

  constructor({ names, ranges }: Surroundings = { names: new KernelNames(), ranges: new Map() }) {
    this.#names = names;
    for (const [name, extent] of ranges) this.#scope(0).positions.set(name, extent);
  }

  /** A name that begins with `stem` and occurs once in the kernel. */
  fresh(stem: string): string {
    return this.#names.fresh(stem);
  }

  /** The number of scopes around the current place. */
  get depth(): number {
    return this.#scopes.length - 1;
  }

  /** The positions in scope. */
  get ranges(): Ranges {
    return new Map(this.#scopes.flatMap((scope) => [...scope.positions]));
  }

  get statements(): readonly Stmt[] {
    return this.#scopes[0]?.statements ?? [];
  }

  #scope(depth: number): Scope {
    const scope = this.#scopes[depth];
    if (scope === undefined) throw new Error(`the kernel has no scope ${depth}`);
    return scope;
  }

  /** The innermost scope whose positions occur in an expression. */
  depthOf(positions: readonly Position[], temps: readonly Temp[] = []): number {
    let depth = 0;
    for (const temp of temps) depth = Math.max(depth, this.#depths.get(temp.name) ?? 0);
    const symbols = new Set<string>();
    for (const position of positions) dimSymbols(position, symbols);
    for (const symbol of symbols) {
      if (!isPositionName(symbol)) continue;
      const at = this.#scopes.findIndex((scope) => scope.positions.has(symbol));
      if (at < 0) throw new Error(`the position ${symbol} is used outside of its loop`);
      depth = Math.max(depth, at);
    }
    return depth;
  }

  /** Runs `body` as if only the scopes up to `depth` were open: what it adds goes before the loops further in. */
  at<T>(depth: number, body: () => T): T {
    const all = this.#scopes;
    this.#scopes = all.slice(0, depth + 1);
    try {
      return body();
    } finally {
      this.#scopes = all;
    }
  }

  append(stmt: Stmt): void {
    this.#scope(this.depth).statements.push(stmt);
  }

  /** Computes an expression where its operands allow, once for each scope. */
  let(value: Expr): Temp {
    const depth = this.depthOf(exprPositions(value), exprTemps(value));
    const key = this.#key(value);
    for (let d = depth; d >= 0; d--) {
      const known = this.#scope(d).known.get(key);
      if (known !== undefined) return known;
    }
    const temp = this.#newTemp(exprType(value), depth);
    this.#scope(depth).statements.push({ kind: 'let', temp, value });
    this.#scope(depth).known.set(key, temp);
    return temp;
  }

  /** What was computed before under a key, where it is still in sight. */
  recall(key: string): Temp | undefined {
    for (let depth = this.depth; depth >= 0; depth--) {
      const known = this.#scope(depth).known.get(key);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  /** Lets `recall` find a temporary under a key for as long as it is in sight. */
  remember(key: string, temp: Temp): void {
    this.#scope(Math.min(this.#depths.get(temp.name) ?? 0, this.depth)).known.set(key, temp);
  }

  /** Computes an expression here and now: for what depends on memory or registers that the kernel changes. */
  letHere(value: Expr): Temp {
    const temp = this.#newTemp(exprType(value), this.depth);
    this.append({ kind: 'let', temp, value });
    return temp;
  }

  #newTemp(dtype: Temp['dtype'], depth: number): Temp {
    const temp: Temp = { name: this.fresh('t'), dtype };
    this.#depths.set(temp.name, depth);
    return temp;
  }

  /** A value that `make` computes at most once in the scope `depth` or those around it; `key` says what it is. */
  once<T extends readonly Temp[]>(key: string, depth: number, make: () => T): T {
    const known = this.found(key, depth);
    if (known !== undefined) return known as readonly Temp[] as T;
    const made = this.at(depth, make);
    for (const [i, temp] of made.entries()) this.#scope(depth).known.set(`${key}#${i}`, temp);
    return made;
  }

  /** What `once` has computed under a key in the scope `depth` or those around it. */
  found(key: string, depth: number): readonly Temp[] | undefined {
    for (let d = depth; d >= 0; d--) {
      const { known } = this.#scope(d);
      const all: Temp[] = [];
      for (let i = 0; known.has(`${key}#${i}`); i++) all.push(known.get(`${key}#${i}`) as Temp);
      if (all.length > 0) return all;
    }
    return undefined;
  }

  /** Opens a loop around what `body` adds. */
  loop(
    extent: Dim,
    mark: LoopMark,
    body: (index: string) => void,
    rest: Pick<Loop, 'interleave' | 'atMost' | 'scan'> = {},
  ): void {
    const index = this.fresh('$i');
    const scope = newScope();
    scope.positions.set(index, extent);
    this.#scopes = [...this.#scopes, scope];
    body(index);
    this.#scopes = this.#scopes.slice(0, -1);
    this.append({ kind: 'for', index, extent, mark, ...rest, body: scope.statements });
  }

  /**
   * Opens nested loops over a list of extents; loops with one iteration are left out. `parallel`: no iteration depends on another;
   * `serial`: they run in order, unless all that they do is to fold.
   */
  loops(extents: readonly Dim[], mark: LoopMark, body: (at: readonly Position[]) => void): void {
    const open = (d: number, at: readonly Position[]): void => {
      const extent = extents[d];
      if (extent === undefined) body(at);
      else if (isDimConst(extent, 1)) open(d + 1, [...at, dimConst(0)]);
      else this.loop(extent, mark, (index) => open(d + 1, [...at, dimSymbol(index)]));
    };
    open(0, []);
  }

  /**
   * Adds an `accumulate` whose body `body` adds; `body` is given its name for `fold` statements. Which of several folds with the same results it
   * is, `chosen` says when the body is known.
   */
  accumulate(fold: Fold, body: (name: string) => void, chosen: () => Fold = () => fold): readonly Temp[] {
    const name = this.fresh('a');
    const scope = newScope();
    const depth = this.depth;
    this.#scopes = [...this.#scopes, scope];
    body(name);
    this.#scopes = this.#scopes.slice(0, -1);
    const results = fold.finish.map(({ dtype }) => this.#newTemp(dtype, depth));
    const stmt: Accumulate = { kind: 'accumulate', name, fold: chosen(), results, body: scope.statements };
    this.append(stmt);
    return results;
  }

  /** Adds statements that run only where the guards hold. */
  when(guards: readonly Guard[], body: () => void): void {
    if (guards.length === 0) {
      body();
      return;
    }
    this.#scopes = [...this.#scopes, newScope()];
    body();
    const scope = this.#scope(this.depth);
    this.#scopes = this.#scopes.slice(0, -1);
    if (scope.statements.length > 0) this.append({ kind: 'if', guards, body: scope.statements });
  }

  /** Names a position that is computed here; it is less than `extent`. */
  define(value: Position, extent: Dim): Position {
    const index = this.fresh('$p');
    this.append({ kind: 'define', index, value, extent });
    this.#scope(this.depth).positions.set(index, extent);
    return dimSymbol(index);
  }

  /** The number of each part of a chunk that stands for one combination of parts, the last of which runs fastest. */
  divided(chunk: Position, counts: readonly Dim[]): readonly Position[] {
    const zero = dimConst(0);
    const numbers: Position[] = [];
    let rest = chunk;
    for (let d = counts.length - 1; d >= 0; d--) {
      const count = counts[d] as Dim;
      const isFirst = counts.slice(0, d).every((other) => isDimConst(other, 1));
      if (isDimConst(count, 1)) numbers.unshift(zero);
      else if (isFirst) {
        numbers.unshift(rest);
        rest = zero;
      } else {
        const above = this.define(dimFloorDiv(rest, count), counts.slice(0, d).reduce(dimMul, dimConst(1)));
        numbers.unshift(this.define(dimSub(rest, dimMul(above, count)), count));
        rest = above;
      }
    }
    return numbers;
  }

  /** A step of an `accumulate`, where the guards hold. */
  fold(into: string, args: readonly Temp[], guards: readonly Guard[]): void {
    this.append({ kind: 'fold', into, args, guards });
  }

  /**
   * Makes an integer element a position within `size`, in the outermost scope that has the element: where the index tensor repeats it along
   * inner loops, a fault names the first of its positions.
   */
  lookup(value: Temp, size: Dim, site: number, place: Position, guards: readonly Guard[]): string {
    const depth = this.depthOf(
      guards.map((guard) => guard.value),
      [value],
    );
    const inner = this.#scopes.slice(depth + 1).flatMap((scope) => [...scope.positions.keys()]);
    const position = dimSubstitute(place, new Map(inner.map((symbol) => [symbol, dimConst(0)])));
    const key = `lookup ${value.name} ${size.key} ${guards.map(guardKey).join()}`;
    for (let d = depth; d >= 0; d--) {
      const known = this.#scope(d).known.get(key);
      if (known !== undefined) return known.name;
    }
    const index = this.fresh('$g');
    this.#scope(depth).statements.push({ kind: 'lookup', index, value, size, site, position, guards });
    this.#scope(depth).known.set(key, { name: index, dtype: 'i64' });
    this.#scope(depth).positions.set(index, size);
    return index;
  }

  /** Equal keys compute equal values. Scalar bodies are compared by identity: one object serves all elements of a node. */
  #key(expr: Expr): string {
    switch (expr.kind) {
      case 'load':
        return `load ${expr.buffer.name} ${expr.offset.key} ${guardsKey(expr.guards)}`;
      case 'position':
        return `position ${expr.dtype} ${expr.value.key}`;
      case 'scalar': {
        if (expr.body.kind === 'constant')
          return `constant ${expr.body.dtype} ${Object.is(expr.body.value, -0) ? '-0' : expr.body.value}`;
        const id = this.#scalarIds.get(expr.body) ?? this.#scalarIds.size;
        this.#scalarIds.set(expr.body, id);
        return `scalar ${id} ${expr.args.map((arg) => arg.name).join()}`;
      }
      case 'random':
        return `random ${expr.key[0].name} ${expr.key[1].name} ${expr.position.key}`;
      case 'muladd':
        return `muladd ${expr.a.name} ${expr.b.name} ${expr.c.name}`;
      case 'choose':
        return `choose ${guardsKey(expr.guards)} ${expr.accepted.name} ${expr.otherwise.name}`;
      case 'register':
        return `register ${expr.register.name} ${expr.at.map((p) => p.key).join()}`;
    }
  }
}

const guardsKey = (guards: readonly Guard[]): string => guards.map(guardKey).join();
