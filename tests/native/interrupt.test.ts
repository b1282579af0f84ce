// A build that is interrupted leaves no folder in the cache, and the process still ends by the signal.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { temporaryFolder } from '../../codegen/build/temporary.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-interrupt-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('Ctrl-C while the C compiler runs', async () => {
  const cache = path.join(folder, 'cache');
  // A compiler that never ends once it compiles, and says when it has begun.
  const compiler = path.join(folder, 'cc');
  const begun = path.join(folder, 'begun');
  writeFileSync(compiler, `#!/bin/sh\ncase "$*" in *-c*) touch ${begun}; sleep 60;; *) exec cc "$@";; esac\n`);
  chmodSync(compiler, 0o755);
  writeFileSync(path.join(folder, 'f.td'), 'export fn f(x: f32[2]) -> f32[2] = x + 1\n');
  const child = spawn(process.execPath, [path.join(packageRoot, 'bin', 'tdsl.js'), 'compile', 'f.td'], {
    cwd: folder,
    // A process group of its own, which a terminal would interrupt as a whole.
    detached: true,
    env: { ...process.env, CC: compiler, CXX: 'c++', TDSL_CACHE_DIR: cache },
    stdio: 'ignore',
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  for (let i = 0; i < 1200 && !existsSync(begun); i++) await sleep(50);
  assert.ok(existsSync(begun), 'the compiler should have begun');
  assert.ok(readdirSync(cache).length > 0);
  process.kill(-(child.pid as number), 'SIGINT');
  assert.is(await ended, 'SIGINT');
  assert.equal(readdirSync(cache), []);
});

test('folders go when they are released, unless they are kept', async () => {
  const listeners = process.listenerCount('SIGINT');
  const [gone, kept] = [await temporaryFolder(folder, 'a-'), await temporaryFolder(folder, 'b-')];
  assert.is(process.listenerCount('SIGINT'), listeners + 2);
  await gone.release();
  await kept.release({ keep: true });
  assert.equal([existsSync(gone.path), existsSync(kept.path)], [false, true]);
  assert.is(process.listenerCount('SIGINT'), listeners);
});

test.run();
