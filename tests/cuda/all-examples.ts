// `npm run cuda-checked`: every entry of every example in checked mode, against the interpreter. The fast ones are among the tests.

import { examples } from '../examples/examples.js';
import { runExample } from './examples.js';

const only = process.argv.slice(2);
for (const { name } of examples.filter((example) => only.length === 0 || only.includes(example.name))) {
  const started = performance.now();
  try {
    await runExample(name, 'cuda-checked');
    console.log(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  } catch (error) {
    console.log(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
