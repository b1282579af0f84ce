// `npm run cuda-checked`: every entry of every example in checked mode, against the interpreter, and in three orders of threads and blocks, which
// must give the same bits. `npm run cuda-checked -- mlp text/gpt` takes those that are named; the fast ones are among the tests.

import { chosen, smallPrograms } from '../examples/examples.js';
import { assertSameBitsOfExample, runExample } from './examples.js';

async function check(name: string): Promise<void> {
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

try {
  for (const { name } of chosen(smallPrograms, process.argv.slice(2))) await check(name);
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
