// What `tdsl doctor` says of GPUs: what is there, or that it is not and what needs it, and never as a failure.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-doctor-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** A program of the folder. */
function install(name: string, script: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** What the command says, a line for each thing. */
function doctor(env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.resolve('bin', 'tdsl.js'), 'doctor'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  assert.is(status, 0, stdout + stderr);
  return new Map(stdout.split('\n').map((line) => [/^\w+ +(.*?):/.exec(line)?.[1] ?? '', line]));
}

test('nvcc and the driver are told with their versions', () => {
  const nvcc = install('nvcc', 'echo "Cuda compilation tools, release 12.4, V12.4.131"');
  install('nvidia-smi', 'echo "NVIDIA H100, 550.54, 9.0"');
  const driver = path.join(folder, 'libcuda.so.1');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-x', 'c', '/dev/null', '-o', driver], { encoding: 'utf8' });
  assert.is(built.status, 0, built.stderr);
  const lines = doctor({ NVCC: nvcc, LD_LIBRARY_PATH: folder, PATH: `${folder}:${process.env.PATH}` });
  assert.is(lines.get('nvcc'), `ok      nvcc: ${nvcc} release 12.4, V12.4.131`);
  assert.is(lines.get('CUDA driver'), 'ok      CUDA driver: libcuda.so.1, NVIDIA H100, 550.54, 9.0');
});

test('that nvcc is missing is told with what needs it, and is no failure', () => {
  assert.match(
    doctor({ NVCC: 'no-such-nvcc' }).get('nvcc') ?? '',
    /^without nvcc: not found, NVCC names no-such-nvcc; only --target cuda needs it, .*: install the CUDA toolkit, or set NVCC/,
  );
});

test('a driver that cannot be loaded is told with the reason, and is no failure', () => {
  writeFileSync(path.join(folder, 'libcuda.so.1'), 'no library');
  const line = doctor({ LD_LIBRARY_PATH: folder }).get('CUDA driver') ?? '';
  assert.match(line, /^without CUDA driver: .*libcuda\.so\.1.*; only running models for GPUs needs it: /);
});

test.run();
