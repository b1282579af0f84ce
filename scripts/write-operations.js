// Writes docs/operations.md from the library's declarations and the records of operations, as they were last built.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { operationsMarkdown } from '../dist/compiler/reference.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = readdirSync(path.join(root, 'std'))
  .filter((file) => file.endsWith('.td'))
  .sort()
  .map((file) => ({ name: file.slice(0, -3), text: readFileSync(path.join(root, 'std', file), 'utf8') }));
writeFileSync(path.join(root, 'docs', 'operations.md'), operationsMarkdown(modules));
