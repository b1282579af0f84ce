// Arrays of some megabytes, for which the binding asks for large pages: they are used where they lie, and nothing beside them changes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileModule, importModule } from '../../cli/module.js';
import { type BoundMethod, type Session, Tensor } from '../../runtime/index.js';

interface Doubling extends Session {
  readonly double: ((args: { x: Tensor }) => Tensor) & { bind(args: { x: Tensor }): BoundMethod<Tensor> };
}

const test = suite('large arrays');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-large-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('an array inside of a buffer is read where it is, before and after it is bound', async () => {
  const file = path.join(folder, 'double.td');
  writeFileSync(file, 'dim N\nexport fn double(x: f32[N]) -> f32[N] = 2 * x\n');
  const module = await importModule<{ create(): Promise<Doubling> }>(
    await compileModule(file, { outDir: path.join(folder, 'double') }),
  );
  const session = await module.create();
  const [before, elements, after] = [5, 2_000_000, 7];
  const buffer = new Float32Array(before + elements + after).map((_, i) => i % 1000);
  const original = buffer.slice();
  const x = new Tensor('f32', [elements], buffer.subarray(before, before + elements));
  const isDoubled = (result: Tensor): boolean =>
    result.toNumbers().every((value, i) => value === 2 * Number(x.data[i]));
  assert.ok(isDoubled(session.double({ x })));
  const run = session.double.bind({ x });
  assert.ok(isDoubled(run()));
  assert.equal(buffer, original);
  x.fill(3);
  assert.is(run().data[elements - 1], 6);
  assert.equal(buffer.slice(-after), original.slice(-after));
});

test.run();
