// Random programs for property tests of derivatives: texts of functions of vectors with loops, branches, index expressions, contractions,
// gathers with repeated indices, stated derivatives, checkpoints, maps over rows and derivatives inside. Their values are smooth almost
// everywhere and of moderate size.

import fc from 'fast-check';
import { Choices } from './choices.js';

/** What every program takes: vectors of 3, a matrix, rows of which running decides how many there are, and indices. */
export const parameters = 'x: f64[3], w: f64[3, 3], xs: f64[T, 3], at: i64[4]';

const library = `dim T
fn bent(x: f64[3]) -> f64[3] = sin(x) * x
  derivative (dx) => (cos(x) * x + sin(x)) * dx
fn drift(x: f64[3], w: f64[3, 3]) -> f64[3] = w @ tanh(x)
`;

interface Draw {
  readonly choices: Choices;
  /** The vectors of 3 so far. */
  readonly names: readonly string[];
}

const name = ({ choices, names }: Draw): string => choices.of(names);

/** Expressions that give a vector of 3; `depth` bounds those that hold others. */
const forms: readonly ((draw: Draw, depth: number) => string)[] = [
  (d) => `sin(${name(d)}) * ${name(d)} + 0.3`,
  (d) => `${name(d)} / (1 + square(${name(d)}))`,
  (d) => `exp(-${name(d)} * ${name(d)}) - 0.5 * ${name(d)}`,
  (d) => `softmax(${name(d)}, dim: 0) * logsumexp(${name(d)} + xs[0], dim: 0)`,
  (d) => `w @ ${name(d)} * 0.5`,
  (d) => `0.3 * (${name(d)} @ w.T @ w)`,
  (d) => `bent(${name(d)})`,
  (d) => `cumsum(tanh(${name(d)}), 0) * 0.4`,
  (d) => `${name(d)}[at[1:]] * flip(${name(d)}, [0])`,
  (d) => `index_put(${name(d)}, [at], tanh(cat([${name(d)}, ${name(d)}[:1]])), accumulate: true)`,
  (d) => `cat([${name(d)}[1:], ${name(d)}[:1]]) - where(${name(d)} > 0.2, ${name(d)}, 2 * ${name(d)})`,
  (d) => `grad(v => sum(sin(v) * ${name(d)}))(${name(d)})`,
  (d) => `jvp(v => drift(v, w), ${name(d)}, ${name(d)})[1]`,
  (d) => `vmap((r, s) => sum(tanh(r * ${name(d)})) * s)(w, ${name(d)})`,
  (d, depth) => `checkpoint(v => ${expression(inside(d, 'v'), depth - 1)}, ${name(d)})`,
  (d, depth) => `if sum(${name(d)}) > 0.1 { ${expression(d, depth - 1)} } else { ${expression(d, depth - 1)} }`,
  (d, depth) =>
    `fold 0..${d.choices.of(['5', '11', 'T'])} from ${name(d)} { (h, i) => tanh(${expression(inside(d, 'h'), depth - 1)} + 0.1 * i) }`,
  (d, depth) =>
    `fold xs from ${name(d)} { (h, r) => sin(${expression(inside(inside(d, 'h'), 'r'), depth - 1)}) + 0.2 * h * r }`,
  (d, depth) =>
    `sum(scan xs from ${name(d)} { (h, r) => let n = tanh(${expression(inside(d, 'h'), depth - 1)} + r); (n, n * r) }[0], 0)`,
  (d) => `while sum(h * h) < 6 max 30 from h = ${name(d)} { 1.3 * h + 0.1 * sin(${name(d)}) + 0.2 } * 0.3`,
];

const inside = (draw: Draw, inner: string): Draw => ({ ...draw, names: [...draw.names, inner, inner] });

/** Forms that hold no others come first. */
const simple = 14;

function expression(draw: Draw, depth: number): string {
  const form = draw.choices.of(depth > 0 ? forms : forms.slice(0, simple));
  return form(draw, depth);
}

/** Index definitions of a vector of 3. */
const definitions: readonly ((draw: Draw, to: string) => string)[] = [
  (d, to) => `${to}[i] = sum over k: w[i, k] * ${name(d)}[k] * ${name(d)}[i]`,
  (d, to) => `${to}[i in 0..3] = (${name(d)}[i + 1] else 0.5) * ${name(d)}[i]`,
  (d, to) => `${to}[i in 0..3] = sum over u in 0..2: (${name(d)}[i + u - 1] else 0.0) * w[i, u]`,
  (d, to) => `${to}[i in 0..3] = tanh(sum over t: xs[t, i] * ${name(d)}[i])`,
  (d, to) => `${to}[i in 0..3] = ${name(d)}[at[i]] * ${name(d)}[2 - i]`,
  (d, to) => `${to}[i in 0..3] = sum over k: w[i, k] * ${name(d)}[k] where k != i`,
];

/** The text of `fn f(…) -> f64[3]` of these parameters. */
export const randomProgram = (): fc.Arbitrary<string> =>
  fc.array(fc.nat({ max: 5039 }), { minLength: 12, maxLength: 60, size: 'max' }).map((numbers) => {
    const choices = new Choices(numbers);
    const names = ['x', 'x', 'w[0]'];
    const lines: string[] = [];
    const count = 2 + choices.below(3);
    for (let i = 0; i < count; i++) {
      const draw = { choices, names };
      const to = `y${i}`;
      lines.push(choices.oneIn(3) ? choices.of(definitions)(draw, to) : `let ${to} = ${expression(draw, 2)}`);
      names.push(to, to);
    }
    const sum = lines.map((_, i) => `tanh(y${i})`).join(' + ');
    return `${library}fn f(${parameters}) -> f64[3] {\n${lines.map((line) => `  ${line}\n`).join('')}  ${sum}\n}\n`;
  });
