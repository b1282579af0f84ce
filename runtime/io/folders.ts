// Makes folders, with those that they lie in. Node's own recursive form gives ENOENT where a file system is read-only, and never ends where one makes no
// folders at all, as /proc does.

import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

const isFolder = (place: string): boolean => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;

/** Makes a folder unless it is there. */
export function makeFolder(folder: string): void {
  const place = path.resolve(folder);
  if (isFolder(place)) return;
  try {
    mkdirSync(place);
  } catch (error) {
    const above = path.dirname(place);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(above)) {
      makeFolder(above);
      makeFolder(place);
    } else if (!isFolder(place)) throw error;
  }
}
