// Lowers a chain to one kernel: a loop over blocks of rows, in which the stages follow each other. Where a stage sums over the rows, the blocks of
// a batch follow each other, too, and each adds to what the ones before have stored.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMax,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import { apply, argument, type Scalar } from '../../../compiler/ir/scalar.js';
import { smaller } from '../contraction/runs.js';
import { kernelOf, type Loop, type Position, type Stmt, type Temp } from '../ir.js';
import { Body, KernelNames } from '../lower/body.js';
import { type Lowered, lowerKernel } from '../lower/kernel.js';
import { mapPositions, mapStatements } from '../schedule/rewrite.js';
import { ChainBuffers } from './buffers.js';
import { type Chain, loopsAt, type Nest, nestOf, type Part, sumsRows } from './stages.js';

/** Rows of a block. */
const BLOCK_ROWS = 64;

/** The kernel of a chain. */
export function lowerChain(chain: Chain): Lowered {
  const names = new KernelNames();
  const parts = chain.stages.map((stage): Part => {
    const lowered = lowerKernel(stage.fn, 0, names);
    const nest = nestOf(stage, lowered.kernel) as Nest;
    return { lowered, nest, shared: loopsAt(nest, stage.shared) };
  });
  const [first] = parts as [Part];
  const rows = (first.shared.at(-1) as Loop).extent;
  const known = dimValue(rows);
  const blockCount = known === undefined ? undefined : Math.max(1, Math.ceil(known / BLOCK_ROWS));
  const blockRows = known === undefined ? BLOCK_ROWS : Math.max(1, Math.ceil(known / (blockCount as number)));
  const blocks =
    blockCount === undefined
      ? dimFloorDiv(dimAdd(rows, dimConst(blockRows - 1)), dimConst(blockRows))
      : dimConst(blockCount);
  const memory = new ChainBuffers(chain, parts, blockRows);
  const body = new Body({ names, ranges: new Map() });
  const stages = (batch: readonly Position[], block: Position): void => {
    const start = dimMul(block, dimConst(blockRows));
    const isEven = known !== undefined && known % blockRows === 0;
    const length = isEven
      ? dimConst(blockRows)
      : body.define(smaller(dimConst(blockRows), dimSub(rows, start)), dimConst(blockRows + 1));
    let sites = 0;
    for (const part of parts) {
      const adding = sumsRows(part) && blockCount !== 1 ? added(part, names, block) : part;
      body.append(blockOf(adding, names, [...batch, start], length, memory, sites));
      sites += part.lowered.faults.length;
    }
  };
  const batches = first.shared.slice(0, -1).map(({ extent }) => extent);
  if (parts.some(sumsRows)) {
    body.loop(batches.reduce(dimMul), 'chain', (index) => {
      const batch = body.divided(dimSymbol(index), batches);
      // Sums over no rows are 0.
      body.loop(dimMax(blocks, dimConst(1)), 'chain', (block) => stages(batch, dimSymbol(block)));
    });
  } else {
    const counts = [...batches, blocks];
    body.loop(counts.reduce(dimMul), 'chain', (index) => {
      const numbers = body.divided(dimSymbol(index), counts);
      stages(numbers.slice(0, -1), numbers.at(-1) as Position);
    });
  }
  const faults = parts.flatMap(({ lowered }) => lowered.faults);
  return { kernel: kernelOf(memory.buffers, body.statements, faults.length), faults };
}

/** A stage that sums over the rows, whose blocks but the first add what is there. */
function added(part: Part, names: KernelNames, block: Position): Part {
  const content = part.nest.content.flatMap((stmt): readonly Stmt[] => {
    if (stmt.kind !== 'store') return [stmt];
    const { buffer, offset, value } = stmt;
    const { dtype } = value;
    const guards = [{ kind: 'nonnegative', value: dimSub(block, dimConst(1)) }] as const;
    const old: Temp = { name: names.fresh('t'), dtype };
    const sum: Temp = { name: names.fresh('t'), dtype };
    return [
      { kind: 'let', temp: old, value: { kind: 'load', buffer, offset, guards } },
      { kind: 'let', temp: sum, value: { kind: 'scalar', body: sumOfTwo(dtype), args: [old, value] } },
      { ...stmt, value: sum },
    ];
  });
  return { ...part, nest: { ...part.nest, content } };
}

const sumOfTwo = (dtype: DType): Scalar => apply('add', argument(0, dtype), argument(1, dtype));

/** The loops of a stage over a block of rows that begins at `origin`. */
function blockOf(
  { nest, shared }: Part,
  names: KernelNames,
  origin: readonly Position[],
  length: Dim,
  memory: ChainBuffers,
  sites: number,
): Stmt {
  const row = shared.at(-1) as Loop;
  const index = names.fresh('$i');
  const places = shared.map(({ index: name }, k): [string, Position] => {
    const start = origin[k] as Position;
    return [name, k === shared.length - 1 ? dimAdd(start, dimSymbol(index)) : start];
  });
  const at = new Map(places);
  const content = nest.content.map((stmt) =>
    memory.mapped(
      nest.stage,
      mapPositions(stmt, (position) => dimSubstitute(position, at)),
      origin,
      sites,
    ),
  );
  const inBlock = (stmt: Stmt): Stmt =>
    stmt.kind === 'for' && stmt.index === row.index ? { ...stmt, index, extent: length } : stmt;
  const loops = nest.loops.filter((loop) => loop === row || !shared.includes(loop));
  const nested = loops.reduceRight((body: readonly Stmt[], loop) => [{ ...loop, body }], content);
  return mapStatements(nested, inBlock)[0] as Stmt;
}
