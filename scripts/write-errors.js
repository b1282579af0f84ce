// Writes docs/errors.md from the catalogue of diagnostics, as it was last built.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogueMarkdown } from '../dist/compiler/diagnostics/catalogue.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
mkdirSync(path.join(root, 'docs'), { recursive: true });
writeFileSync(path.join(root, 'docs', 'errors.md'), catalogueMarkdown());
