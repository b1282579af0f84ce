// Runs every dist/tests/**/*.test.js in a process of its own, so that a native crash fails one file and not the run.
// A file that crashes, or in which no test ran, counts as a failure. The last line is `N passed, N failed, N skipped`.
// Arguments are substrings: only the files whose path holds one of them run.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const filters = process.argv.slice(2);
const testDir = path.join(root, 'dist', 'tests');
const queue = readdirSync(testDir, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort();
const totals = { passed: 0, failed: 0, skipped: 0 };
const skips = [];

function runFile(file) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', path.join(testDir, file)], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code, signal) => {
      const count = (label) => Number([...output.matchAll(new RegExp(`${label}:\\s+(\\d+)`, 'g'))].at(-1)?.[1] ?? 0);
      const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
      let failed = total - passed;
      if (signal || (code !== 0 && failed === 0) || total + skipped === 0) failed++;
      totals.passed += passed;
      totals.failed += failed;
      totals.skipped += skipped;
      skips.push(...[...output.matchAll(/^SKIP .*$/gm)].map((match) => match[0]));
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (failed > 0) console.log(`FAIL ${file} ${signal ?? (total + skipped === 0 ? 'no test ran' : '')}\n${output}`);
      else console.log(`ok   ${file} (${passed} passed, ${seconds} s)`);
      resolve();
    });
  });
}

async function worker() {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) await runFile(file);
}

const anyFile = queue.length > 0;
await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
for (const skip of skips) console.log(skip);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 || !anyFile ? 1 : 0;
