// Removes what guards decide at compile time: loads that never happen, choices that are always made, terms of a fold that are 0, and values
// that nobody reads.

import { isProvablyNonNegative } from '../../../compiler/ir/bounds.js';
import { dimConst, dimNeg, dimSub } from '../../../compiler/ir/dims.js';
import { constant } from '../../../compiler/ir/scalar.js';
import { type Expr, exprTemps, type Guard, type Stmt, type Temp, walk } from '../ir.js';
import { bounds, isNonNegative, type Ranges } from '../positions.js';
import { mapTemps } from './copies.js';

/** Whether a guard holds always (true), never (false), or sometimes (undefined). */
function decide(guard: Guard, ranges: Ranges): boolean | undefined {
  if (guard.kind === 'multiple') {
    let rest = 0;
    for (const term of guard.value.terms) {
      if (term.coefficient % guard.of === 0) continue;
      if (term.atoms.length > 0) return undefined;
      rest += term.coefficient;
    }
    return rest % guard.of === 0;
  }
  if (isNonNegative(guard.value, ranges)) return true;
  const high = bounds(guard.value, ranges)?.high;
  if (high === undefined) return undefined;
  return isProvablyNonNegative(dimSub(dimNeg(high), dimConst(1)), [...ranges.values()]) ? false : undefined;
}

/** The guards that are open, or undefined where one of them never holds. */
function openGuards(guards: readonly Guard[], ranges: Ranges): readonly Guard[] | undefined {
  const open: Guard[] = [];
  for (const guard of guards) {
    const holds = decide(guard, ranges);
    if (holds === false) return undefined;
    if (holds === undefined) open.push(guard);
  }
  return open;
}

/** The body with everything removed that guards decide. */
export function simplifyBody(body: readonly Stmt[]): readonly Stmt[] {
  return removeUnread(new Simplifier().body(body, new Map()));
}

class Simplifier {
  readonly #aliases = new Map<string, Temp>();
  readonly #zeros = new Set<string>();
  readonly #absorbing = new Set<string>();

  #temp = (temp: Temp): Temp => this.#aliases.get(temp.name) ?? temp;

  body(body: readonly Stmt[], ranges: Ranges): readonly Stmt[] {
    return body.flatMap((stmt) => this.#statement(stmt, ranges));
  }

  #statement(stmt: Stmt, ranges: Ranges): readonly Stmt[] {
    switch (stmt.kind) {
      case 'let':
        return this.#let(stmt.temp, mapTemps(stmt.value, this.#temp), ranges);
      case 'store':
      case 'assign':
        return [{ ...stmt, value: this.#temp(stmt.value) }];
      case 'for':
        return [{ ...stmt, body: this.body(stmt.body, new Map([...ranges, [stmt.index, stmt.extent]])) }];
      case 'accumulate':
        if (stmt.fold.absorbsZero === true) this.#absorbing.add(stmt.name);
        return [{ ...stmt, body: this.body(stmt.body, ranges) }];
      case 'fold': {
        const guards = openGuards(stmt.guards, ranges);
        const args = stmt.args.map(this.#temp);
        const isZero = this.#absorbing.has(stmt.into) && args.some((arg) => this.#zeros.has(arg.name));
        return guards === undefined || isZero ? [] : [{ ...stmt, args, guards }];
      }
      case 'lookup':
        return [{ ...stmt, value: this.#temp(stmt.value) }];
      case 'if': {
        const guards = openGuards(stmt.guards, ranges);
        if (guards === undefined) return [];
        const body = this.body(stmt.body, ranges);
        return guards.length === 0 ? body : [{ ...stmt, guards, body }];
      }
      default:
        return [stmt];
    }
  }

  #let(temp: Temp, value: Expr, ranges: Ranges): readonly Stmt[] {
    if (value.kind === 'load' && value.guards.length > 0) {
      const guards = openGuards(value.guards, ranges);
      if (guards !== undefined) return [{ kind: 'let', temp, value: { ...value, guards } }];
      this.#zeros.add(temp.name);
      return [{ kind: 'let', temp, value: { kind: 'scalar', body: constant(0, temp.dtype), args: [] } }];
    }
    if (value.kind === 'choose') {
      const guards = openGuards(value.guards, ranges);
      if (guards !== undefined && guards.length > 0) return [{ kind: 'let', temp, value: { ...value, guards } }];
      const chosen = guards === undefined ? value.otherwise : value.accepted;
      this.#aliases.set(temp.name, chosen);
      return [];
    }
    if (value.kind === 'scalar' && this.#isZero(value)) this.#zeros.add(temp.name);
    return [{ kind: 'let', temp, value }];
  }

  /** Whether a value is the number 0, or a cast of it. */
  #isZero({ body, args }: Extract<Expr, { kind: 'scalar' }>): boolean {
    if (body.kind === 'constant') return Number(body.value) === 0;
    return body.kind === 'cast' && body.arg.kind === 'argument' && this.#zeros.has(args[body.arg.index]?.name ?? '');
  }
}

/** Whether statements do nothing but to compute values. */
const isPure = (body: readonly Stmt[]): boolean =>
  [...walk(body)].every(
    ({ kind }) => kind === 'let' || kind === 'define' || kind === 'for' || kind === 'accumulate' || kind === 'fold',
  );

/** Removes values that nothing reads. */
function removeUnread(body: readonly Stmt[]): readonly Stmt[] {
  const read = new Set<string>();
  const sweep = (statements: readonly Stmt[]): readonly Stmt[] => {
    const kept: Stmt[] = [];
    for (const stmt of statements.toReversed()) {
      if (stmt.kind === 'let') {
        if (!read.has(stmt.temp.name)) continue;
        for (const temp of exprTemps(stmt.value)) read.add(temp.name);
        kept.push(stmt);
        continue;
      }
      if (stmt.kind === 'accumulate' && !stmt.results.some(({ name }) => read.has(name)) && isPure(stmt.body)) continue;
      if (stmt.kind === 'store' || stmt.kind === 'assign' || stmt.kind === 'lookup') read.add(stmt.value.name);
      if (stmt.kind === 'fold') for (const temp of stmt.args) read.add(temp.name);
      kept.push('body' in stmt ? { ...stmt, body: sweep(stmt.body) } : stmt);
    }
    return kept.toReversed();
  };
  return sweep(body);
}
