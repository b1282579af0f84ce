// Where this package lies on disk, its version, and what tells one installation of it from another, for the commands.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { hashOf } from '../codegen/build/identity.js';
import { packageRoot as findPackageRoot } from '../codegen/build/places.js';

/** The folder that holds package.json, std/, codegen/rts and runtime/native. */
export const packageRoot = findPackageRoot();

export const packageVersion = (
  JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

/** What decides on the output of a compile: the compiler, and the sources that models link. The library is read as files of the program are. */
const parts = [
  'dist/bundle',
  'dist/cli',
  'dist/compiler',
  'dist/codegen',
  'dist/runtime',
  'codegen/rts',
  'runtime/native',
];

/** Changes when a file of the package is written anew; looks at files without reading them. */
export function installationIdentity(): string {
  const texts = ['package.json', 'CMakeLists.txt'];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(path.join(packageRoot, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(name);
      else if (!/\.(d\.ts|map)$/.test(name)) texts.push(name);
    }
  };
  parts.forEach(visit);
  return hashOf(
    texts.map((name) => {
      const { size, mtimeMs, ctimeMs, ino } = statSync(path.join(packageRoot, name));
      return [name, size, mtimeMs, ctimeMs, ino].join();
    }),
  );
}
