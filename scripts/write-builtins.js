// Writes docs/builtins.md from the declarations of the built-in functions, as they were last built.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtinsMarkdown } from '../dist/compiler/check/builtins/index.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
mkdirSync(path.join(root, 'docs'), { recursive: true });
writeFileSync(path.join(root, 'docs', 'builtins.md'), builtinsMarkdown());
