// Schedules sorting for a GPU: blocks sort chunks of the rows, and further launches merge them where a row has more than one.

import { type Dim, dimConst, dimMul, dimValue } from '../../../compiler/ir/dims.js';
import type { Buffer, Loop, Stmt } from '../ir.js';
import type { Axis } from './product.js';

/** Elements of a row that a block sorts (TD_SORT_CHUNK). */
const SORT_CHUNK = 2048;

/** A launch of a sort. */
export interface Sorting {
  readonly kind: 'sort';
  /** Chunks of all rows, or one pass that merges runs, which is launched until a run is a row. */
  readonly part: 'chunks' | 'merge';
  /** The rows. */
  readonly grid: readonly Axis[];
  /** Values of the whole kernel, and those of a row. */
  readonly values: readonly Stmt[];
  readonly rowValues: readonly Stmt[];
  /** The loop that computes the keys of a row, and the one that writes the positions. */
  readonly fill: Loop;
  readonly write: Loop;
  readonly keys: Buffer;
  readonly order: Buffer;
  readonly length: Dim;
  /** The first place that is written. */
  readonly start: Dim;
  /** Where runs are kept between the launches; undefined where rows are certainly short. */
  readonly runs: { readonly keys: Buffer; readonly order: Buffer } | undefined;
}

type Sort = Extract<Stmt, { kind: 'sort' }>;

/** Puts sorts that stand at the top of a kernel into a loop over one row. */
export function wrapSorts(body: readonly Stmt[]): readonly Stmt[] {
  const at = body.findIndex(({ kind }) => kind === 'sort');
  if (at < 1) return body;
  const row: Loop = {
    kind: 'for',
    index: `$row${at}`,
    extent: dimConst(1),
    mark: 'parallel',
    body: body.slice(at - 1, at + 2),
  };
  return [...body.slice(0, at - 1), row, ...wrapSorts(body.slice(at + 2))];
}

/** The launches of a phase that sorts the rows of a grid; undefined for other phases. `number` makes names of states differ. */
export function scheduleSort(
  grid: readonly Axis[],
  body: readonly Stmt[],
  values: readonly Stmt[],
  number: number,
): { readonly phases: readonly Sorting[]; readonly states: readonly Buffer[] } | undefined {
  const at = body.findIndex(({ kind }) => kind === 'sort');
  const [fill, sort, write] = [body[at - 1], body[at], body[at + 1]];
  if (fill?.kind !== 'for' || sort?.kind !== 'sort' || write?.kind !== 'for') return undefined;
  const { keys, order, length, start } = sort as Sort;
  const isShort = (dimValue(length) ?? SORT_CHUNK + 1) <= SORT_CHUNK;
  const all = grid.reduce((product, { extent }) => dimMul(product, extent), dimMul(length, dimConst(2)));
  const [runKeys, runOrder] = [keys, order].map(
    ({ dtype }, k): Buffer => ({ name: `runs${number + k}`, dtype, role: 'scratch', size: all }),
  ) as [Buffer, Buffer];
  const common = {
    kind: 'sort',
    grid,
    values,
    rowValues: body.slice(0, at - 1),
    fill,
    write,
    keys,
    order,
    length,
    start,
    runs: isShort ? undefined : { keys: runKeys, order: runOrder },
  } as const;
  const chunks: Sorting = { ...common, part: 'chunks' };
  if (isShort) return { phases: [chunks], states: [] };
  return { phases: [chunks, { ...common, part: 'merge' }], states: [runKeys, runOrder] };
}
