// Where this package lies on disk, its version, and what tells one installation of it from another, for the commands.

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
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

/** What a folder holds; nothing where it is just being replaced. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Changes when a file of the package is written anew; looks at files without reading them. */
export function installationIdentity(): string {
  const texts = ['package.json', 'CMakeLists.txt'];
  const visit = (folder: string): void => {
    for (const entry of entriesOf(path.join(packageRoot, folder))) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(name);
      else if (!/\.(d\.ts|map)$/.test(name)) texts.push(name);
    }
  };
  parts.forEach(visit);
  return hashOf(
    texts.map((name) => {
      const found = statSync(path.join(packageRoot, name), { throwIfNoEntry: false });
      return [name, found?.size, found?.mtimeMs, found?.ctimeMs, found?.ino].join();
    }),
  );
}
