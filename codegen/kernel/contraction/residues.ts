// Splits a nest so that no product is computed that is 0 because a division leaves a remainder.
//
// The gradient of a convolution with stride s reads dy[(y + p - k) / s] where the division is exact. For the outputs with y mod s = r, only the
// taps with k ≡ r + p (mod s) count. Each r becomes a nest of its own, over y = s·y' + r and k = s·k' + ρ, in which the
// condition always holds.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimExactDiv,
  dimFloorDiv,
  dimMul,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { gcd } from '../../../compiler/ir/gcd.js';
import type { Expr, Guard, Position } from '../ir.js';
import { mentions, stride } from '../positions.js';
import { guardsOf, type Index, type Nest, nestAt } from './nest.js';

/** More nests than this are not worth their code. */
const MOST_NESTS = 16;

/** A condition that c·outer + d·summed + offset is a multiple of `of`. */
interface Remainder {
  readonly outer: Index;
  readonly summed: Index;
  readonly c: number;
  readonly d: number;
  readonly offset: number;
  readonly of: number;
}

/** Nests that together compute what one does; only the one itself where nothing is to be split. */
export function splitByRemainders(nest: Nest): readonly Nest[] {
  const splits: Remainder[] = [];
  const taken = new Set<Index>();
  let count = 1;
  for (const guard of guardsOf(nest)) {
    const found = remainderOf(nest, guard);
    if (found === undefined || taken.has(found.outer) || taken.has(found.summed)) continue;
    if (count * found.of > MOST_NESTS) continue;
    count *= found.of;
    taken.add(found.outer).add(found.summed);
    splits.push(found);
  }
  return splits.reduce<readonly Nest[]>((nests, split) => nests.flatMap((part) => residues(part, split)), [nest]);
}

function remainderOf(nest: Nest, guard: Guard): Remainder | undefined {
  if (guard.kind !== 'multiple') return undefined;
  const { value, of } = guard;
  const own = (indices: readonly Index[]): readonly Index[] => indices.filter(({ name }) => mentions(value, name));
  const [outer, summed] = [own(nest.outer), own(nest.summed)];
  const [y, k] = [outer[0], summed[0]];
  if (outer.length !== 1 || summed.length !== 1 || y === undefined || k === undefined) return undefined;
  const [c, d] = [stride(value, y.name), stride(value, k.name)];
  const rest = dimValue(
    at(
      value,
      new Map([
        [y.name, dimConst(0)],
        [k.name, dimConst(0)],
      ]),
    ),
  );
  if (c === undefined || d === undefined || rest === undefined || gcd(d, of) !== 1) return undefined;
  return { outer: y, summed: k, c, d, offset: rest, of };
}

const at = (position: Position, values: ReadonlyMap<string, Dim>): Position => dimSubstitute(position, values);

/** The nests of all residues of the outer index. */
function residues(nest: Nest, { outer, summed, c, d, offset, of }: Remainder): readonly Nest[] {
  const all = Array.from({ length: of }, (_, r) => r);
  return all.map((r) => {
    const tap = all.find((k) => (c * r + d * k + offset) % of === 0) as number;
    const values = new Map([
      [outer.name, stepped(outer, r, of)],
      [summed.name, stepped(summed, tap, of)],
    ]);
    const resized = (index: Index): Index => {
      const first = index.name === outer.name ? r : index.name === summed.name ? tap : undefined;
      return first === undefined ? index : { name: index.name, extent: countFrom(index.extent, first, of) };
    };
    const moved = nestAt(nest, (position) => at(position, values));
    return { ...withoutCertain(moved), outer: nest.outer.map(resized), summed: nest.summed.map(resized) };
  });
}

const stepped = ({ name }: Index, first: number, step: number): Position =>
  dimAdd(dimMul(dimSymbol(name), dimConst(step)), dimConst(first));

/** The number of values first, first + step, … below an extent, where first < step. */
const countFrom = (extent: Dim, first: number, step: number): Dim =>
  dimFloorDiv(dimAdd(extent, dimConst(step - 1 - first)), dimConst(step));

/** Leaves out conditions that hold everywhere now. */
function withoutCertain(nest: Nest): Nest {
  const isOpen = (guard: Guard): boolean =>
    guard.kind !== 'multiple' || dimExactDiv(guard.value, dimConst(guard.of)) === undefined;
  const open = (value: Expr): Expr =>
    value.kind === 'load' || value.kind === 'choose' ? { ...value, guards: value.guards.filter(isOpen) } : value;
  return { ...nest, values: new Map([...nest.values].map(([name, value]) => [name, open(value)])) };
}
