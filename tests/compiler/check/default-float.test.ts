// The default float: what a file states holds for literals, created tensors, quotients of integers and layers of the library.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate, interpret } from '../../../cli/api.js';
import type { Method } from '../../../runtime/method.js';
import type { Session } from '../../../runtime/session.js';
import { Tensor } from '../../../runtime/tensor.js';

const program = (header: string, dtype: string) => ({
  text: `tdsl 1
${header}
import std.nn { Linear, LayerNorm }
import std.optim { Adam }
model Net {
  fc: Linear(3, 2)
  norm: LayerNorm(2)
  param scale: real[2] = ones
}
fn loss(net: Net, x: real[2, 3]) -> real = mean(net.norm(net.fc(x)) * net.scale)
export fn step(net: mut Net, opt: mut Adam(net), x: ${dtype}[2, 3]) -> ${dtype} {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x)
  opt.step(net, g)
  l
}
export fn made() -> (${dtype}[1], ${dtype}[2], ${dtype}[2], ${dtype}[1]) =
  (tensor([1.5]), zeros([2]), rand([2]), tensor([1]) / 3)
`,
});

type Made = Session & { made: Method<object, Tensor[]>; step: Method<{ x: Tensor }, Tensor> };

for (const [header, dtype, options] of [
  ['', 'f32', {}],
  ['default_float f64', 'f64', {}],
  ['default_float f64', 'f32', { defaultFloat: 'f32' }],
  ['default_float bf16', 'bf16', {}],
] as const) {
  test(`${header || 'no statement'}, ${JSON.stringify(options)}: ${dtype}`, async () => {
    const s = await interpret<Made>(program(header, dtype), options);
    assert.equal(
      s.made({}).map((tensor) => tensor.dtype),
      [dtype, dtype, dtype, dtype],
    );
    assert.equal([...new Set(s.parameters().map((tensor) => tensor.dtype))], [dtype]);
    assert.is(s.step({ x: Tensor.ones([2, 3], { dtype }) }).dtype, dtype);
  });
}

test('f64 is not rounded to f32 on the way', () => {
  assert.is(evaluate('tensor([0.1])', {}, { defaultFloat: 'f64' })[0]?.item(), 0.1);
  assert.not.equal(evaluate('tensor([0.1])')[0]?.item(), 0.1);
});

test('it is stated once, is a float, and is that of the compiled file', async () => {
  const report = (text: string) => interpret({ text }).then(String, String);
  const rest = 'export fn f(x: f32[2]) -> f32[2] = x\n';
  assert.match(await report(`default_float i32\n${rest}`), /E0212[\s\S]*`i32` is no float dtype/);
  assert.match(await report(`default_float f64\ndefault_float f64\n${rest}`), /E0212[\s\S]*stated twice/);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-default-'));
  try {
    writeFileSync(path.join(folder, 'part.td'), 'default_float f64\nfn half() -> real = 0.5\n');
    const importing = (header: string) =>
      `${header}import "${path.join(folder, 'part.td')}" { half }\nexport fn f() -> real = half()\n`;
    assert.match(await report(importing('')), /E0212[\s\S]*written for f64 as the default float, but here it is f32/);
    const s = await interpret<Session & { f: Method<object, Tensor> }>({ text: importing('default_float f64\n') });
    assert.is(s.f({}).dtype, 'f64');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
