// Optimizers: SGD, momentum, RMSprop and Adam on Himmelblau's function, and a schedule
import { writeFileSync } from 'node:fs';
import { Tensor } from 'tdsl';
import { contourLines, gridPoints, line, plot, surfacePlot } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/optimizers/index.js';

type Optimizer = 'sgd' | 'momentum' | 'rmsprop' | 'adam' | 'scheduled';

const s = await create();
const height = (p: readonly number[]) => s.height({ p: [p] }).at(0);

/** The points that an optimizer comes by, from a start on, ten steps a call. Each walk has a session, and so moments, of its own. */
async function walk(name: Optimizer, start: readonly [number, number], steps: number, lr?: number) {
  const session = await create();
  session.point.p.copyFrom(Tensor.from([...start], { dtype: 'f32' }));
  if (lr !== undefined) session[name].lr = lr; // the rate is state: no compiling anew
  const path = [[...start]];
  for (let i = 0; i < steps; i += 10) {
    const points = session[`${name}Walk`]();
    for (let row = 0; row < 10; row++) path.push([points.at(row, 0), points.at(row, 1)]);
  }
  return path;
}

// Adam as in the notes: 20,000 steps of 0.001 from the origin, printed every 2,000.
const adam = await walk('adam', [0, 0], 20_000);
for (let step = 0; step <= 20_000; step += 2000)
  show({ [`Adam after ${step} steps`]: [...adam[step]!, height(adam[step]!)] });

// Where one starts decides which of the four minima one finds.
for (const start of [
  [0, 0],
  [4, 0],
  [-4, 0],
  [-4, 4],
] as const) {
  const path = await walk('adam', start, 2000, 0.01);
  show({ [`from ${start}`]: path.at(-1)! });
}

// How many steps each takes until the height is below 0.01.
const runs = {
  SGD: await walk('sgd', [0, 0], 1000),
  'SGD with momentum 0.5': await walk('momentum', [0, 0], 1000),
  RMSprop: await walk('rmsprop', [0, 0], 1000),
  Adam: await walk('adam', [0, 0], 1000, 0.1),
  'Adam with a cosine schedule': await walk('scheduled', [0, 0], 200),
};
for (const [name, path] of Object.entries(runs))
  show({ [`steps of ${name}`]: path.findIndex((p) => height(p) < 0.01) });
const diverged = await walk('sgd', [0, 0], 100, 0.1);
show({ 'SGD with a rate of 0.1 ends at': diverged.at(-1)! });

// The function from above with the ways to the minimum, and as a surface.
const grid = gridPoints([-5, 5], [-5, 5], 80);
const heights = { ...grid, z: s.height({ p: grid.points }).toNumbers() };
const paths = Object.entries(runs).map(([name, path]) =>
  line({ name, x: path.map(([x]) => x!), y: path.map(([, y]) => y!) }),
);
const contours = contourLines(heights, { levels: [1, 5, 20, 50, 100, 200, 400, 800] });
writeFileSync(
  new URL('build/paths.svg', import.meta.url),
  plot([contours, ...paths], { title: "Ways down Himmelblau's function", equal: true, height: 640 }),
);
writeFileSync(
  new URL('build/surface.svg', import.meta.url),
  surfacePlot(heights, { zScale: 'log', title: 'log f(x, y)' }),
);
