// Runs after `npm ci` in a checkout: builds dist/ when the compiler is installed, and does nothing in an
// installed package or with --omit=dev, where dist/ is shipped or not wanted.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const hasCompiler = existsSync(path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'));
const hasSources = existsSync(path.join(root, 'compiler'));
if (hasCompiler && hasSources) await import('./build.js');
