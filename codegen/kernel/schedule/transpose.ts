// Square blocks for maps that read an operand across the direction in which they write: a block is read along the operand's rows into registers,
// exchanged there, and used along the rows of the result.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMul,
  dimSub,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Expr, Loop, Register, Stmt } from '../ir.js';
import { lanesOf, type Machine } from '../machine.js';
import { coefficient, mentions, stride, substitute } from '../positions.js';
import { copyBody } from './copies.js';
import { widestBytes } from './lanes.js';
import { mapExpr } from './rewrite.js';

type Load = Extract<Expr, { kind: 'load' }>;
type Let = Extract<Stmt, { kind: 'let' }>;

/** Blocks of registers beyond this number would not fit. */
const MOST_TURNED = 1;

/** Replaces the nests of a body that read across by square blocks. */
export const blockTransposes = (body: readonly Stmt[], machine: Machine): readonly Stmt[] =>
  body.flatMap((stmt) => {
    if (stmt.kind !== 'for' || stmt.mark !== 'parallel') return [stmt];
    return transposedBlocks(stmt, machine) ?? [{ ...stmt, body: blockTransposes(stmt.body, machine) }];
  });

/** Two nested parallel loops as square blocks, then what is left of the rows and of the columns; undefined where they do not read across. */
function transposedBlocks(outer: Loop, machine: Machine): readonly Stmt[] | undefined {
  const [inner] = outer.body;
  if (outer.body.length !== 1 || inner?.kind !== 'for') return undefined;
  const turned = turnedLoads(outer, inner);
  const lanes = lanesOf(machine, widestBytes(inner));
  if (turned === undefined || turned.length === 0 || turned.length > MOST_TURNED) return undefined;
  if (turned.some(({ temp }) => machine.vectorBytes / dtypeBytes(temp.dtype) !== lanes)) return undefined;
  if (isShort(outer.extent, lanes) || isShort(inner.extent, lanes)) return undefined;
  const size = dimConst(lanes);
  const rows = dimFloorDiv(outer.extent, size);
  const columns = dimFloorDiv(inner.extent, size);
  const whole = (blocks: Dim): Dim => dimMul(blocks, size);
  const blocks: Loop = {
    kind: 'for',
    index: `${inner.index}_b`,
    extent: columns,
    mark: 'parallel',
    body: [
      {
        kind: 'for',
        index: `${outer.index}_b`,
        extent: rows,
        mark: 'serial',
        body: block(outer, inner, turned, lanes),
      },
    ],
  };
  const rest = (suffix: string, row: Dim, column: Dim, rowCount: Dim, columnCount: Dim): readonly Stmt[] => {
    if (dimValue(rowCount) === 0 || dimValue(columnCount) === 0) return [];
    const [i, j] = [`${outer.index}${suffix}`, `${inner.index}${suffix}`];
    const places = new Map([
      [outer.index, dimAdd(row, dimSymbol(i))],
      [inner.index, dimAdd(column, dimSymbol(j))],
    ]);
    const body = copyBody(inner.body, suffix, places);
    return [{ ...outer, index: i, extent: rowCount, body: [{ ...inner, index: j, extent: columnCount, body }] }];
  };
  const zero = dimConst(0);
  return [
    blocks,
    ...rest('_u', whole(rows), zero, dimSub(outer.extent, whole(rows)), inner.extent),
    ...rest('_v', zero, whole(columns), whole(rows), dimSub(inner.extent, whole(columns))),
  ];
}

const isShort = (extent: Dim, lanes: number): boolean => (dimValue(extent) ?? lanes) < lanes;

/** The loads that move along the outer loop, undefined where the loops do more than to load, compute and store in order. */
function turnedLoads(outer: Loop, inner: Loop): readonly Let[] | undefined {
  if (outer.mark !== 'parallel' || inner.mark !== 'parallel') return undefined;
  const turned: Let[] = [];
  for (const stmt of inner.body) {
    if (stmt.kind === 'store' && stride(stmt.offset, inner.index) === 1) continue;
    if (stmt.kind !== 'let' || stmt.value.kind === 'register') return undefined;
    if (stmt.value.kind !== 'load') continue;
    const { offset, guards, buffer } = stmt.value;
    if (buffer.role === 'out') return undefined;
    if (!mentions(offset, inner.index) || stride(offset, inner.index) === 1) continue;
    if (stride(offset, outer.index) !== 1 || coefficient(offset, inner.index) === undefined || guards.length > 0)
      return undefined;
    turned.push(stmt);
  }
  return turned;
}

/** One square block: its loads along the outer loop, the exchange, and the body along the inner one. */
function block(outer: Loop, inner: Loop, turned: readonly Let[], lanes: number): readonly Stmt[] {
  const base = (loop: Loop): Dim => dimMul(dimConst(lanes), dimSymbol(`${loop.index}_b`));
  const [row, lane] = [`${outer.index}_r`, `${inner.index}_l`];
  const registers = new Map(
    turned.map(({ temp }): [string, Register] => [
      temp.name,
      { name: `q_${temp.name}`, dtype: temp.dtype, shape: [lanes, lanes] },
    ]),
  );
  const loops = (index: string, laneIndex: string, body: readonly Stmt[]): Loop => ({
    kind: 'for',
    index,
    extent: dimConst(lanes),
    mark: 'unroll',
    body: [{ kind: 'for', index: laneIndex, extent: dimConst(lanes), mark: 'vector', interleave: 1, body }],
  });
  const filled = turned.flatMap((stmt): readonly Stmt[] => {
    const register = registers.get(stmt.temp.name) as Register;
    const [r, l] = [`${row}_${stmt.temp.name}`, `${lane}_${stmt.temp.name}`];
    const value = mapExpr(stmt.value as Load, (position) =>
      substitute(
        substitute(position, outer.index, dimAdd(base(outer), dimSymbol(l))),
        inner.index,
        dimAdd(base(inner), dimSymbol(r)),
      ),
    );
    const temp = { name: `${stmt.temp.name}_q`, dtype: stmt.temp.dtype };
    return [
      { kind: 'registers', register },
      loops(r, l, [
        { kind: 'let', temp, value },
        { kind: 'assign', register, at: [dimSymbol(r), dimSymbol(l)], value: temp },
      ]),
      { kind: 'transpose', register },
    ];
  });
  const places = new Map([
    [outer.index, dimAdd(base(outer), dimSymbol(row))],
    [inner.index, dimAdd(base(inner), dimSymbol(lane))],
  ]);
  const read = inner.body.map((stmt): Stmt => {
    const register = stmt.kind === 'let' ? registers.get(stmt.temp.name) : undefined;
    if (stmt.kind !== 'let' || register === undefined) return stmt;
    return { ...stmt, value: { kind: 'register', register, at: [dimSymbol(row), dimSymbol(lane)] } };
  });
  return [...filled, loops(row, lane, copyBody(read, '_t', places))];
}
