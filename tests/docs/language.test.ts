// The programs of docs/language.md are correct, and those about training and keys do what the text says.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/api.js';
import { nodeHost } from '../../cli/host.js';
import { packageRoot } from '../../cli/package.js';
import { renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { checkFile } from '../../compiler/index.js';
import type { Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';

const text = readFileSync(path.join(packageRoot, 'docs', 'language.md'), 'utf8');
const programs = [...text.matchAll(/^```td\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program);

/** The program that holds a piece of text. */
const programWith = (part: string): string => programs.find((program) => program.includes(part)) ?? '';

for (const [i, program] of programs.entries()) {
  test(`program ${i + 1} has no errors`, () => {
    const host = nodeHost();
    const found = checkFile('p.td', { ...host, readFile: (file) => (file === 'p.td' ? program : host.readFile(file)) });
    assert.is(renderDiagnostics(found.diagnostics), '');
  });
}

test('the optimizer steps by the sign of the gradient and keeps its momentum', async () => {
  type Trained = Session & { trainStep: Method<{ x: Tensor; y: Tensor }, [Tensor, Tensor]> };
  const s = await interpret<Trained>({ text: programWith('model Lion') });
  const at = (name: string): Tensor => s.stateDict()[name] as Tensor;
  const [weight, x, y] = [at('net.fc.weight').clone(), Tensor.ones([2, 3]), Tensor.full([2, 1], 10, { dtype: 'f32' })];
  const [loss, predicted] = s.trainStep({ x, y });
  // The predictions are too small, so every gradient is negative, and Lion adds lr to each parameter.
  assert.equal(at('net.fc.weight').toArray(), [
    (weight.toArray() as number[][])[0]?.map((value) => Math.fround(value + Math.fround(0.01))),
  ]);
  const [[first = 0] = []] = predicted.toArray() as number[][];
  assert.ok(Math.abs((loss.item() as number) - (first - 10) ** 2) < 1e-3);
  assert.ok(
    Math.abs(((at('opt.momentum.fc.bias').toArray() as number[])[0] as number) - 0.01 * 2 * (first - 10)) < 1e-5,
  );
});

test('a key is a value, and moves on where a function assigns to it', async () => {
  type Drawing = Session & { same: Method<object, Tensor>; other: Method<object, Tensor> };
  const s = await interpret<Drawing>({ text: programWith('split_key(k)') });
  const first = s.same({}).toArray();
  assert.equal(s.same({}).toArray(), first);
  const drawn = s.other({}).toArray();
  assert.not.equal(s.other({}).toArray(), drawn);
  assert.not.equal(s.same({}).toArray(), first);
});

test.run();
