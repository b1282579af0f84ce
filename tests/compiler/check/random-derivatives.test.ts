// Random programs: forward mode, reverse mode and finite differences agree; so do second derivatives, all forms of them.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostTensor } from '../../../compiler/ir/evaluate/tensor.js';
import { f64, type Instance, i64, instanceOf, numbers } from '../../support/program.js';
import { draws } from '../../support/property.js';
import { parameters, randomProgram } from '../../support/random-programs.js';

const entries = `
fn scalar(${parameters}) -> f64 = sum(f(x, w, xs, at) * tensor([1.0, -0.5, 0.7], dtype: f64))
export fn gradient(${parameters}) -> any = grad(scalar, wrt: [x, w, xs])(x, w, xs, at)
export fn forward(${parameters}, dx: f64[3], dw: f64[3, 3], dxs: f64[T, 3]) -> any =
  jvp((x, w, xs) => scalar(x, w, xs, at), (x, w, xs), (dx, dw, dxs))
export fn jacobians(${parameters}) -> any = (jacfwd(f)(x, w, xs, at), jacrev(f)(x, w, xs, at))
export fn second(${parameters}, dx: f64[3]) -> any =
  (
    hessian(scalar)(x, w, xs, at),
    hvp(x => scalar(x, w, xs, at), x, dx)[1],
    grad(x => sum(grad(scalar)(x, w, xs, at) * dx))(x),
    jvp(x => jvp(x => scalar(x, w, xs, at), x, dx)[1], x, dx)[1],
    vmap(x => grad(scalar)(x, w, xs, at))(stack([x, x + dx])),
    grad(scalar)(x + dx, w, xs, at),
  )
`;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

function assertNear(found: readonly number[], wanted: readonly number[], tolerance: number, what: string): void {
  assert.is(found.length, wanted.length, what);
  for (const [i, x] of found.entries()) {
    const y = wanted[i] as number;
    assert.ok(Math.abs(x - y) <= tolerance * (1 + Math.abs(y)), `${what}: ${x} at ${i}, not ${y}`);
  }
}

interface Point {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly xs: readonly number[];
}

const at = i64([4], [2, 0, 0, 1]);
const trips = 9;

const inputsOf = ({ x, w, xs }: Point): readonly HostTensor[] => [f64([3], x), f64([3, 3], w), f64([trips, 3], xs), at];

const moved = (a: Point, b: Point, step: number): Point => {
  const along = (from: readonly number[], by: readonly number[]) => from.map((value, i) => value + step * (by[i] ?? 0));
  return { x: along(a.x, b.x), w: along(a.w, b.w), xs: along(a.xs, b.xs) };
};

/** Reproducible numbers in [-1, 1). */
function draw(seed: number): Point {
  let state = seed * 2 + 1;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
  const list = (count: number) => Array.from({ length: count }, next);
  return { x: list(3), w: list(9), xs: list(3 * trips) };
}

function check(instance: Instance, seed: number): void {
  const point = draw(seed);
  const direction = draw(seed + 77);
  const run = (name: string, more: readonly HostTensor[] = [], from: Point = point) =>
    instance.run(name, [...inputsOf(from), ...more]).map(numbers);
  const gradient = run('gradient');
  const along = [direction.x, direction.w, direction.xs];
  const [value, tangent] = run('forward', inputsOf(direction).slice(0, 3)).map((list) => list[0] as number) as [
    number,
    number,
  ];
  const reverse = gradient.reduce((sum, list, i) => sum + dot(list, along[i] ?? []), 0);
  assertNear([reverse], [tangent], 1e-9, 'reverse mode against forward mode');
  const h = 1e-5;
  const valueAt = (step: number) =>
    run('forward', inputsOf(direction).slice(0, 3), moved(point, direction, step))[0]?.[0] as number;
  assert.ok(Number.isFinite(value));
  assertNear([tangent], [(valueAt(h) - valueAt(-h)) / (2 * h)], 1e-5, 'forward mode against differences');

  const [fwd, rev] = run('jacobians') as [number[], number[]];
  assertNear(fwd, rev, 1e-9, 'jacfwd against jacrev');

  const [hessian, product, again, curvature, many, other] = run('second', [f64([3], direction.x)]) as number[][] as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const row = (i: number) => hessian.slice(3 * i, 3 * i + 3);
  assertNear(
    hessian,
    [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => row(j)[i] as number)),
    1e-8,
    'the Hessian is symmetric',
  );
  assertNear(
    product,
    [0, 1, 2].map((i) => dot(row(i), direction.x)),
    1e-8,
    'hvp against the Hessian',
  );
  assertNear(again, product, 1e-8, 'reverse over reverse');
  assertNear(curvature, [dot(product, direction.x)], 1e-8, 'forward over forward');
  const onlyX = { x: direction.x, w: direction.w.map(() => 0), xs: direction.xs.map(() => 0) };
  const gradientAt = (step: number) => run('gradient', [], moved(point, onlyX, step))[0] as readonly number[];
  const [plus, minus] = [gradientAt(h), gradientAt(-h)];
  assertNear(
    product,
    plus.map((x, i) => (x - (minus[i] ?? 0)) / (2 * h)),
    1e-4,
    'hvp against differences of the gradient',
  );
  assertNear(many, [...(gradient[0] ?? []), ...other], 1e-10, 'gradients by vmap');
}

test('forward, reverse and differences agree, twice', () => {
  const property = fc.property(randomProgram(), fc.nat({ max: 1000 }), (text, seed) => {
    check(instanceOf(`${text}${entries}`), seed);
  });
  fc.assert(property, draws(20));
});

test.run();
