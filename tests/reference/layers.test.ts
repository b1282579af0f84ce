// Every layer of std.nn, made as in PyTorch, has PyTorch's parameters and buffers by name and shape, and gives its numbers for parameters
// that a formula gives; see layers_reference.py.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { dimValue } from '../../compiler/ir/dims.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { instanceOf, numbers } from '../support/program.js';

interface Layer {
  readonly layer: string;
  readonly inputs: readonly (readonly number[])[];
  /** Names and shapes of PyTorch's state_dict. */
  readonly state: readonly (readonly [string, readonly number[]])[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
  readonly training: boolean;
  /** The buffers after a step in training. */
  readonly buffers?: Readonly<Record<string, readonly number[]>>;
}

const file = path.join(packageRoot, 'tests', 'reference', 'layers.json');
const layers = JSON.parse(readFileSync(file, 'utf8')) as readonly Layer[];

const names = new Set(layers.flatMap(({ layer }) => [...layer.matchAll(/\b([A-Z]\w*)\(/g)].map(([, name]) => name)));

function program({ layer, inputs, outputs, training, buffers = {} }: Layer): string {
  const types = [
    ...outputs.map(({ shape }) => `f32[${shape.join(', ')}]`),
    ...Object.entries(buffers).map(([name, data]) => (name.endsWith('tracked') ? 'i64' : `f32[${data.length}]`)),
  ];
  const given = inputs.map((shape) => `ramp([${shape.join(', ')}])`).join(', ');
  const results =
    outputs.length === 1
      ? ['y', ...Object.keys(buffers).map((name) => `net.${name}`)]
      : outputs.map((_, i) => `y[${i}]`);
  return `import std.nn { ${[...names].filter((name) => layer.includes(`${name}(`)).join(', ')} }
fn fill[M: model](net: mut M) {
  let i = 0
  map (p) over (net) {
    p = reshape(0.3 * sin(arange(end: numel(p), dtype: f32) + i), p.shape)
    i = i + 1
  }
}
fn ramp(size: [dim]) -> tensor = reshape(cos(arange(end: product_of(size), dtype: f32)), size)
export fn run(net: mut ${layer}) -> (${types.join(', ')},) {
  fill(net)
  let y = net${training ? '' : '.eval()'}(${given})
  (${results.join(', ')},)
}`;
}

function compare(what: string, found: readonly number[], expected: readonly number[]): void {
  assert.is(found.length, expected.length, what);
  const error = Math.max(
    0,
    ...found.map((value, i) => Math.abs(value - (expected[i] as number)) / (1 + Math.abs(value))),
  );
  assert.ok(error < 5e-6, `${what} is off by ${error}`);
}

const test = suite('layers against PyTorch');
for (const expected of layers) {
  test(`${expected.layer}${expected.training ? ' in training' : ''}`, () => {
    const instance = instanceOf(program(expected));
    const state = instance.program.state.map(({ path: leaf, shape }) => [
      leaf.replace(/^net\./, ''),
      shape.map((size) => (typeof size === 'number' ? size : dimValue(size))),
    ]);
    const sorted = (entries: readonly (readonly unknown[])[]) => entries.map((entry) => JSON.stringify(entry)).sort();
    const own = state.filter(([name]) => name !== 'key' && name !== '');
    assert.equal(sorted(own), sorted(expected.state));
    const found = instance.run('run', []);
    expected.outputs.forEach(({ data }, i) => void compare(`output ${i}`, numbers(found[i] as HostTensor), data));
    Object.entries(expected.buffers ?? {}).forEach(([name, data], i) => {
      const buffer = found[expected.outputs.length + i];
      assert.ok(buffer !== undefined);
      compare(name, numbers(buffer), data);
    });
  });
}
test.run();
