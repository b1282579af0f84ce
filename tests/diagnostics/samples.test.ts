/** Every code has a program that gives it, and the reports of all samples are the recorded ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, reportOf, samples } from './samples.js';

for (const sample of samples()) {
  const { name, code, report } = sample;
  test(`the report of ${name} is the recorded one`, () => {
    const update = 'run `node scripts/run-built.js tests/diagnostics/update-samples.js` and look at the difference';
    assert.ok(existsSync(report), `${report} is missing: ${update}`);
    assert.is(reportOf(sample), readFileSync(report, 'utf8'), update);
  });
  if (code === undefined) continue;
  test(`the example of ${code} gives it, and nothing else`, () => {
    assert.equal([...new Set(check(sample).map((found) => found.code))], [code]);
  });
}

test('every recorded report belongs to a sample', () => {
  const reports = new Set(samples().map(({ report }) => path.normalize(report)));
  const folder = path.join('tests', 'samples', 'diagnostics');
  for (const file of readdirSync(folder, { recursive: true }).map(String)) {
    if (file.endsWith('.txt')) assert.ok(reports.has(path.join(folder, file)), `${file} belongs to no sample`);
  }
});

test.run();
