// Starts the command line: loads its bundle and calls it.

import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { loadScript } from './kept-code.js';

/** A command ends before most of what it calls would pay for being optimised, and compilers of C need the processors that V8 would do so on. */
function optimiseLess(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=1000000');
}

optimiseLess();
const command = process.argv.slice(2).find((word) => !word.startsWith('-'));
const script = fileURLToPath(new URL('./main.cjs', import.meta.url));
await (loadScript(script, command) as typeof import('./main.js')).main();
