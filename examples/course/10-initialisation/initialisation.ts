// Initialisation: vanishing and exploding gradients in ten layers, and the rules that prevent them
import { writeFileSync } from 'node:fs';
import { Generator } from 'tdsl';
import { linePlot } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/initialisation/index.js';

const s = await create({ seed: 1 });
const x = new Generator(1).normal([100, 64]);

const networks = {
  'sigmoid, normal 0.01': s.sigmoidSmall({ x }),
  'relu, normal 0.01': s.reluSmall({ x }),
  'relu, normal 0.5': s.reluLarge({ x }),
  'tanh, xavier_uniform': s.tanhXavier({ x }),
  'relu, kaiming_normal': s.reluKaiming({ x }),
};
for (const [name, [activations, gradients]] of Object.entries(networks)) {
  show({
    [`activations of ${name}, first and last`]: [activations.at(0), activations.at(-1)],
    [`gradients of ${name}, first and last`]: [gradients.at(0), gradients.at(-1)],
  });
}
const lines = Object.entries(networks).map(([name, [, gradients]]) => ({ name, y: gradients.data }));
writeFileSync(
  new URL('build/gradients.svg', import.meta.url),
  linePlot(lines, {
    title: 'Size of the gradient by layer',
    xLabel: 'layer',
    yLabel: 'mean absolute gradient',
    yScale: 'log',
  }),
);

// The default of a linear layer is uniform within 1/√64 = 0.125; another rule draws anew.
const { weight, bias } = s.net.fc;
show({ 'largest initial weight': Math.max(...weight.data.map(Math.abs)) });
s.reset();
const deviation = Math.sqrt(weight.data.reduce((sum, w) => sum + w * w, 0) / weight.size);
show({ 'deviation after xavier_normal': deviation, 'largest bias': Math.max(...bias.data.map(Math.abs)) });
const zeros = s.net.own.data.filter((value) => value === 0).length / s.net.own.size;
show({ 'share of zeros by a rule of our own': zeros });

// The host writes to parameters, too.
s.net.fc.bias.fill(1).set([0], 42);
show({ 'a bias as the host sets it': s.net.fc.bias.slice(0, 3) });

show({
  'gradients of equal units': s.symmetric({ x: new Generator(2).normal([8, 3]), y: new Generator(3).normal([8]) }),
});
