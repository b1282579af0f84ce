// Runs the property tests with examples that no run before has drawn, and more of them. Arguments are substrings of their paths, as for `npm test`;
// TDSL_TEST_SEED repeats a run, TDSL_TEST_RUNS says how many times as many examples as in `npm test` are drawn (10).
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const tests = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'tests');
const filters = process.argv.slice(2);
const files = readdirSync(tests, { recursive: true })
  .map(String)
  .filter(
    (file) => file.endsWith('.test.js') && (filters.length === 0 || filters.some((filter) => file.includes(filter))),
  )
  .filter((file) => readFileSync(path.join(tests, file), 'utf8').includes('support/property.js'));
process.env.TDSL_TEST_SEED ??= String(Math.floor(Math.random() * 2 ** 31));
process.env.TDSL_TEST_RUNS ??= '10';
console.log(`TDSL_TEST_SEED=${process.env.TDSL_TEST_SEED} TDSL_TEST_RUNS=${process.env.TDSL_TEST_RUNS}`);
process.argv.splice(2, filters.length, ...(files.length > 0 ? files : ['no such test']));
await import('./run-tests.js');
