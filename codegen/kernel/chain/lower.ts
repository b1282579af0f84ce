// Lowers a chain to one kernel: a loop over blocks of rows, in which the stages follow each other.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { smaller } from '../contraction/runs.js';
import { kernelOf, type Loop, type Position, type Stmt } from '../ir.js';
import { Body, KernelNames } from '../lower/body.js';
import { type Lowered, lowerKernel } from '../lower/kernel.js';
import { mapPositions } from '../schedule/rewrite.js';
import { ChainBuffers } from './buffers.js';
import { type Chain, type Nest, nestOf, type Part, sharedLoops } from './stages.js';

/** Rows of a block. */
const BLOCK_ROWS = 64;

/** The kernel of a chain. */
export function lowerChain(chain: Chain): Lowered {
  const names = new KernelNames();
  const nests = chain.stages.map((stage) => {
    const lowered = lowerKernel(stage.fn, 0, names);
    return { lowered, nest: nestOf(stage, lowered.kernel) as Nest };
  });
  const pivot = (nests[chain.pivot] as Part).nest;
  const parts = nests.map(
    ({ lowered, nest }): Part => ({
      lowered,
      nest,
      shared: nest === pivot ? pivot.loops : (sharedLoops(pivot, nest) as readonly Loop[]),
    }),
  );
  const rows = (pivot.loops.at(-1) as Loop).extent;
  const known = dimValue(rows);
  const blockCount = known === undefined ? undefined : Math.max(1, Math.ceil(known / BLOCK_ROWS));
  const blockRows = known === undefined ? BLOCK_ROWS : Math.max(1, Math.ceil(known / (blockCount as number)));
  const blocks =
    blockCount === undefined
      ? dimFloorDiv(dimAdd(rows, dimConst(blockRows - 1)), dimConst(blockRows))
      : dimConst(blockCount);
  const counts = [...pivot.loops.slice(0, -1).map(({ extent }) => extent), blocks];
  const memory = new ChainBuffers(chain, parts, blockRows);
  const body = new Body({ names, ranges: new Map() });
  body.loop(counts.reduce(dimMul), 'chain', (index) => {
    const numbers = body.divided(dimSymbol(index), counts);
    const first = dimMul(numbers.at(-1) as Position, dimConst(blockRows));
    const isEven = known !== undefined && known % blockRows === 0;
    const length = isEven
      ? dimConst(blockRows)
      : body.define(smaller(dimConst(blockRows), dimSub(rows, first)), dimConst(blockRows + 1));
    const origin = [...numbers.slice(0, -1), first];
    let sites = 0;
    for (const part of parts) {
      body.append(blockOf(part, names, origin, length, memory, sites));
      sites += part.lowered.faults.length;
    }
  });
  const faults = parts.flatMap(({ lowered }) => lowered.faults);
  return { kernel: kernelOf(memory.buffers, body.statements, faults.length), faults };
}

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
  const moved = nest.content.map((stmt) =>
    memory.mapped(
      nest.stage,
      mapPositions(stmt, (position) => dimSubstitute(position, at)),
      origin,
      sites,
    ),
  );
  const loops = nest.loops
    .filter((loop) => loop === row || !shared.includes(loop))
    .map((loop): Loop => (loop === row ? { ...loop, index, extent: length } : loop));
  return loops.reduceRight((body: readonly Stmt[], loop) => [{ ...loop, body }], moved)[0] as Stmt;
}
