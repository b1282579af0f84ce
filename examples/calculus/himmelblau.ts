// npm run himmelblau: the way of Adam to a minimum of Himmelblau's function, from (0, 0) and from other places.

import path from 'node:path';
import { compileModule, importModule } from '../../cli/module.js';
import { packageRoot } from '../../cli/package.js';
import type { Method, Session, Tensor } from '../../runtime/index.js';

interface Himmelblau extends Session {
  readonly point: { readonly at: Tensor<'f64', [2]> };
  readonly descend: Method<Record<string, never>, [Tensor<'f64', [500, 2]>, Tensor<'f64', [500]>]>;
}

const outDir = path.join(packageRoot, 'build', 'himmelblau');
const compiled = await compileModule(path.join(packageRoot, 'examples', 'calculus', 'himmelblau.td'), { outDir });
const { create } = await importModule<{ create: () => Promise<Himmelblau> }>(compiled);

const text = (values: ArrayLike<number>): string => `(${Array.from(values, (value) => value.toFixed(6)).join(', ')})`;

for (const start of [
  [0, 0],
  [-1, 0],
  [-4, -2],
  [4, -1],
]) {
  const session = await create();
  session.point.at.data.set(start);
  const [places, values] = session.descend({});
  if (start.every((coordinate) => coordinate === 0)) {
    for (let step = 0; step < 500; step += 25) {
      const place = places.data.subarray(2 * step, 2 * step + 2);
      console.log(`step ${String(step).padStart(3)}  at ${text(place)}  value ${values.data[step]?.toExponential(4)}`);
    }
  }
  console.log(`from (${start.join(', ')}) to ${text(session.point.at.data)}`);
}
