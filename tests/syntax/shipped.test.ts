// The programs that the project ships are formatted.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { formatFile } from '../../compiler/syntax/format.js';

const test = suite('shipped programs');

for (const folder of ['std', 'examples', path.join('tests', 'reference'), path.join('tests', 'examples')]) {
  const files = readdirSync(path.join(packageRoot, folder), { recursive: true }).map(String);
  for (const name of files.filter((file) => file.endsWith('.td') && !file.split(path.sep).includes('build'))) {
    const file = path.join(folder, name);
    test(`${file} is formatted`, () => {
      const text = readFileSync(path.join(packageRoot, file), 'utf8');
      const formatted = formatFile({ path: file, text }).text;
      assert.ok(formatted === text, `run \`npx tdsl fmt ${file}\``);
    });
  }
}

test.run();
