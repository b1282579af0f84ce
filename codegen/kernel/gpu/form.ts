// The form of a kernel with one launch: equal for kernels that do the same to each element or row and differ in the number of these alone.

import { dimConst, dimSymbol, dimValue } from '../../../compiler/ir/dims.js';
import type { LaunchForm } from '../../targets/target.js';
import { printKernel } from '../print.js';
import { type GpuKernel, gridSize, type Items } from './schedule.js';

/** The most operands of a launch: the parameters of a kernel are limited. */
const MOST_OPERANDS = 24;

/** The form of a kernel's launch; undefined where there is more than one, or where sizes are known only when it runs. */
export function formOf({ kernel, phases, states }: GpuKernel): LaunchForm | undefined {
  const [phase] = phases;
  const passed = kernel.buffers.filter(({ role }) => role !== 'table');
  const isPlain = kernel.sizes.length === 0 && passed.length === kernel.buffers.length && states.length === 0;
  if (phases.length !== 1 || phase?.kind !== 'items' || !isPlain || passed.length > MOST_OPERANDS) return undefined;
  const items = dimValue(gridSize(phase));
  if (items === undefined) return undefined;
  const body = [...phase.values, ...withoutSize(phase).body];
  const inner = phase.grid.slice(1).map(({ index, extent }) => `${index} < ${extent.key}`);
  const outer = phase.grid[0]?.index ?? 'once';
  const buffers = passed.map((buffer) => ({ ...buffer, size: dimConst(0) }));
  return { text: `${outer} ${inner.join()} ${phase.team} ${printKernel({ ...kernel, buffers, body })}`, items };
}

/** The phase for any number of iterations of its outermost loop, of which nothing but the number of all iterations depends. */
export function withoutSize(phase: Items): Items {
  const grid = phase.grid.map((axis, i) => (i === 0 ? { ...axis, extent: dimSymbol('items') } : axis));
  return { ...phase, grid };
}
