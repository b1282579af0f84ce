// Recognises sums of products that are products of matrices for a GPU: every index of the result belongs to one factor (a row or a column) or to
// both (a batch), and the factors can be computed element by element from their own indices and the summed ones. Convolutions are among them.

import { type Dim, dimAdd, dimConst, dimFloorDiv, dimMul, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import { type Accumulate, exprPositions, type Guard, type Loop, type Stmt, stmtPositions, type Temp } from '../ir.js';
import { stride } from '../positions.js';
import { neededValues } from '../schedule/phases.js';
import { type FactorMemory, memoryOf } from './memory.js';

/** A loop whose index becomes part of a row, a column, a batch or the depth. */
export interface Axis {
  readonly index: string;
  readonly extent: Dim;
}

export interface Factor {
  readonly temp: Temp;
  /** The element is 0 where one of these does not hold. */
  readonly guards: readonly Guard[];
  /** What computes the element. */
  readonly statements: readonly Stmt[];
  /** Whether neighbouring elements lie along the depth. */
  readonly isDeep: boolean;
  /** Where the element lies, for a factor that can be copied as it is. */
  readonly memory: FactorMemory | undefined;
}

/** How products are computed: exactly in the type of the sums, or on tensor cores. */
export type ProductKind = 'exact' | 'tf32' | 'bf16';

export interface Product {
  readonly kind: 'product';
  readonly batches: readonly Axis[];
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly depth: readonly Axis[];
  readonly left: Factor;
  readonly right: Factor;
  readonly accumulate: Accumulate;
  /** Values that the statements after the sum need, and these statements. */
  readonly after: readonly Stmt[];
  readonly tile: 64 | 128;
  readonly arithmetic: ProductKind;
  /** The dtype of the sums. */
  readonly dtype: DType;
}

/** The size that a run-time dimension is taken to have. */
const TYPICAL = 256;
/** Below this number of rows or columns a tile would be empty for the most part. */
const LEAST_SIDE = 24;
const LEAST_DEPTH = 8;
const LEAST_RESULTS = 2048;
/** The side of large tiles, which pay when there are enough of them for the processors of a large GPU. */
export const LARGE_TILE = 128;
const MANY_TILES = 100;

const sizeOf = (axes: readonly Axis[]): number =>
  axes.reduce((product, { extent }) => product * (dimValue(extent) ?? TYPICAL), 1);

/** The product that an iteration of a grid computes; undefined where it is none, or too small for tiles. */
export function productOf(
  grid: readonly Axis[],
  values: readonly Stmt[],
  body: readonly Stmt[],
  precision: 'f32' | 'tf32' | 'bf16',
): Product | undefined {
  const product = matrixProduct(grid, values, body, precision);
  if (product === undefined) return undefined;
  const [height, width] = [sizeOf(product.rows), sizeOf(product.columns)];
  const isLarge =
    Math.min(height, width) >= LEAST_SIDE && height * width >= LEAST_RESULTS && sizeOf(product.depth) >= LEAST_DEPTH;
  return isLarge ? product : undefined;
}

/** The same of any size. */
export function matrixProduct(
  grid: readonly Axis[],
  values: readonly Stmt[],
  body: readonly Stmt[],
  precision: 'f32' | 'tf32' | 'bf16',
): Product | undefined {
  const at = body.findIndex(({ kind }) => kind === 'accumulate');
  const accumulate = body[at];
  if (accumulate?.kind !== 'accumulate' || !isProductFold(accumulate)) return undefined;
  const before = [...values, ...body.slice(0, at)];
  const after = body.slice(at + 1);
  if (!before.every(isValue) || !after.every((stmt) => isValue(stmt) || stmt.kind === 'store')) return undefined;
  const nest = foldNest(accumulate);
  if (nest === undefined || nest.depth.length === 0) return undefined;
  const inner = [...before, ...nest.values];
  const [left, right] = nest.fold.args.map((temp) => narrowFloat(temp, inner)) as [Temp, Temp];
  const outer = new Set(grid.map(({ index }) => index));
  const own = [left, right].map((temp) => statementsFor(temp, inner));
  const uses = own.map((statements) => new Set([...symbolsOf(statements)].filter((name) => outer.has(name))));
  const [leftUses, rightUses] = uses as [Set<string>, Set<string>];
  const guards = splitGuards(nest.fold.guards, outer, leftUses, rightUses);
  if (guards === undefined) return undefined;
  const batches = grid.filter(({ index }) => leftUses.has(index) && rightUses.has(index));
  const rows = grid.filter(({ index }) => leftUses.has(index) && !rightUses.has(index));
  const columns = grid.filter(({ index }) => rightUses.has(index) && !leftUses.has(index));
  if (batches.length + rows.length + columns.length < grid.length) return undefined;
  const [dtype] = accumulate.fold.state as [DType];
  const arithmetic = arithmeticOf(left.dtype, right.dtype, dtype, precision);
  const cell = arithmetic === 'exact' ? dtype : arithmetic === 'tf32' ? 'f32' : 'bf16';
  const factor = (temp: Temp, own: readonly Stmt[], mask: readonly Guard[], along: readonly Axis[]): Factor => {
    const statements = [...new Set([...neededValues(inner, maskUsers(mask)), ...own])].sort(
      (a, b) => inner.indexOf(a) - inner.indexOf(b),
    );
    const deep = isDeep(own, nest.depth);
    const memory = memoryOf(temp, statements, mask, deep ? nest.depth : along, cell);
    return { temp, guards: mask, statements, isDeep: deep, memory };
  };
  return {
    kind: 'product',
    batches,
    rows,
    columns,
    depth: nest.depth,
    left: factor(left, own[0] as readonly Stmt[], guards.left, rows),
    right: factor(right, own[1] as readonly Stmt[], guards.right, columns),
    accumulate,
    after: [...neededValues(before, after), ...after],
    tile: tileFor(dtype, tilesOf({ batches, rows, columns })),
    arithmetic,
    dtype,
  };
}

type Sides = Pick<Product, 'batches' | 'rows' | 'columns'>;

/** The number of large tiles of a product, at typical sizes. */
export const tilesOf = ({ batches, rows, columns }: Sides): number =>
  Math.ceil(sizeOf(rows) / LARGE_TILE) * Math.ceil(sizeOf(columns) / LARGE_TILE) * sizeOf(batches);

/** The same at any sizes. */
export function tilesDim({ batches, rows, columns }: Sides): Dim {
  const size = (axes: readonly Axis[]): Dim => axes.map(({ extent }) => extent).reduce(dimMul, dimConst(1));
  const along = (axes: readonly Axis[]): Dim =>
    dimFloorDiv(dimAdd(size(axes), dimConst(LARGE_TILE - 1)), dimConst(LARGE_TILE));
  return [along(rows), along(columns)].reduce(dimMul, size(batches));
}

const tileFor = (dtype: DType, tiles: number): 64 | 128 => (dtype === 'f32' && tiles >= MANY_TILES ? LARGE_TILE : 64);

/** The product with the tiles that suit so many large ones. */
export const withTiles = (product: Product, tiles: number): Product => ({
  ...product,
  tile: tileFor(product.dtype, tiles),
});

/**
 * Tensor cores compute what loses nothing there, products of bf16 always and of f16 where cells are tf32, and products of f32 where the program was
 * compiled so, which rounds them. Nothing else is rounded: f16 has three bits more than bf16.
 */
function arithmeticOf(left: DType, right: DType, sum: DType, precision: 'f32' | 'tf32' | 'bf16'): ProductKind {
  const areAmong = (...dtypes: readonly DType[]): boolean => dtypes.includes(left) && dtypes.includes(right);
  if (sum !== 'f32') return 'exact';
  if (areAmong('bf16')) return 'bf16';
  if (precision === 'tf32') return areAmong('f32', 'f16', 'bf16') ? 'tf32' : 'exact';
  return precision === 'bf16' && areAmong('f32', 'bf16') ? 'bf16' : 'exact';
}

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

const isProductFold = ({ fold }: Accumulate): boolean =>
  fold.absorbsZero === true && fold.state.length === 1 && (fold.state[0] === 'f32' || fold.state[0] === 'f64');

interface FoldNest {
  readonly depth: readonly Axis[];
  /** All values inside of the fold, in order. */
  readonly values: readonly Stmt[];
  readonly fold: Extract<Stmt, { kind: 'fold' }>;
}

/** The loops of a fold that takes one step of two factors in its innermost body. */
function foldNest(accumulate: Accumulate): FoldNest | undefined {
  const depth: Loop[] = [];
  const values: Stmt[] = [];
  let body = accumulate.body;
  for (;;) {
    const others = body.filter((stmt) => !isValue(stmt));
    values.push(...body.filter(isValue));
    const [only] = others;
    if (others.length !== 1 || only === undefined) return undefined;
    if (only.kind === 'fold')
      return only.into === accumulate.name && only.args.length === 2 ? { depth, values, fold: only } : undefined;
    if (only.kind !== 'for') return undefined;
    depth.push(only);
    body = only.body;
  }
}

/** The narrow float that a temporary holds as f32, or the temporary itself: tensor cores multiply some narrow floats as they are. */
function narrowFloat(temp: Temp, values: readonly Stmt[]): Temp {
  if (temp.dtype !== 'f32') return temp;
  const own = values.find((stmt) => stmt.kind === 'let' && stmt.temp.name === temp.name);
  const value = own?.kind === 'let' ? own.value : undefined;
  const [from] = value?.kind === 'scalar' && value.body.kind === 'cast' ? value.args : [];
  return from?.dtype === 'bf16' || from?.dtype === 'f16' ? from : temp;
}

/** The statements among `values` that compute a temporary, its own definition included. */
function statementsFor(temp: Temp, values: readonly Stmt[]): readonly Stmt[] {
  const own = values.filter((stmt) => stmt.kind === 'let' && stmt.temp.name === temp.name);
  return [...neededValues(values, own), ...own];
}

function symbolsOf(statements: readonly Stmt[]): ReadonlySet<string> {
  const symbols = new Set<string>();
  for (const stmt of statements) {
    for (const position of stmtPositions(stmt)) dimSymbols(position, symbols);
    if (stmt.kind === 'let') for (const position of exprPositions(stmt.value)) dimSymbols(position, symbols);
  }
  return symbols;
}

/** Guards of the sum become masks of the factor that has their indices; undefined where one needs both. */
function splitGuards(
  guards: readonly Guard[],
  outer: ReadonlySet<string>,
  left: ReadonlySet<string>,
  right: ReadonlySet<string>,
): { readonly left: readonly Guard[]; readonly right: readonly Guard[] } | undefined {
  const sides = guards.map((guard) => {
    const symbols = [...dimSymbols(guard.value)].filter((name) => outer.has(name));
    if (symbols.every((name) => left.has(name))) return 'left';
    return symbols.every((name) => right.has(name)) ? 'right' : undefined;
  });
  if (sides.includes(undefined)) return undefined;
  return {
    left: guards.filter((_, i) => sides[i] === 'left'),
    right: guards.filter((_, i) => sides[i] === 'right'),
  };
}

/** A statement that uses the positions of guards, to find the values that they need. */
const maskUsers = (guards: readonly Guard[]): readonly Stmt[] =>
  guards.length === 0 ? [] : [{ kind: 'check', guards, site: 0 }];

/** Whether the factor's loads move by one element along the innermost summed index. */
function isDeep(statements: readonly Stmt[], depth: readonly Axis[]): boolean {
  const last = depth.at(-1)?.index ?? '';
  return statements.some(
    (stmt) => stmt.kind === 'let' && stmt.value.kind === 'load' && Math.abs(stride(stmt.value.offset, last) ?? 0) === 1,
  );
}
