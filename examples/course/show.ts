// How the chapters print what they compute: a name and a value on each line.

import { Tensor } from 'tdsl';

type Shown = Tensor | number | bigint | boolean | string | readonly Shown[];

/** Prints `name: value` for each. Tensors look as in PyTorch, those of one element as a number; further lines are indented. */
export function show(values: Readonly<Record<string, Shown>>): void {
  for (const [name, value] of Object.entries(values))
    console.log(`${name}: ${format(value).replaceAll('\n', '\n    ')}`);
}

function format(value: Shown): string {
  if (value instanceof Tensor) return value.rank === 0 ? format(value.item()) : String(value);
  if (typeof value === 'number') return formatNumber(value);
  return Array.isArray(value) ? value.map(format).join(', ') : String(value);
}

/** Six digits, which is what f32 carries; scientific where a number is very large or small. */
function formatNumber(value: number): string {
  const size = Math.abs(value);
  const short = Number(value.toPrecision(6));
  return size !== 0 && (size < 1e-4 || size >= 1e7) ? short.toExponential() : String(short);
}
