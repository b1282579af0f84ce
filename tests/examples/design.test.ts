// The programs that the language was designed by (design.td) work as they were written down, in interpreter and C.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instance } from '../../cli/backends.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { f32, f64, numbers } from '../support/program.js';
import { backendsOf } from './backends.js';

const test = suite('programs of the design');
const backends = backendsOf('../tests/examples/design');

function close(got: HostTensor | undefined, expected: readonly number[], tolerance: number): void {
  const values = numbers(got as HostTensor);
  assert.is(values.length, expected.length);
  expected.forEach((value, i) => {
    const error = Math.abs((values[i] as number) - value);
    assert.ok(error <= tolerance * (1 + Math.abs(value)), `[${i}]: ${values[i]}, expected ${value}`);
  });
}

const wave = (count: number, shift = 0): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(1.3 * i + shift));

/** The state of an instance by path. */
const stateOf = (instance: Instance, path: string): readonly number[] =>
  numbers(instance.state[instance.program.state.findIndex((leaf) => leaf.path === path)] as HostTensor);

for (const backend of ['interpreter', 'c'] as const) {
  const run = async (entry: string, ...args: readonly HostTensor[]): Promise<readonly HostTensor[]> =>
    (await backends)[backend].run(entry, args);

  test(`softplus has the derivative that it states (${backend})`, async () => {
    const x = [-1, 0, 2];
    const [value, slope] = await run('smooth', f32([3], x));
    const sigmoids = x.map((a) => 1 / (1 + Math.exp(-a)));
    close(
      value,
      x.map((a) => Math.log1p(Math.exp(a))),
      1e-6,
    );
    close(slope, sigmoids, 1e-6);
  });

  test(`doubling ends on data and is differentiated in reverse (${backend})`, async () => {
    const [value, slope] = await run('doubled', f32([2], [0.3, 0.4]));
    close(value, [614.4, 819.2], 1e-6);
    close(slope, [2048, 2048], 1e-6);
  });

  test(`depthwise convolution and its gradient by the kernel (${backend})`, async () => {
    const [x, k] = [wave(32), wave(18, 1)];
    const [out, gradient] = await run('convolved', f32([1, 2, 4, 4], x), f32([2, 3, 3], k));
    const [expected, expectedGradient] = [new Array<number>(8).fill(0), new Array<number>(18).fill(0)];
    const at = (c: number, i: number, j: number): number => x[16 * c + 4 * i + j] as number;
    for (let o = 0; o < 8; o++) {
      const [c, i, j] = [o >> 2, (o >> 1) & 1, o & 1];
      for (let u = 0; u < 9; u++) {
        (expected[o] as number) += at(c, i + Math.floor(u / 3), j + (u % 3)) * (k[9 * c + u] as number);
      }
      for (let u = 0; u < 9; u++) {
        (expectedGradient[9 * c + u] as number) +=
          2 * (expected[o] as number) * at(c, i + Math.floor(u / 3), j + (u % 3));
      }
    }
    close(out, expected, 1e-5);
    close(gradient, expectedGradient, 1e-5);
  });

  test(`Elman's layer carries its state along the time (${backend})`, async () => {
    const [xs, h0] = [wave(4 * 3), wave(2, 2)];
    const [all, last] = await run('recur', f32([4, 1, 3], xs), f32([1, 2], h0));
    const instance = (await backends)[backend];
    const [w, b, u] = ['from_input.weight', 'from_input.bias', 'from_state.weight'].map((name) =>
      stateOf(instance, `elman.${name}`),
    ) as [readonly number[], readonly number[], readonly number[]];
    let h = h0;
    const states: number[] = [];
    for (let t = 0; t < 4; t++) {
      const previous = h;
      h = [0, 1].map((o) => {
        let total = b[o] as number;
        for (let i = 0; i < 3; i++) total += (w[3 * o + i] as number) * (xs[3 * t + i] as number);
        for (let i = 0; i < 2; i++) total += (u[2 * o + i] as number) * (previous[i] as number);
        return Math.tanh(total);
      });
      states.push(...h);
    }
    close(all, states, 1e-6);
    close(last, h, 1e-6);
  });

  test(`Newton's method finds a minimum with Hessians of a function that it is given (${backend})`, async () => {
    const instance = (await backends)[backend];
    const [found] = instance.run('minimum', [f64([2], [1.5, 2.5])], new Map([['steps', 8]]));
    close(found, [2, 3], 1e-12);
  });

  test(`a model of layers of one's own learns with an optimizer of one's own (${backend})`, async () => {
    const batch = [f32([4, 3], wave(12)), f32([4, 2], wave(8, 1))];
    const losses: number[] = [];
    for (let step = 0; step < 30; step++)
      losses.push(numbers((await run('train_step', ...batch))[0] as HostTensor)[0] as number);
    assert.ok((losses.at(-1) as number) < 0.95 * (losses[0] as number), `${losses[0]} to ${losses.at(-1)}`);
  });

  test(`LeNet gives a score for each class (${backend})`, async () => {
    const [scores] = await run('classify', f32([1, 1, 28, 28], wave(784)));
    assert.equal(scores?.shape, [1, 10]);
    assert.ok(numbers(scores as HostTensor).every(Number.isFinite));
  });

  test(`two players learn in one call (${backend})`, async () => {
    const real = f32([2, 784], wave(1568));
    const first = (await run('gan_step', real)).map((loss) => numbers(loss)[0] as number);
    for (let step = 0; step < 20; step++) await run('gan_step', real);
    const last = (await run('gan_step', real)).map((loss) => numbers(loss)[0] as number);
    assert.ok((last[0] as number) < (first[0] as number), `the discriminator: ${first[0]} to ${last[0]}`);
  });
}

test('both backends compute the same', async () => {
  const { interpreter, c } = await backends;
  const image = [f32([1, 1, 28, 28], wave(784))];
  close(c.run('classify', image)[0], numbers(interpreter.run('classify', image)[0] as HostTensor), 1e-5);
});

test.run();
