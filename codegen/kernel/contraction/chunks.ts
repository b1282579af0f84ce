// Divides a contraction into chunks, which may run at the same time, so that copies are shared by many products, fit into the cache,
// and are not made too often. The division depends on shapes alone.

import { dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { isPositionName } from '../ir.js';
import { extentOf, type Factor } from './copies.js';
import { type Copy, type Orientation, ROWS_PER_COPY } from './orientation.js';

/** How many panels of an index a chunk covers. */
export type Share = 'all' | number;

export interface Chunking {
  readonly shares: ReadonlyMap<string, Share>;
  /** Summed indices that are taken in blocks of this many values, because copies would be too large otherwise, or rows too many. */
  readonly blocks: ReadonlyMap<string, number>;
  /** Whether a chunk goes through all of its columns for some rows before it comes to the next ones, and not the other way round. */
  readonly rowsFirst: boolean;
}

/** The panels of an index: values in the largest, their number, and for rows the sizes there are, with the number of each. */
export interface PanelCount {
  readonly size: number;
  readonly count: number;
  readonly pieces?: readonly (readonly [number, number])[];
}
export type PanelCounts = ReadonlyMap<string, PanelCount>;

/** Bytes of copies that a chunk may hold: half of a common L2 cache. */
export const COPY_LIMIT = 1 << 18;
/** Chunks that keep a few threads busy, and rows that make a chunk worth its overhead. */
const [ENOUGH_CHUNKS, ROWS_PER_CHUNK] = [8, 24];
/** Columns that share rows in a chunk where rows are copied or far away, and the chunks that are enough then. */
const [COLUMNS_PER_CHUNK, FEW_CHUNKS] = [128, 4];

/**
 * Columns that are read in place, from rows that begin at least so many bytes apart, lie on other pages in every row: so many rows are taken at a time
 * for so many columns, while the pages of these rows are known and what follows on them is on its way.
 */
const [APART_BYTES, STREAMED_ROWS, STREAMED_COLUMNS] = [2048, 64, 512];

/** Panels of columns that go through rows together. */
const COLUMNS_SHARED = [2, 4];
/** How often the rows of a chunk are halved so that it needs fewer blocks. */
const HALVINGS = [1, 2, 3, 4];

const panelOf = (panels: PanelCounts, index: string): PanelCount => panels.get(index) as PanelCount;

/**
 * The divisions that are worth a thought. A chunk covers one panel of columns, or several, which then share what it reads of the rows;
 * and rows enough for copies of columns to pay.
 */
export function divisions(orientation: Orientation, panels: PanelCounts): readonly Chunking[] {
  const { vector, isSummed } = orientation;
  const narrow = divide(orientation, panels, 1, ENOUGH_CHUNKS);
  if (isSummed) return [narrow];
  const { size, count } = panelOf(panels, vector);
  const share = Math.min(count, Math.ceil(COLUMNS_PER_CHUNK / size));
  const isCopied = copiesRows(orientation);
  const streamed = streaming(orientation, panels, size, count);
  if (share === 1 || (!isCopied && rowBytes(orientation) <= COPY_LIMIT)) return [narrow, ...streamed];
  const wide = divide(orientation, panels, share, FEW_CHUNKS);
  if (!isCopied) return [narrow, wide, ...streamed, ...sharing(orientation, panels, count)];
  if (!isBlocked(orientation, wide.blocks)) return [narrow, wide];
  // Smaller chunks need fewer blocks, between which sums lie in memory; columns are copied more often then.
  const smaller = HALVINGS.map((halvings) => divide(orientation, panels, share, FEW_CHUNKS, halvings));
  return [narrow, wide, ...smaller];
}

/**
 * The same division with rows in the outer loop, where a chunk has all columns, such as those of an image: a tile's rows stay near while columns pass
 * by. Undefined where that is no choice.
 */
export function rowByRow(orientation: Orientation, panels: PanelCounts, chunking: Chunking): Chunking | undefined {
  const { shares, blocks, rowsFirst } = chunking;
  if (rowsFirst || shares.get(orientation.vector) !== 'all' || isBlocked(orientation, blocks)) return undefined;
  return outermostRows(orientation, panels, shares) && { ...chunking, rowsFirst: true };
}

/** Whether something without the vector index is copied. */
const copiesRows = ({ copies, vector }: Orientation): boolean =>
  copies.some((copy) => copy !== undefined && !copy.factor.indices.has(vector));

/** The division that reads columns in place from rows that are far apart, if there are any, a few rows at a time. */
function streaming(orientation: Orientation, panels: PanelCounts, size: number, count: number): readonly Chunking[] {
  const { nest, factors, copies, distances, vector, bytes, extent } = orientation;
  const innermost = nest.summed.at(-1)?.name;
  const columns = Math.min(Math.ceil(STREAMED_COLUMNS / size), Math.ceil(count / FEW_CHUNKS));
  if (innermost === undefined || columns < 2 || extent(innermost) <= STREAMED_ROWS) return [];
  const isApart = factors.some(
    ({ indices }, k) =>
      indices.has(vector) && copies[k] === undefined && Math.abs(distances[k]?.(innermost) ?? 0) * bytes >= APART_BYTES,
  );
  return isApart ? [divide(orientation, panels, columns, FEW_CHUNKS, 0, [[innermost, STREAMED_ROWS]])] : [];
}

/** Divisions in which columns whose copies fit together share rows that are read where they are, from farther than the second cache. */
function sharing(orientation: Orientation, panels: PanelCounts, count: number): readonly Chunking[] {
  return COLUMNS_SHARED.filter((columns) => count >= columns * FEW_CHUNKS)
    .map((columns) => ({ ...divide(orientation, panels, columns, FEW_CHUNKS), rowsFirst: true }))
    .filter(({ blocks }) => !isBlocked(orientation, blocks));
}

/** The bytes of a factor, each value of its indices an element. */
export const factorBytes = ({ extent, bytes }: Orientation, { indices }: Factor): number =>
  [...indices].reduce((product, index) => product * extent(index), bytes);

/** The bytes of the factors without the vector index. */
const rowBytes = (orientation: Orientation): number =>
  orientation.factors
    .filter(({ indices }) => !indices.has(orientation.vector))
    .reduce((sum, factor) => sum + factorBytes(orientation, factor), 0);

/** Divisions without those that are there already. */
export function distinct(all: readonly Chunking[]): readonly Chunking[] {
  const key = ({ shares, blocks, rowsFirst }: Chunking): string =>
    JSON.stringify([[...shares], [...blocks], rowsFirst]);
  return [...new Map(all.map((chunking) => [key(chunking), chunking])).values()];
}

function divide(
  orientation: Orientation,
  panels: PanelCounts,
  columns: number,
  enough: number,
  halvings = 0,
  streamed: readonly (readonly [string, number])[] = [],
): Chunking {
  const { copies, order, roles, vector } = orientation;
  const joined = new Set(
    copies
      .flatMap((copy) => copy?.coordinates.filter(({ terms }) => terms.length > 1) ?? [])
      .flatMap(({ terms }) => terms.map(({ index }) => index)),
  );
  const shares = new Map<string, Share>(
    order.map((index) => {
      if (roles.get(index) === 'row' || joined.has(index)) return [index, 'all'];
      return [index, index === vector ? columns : 1];
    }),
  );
  const rows = outermostRows(orientation, panels, shares);
  const share = rows && shareOfRows(orientation, panels, shares, rows, enough);
  if (rows !== undefined && share !== undefined) shares.set(rows.index, share);
  for (let i = 0; i < halvings; i++) halveLargest(orientation, panels, shares, vector);
  const blocks = new Map([...streamed, ...blocksOf(orientation, panels, shares, joined)]);
  // The sums that are kept between blocks would grow with the number of rows; where the sum is of a run-time size too, they are a small part of its factors.
  const isSumKnown = [...blocks.keys()].every((name) => dimValue(extentOf(orientation.nest, name)) !== undefined);
  if (rows?.isKnown === false && isSumKnown && isBlocked(orientation, blocks)) shares.set(rows.index, rows.least);
  limitCopies(orientation, panels, shares, blocks);
  return { shares, blocks, rowsFirst: columns > 1 && updatesDistant(orientation) };
}

/** The number of chunks. */
export function chunkCount(panels: PanelCounts, shares: Chunking['shares']): number {
  let chunks = 1;
  for (const [index, { count }] of panels) {
    const share = shares.get(index) ?? 1;
    if (share !== 'all') chunks *= Math.ceil(count / share);
  }
  return chunks;
}

/** The outermost index of rows that can be shared out, and the least number of its panels that makes a chunk worth its copies. */
interface Rows {
  readonly index: string;
  readonly count: number;
  readonly isKnown: boolean;
  readonly least: number;
}

function outermostRows(orientation: Orientation, panels: PanelCounts, shares: Chunking['shares']): Rows | undefined {
  const { nest, order, roles, copies, vector, extent } = orientation;
  const rows = order.filter((index) => roles.get(index) === 'row' && shares.get(index) === 'all');
  const index = rows.find((name) => panelOf(panels, name).count > 1);
  if (index === undefined) return undefined;
  const inner = rows.filter((name) => name !== index).reduce((product, name) => product * extent(name), 1);
  const hasCopy = copies.some((copy) => copy?.factor.indices.has(vector) === true);
  const { size, count } = panelOf(panels, index);
  const least = Math.max(1, Math.ceil((hasCopy ? ROWS_PER_COPY : ROWS_PER_CHUNK) / (size * inner)));
  return { index, count, isKnown: dimValue(extentOf(nest, index)) !== undefined, least };
}

/** Shares out rows, so far as chunks stay worth their copies. Undefined where a chunk has all of them. */
function shareOfRows(
  { nest, copies }: Orientation,
  panels: PanelCounts,
  shares: Chunking['shares'],
  { index, count, isKnown, least }: Rows,
  enough: number,
): number | undefined {
  const chunks = chunkCount(panels, shares);
  if (isKnown) {
    const share = Math.max(least, Math.ceil(count / Math.ceil(enough / chunks)));
    return share < count ? share : undefined;
  }
  // Copies of all rows would grow with their number; a number that is known inside of loops alone gives no size of scratch memory.
  const isLocal = [...dimSymbols(extentOf(nest, index))].some(isPositionName);
  return chunks < enough || isLocal || copies.some((copy) => copy?.factor.indices.has(index)) ? least : undefined;
}

/** What has more bytes does not stay in the second cache. */
export const DISTANT_BYTES = 320 << 10;

/**
 * Whether what follows the sums reads and writes distant memory, as where parameters are updated: then rows of a chunk should be read in one piece,
 * because each lies on pages of its own.
 */
const updatesDistant = ({ nest, operands, extent, bytes }: Orientation): boolean =>
  operands.length > 0 && nest.outer.reduce((size, { name }) => size * extent(name), bytes) > DISTANT_BYTES;

/** Halves what a chunk covers until its copies fit. */
function limitCopies(
  orientation: Orientation,
  panels: PanelCounts,
  shares: Map<string, Share>,
  blocks: Chunking['blocks'],
): void {
  while (copiedBytes(orientation, panels, { shares, blocks }) > COPY_LIMIT)
    if (!halveLargest(orientation, panels, shares)) return;
}

/** Halves what a chunk covers of the copied index of which it covers most panels, `kept` left out. Says whether there was one. */
function halveLargest(
  { copies, order }: Orientation,
  panels: PanelCounts,
  shares: Map<string, Share>,
  kept?: string,
): boolean {
  const covered = (index: string): number => {
    const share = shares.get(index) ?? 1;
    return share === 'all' ? panelOf(panels, index).count : share;
  };
  const divisible = order.filter(
    (index) => index !== kept && covered(index) > 1 && copies.some((copy) => copy?.factor.indices.has(index)),
  );
  const [largest] = divisible.sort((a, b) => covered(b) - covered(a));
  if (largest !== undefined) shares.set(largest, Math.ceil(covered(largest) / 2));
  return largest !== undefined;
}

/** Divides summed indices so that copies fit, and always those of run-time sizes, with which copies would grow. */
function blocksOf(
  orientation: Orientation,
  panels: PanelCounts,
  shares: Chunking['shares'],
  joined: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const { nest, copies, vector, extent } = orientation;
  const blocks = new Map<string, number>();
  for (const { name, extent: size } of nest.summed) {
    if (name === vector || joined.has(name) || !copies.some((copy) => copy?.factor.indices.has(name))) continue;
    const bytes = copiedBytes(orientation, panels, { shares, blocks });
    if (bytes > COPY_LIMIT || dimValue(size) === undefined)
      blocks.set(name, Math.max(1, Math.floor((extent(name) * COPY_LIMIT) / bytes)));
  }
  return blocks;
}

/** Whether a sum takes more than one block. */
const isBlocked = ({ extent }: Orientation, blocks: Chunking['blocks']): boolean =>
  [...blocks].some(([index, size]) => size < extent(index));

/** Bytes of all copies in one chunk and block. */
export const copiedBytes = (
  orientation: Orientation,
  panels: PanelCounts,
  chunking: Pick<Chunking, 'shares' | 'blocks'>,
): number =>
  orientation.copies.reduce(
    (sum, copy) =>
      sum + (copy === undefined ? 0 : copiedElements(orientation, copy, panels, chunking) * orientation.bytes),
    0,
  );

/** Elements of a copy in one chunk and block. */
export function copiedElements(
  { extent }: Orientation,
  copy: Copy,
  panels: PanelCounts,
  { shares, blocks }: Pick<Chunking, 'shares' | 'blocks'>,
): number {
  const length = (index: string): number => {
    const [share, panel] = [shares.get(index), panels.get(index)];
    if (share === undefined || panel === undefined)
      return Math.min(extent(index), blocks.get(index) ?? Number.POSITIVE_INFINITY);
    return share === 'all' ? extent(index) : Math.min(extent(index), share * panel.size);
  };
  const values = copy.coordinates.map(({ terms, margins: [first, last] = [0, 0] }) =>
    terms.reduce((sum, { index, coefficient }) => sum + Math.abs(coefficient) * (length(index) - 1), 1 - first - last),
  );
  return values.reduce((product, count) => product * count, 1);
}
