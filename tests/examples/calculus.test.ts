// The examples of examples/calculus in interpreter and C: values against closed forms and against numpy, scipy and torch (calculus_reference.py).

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instance } from '../../cli/backends.js';
import { packageRoot } from '../../cli/package.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { f32, f64, i64, numbers } from '../support/program.js';
import { type Backends, backendsOf } from './backends.js';

interface Gmm {
  readonly n: number;
  readonly d: number;
  readonly k: number;
  readonly gamma: number;
  readonly m: number;
  readonly every: number;
  readonly value: number;
  readonly gradients: Readonly<Record<string, { readonly elements: number[]; readonly length: number }>>;
}

interface Reference {
  readonly bundle_adjustment: {
    readonly sizes: readonly [number, number, number];
    readonly cameras: number[];
    readonly points: number[];
    readonly weights: number[];
    readonly features: number[];
    readonly pairs: number[];
    readonly residuals: number[];
    readonly jacobian: number[];
  };
  readonly hand: {
    readonly points: number;
    readonly every: number;
    readonly places: number[];
    readonly jacobian: number[];
  };
  readonly himmelblau: readonly { start: number[]; places: number[][]; values: number[]; end: number[] }[];
  readonly gmm: readonly [Gmm, Gmm];
  readonly kmeans: {
    readonly points: number[];
    readonly start: number[];
    readonly cost: number;
    readonly gradient: number[];
    readonly counts: number[];
    readonly end: number[];
  };
  readonly least_squares: { readonly x: number[]; readonly y: number[]; readonly w: number[] };
  readonly log_sum_exp: readonly { readonly x: number[]; readonly value: number; readonly gradient: number[] }[];
  readonly determinant: { readonly a: number[]; readonly value: number; readonly gradient: number[] };
  readonly ode: { readonly at: number[]; readonly value: number; readonly derivatives: number[] };
  readonly saddle: { readonly p: number[]; readonly q: number[] };
  readonly particle: {
    readonly speed: number;
    readonly landing: number;
    readonly w: number;
    readonly sensitivity: number;
  };
}

const reference = JSON.parse(
  readFileSync(path.join(packageRoot, 'tests', 'examples', 'calculus_reference.json'), 'utf8'),
) as Reference;

const test = suite('examples of the calculus');

/** Tests an example in both backends, which share one compilation. */
function example(name: string, body: (instance: Instance, backend: 'interpreter' | 'c') => void): void {
  let backends: Promise<Backends> | undefined;
  for (const backend of ['interpreter', 'c'] as const) {
    test(`${name} (${backend})`, async () => {
      backends ??= backendsOf(`calculus/${name}`);
      body((await backends)[backend], backend);
    });
  }
}

/** The largest difference, relative to the size of the expected numbers, is within a tolerance. */
function close(got: HostTensor | readonly number[], expected: readonly number[], tolerance: number, what = ''): void {
  const values = 'data' in got ? numbers(got) : got;
  assert.is(values.length, expected.length, what);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => {
    const error = Math.abs((values[i] as number) - value);
    assert.ok(error <= tolerance * scale, `${what}[${i}]: ${values[i]}, expected ${value}`);
  });
}

const scalar = (value: number): HostTensor => f64([], [value]);
const one = (tensor: HostTensor | undefined): number => numbers(tensor as HostTensor)[0] as number;

/** The numbers that `spread` of calculus_reference.py makes. */
const spread = (count: number, stream: number, scale = 1): readonly number[] =>
  Array.from(
    { length: count },
    (_, i) => (((i * 7919 + stream * 104729 + ((i * i) % 65537)) % 65537) / 65537 - 0.5) * scale,
  );

example('doubling', (instance) => {
  // The sum of the result is linear in the sum of `a` as long as the number of trips stays the same.
  for (const a of [
    [0.3, 0.4],
    [-3, 1],
    [700, 800],
  ]) {
    const input = f32([2], a);
    const d = instance.run('value', [input])[0] as HostTensor;
    close(
      instance.run('slope', [input])[0] as HostTensor,
      numbers(d).map((value, i) => value / (a[i] as number)),
      1e-6,
    );
  }
});

example('himmelblau', (instance) => {
  for (const { start, places, values, end } of reference.himmelblau) {
    instance.seed(1);
    instance.setState(
      instance.program.state.findIndex(({ path }) => path === 'point.at'),
      f64([2], start),
    );
    const [trace, value] = instance.run('descend', []) as [HostTensor, HostTensor];
    const at = (i: number): readonly number[] => numbers(trace).slice(100 * i, 100 * i + 2);
    places.forEach((place, i) => void close(at(i), place, 1e-9, `place ${50 * i} from ${start}`));
    close(
      values.map((_, i) => numbers(value)[50 * i] as number),
      values,
      1e-9,
    );
    close(numbers(trace).slice(-2), end, 1e-6, `the end from ${start}`);
  }
});

example('gmm', (instance, backend) => {
  // The interpreter is for small sizes.
  for (const gmm of backend === 'c' ? reference.gmm : reference.gmm.slice(0, 1)) {
    const { n, d, k, every } = gmm;
    const inputs = {
      alphas: f64([k], spread(k, 1)),
      means: f64([k, d], spread(k * d, 2, 2)),
      icf: f64([k, (d * (d + 1)) / 2], spread((k * d * (d + 1)) / 2, 3)),
      x: f64([n, d], spread(n * d, 4, 4)),
    };
    const [value, ...gradients] = instance.run('gradient', [
      ...Object.values(inputs),
      scalar(gmm.gamma),
      i64([], [gmm.m]),
    ]);
    close([one(value)], [gmm.value], 1e-12, 'log-posterior');
    for (const [i, [name, { elements, length }]] of Object.entries(gmm.gradients).entries()) {
      const all = numbers(gradients[i] as HostTensor);
      close(
        all.filter((_, at) => at % every === 0),
        elements,
        1e-10,
        name,
      );
      close([Math.hypot(...all)], [length], 1e-12, `the length of ${name}`);
    }
  }
});

example('kmeans', (instance) => {
  const { points, start, cost, gradient, counts, end } = reference.kmeans;
  const [centres, x] = [f64([4, 3], start), f64([80, 3], points)];
  const [value, g, diagonal] = instance.run('derivatives', [centres, x]) as [HostTensor, HostTensor, HostTensor];
  close([one(value)], [cost], 1e-12, 'cost');
  close(g, gradient, 1e-12, 'gradient');
  close(
    diagonal,
    counts.flatMap((count) => [2 * count, 2 * count, 2 * count]),
    1e-14,
    'Hessian',
  );
  const [found] = instance.run('cluster', [centres, x]) as [HostTensor];
  close(found, end, 1e-12, 'Newton');
  close(instance.run('lloyd', [found, x])[0] as HostTensor, end, 1e-12, 'a fixed point of Lloyd');
});

example('bundle_adjustment', (instance) => {
  const { sizes, cameras, points, weights, features, pairs, residuals, jacobian } = reference.bundle_adjustment;
  const [n, m, p] = sizes;
  const inputs = [
    f64([n, 11], cameras),
    f64([m, 3], points),
    f64([p], weights),
    f64([p, 2], features),
    i64([p, 2], pairs),
  ];
  close(instance.run('residuals', inputs).flatMap(numbers), residuals, 1e-13, 'residuals');
  const [starts = [], columns = [], values = []] = instance.run('sparse_jacobian', inputs).map(numbers);
  const [rows, width] = [3 * p, 11 * n + 3 * m + p];
  assert.is(starts.length, rows + 1);
  const dense = new Array<number>(rows * width).fill(0);
  for (let row = 0; row < rows; row++) {
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at++) {
      dense[row * width + (columns[at] as number)] = values[at] as number;
    }
  }
  assert.is(starts.at(-1), values.length);
  close(dense, jacobian, 1e-13, 'Jacobian');
});

example('hand', (instance) => {
  const { points, every, places, jacobian } = reference.hand;
  const [placed, derivatives] = instance.run('posed', [
    f64([26], spread(26, 14)),
    f64([5, 3, 3], spread(45, 15)),
    f64([5, 3, points, 3], spread(45 * points, 16)),
  ]) as [HostTensor, HostTensor];
  close(placed, places, 1e-14, 'places');
  close(
    numbers(derivatives).filter((_, i) => i % every === 0),
    jacobian,
    1e-13,
    'Jacobian',
  );
});

example('least_squares', (instance) => {
  const { x, y, w } = reference.least_squares;
  const [xs, ys] = [f64([12, 5], x), f64([12], y)];
  const [derived, closed] = instance.run('gradients', [f64([5], spread(5, 10)), xs, ys]) as [HostTensor, HostTensor];
  close(derived, numbers(closed), 1e-14, 'gradient');
  close(instance.run('fit', [xs, ys])[0] as HostTensor, w, 1e-10, 'minimum');
});

example('log_sum_exp', (instance) => {
  for (const { x, value, gradient } of reference.log_sum_exp) {
    const input = f64([x.length], x);
    const [plain, stable] = instance.run('values', [input]);
    const [ofPlain, ofStable, softmax] = instance.run('gradients', [input]) as [HostTensor, HostTensor, HostTensor];
    close([one(stable)], [value], 1e-14);
    close(ofStable, gradient, 1e-14);
    close(softmax, gradient, 1e-14);
    if (Math.abs(value) < 100) {
      close([one(plain)], [value], 1e-14);
      close(ofPlain, gradient, 1e-14);
    } else {
      assert.not.ok(Number.isFinite(one(plain)), 'the definition overflows');
    }
  }
});

example('determinant', (instance) => {
  const { a, value, gradient } = reference.determinant;
  const [found, adjugate] = instance.run('of_four', [f64([4, 4], a)]) as [HostTensor, HostTensor];
  close([one(found)], [value], 1e-12);
  close(adjugate, gradient, 1e-12);
});

example('ode', (instance) => {
  const { at, value, derivatives } = reference.ode;
  const [x, v, ...constants] = at as [number, number, ...number[]];
  const [position, ...gradient] = instance.run('ends', [f64([2], [x, v]), ...constants.map(scalar)]);
  close([one(position)], [value], 1e-10);
  close(gradient.flatMap(numbers), derivatives, 1e-9);
});

example('saddle', (instance, backend) => {
  const { p, q } = reference.saddle;
  const nestings = ['reverse_reverse', 'reverse_forward', 'forward_reverse', 'forward_forward'];
  for (const nesting of backend === 'c' ? nestings : nestings.slice(1, 2)) {
    const [x, y] = instance.run(nesting, []) as [HostTensor, HostTensor];
    close(x, p, 1e-9, nesting);
    close(y, q, 1e-9, nesting);
    // The saddle point is the origin; the descent ends where its steps are shorter than 1e-5.
    assert.ok(Math.hypot(...numbers(x), ...numbers(y)) < 2e-5);
  }
});

example('particle', (instance, backend) => {
  const { speed, landing, w, sensitivity } = reference.particle;
  const run = (entry: string, ...args: HostTensor[]): number => one(instance.run(entry, args)[0]);
  close([run('lands', f64([1], [0]), scalar(speed))], [landing], 1e-12);
  if (backend === 'interpreter') return;
  const controls = (at: number): readonly number[] => instance.run('controls', [scalar(at)]).map(one);
  const [control = Number.NaN, byForward = Number.NaN] = controls(speed);
  close([byForward], [control], 1e-14, 'forward mode makes the same steps');
  close([control], [w], 1e-4, 'the descent stops close to the root');
  const reverse = run('sensitivity', scalar(speed));
  close([run('sensitivity_forward', scalar(speed))], [reverse], 1e-13);
  // Further away the descent takes another number of steps, which shows in its last digits.
  const h = 1e-6;
  const [after, before] = [controls(speed + h)[0], controls(speed - h)[0]] as [number, number];
  close([reverse], [(after - before) / (2 * h)], 1e-8, 'differences');
  close([reverse], [sensitivity], 1e-3, 'the implicit function');
});

test.run();
