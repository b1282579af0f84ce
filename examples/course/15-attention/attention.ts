// Attention: the formula, causal masks, kernel regression, and a network that looks things up
import { writeFileSync } from 'node:fs';
import { Generator, Tensor } from 'tdsl';
import { accuracy, heatmap, line, plot, scatter } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/attention/index.js';

const s = await create({ seed: 1 });
const random = new Generator(1);

const x = random.normal([4, 8]);
const [, weights] = s.causal({ x });
show({ 'causal weights': weights });
show({ 'dependence of position 1 on all four': s.dependence({ x, i: 1 }) });

const [byLibrary, byHand] = s.both({ x: random.normal([2, 5, 8]) });
show({ 'the layer is the formula': byLibrary.allClose(byHand, { atol: 1e-6 }) });

// 50 noisy measurements of y = 2 sin x + x^0.8 between 0 and 5.
const truth = (at: number) => 2 * Math.sin(at) + at ** 0.8;
const places = Tensor.from(random.uniform([50], 0, 5).data.sort(), { dtype: 'f32', shape: [50] });
const noise = random.normal([50], 0, 0.5);
const values = Tensor.from(
  noise.data.map((e, i) => e + truth(places.at(i))),
  { dtype: 'f32', shape: [50] },
);
const at = Tensor.linspace(0, 5, 101);
const exact = Array.from(at.data, truth);
const error = (estimate: ArrayLike<number>) =>
  exact.reduce((sum, value, i) => sum + (value - estimate[i]!) ** 2, 0) / exact.length;

const average = values.data.reduce((sum, value) => sum + value, 0) / 50;
const [wide] = s.regress({ at, places, values });
for (let step = 0; step < 200; step++) s.trainKernel({ places, values });
const [narrow, kernelWeights] = s.regress({ at, places, values });
show({
  'error of the mean of all': error(new Float32Array(101).fill(average)),
  'error with width 1': error(wide.data),
  'error with the learned width': error(narrow.data),
  'learned width': 1 / s.kernel.sharpness.item(),
  'weights sum to': kernelWeights.data.subarray(0, 50).reduce((sum, weight) => sum + weight, 0),
});
const curve = (name: string, y: ArrayLike<number>) => line({ name, x: at.data, y });
writeFileSync(
  new URL('build/kernel-regression.svg', import.meta.url),
  plot(
    [
      scatter({ name: 'measurements', x: places.data, y: values.data }),
      curve('truth', exact),
      curve('width 1', wide.data),
      curve('learned width', narrow.data),
    ],
    { title: 'Kernel regression' },
  ),
);
// Which measurements (across) the estimate at each place (up) listens to.
const weightsOf = heatmap({ x: Array.from({ length: 50 }, (_, i) => i), y: at.data, z: kernelWeights.data });
writeFileSync(
  new URL('build/weights.svg', import.meta.url),
  plot([weightsOf], { title: 'Weights', xLabel: 'measurement', yLabel: 'x' }),
);

/** Five pairs with different keys out of eight, and a question for one of them. */
const questions = (count: number) => {
  const [keys, values] = [new BigInt64Array(5 * count), new BigInt64Array(5 * count)];
  const [query, answer, where] = [new BigInt64Array(count), new BigInt64Array(count), new Uint8Array(count)];
  for (let i = 0; i < count; i++) {
    keys.set(Array.from(random.permutation(8).subarray(0, 5), BigInt), 5 * i);
    for (let j = 0; j < 5; j++) values[5 * i + j] = BigInt(random.below(4));
    where[i] = random.below(5);
    query[i] = keys[5 * i + where[i]!]!;
    answer[i] = values[5 * i + where[i]!]!;
  }
  return { inputs: { query, keys, values }, answer: new Tensor('i64', [count], answer), where };
};
for (let step = 0; step < 400; step++) {
  const { inputs, answer } = questions(64);
  s.trainRecall({ ...inputs, answer });
}
const test = questions(500);
const [answers, attention] = s.answer(test.inputs);
const onThePair = test.where.reduce((sum, j, i) => sum + attention.at(i, j), 0) / 500;
show({ 'right answers': accuracy(answers, test.answer), 'mean weight on the right pair': onThePair });
