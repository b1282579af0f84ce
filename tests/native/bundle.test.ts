// Bundles: a model in one file, loaded without the folder that it was compiled to, and files that are no bundles.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret, interpretBundle } from '../../cli/api.js';
import { decodeBundle, encodeBundle, loadBundle } from '../../runtime/bundle.js';
import type { Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';
import { checkDamage } from '../runtime/damage.js';
import { loadSample, type SampleSession } from './sample.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-bundle-'));
// Built with the cache of the tests, before bundles get one of their own.
const model = await loadSample();
process.env.TDSL_CACHE_DIR = path.join(folder, 'cache');
test.after(() => rmSync(folder, { recursive: true }));

const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'no failure', String);

test('a bundle holds native code and state, and works after its source is gone', async () => {
  const s = await model.create({ seed: 5 });
  s.trainStep({ x: Tensor.ones([1, 4]), y: Tensor.from([2]) });
  const file = path.join(folder, 'deep', 'sample.tdz');
  await s.saveBundle(file);
  const again = await loadBundle<SampleSession>(file, { threads: 1 });
  for (const [name, tensor] of Object.entries(s.stateDict()))
    assert.ok(tensor.equals(again.stateDict()[name] as Tensor), name);
  const x = Tensor.ones([2, 4]);
  assert.ok(again.predict({ x }).equals(s.predict({ x })));
  again.net.weight.fill(0);
  assert.not.ok(again.predict({ x }).equals(s.predict({ x })));
  assert.is(readdirSync(path.join(folder, 'cache', 'bundles')).length, 1);
  await loadBundle(file);
  // A damaged file of the cache is not taken for the native code.
  const [cached = ''] = readdirSync(path.join(folder, 'cache', 'bundles'));
  const place = path.join(folder, 'cache', 'bundles', cached);
  const bytes = await readFile(place);
  rmSync(place);
  await writeFile(place, bytes.subarray(0, 100));
  assert.ok((await loadBundle<SampleSession>(file)).predict({ x }).equals(s.predict({ x })));
});

test('a bundle for another machine says so', async () => {
  const s = await model.create();
  const file = path.join(folder, 'other.tdz');
  await s.saveBundle(file);
  const bundle = decodeBundle(await readFile(file));
  await writeFile(file, encodeBundle({ ...bundle, native: { platform: 'plan9-vax', addon: new Uint8Array(3) } }));
  assert.match(
    await failure(loadBundle(file)),
    /other\.tdz holds native code for plan9-vax, and this is .*compile the program here/,
  );
});

const counter = {
  text: `
model Counter { buffer total: f32[2] = zeros }
export fn add(c: mut Counter, x: f32[2]) -> f32[2] {
  c.total = c.total + x
  c.total
}
`,
};

test('a bundle of an interpreted session is for the interpreter', async () => {
  type Counter = Session & { add: Method<{ x: Tensor }, Tensor> };
  const s = await interpret<Counter>(counter);
  s.add({ x: Tensor.from([1, 2], { dtype: 'f32' }) });
  const file = path.join(folder, 'counter.tdz');
  await s.saveBundle(file);
  const again = await interpretBundle<Counter>(file);
  assert.equal(again.add({ x: Tensor.ones([2]) }).toArray(), [2, 3]);
  assert.match(await failure(loadBundle(file)), /counter\.tdz holds no native code/);
});

test('what is no bundle is refused', async () => {
  const s = await interpret(counter);
  const file = path.join(folder, 'c.tdz');
  await s.saveBundle(file);
  const bytes = new Uint8Array(await readFile(file));
  checkDamage((damaged) => decodeBundle(damaged, 'c.tdz'), bytes, /c\.tdz/);
  assert.throws(
    () => decodeBundle(new Uint8Array(9), 'c.tdz'),
    /c\.tdz is not a valid bundle: it does not begin as a zip file/,
  );
  const { manifest, state } = decodeBundle(bytes);
  const changed = encodeBundle({ manifest: { ...manifest, format: 99 as 2 }, state });
  assert.throws(() => decodeBundle(changed, 'c.tdz'), /manifest\.json is no manifest of format/);
});

test.run();
