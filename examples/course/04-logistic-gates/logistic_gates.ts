// Logistic gates: AND, OR and NAND by one neuron, XOR by composing them, and by learning
import { writeFileSync } from 'node:fs';
import { Tensor } from 'tdsl';
import { decisionRegions, gridPoints, linePlot, plot, scatter } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/logistic_gates/index.js';

const s = await create({ seed: 1 });

// The four points 00, 01, 10, 11.
const x = Tensor.from([0, 0, 0, 1, 1, 0, 1, 1], { dtype: 'f32', shape: [4, 2] });
show(s.gates(x));

// One neuron learns OR, because a line parts its answers. Of XOR it gets at most three of the four right.
const { or, xor } = s.gates(x);
const lineOnOr = s.trainLine({ x, y: or });
show({ 'OR, learned by one neuron': s.predictLine(x), 'its last loss': lineOnOr.at(-1) });

const fresh = await create({ seed: 1 });
const lineOnXor = fresh.trainLine({ x, y: xor });
show({ 'XOR by one neuron': fresh.predictLine(x), 'its last loss, log 2': lineOnXor.at(-1) });

const netOnXor = fresh.trainNet({ x, y: xor });
show({ 'XOR by two layers': fresh.predictNet(x), 'their last loss': netOnXor.at(-1) });

const curves = [
  { name: 'one neuron, OR', y: lineOnOr.data },
  { name: 'one neuron, XOR', y: lineOnXor.data },
  { name: 'two layers, XOR', y: netOnXor.data },
];
writeFileSync(
  new URL('build/losses.svg', import.meta.url),
  linePlot(curves, { title: 'Learning gates', xLabel: 'step', yLabel: 'loss' }),
);

// Where the probability passes a half: a line for the neuron, a band for the two layers.
const grid = gridPoints([-0.5, 1.5], [-0.5, 1.5], 60);
const points = scatter({ name: 'XOR', x: [0, 0, 1, 1], y: [0, 1, 0, 1], classes: [0, 1, 1, 0], radius: 6 });
for (const [name, probabilities] of [
  ['one-neuron', fresh.predictLine({ x: grid.points })],
  ['two-layers', fresh.predictNet({ x: grid.points })],
] as const) {
  const regions = decisionRegions({ ...grid, z: Array.from(probabilities.data, (p) => (p >= 0.5 ? 1 : 0)) });
  writeFileSync(new URL(`build/${name}.svg`, import.meta.url), plot([regions, points], { title: name, equal: true }));
}
const classes = fresh.predictNet({ x: grid.points }).data;
show({ 'share of the square that is called 1': classes.filter((p) => p >= 0.5).length / classes.length });
