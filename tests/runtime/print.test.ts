// The printed text of tensors against what PyTorch printed for the same tensors (tests/reference/print_reference.py).

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DType } from '../../runtime/dtype.js';
import { formatFixed, formatScientific, type PrintOptions, setPrintOptions } from '../../runtime/print.js';
import { Tensor } from '../../runtime/tensor.js';

interface Case {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
  readonly options: Partial<PrintOptions>;
  readonly text: string;
}

const file = new URL('../../../tests/samples/print/torch.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
const names: Record<string, number> = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': -Infinity, '-0': -0 };

for (const [i, { dtype, shape, data, options, text }] of cases.entries()) {
  test(`prints case ${i}, ${dtype}[${shape}] ${JSON.stringify(options)}, as PyTorch does`, () => {
    const numbers = data.map((value) => (typeof value === 'string' ? names[value]! : value));
    assert.is(Tensor.from(numbers, { dtype, shape }).toString(options), text);
  });
}

test('setPrintOptions changes the default and a profile restores it', () => {
  const tensor = Tensor.from([1.23456]);
  setPrintOptions({ precision: 2 });
  assert.is(String(tensor), 'tensor([1.23])');
  assert.is(tensor.toString({ precision: 1 }), 'tensor([1.2])');
  setPrintOptions({ profile: 'default' });
  assert.is(String(tensor), 'tensor([1.2346])');
});

test('zeros and numbers that are not finite have no exponents, also where exponents are asked for, as in PyTorch', () => {
  assert.is(Tensor.from([0, -0], { dtype: 'f32' }).toString({ sciMode: true }), 'tensor([0., -0.])');
  assert.is(Tensor.from([0, 1], { dtype: 'f32' }).toString({ sciMode: true }), 'tensor([0.0000e+00, 1.0000e+00])');
});

test('a tensor that gradients are taken of says so', () => {
  const x = Tensor.from([1, 2], { dtype: 'f64' });
  assert.is(x.toString({ requiresGrad: true }), 'tensor([1., 2.], dtype=torch.float64, requires_grad=True)');
  assert.is(
    Tensor.full([2, 6], 12345.5, { dtype: 'f32' }).toString({ requiresGrad: true }),
    'tensor([[12345.5000, 12345.5000, 12345.5000, 12345.5000, 12345.5000, 12345.5000],\n        [12345.5000, 12345.5000, 12345.5000, 12345.5000, 12345.5000, 12345.5000]],\n       requires_grad=True)',
  );
});

test('print options that make no sense are refused', () => {
  assert.throws(() => setPrintOptions({ precision: -1 }), /precision cannot be -1/);
  assert.throws(() => setPrintOptions({ lineWidth: 0 }), /lineWidth cannot be 0/);
  assert.throws(() => setPrintOptions({ threshold: Number.NaN }), /threshold cannot be NaN/);
});

test('exact ties go to the even digit, as in C', () => {
  assert.is(formatFixed(0.125, 2), '0.12');
  assert.is(formatFixed(0.375, 2), '0.38');
  assert.is(formatFixed(2.5, 0), '2');
  assert.is(formatFixed(1e22, 1), '10000000000000000000000.0');
  assert.is(formatScientific(2.5, 0), '2e+00');
  assert.is(formatScientific(1.25e10, 1), '1.2e+10');
  assert.is(formatScientific(5e-324, 4), '4.9407e-324');
});

test.run();
