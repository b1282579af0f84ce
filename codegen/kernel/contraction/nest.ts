// Recognises the generic loop nest of a contraction, and computes its values again at other places.
//
// A nest is: parallel loops over the outer indices; inside them one sum of products of one or two factors over the summed indices; and
// stores of values that depend on the sum. Everything else is a value (a `let`), wherever it stands.

import { type Dim, dimConst, dimEquals, dimMul, dimSubstitute, dimSymbol } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  type Expr,
  exprPositions,
  exprTemps,
  exprType,
  type Fold,
  type Guard,
  type Kernel,
  type Position,
  type Stmt,
  type Temp,
} from '../ir.js';
import type { Body } from '../lower/body.js';
import { bothGuards, coefficient, mentions } from '../positions.js';
import { mapExpr } from '../schedule/rewrite.js';

export type Store = Extract<Stmt, { kind: 'store' }>;
export type Load = Extract<Expr, { kind: 'load' }>;

/** An index of a contraction: it runs over 0 ≤ index < extent. */
export interface Index {
  readonly name: string;
  readonly extent: Dim;
}

export interface Nest {
  /** The indices of the results. */
  readonly outer: readonly Index[];
  readonly summed: readonly Index[];
  /** Definitions of all values but the sum. */
  readonly values: ReadonlyMap<string, Expr>;
  readonly factors: readonly Temp[];
  readonly sum: Temp;
  readonly stores: readonly Store[];
}

/** The nest that a kernel consists of, undefined where it is none. */
export function contractionNest(kernel: Kernel): Nest | undefined {
  const found = new Reader().read(kernel.body);
  return found === undefined ? undefined : collapse(renamed(found));
}

/** Whether a kernel is one sum of products or of elements for each result. */
export const isProduct = (kernel: Kernel): boolean => contractionNest(kernel) !== undefined;

class Reader {
  readonly #outer: Index[] = [];
  readonly #summed: Index[] = [];
  readonly #values = new Map<string, Expr>();
  #factors: readonly Temp[] = [];
  #sum: Temp | undefined;

  read(body: readonly Stmt[]): Nest | undefined {
    const stores = this.#readOuter(body);
    const [outer, summed, values, factors, sum] = [this.#outer, this.#summed, this.#values, this.#factors, this.#sum];
    if (stores === undefined || sum === undefined) return undefined;
    // What is read of a result is what this iteration writes over.
    const isRead = ({ buffer, offset }: Store): boolean =>
      [...values.values()].some(
        (value) => value.kind === 'load' && value.buffer.name === buffer.name && !dimEquals(value.offset, offset),
      );
    if (stores.some(isRead)) return undefined;
    return { outer, summed, values, factors, sum, stores };
  }

  /** Reads a level of the outer loops; returns the stores. */
  #readOuter(body: readonly Stmt[]): readonly Store[] | undefined {
    const stores: Store[] = [];
    let inner: readonly Store[] | undefined;
    for (const stmt of body) {
      if (stmt.kind === 'let') this.#values.set(stmt.temp.name, stmt.value);
      else if (stmt.kind === 'store') stores.push(stmt);
      else if (stmt.kind === 'accumulate') {
        if (this.#sum !== undefined || !this.#readSum(stmt)) return undefined;
      } else if (stmt.kind === 'for' && stmt.mark === 'parallel' && inner === undefined && this.#sum === undefined) {
        this.#outer.push({ name: stmt.index, extent: stmt.extent });
        inner = this.#readOuter(stmt.body);
        if (inner === undefined) return undefined;
      } else return undefined;
    }
    if (inner === undefined) return stores;
    return stores.length > 0 ? undefined : inner;
  }

  #readSum({ fold, body, results }: Accumulate): boolean {
    this.#sum = results[0];
    return this.#readSummed(body) && this.#factors.length > 0 && isSumOfProducts(fold, this.#factors.length);
  }

  #readSummed(body: readonly Stmt[]): boolean {
    for (const stmt of body) {
      if (stmt.kind === 'let') this.#values.set(stmt.temp.name, stmt.value);
      else if (this.#factors.length > 0) return false;
      else if (stmt.kind === 'fold' && stmt.guards.length === 0) this.#factors = stmt.args;
      else if (stmt.kind === 'for') {
        this.#summed.push({ name: stmt.index, extent: stmt.extent });
        if (!this.#readSummed(stmt.body)) return false;
      } else return false;
    }
    return true;
  }
}

/** Whether a fold is state + argument, or state + argument · argument. */
function isSumOfProducts(fold: Fold, factors: number): boolean {
  const [init, step, finish] = [fold.init[0], fold.step[0], fold.finish[0]];
  const isArgument = (scalar: Scalar | undefined, index: number): boolean =>
    scalar?.kind === 'argument' && scalar.index === index;
  if (fold.state.length !== 1 || init?.kind !== 'constant' || init.value !== 0 || !isArgument(finish, 0)) return false;
  if (step?.kind !== 'apply' || step.op !== 'add' || !isArgument(step.args[0], 0)) return false;
  const [, term] = step.args;
  if (factors === 1) return isArgument(term, 1);
  return (
    factors === 2 &&
    term?.kind === 'apply' &&
    term.op === 'mul' &&
    isArgument(term.args[0], 1) &&
    isArgument(term.args[1], 2)
  );
}

/** The nest with index names of its own, so that the scheduled kernel can have any. */
function renamed(nest: Nest): Nest {
  const outer = nest.outer.map(({ extent }, i): Index => ({ name: `$outer${i}`, extent }));
  const summed = nest.summed.map(({ extent }, i): Index => ({ name: `$summed${i}`, extent }));
  const old = [...nest.outer, ...nest.summed];
  const names = new Map([...outer, ...summed].map(({ name }, i) => [old[i]?.name as string, dimSymbol(name)] as const));
  return { ...nestAt(nest, (position) => dimSubstitute(position, names)), outer, summed };
}

/** The nest with every position replaced. */
export function nestAt(nest: Nest, f: (position: Position) => Position): Nest {
  return {
    ...nest,
    values: new Map([...nest.values].map(([name, value]) => [name, mapExpr(value, f)])),
    stores: nest.stores.map((store) => ({ ...store, offset: f(store.offset) })),
  };
}

/** Joins two indices wherever they walk through memory as one would. */
function collapse(nest: Nest): Nest {
  const positions = [...[...nest.values.values()].flatMap(exprPositions), ...nest.stores.map(({ offset }) => offset)];
  for (const list of [nest.outer, nest.summed]) {
    for (const slow of list) {
      for (const fast of list) {
        if (slow === fast || !positions.every((position) => movesAsOne(position, slow, fast))) continue;
        const values = new Map([[slow.name, dimConst(0)]]);
        const extent = dimMul(slow.extent, fast.extent);
        const join = (indices: readonly Index[]): readonly Index[] =>
          indices.flatMap((index) => (index === slow ? [] : [index === fast ? { ...fast, extent } : index]));
        const joined = nestAt(nest, (position) => dimSubstitute(position, values));
        return collapse({ ...joined, outer: join(nest.outer), summed: join(nest.summed) });
      }
    }
  }
  return nest;
}

function movesAsOne(position: Position, slow: Index, fast: Index): boolean {
  const [far, near] = [coefficient(position, slow.name), coefficient(position, fast.name)];
  return far !== undefined && near !== undefined && dimEquals(far, dimMul(near, fast.extent));
}

/** All conditions in a nest. */
export const guardsOf = (nest: Nest): readonly Guard[] =>
  [...nest.values.values()].flatMap((value) => (value.kind === 'load' || value.kind === 'choose' ? value.guards : []));

/** The expressions that a value is computed from, its own included. */
export function* expressionsOf(nest: Nest, temp: Temp, seen: Set<string> = new Set()): Generator<Expr> {
  if (seen.has(temp.name)) return;
  seen.add(temp.name);
  const value = nest.values.get(temp.name);
  if (value === undefined) return;
  yield value;
  for (const part of exprTemps(value)) yield* expressionsOf(nest, part, seen);
}

/** The bytes of the widest element in the computation of some values, the sum left out. */
export function widestOf(nest: Nest, temps: readonly Temp[]): number {
  const scalars = new Set<Scalar>();
  const widestScalar = (root: Scalar): number => {
    if (scalars.has(root)) return 1;
    scalars.add(root);
    const parts = root.kind === 'call' ? [root.fn.body, ...root.args] : scalarOperands(root);
    return Math.max(dtypeBytes(root.dtype), ...parts.map(widestScalar));
  };
  const seen = new Set<string>();
  const bytes = temps
    .flatMap((temp) => [...expressionsOf(nest, temp, seen)])
    .map((value) => (value.kind === 'scalar' ? widestScalar(value.body) : dtypeBytes(exprType(value))));
  return Math.max(1, ...bytes);
}

/** The indices of a nest that occur in positions. */
export const indicesIn = (nest: Nest, positions: readonly Position[]): ReadonlySet<string> =>
  new Set(
    [...nest.outer, ...nest.summed]
      .map(({ name }) => name)
      .filter((name) => positions.some((position) => mentions(position, name))),
  );

/** What is known where a value is computed again. */
export interface Place {
  /** The positions of the nest's indices. */
  readonly at: ReadonlyMap<string, Position>;
  /** Values that exist already, by their names in the nest. */
  readonly known?: ReadonlyMap<string, Temp>;
  /** Loads give 0 where these fail. */
  readonly guards?: readonly Guard[];
}

/** Computes a value of the nest at a place, and what it needs. */
export function computeAt(body: Body, nest: Nest, temp: Temp, place: Place): Temp {
  const known = place.known?.get(temp.name);
  if (known !== undefined) return known;
  const value = nest.values.get(temp.name);
  if (value === undefined) throw new Error(`the value ${temp.name} is not part of its contraction`);
  const again = (part: Temp): Temp => computeAt(body, nest, part, place);
  const moved = mapExpr(value, (position) => dimSubstitute(position, place.at));
  switch (moved.kind) {
    case 'load':
      return body.let({ ...moved, guards: bothGuards(moved.guards, place.guards ?? []) });
    case 'scalar':
      return body.let({ ...moved, args: moved.args.map(again) });
    case 'choose':
      if (moved.guards.length === 0) return again(moved.accepted);
      return body.let({ ...moved, accepted: again(moved.accepted), otherwise: again(moved.otherwise) });
    case 'random':
      return body.let({ ...moved, key: [again(moved.key[0]), again(moved.key[1])] });
    case 'position':
      return body.let(moved);
    default:
      throw new Error(`a ${moved.kind} cannot stand in a contraction`);
  }
}
