// What a native build gives: where it goes, whether it is there already, and what is told of it.

import { existsSync } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../runtime/io/folders.js';
import { publish } from './files.js';
import type { BuildResult, BuildTarget } from './index.js';
import { packageRoot } from './places.js';

/** Addons are named by the hash of all that goes into them, so that one that is loaded is never overwritten and one that is there is not built again. */
export class Output {
  readonly #file: string;
  /** The header that C programs include with a library. */
  readonly #header: string | undefined;
  /** Whether there is nothing to build. */
  readonly isThere: boolean;

  constructor({ outDir, name, emit = 'addon' }: BuildTarget, hash: string) {
    const place = path.resolve(outDir);
    this.#file = path.join(place, emit === 'addon' ? `model.${hash}.node` : `lib${name}.so`);
    this.#header = emit === 'addon' ? undefined : path.join(place, 'tdsl_model.h');
    this.isThere = emit === 'addon' && existsSync(this.#file);
  }

  /** Puts what was built to its place. */
  async put(built: string): Promise<void> {
    makeFolder(path.dirname(this.#file));
    await publish(built, this.#file);
    if (this.#header !== undefined)
      await copyFile(path.join(packageRoot(), 'codegen', 'rts', 'tdsl_model.h'), this.#header);
  }

  /** What a build that began at `started` tells. */
  async result(started: number): Promise<BuildResult> {
    return {
      file: this.#file,
      files: this.#header === undefined ? [this.#file] : [this.#file, this.#header],
      bytes: (await stat(this.#file)).size,
      milliseconds: performance.now() - started,
      cached: this.isThere,
    };
  }
}
