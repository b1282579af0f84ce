#!/usr/bin/env node
// The command line. In a checkout that was not built yet it says how to build it.
import { existsSync } from 'node:fs';
import module from 'node:module';

const start = new URL('../dist/bundle/start.js', import.meta.url);
if (!existsSync(start)) {
  process.stderr.write('tdsl: this checkout is not built; run `npm ci` (or `npm run build`) first\n');
  process.exit(3);
}
// Node 22 keeps what it made of scripts the last time.
module.enableCompileCache?.();
await import(start.href);
