// Under- and overfitting: polynomials of all degrees, few samples, and a degree chosen by cross-validation
import { writeFileSync } from 'node:fs';
import { Generator, Tensor } from 'tdsl';
import { kFolds, line, linePlot, plot, scatter } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/polynomials/index.js';

const s = await create();
const random = new Generator(1);

/** y = 5 + 1.2 x - 3.4 x²/2! + 5.6 x³/3!, with noise of standard deviation 0.5. */
const truth = (x: number) => 5 + 1.2 * x - (3.4 * x ** 2) / 2 + (5.6 * x ** 3) / 6;
const samples = <const N extends number>(count: N) => {
  const x = random.uniform([count] as [N], -2, 2).cast('f64');
  const noise = random.normal([count], 0, 0.5).data;
  return {
    x,
    y: Tensor.from(
      x.data.map((at, i) => truth(at) + noise[i]!),
      { dtype: 'f64', shape: [count] as [N] },
    ),
  };
};
const { x, y } = samples(40);
const test = samples(1000);

/** Weights, and the loss on the samples used and on the test data. */
const fit = (degree: number, used: ArrayLike<number>) => {
  const mask = Tensor.zeros([40], { dtype: 'f64' });
  for (const i of Array.from(used)) mask.set([i], 1);
  const w = s.fit({ x, y, used: mask, degree });
  const [ownX, ownY] = [x.gatherRows(used), y.gatherRows(used)];
  return { w, training: s.loss({ w, x: ownX, y: ownY }).item(), test: s.loss({ w, ...test }).item() };
};

const all = Array.from({ length: 40 }, (_, i) => i);
const normal = fit(3, all);
show({ 'weights of the cubic': normal.w.slice(0, 4) });
show({ 'cubic, training and test': [normal.training, normal.test] });
const under = fit(1, all);
show({ 'line, training and test': [under.training, under.test] });
const over = fit(15, all.slice(0, 16));
show({ 'degree 15 on 16 samples, training and test': [over.training, over.test] });

// Five folds: each degree is fitted on four fifths of the samples and measured on the fifth.
const errors = Array.from({ length: 9 }, (_, degree) => {
  const each = kFolds(40, 5).map(({ train, valid }) => {
    const { w } = fit(degree, train);
    return s.loss({ w, x: x.gatherRows(valid), y: y.gatherRows(valid) }).item();
  });
  return each.reduce((sum, error) => sum + error, 0) / each.length;
});
show({ 'validation errors of degrees 0 to 8': errors, 'best degree': errors.indexOf(Math.min(...errors)) });

// By gradient descent the same happens over time.
const few = { x: x.slice(0, 10), y: y.slice(0, 10) };
const runs = {
  cubic: s.descend({ x, y, test_x: test.x, test_y: test.y, degree: 3 }),
  line: s.descend({ x, y, test_x: test.x, test_y: test.y, degree: 1 }),
  few: s.descend({ ...few, test_x: test.x, test_y: test.y, degree: 15 }),
};
for (const [name, [, training, onTest]] of Object.entries(runs)) {
  show({ [`${name} after 1000 steps, training and test`]: [training.at(-1), onTest.at(-1)] });
  const lines = [
    { name: 'training', y: training.data },
    { name: 'test', y: onTest.data },
  ];
  const options = { title: name, xLabel: 'step', yLabel: 'loss', yScale: 'log' } as const;
  writeFileSync(new URL(`build/${name}.svg`, import.meta.url), linePlot(lines, options));
}

const at = Tensor.linspace(-2, 2, 101, { dtype: 'f64' });
const curve = (name: string, w: typeof normal.w) => line({ name, x: at.data, y: s.predict({ w, x: at }).data });
writeFileSync(
  new URL('build/fits.svg', import.meta.url),
  plot(
    [
      scatter({ name: 'samples', x: x.data, y: y.data }),
      curve('line', under.w),
      curve('cubic', normal.w),
      curve('degree 15', over.w),
    ],
    { title: 'Three fits', xRange: [-2, 2], yRange: [-20, 20] },
  ),
);
