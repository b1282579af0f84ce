// Recurrent networks: a scan by hand, forecasting, and what LSTM remembers and a plain network forgets
import { writeFileSync } from 'node:fs';
import { Generator, Tensor } from 'tdsl';
import { accuracy, linePlot } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/recurrent_networks/index.js';

const s = await create({ seed: 1 });
const random = new Generator(1);

// Two sine waves added up, 32 series that begin at random places: predict the next value from those before.
const wave = (t: number) => 0.5 * Math.sin(0.25 * t) + 0.3 * Math.sin(0.6 * t);
const series = (steps: number) => {
  const values = Tensor.zeros([steps + 1, 32, 1]);
  for (let i = 0; i < 32; i++) {
    const start = 100 * random.next();
    for (let t = 0; t <= steps; t++) values.set([t, i, 0], wave(start + t));
  }
  return { xs: values.slice(0, -1), ys: values.slice(1) };
};
const meanSquare = (a: Tensor, b: Tensor) => {
  const [x, y] = [a.toNumbers(), b.toNumbers()];
  return x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0) / x.length;
};

const losses = Array.from({ length: 300 }, () => s.trainForecast(series(40)).item());
const { xs, ys } = series(60);
show({
  'error of the last value as a forecast': meanSquare(xs, ys),
  'error of the network': meanSquare(s.forecast({ xs }).slice(10), ys.slice(10)),
  'losses, first and last': [losses[0]!, losses.at(-1)!],
});

/** Noise whose first number is 1 or -1; the class is which. */
const noise = (steps: number, count: number) => {
  const xs = random.normal([steps, count, 1], 0, 0.3);
  const y = Tensor.zeros([count], { dtype: 'i64' });
  for (let i = 0; i < count; i++) {
    const label = random.below(2);
    y.set([i], label);
    xs.set([0, i, 0], 2 * label - 1);
  }
  return { xs, y };
};
// An LSTM forgets by a gate, in the second quarter of its units' gates: a bias of 3 keeps it open at first (Gers et al. 2000).
s.lstm_net.memory.bias_ih_l0.slice(24, 48).fill(3);
const curves = { RNN: [] as number[], LSTM: [] as number[] };
for (let step = 0; step < 300; step++) {
  const batch = noise(40, 32);
  curves.RNN.push(s.trainRnn(batch).item());
  curves.LSTM.push(s.trainLstm(batch).item());
}
const test = noise(40, 500);
const [byRnn, byLstm] = s.predict({ xs: test.xs });
show({
  'accuracy of the RNN after 40 steps': accuracy(byRnn, test.y),
  'accuracy of the LSTM': accuracy(byLstm, test.y),
});

const [ofRnn, ofLstm] = s.influences({ xs: test.xs });
show({
  'influence of the first number on the RNN': ofRnn.at(0) / ofRnn.at(-1),
  'influence on the LSTM': ofLstm.at(0) / ofLstm.at(-1),
});
const picture = (name: string, lines: Record<string, ArrayLike<number>>, labels: { xLabel: string; yLabel: string }) =>
  writeFileSync(
    new URL(`build/${name}.svg`, import.meta.url),
    linePlot(
      Object.entries(lines).map(([name, y]) => ({ name, y })),
      { title: 'Remembering the first of 40 numbers', ...labels },
    ),
  );
picture('losses', curves, { xLabel: 'step', yLabel: 'loss' });
