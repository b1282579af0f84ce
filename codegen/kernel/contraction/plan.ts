// Plans a contraction: which index runs in vector lanes, what a register tile holds, which factors are copied, and what a chunk of the
// parallel loop covers. Every choice is the one with the least estimated time; sizes that are not known count as a typical one.

import { type Dim, dimConst, dimMax, dimSub, dimSymbol, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import type { Machine } from '../machine.js';
import { type Chunking, distinct, divisions, type PanelCounts, rowByRow } from './chunks.js';
import { coordinatesOf, type Factor, factorOf, TYPICAL } from './copies.js';
import { tileCycles, tiledCycles, untiledCycles } from './estimate.js';
import { wholeIndices, withoutMargins } from './margins.js';
import type { Nest } from './nest.js';
import { atSize, type Copy, type Orientation, orientations } from './orientation.js';
import { smaller } from './runs.js';
import { bestShapes, type Shape, type Sized, tileShapes, withCode } from './shapes.js';
import type { Windows } from './windows.js';

export interface Plan extends Chunking {
  readonly lanes: number;
  /** The index that runs in lanes, and the number of vectors along it in a tile. */
  readonly vector: string;
  readonly vectors: number;
  /** Whether that is a summed index: then every sum is spread over the lanes of a vector. */
  readonly isSummed: boolean;
  /** How many values of the other outer indices a tile holds. */
  readonly tile: ReadonlyMap<string, number>;
  /** The outer indices in the order of their loops: those of all factors, columns, then rows. */
  readonly order: readonly string[];
  readonly roles: Orientation['roles'];
  readonly factors: readonly Factor[];
  /** For each factor what is copied of it, undefined where it is read in place. */
  readonly copies: readonly (Copy | undefined)[];
  /** The summed indices of which a tile takes only the part in which factors are present. */
  readonly windows: Windows;
}

/**
 * Sizes of run-time dimensions that one plan should serve: a row or so and a few, as when a model is used, some and many, as when it is trained, and
 * large matrices. The last is a class of its own only where several extents grow; beside weights of fixed sizes, more rows want nothing else.
 */
interface SizeClass {
  /** For these a plan is judged. */
  readonly sizes: readonly number[];
  /** The class ends before this size. */
  readonly below: number;
  /** A plan that serves other classes as well may take so many times as long. */
  readonly tolerance: number;
}
const LARGE = 2048;
const CLASSES: readonly SizeClass[] = [
  { sizes: [1], below: 4, tolerance: 1.15 },
  { sizes: [8], below: 9, tolerance: 1.08 },
  { sizes: [16, 32], below: 49, tolerance: 1.08 },
  { sizes: [TYPICAL, 512], below: 768, tolerance: 1.03 },
  { sizes: [LARGE], below: Number.POSITIVE_INFINITY, tolerance: 1.02 },
];
const MANY = CLASSES[3] as SizeClass;
const SIZES: readonly number[] = CLASSES.flatMap(({ sizes }) => sizes);
/** Of these sizes the tiles are looked for that are best without regard to memory; what lies between goes with one of them. */
const TILED_FOR: readonly number[] = [1, 8, 512];
/** For these sizes divisions into chunks are worked out. */
const DIVIDED_FOR: readonly number[] = [TYPICAL, LARGE];
/** The ways in which neighbouring classes share plans, those with fewest plans first. */
const PARTITIONS: readonly (readonly Part[])[] = Array.from({ length: 2 ** (CLASSES.length - 1) }, (_, ways) =>
  [...CLASSES.keys()].filter((at) => at > 0 && ((ways >> (at - 1)) & 1) === 1),
)
  .toSorted((a, b) => a.length - b.length)
  .map((cuts) => [...cuts, CLASSES.length].map((end, i) => joined(CLASSES.slice(cuts[i - 1] ?? 0, end))));

/** What one plan serves. */
type Part = Pick<SizeClass, 'sizes' | 'below'>;

function joined(classes: readonly SizeClass[]): Part {
  const { below } = classes.at(-1) as SizeClass;
  return { sizes: classes.flatMap(({ sizes }) => sizes), below };
}

/** Cycles of typical work up to which a second plan is not worth its code. */
const LITTLE_WORK = 20_000;
/** A plan for several classes may take so many cycles more than that of one: less than a call takes, which is why losses are counted beside them. */
const TOLERATED_CYCLES = 2000;
/** A plan, and for which sizes it is: an expression that is 1 there and 0 elsewhere. */
export interface Version {
  readonly plan: Plan;
  readonly applies: Dim;
}

/**
 * The best plan for a nest, or several where few rows or large matrices want another one. Undefined where register tiles gain nothing or, with
 * `always`, where there is nothing that a tile shares.
 */
export function planContraction(nest: Nest, machine: Machine, always = false): readonly Version[] | undefined {
  const factors = nest.factors.map((temp) => factorOf(nest, temp));
  const isReused = factors.some(({ indices }) => nest.outer.some(({ name }) => !indices.has(name)));
  if (factors.length < 2 || !isReused) return undefined;
  const all = allCandidates(nest, machine, factors);
  const best = bestFor(all);
  const many = best(MANY);
  if (many === undefined) return undefined;
  const growing = [...nest.outer, ...nest.summed].filter(({ extent }) => dimValue(extent) === undefined);
  const classes = growing.length > 1 ? CLASSES : CLASSES.filter(({ sizes }) => !sizes.includes(LARGE));
  const isGood = (part: Part): boolean => {
    const own = classes.filter(({ sizes }) => sizes.every((size) => part.sizes.includes(size)));
    const isNear = ({ sizes, tolerance }: SizeClass, alone: Candidate | undefined): boolean =>
      sizes.every((size) => cyclesAt(best(part), size) <= tolerance * cyclesAt(alone, size) + TOLERATED_CYCLES);
    return own.length > 0 && own.every((each) => isNear(each, best(each)));
  };
  const [size, ...others] = runTimeSizes(nest);
  const isDivisible = cyclesAt(many, TYPICAL) >= LITTLE_WORK && size !== undefined && others.length === 0;
  const parts = PARTITIONS.find((each) => (isDivisible || each.length === 1) && each.every(isGood)) ?? [MANY];
  const plans = parts.map((part) => ({ plan: best(part) as Candidate, below: part.below }));
  const main = plans.find(({ below }) => below > TYPICAL)?.plan ?? many;
  if (!always && cyclesAt(main, TYPICAL) >= untiledCycles(nest, machine, factors)) return undefined;
  if (plans.length === 1 || size === undefined) return [{ plan: main.plan, applies: dimConst(1) }];
  const isBelow = (limit: number): Dim =>
    limit === Number.POSITIVE_INFINITY
      ? dimConst(1)
      : dimMax(dimConst(0), smaller(dimConst(1), dimSub(dimConst(limit), dimSymbol(size))));
  return plans.map(({ plan: { plan }, below }, i) => {
    const before = plans[i - 1]?.below;
    return { plan, applies: before === undefined ? isBelow(below) : dimSub(isBelow(below), isBelow(before)) };
  });
}

/** All plans that are worked out. */
export const allCandidates = (
  nest: Nest,
  machine: Machine,
  factors: readonly Factor[] = nest.factors.map((temp) => factorOf(nest, temp)),
): readonly Candidate[] => {
  const coordinates = factors.map((factor) => coordinatesOf(nest, factor));
  return [...nest.outer, ...nest.summed]
    .filter(({ name }) => factors.some(({ indices }) => indices.has(name)))
    .flatMap(({ name }) => candidatesOf(orientations(nest, machine, factors, coordinates, name)));
};

const runTimeSizes = (nest: Nest): readonly string[] => {
  const symbols = new Set<string>();
  for (const { extent } of [...nest.outer, ...nest.summed]) dimSymbols(extent, symbols);
  return [...symbols];
};

/** The least time of all candidates at one of the sizes. */
const leastAt = (all: readonly Candidate[], size: number): number =>
  Math.min(...all.map(({ cycles }) => cycles[size] as number));

/** Finds the candidate that loses the least, summed over the sizes of a class, against what each size alone would allow; code counts as time. */
function bestFor(all: readonly Candidate[]): (part: Part) => Candidate | undefined {
  const least = SIZES.map((_, i) => leastAt(all, i));
  const found = new Map<string, Candidate | undefined>();
  return ({ sizes }) => {
    const key = sizes.join();
    if (!found.has(key)) {
      const places = sizes.map((size) => SIZES.indexOf(size));
      const loss = ({ cycles, statements }: Candidate): number =>
        places.reduce(
          (sum, i) =>
            sum +
            (withCode(cycles[i] as number, statements) + TOLERATED_CYCLES) / ((least[i] as number) + TOLERATED_CYCLES),
          0,
        );
      found.set(key, leastOf(all, loss));
    }
    return found.get(key);
  };
}

function leastOf(all: readonly Candidate[], cost: (candidate: Candidate) => number): Candidate | undefined {
  let [best, least]: [Candidate | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const candidate of all) {
    const found = cost(candidate);
    if (found < least) [best, least] = [candidate, found];
  }
  return best;
}

const cyclesAt = (candidate: Candidate | undefined, size: number): number =>
  candidate?.cycles[SIZES.indexOf(size)] as number;

/** A plan and what it is estimated to take. */
export interface Candidate {
  readonly plan: Plan;
  /** The estimated time at each of the sizes. */
  readonly cycles: readonly number[];
  /** The estimated length of its tiles in code. */
  readonly statements: number;
}

/** The plans with one vector index and various copies of it, on which shapes do not depend. */
function candidatesOf(all: readonly Orientation[]): readonly Candidate[] {
  const [first] = all;
  if (first === undefined) return [];
  const { nest } = first;
  const isKnown = [...nest.outer, ...nest.summed].every(({ extent: size }) => dimValue(size) !== undefined);
  const sizes = isKnown ? [first] : SIZES.map((size) => atSize(first, size));
  const shapes = [...tileShapes(first, sizes)];
  return all.flatMap((orientation) => [...candidates(orientation, sizes, shapes)]);
}

/** The plans with one vector index and its copies. */
function* candidates(
  orientation: Orientation,
  sizes: readonly Sized[],
  shapes: readonly Shape[],
): Generator<Candidate> {
  const { vector, isSummed, lanes, order, roles, factors } = orientation;
  const isKnown = sizes.length === 1;
  const sized = sizes.map(({ size, extent }): Orientation => ({ ...orientation, size, extent }));
  const judged = isKnown ? [0] : TILED_FOR.map((size) => SIZES.indexOf(size));
  const chosen = new Set(
    judged.flatMap((i) =>
      bestShapes(shapes, ({ tile, panels }) => tileCycles(sized[i] as Orientation, tile, panels[i] as PanelCounts)),
    ),
  );
  const dividedAt = isKnown ? [0] : DIVIDED_FOR.map((size) => SIZES.indexOf(size));
  for (const { tile, vectors, panels, statements } of chosen) {
    const windows: Windows = new Map([...orientation.windows].filter(([index]) => orientation.share(index, tile) < 1));
    for (const { copies, chunking } of divided(orientation, sized, dividedAt, { tile, panels, windows })) {
      const of = (division: Chunking): readonly number[] =>
        sized.map((each, i) => tiledCycles({ ...each, copies }, tile, panels[i] as PanelCounts, division));
      const cycles = of(chunking);
      // Which loop is the outer one is no reason for another tile: the estimate knows memory less well than products.
      const turned = rowByRow({ ...orientation, copies }, panels[0] as PanelCounts, chunking);
      const division = turned !== undefined && total(of(turned)) < total(cycles) ? turned : chunking;
      const plan = { lanes, vector, vectors, isSummed, tile, order, roles, factors, copies, windows, ...division };
      yield { plan, cycles: isKnown ? SIZES.map(() => cycles[0] as number) : cycles, statements };
    }
  }
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

/** The divisions into chunks that are worked out for a tile, and what is copied in each. */
function divided(
  { nest, copies }: Orientation,
  sized: readonly Orientation[],
  places: readonly number[],
  { tile, panels, windows }: Pick<Shape, 'tile' | 'panels'> & Pick<Plan, 'windows'>,
): readonly (Pick<Plan, 'copies'> & { readonly chunking: Chunking })[] {
  const divide = (own: Plan['copies']): readonly Chunking[] =>
    distinct(places.flatMap((i) => divisions({ ...(sized[i] as Orientation), copies: own }, panels[i] as PanelCounts)));
  const narrow = copies.map((copy) => copy && withoutMargins(copy, nest, windows, tile));
  const whole = wholeIndices(narrow);
  const isWhole = ({ shares }: Chunking): boolean => whole.every((index) => (shares.get(index) ?? 'all') === 'all');
  const found = divide(narrow).filter(isWhole);
  return found.length > 0
    ? found.map((chunking) => ({ copies: narrow, chunking }))
    : divide(copies).map((chunking) => ({ copies, chunking }));
}
