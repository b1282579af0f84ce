// Writes the reports of the samples anew: `node scripts/run-built.js tests/diagnostics/update-samples.js`. Look at the difference before
// committing it: every line of it is what somebody with a broken program will read.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { reportOf, samples } from './samples.js';

for (const sample of samples()) {
  mkdirSync(path.dirname(sample.report), { recursive: true });
  writeFileSync(sample.report, reportOf(sample));
}
