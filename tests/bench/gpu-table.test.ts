// The tables of the script for GPU machines: times beside every peer as ratios, rates as fractions of what the card reaches.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../codegen/build/places.js';

const script = `
import check, table
results = check.Results(None)
add = results.add_time
add(dict(name="copy", rate=2e12, unit="B/s", ceiling="bytes"))
add(dict(name="products in f32", rate=4e13, unit="FLOP/s", ceiling="f32"))
shared = dict(name="matmul", precision="f32", sizes=dict(M=8), seconds=2e-6, rate=3e13, unit="FLOP/s")
add(dict(shared, peer="eager", peer_seconds=3e-6))
add(dict(shared, peer="compile", peer_seconds=1e-6))
add(dict(name="total", precision="f32", sizes=dict(), seconds=1e-6, rate=1e12, unit="B/s", peer="eager", peer_seconds=1e-6))
step = dict(name="mlp training step", precision="bf16", sizes=dict(B=32), seconds=4e-6, bytes=100)
add(dict(step, peer="captured", peer_seconds=8e-6, peer_bytes=None))
add(dict(step, peer="eager", peer_seconds=2e-5, peer_bytes=150))
print("\\n".join(table.tables(results.content)))
`;

if (spawnSync('python3', ['--version']).status !== 0) {
  test('skipped', () => {
    console.log('SKIP the tables of bench/gpu: there is no python3');
  });
} else {
  test('tables of times on a GPU', () => {
    const cwd = path.join(packageRoot(), 'bench', 'gpu');
    const { stdout, stderr } = spawnSync('python3', ['-B', '-c', script], { cwd, encoding: 'utf8' });
    const rows = stdout.split('\n').filter((line) => line.startsWith('| '));
    assert.equal(
      rows.slice(1),
      [
        '| matmul | f32 | M=8 | 2.0 | 30 TFLOP/s | 75 % | 1.50 |  | 0.50 |  |  |',
        '| total | f32 |  | 1.0 | 1000 GB/s | 50 % | 1.00 |  |  |  |  |',
        '| mlp training step | bf16 | B=32 | 4.0 |  |  | 5.00 | 2.00 |  | 1.50 |  |',
      ],
      stderr,
    );
  });
}

test.run();
