// `npm run cuda-checked`: every entry of every example in checked mode, against the interpreter, and in three orders of threads and blocks, which
// must give the same bits. `npm run cuda-checked -- mlp text/gpt` takes those that are named; the fast ones are among the tests.

import { examples } from '../examples/examples.js';
import { assertSameBitsOfExample, runExample } from './examples.js';

const only = process.argv.slice(2);
for (const { name } of examples.filter((example) => only.length === 0 || only.includes(example.name))) {
  const started = performance.now();
  try {
    await runExample(name, 'cuda-checked');
    await assertSameBitsOfExample(name);
    console.log(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  } catch (error) {
    console.log(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
