// Schedules running folds for a GPU: a block works on a row, or on a part of it where rows are few and long.

import { type Dim, dimConst, dimMul, dimValue } from '../../../compiler/ir/dims.js';
import type { Buffer, Loop, Scan, Stmt } from '../ir.js';
import { stride } from '../positions.js';
import type { Axis } from './product.js';

/** A launch of a running fold. */
export interface Scanning {
  readonly kind: 'scan';
  /** Whole rows, or the states after each part, or the elements of the parts. */
  readonly part: 'rows' | 'totals' | 'parts';
  readonly grid: readonly Axis[];
  /** Values of the whole kernel, and statements before the loop: the initial state is assigned there. */
  readonly values: readonly Stmt[];
  readonly before: readonly Stmt[];
  readonly loop: Loop;
  readonly scan: Scan;
  /** The number of parts of a row, and where their states are kept. */
  readonly parts: number;
  readonly states: readonly Buffer[];
}

/** Rows that have a thread each do as well when there are as many, and where neighbouring rows lie side by side. */
const MANY_ROWS = 1024;
/** A block would have too little to do with shorter rows. */
const LEAST_LENGTH = 128;
/** The sizes that run-time dimensions are taken to have. */
const TYPICAL_ROWS = 256;
const TYPICAL_LENGTH = 1 << 17;
/** With as many rows the processors are busy; a part should have some tiles. */
const ENOUGH_ROWS = 128;
const ENOUGH_BLOCKS = 264;
const LEAST_PART = 4096;
const MOST_PARTS = 64;

/** The launches of a phase that is a running fold along the rows of a grid; undefined for others. `number` makes names of states differ. */
export function scheduleScan(
  grid: readonly Axis[],
  body: readonly Stmt[],
  values: readonly Stmt[],
  number: number,
): { readonly phases: readonly Scanning[]; readonly states: readonly Buffer[] } | undefined {
  const loop = body.at(-1);
  const before = body.slice(0, -1);
  if (loop?.kind !== 'for' || loop.scan === undefined) return undefined;
  if (!before.every(({ kind }) => kind === 'let' || kind === 'registers' || kind === 'assign')) return undefined;
  const rows = grid.reduce((product, { extent }) => product * (dimValue(extent) ?? TYPICAL_ROWS), 1);
  const length = dimValue(loop.extent) ?? TYPICAL_LENGTH;
  const isAlongRows = loop.body.some(
    (stmt) => stmt.kind === 'store' && Math.abs(stride(stmt.offset, loop.index) ?? 0) === 1,
  );
  if (length < LEAST_LENGTH || (!isAlongRows && rows >= MANY_ROWS)) return undefined;
  const wanted = Math.min(MOST_PARTS, Math.floor(length / LEAST_PART), Math.floor(ENOUGH_BLOCKS / rows));
  const parts = rows >= ENOUGH_ROWS ? 1 : Math.max(1, wanted);
  const size = grid.reduce((product: Dim, { extent }) => dimMul(product, extent), dimConst(parts));
  const states = loop.scan.registers.map(
    ({ dtype }, k): Buffer => ({ name: `scan${number + k}`, dtype, role: 'scratch', size }),
  );
  const common = { kind: 'scan', grid, values, before, loop, scan: loop.scan, parts, states } as const;
  if (parts === 1) return { phases: [{ ...common, part: 'rows', states: [] }], states: [] };
  return {
    phases: [
      { ...common, part: 'totals' },
      { ...common, part: 'parts' },
    ],
    states,
  };
}
