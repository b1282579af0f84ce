// A build in the making: takes emitted files one by one, so that compilers run while the rest is still generated, and links at the end.

import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../runtime/io/folders.js';
import { EmittedCodeError } from './errors.js';
import { writeAll } from './files.js';
import { compilerIdentity, hashOf, toolchainIdentity } from './identity.js';
import type { BuildResult, BuildTarget } from './index.js';
import { runAll } from './jobs.js';
import { linkerOptions, runtimeObjects, runtimeSources } from './objects.js';
import { LINK_FLAGS, type Unit, unitsOf } from './options.js';
import { Output } from './output.js';
import { packageVersion, writableCache } from './places.js';
import { compilers } from './process.js';
import { writeSources } from './script.js';
import { type TemporaryFolder, temporaryFolder } from './temporary.js';
import { Objects } from './units.js';

/** Takes the files of a model. */
export interface Building {
  /** Takes a file; those that it includes come before it. */
  add(file: string, text: string): void;
  /** Waits for the compilers, and does work of this process meanwhile; gives the output. See `buildAddon`. */
  finish(meanwhile?: () => Promise<void>): Promise<BuildResult>;
  /** Gives up: waits for the compilers that run, and removes what was written. */
  abandon(): Promise<void>;
}

/** The header that files of kernels begin with: those of the instructions are long. */
const INSTRUCTIONS = 'instructions.h';
/** The file that is linked, in the folder of the build. */
const OUTPUT = 'model.so';

/** Collects files that are not compiled here. */
export class SourceBuilding implements Building {
  readonly #sources = new Map<string, string>();
  readonly #started = performance.now();

  constructor(readonly target: BuildTarget) {}

  add(file: string, text: string): void {
    this.#sources.set(file, text);
  }

  async finish(): Promise<BuildResult> {
    const { outDir, name, mode = 'release', cpus = ['native'] } = this.target;
    return writeSources({ sources: this.#sources, outDir, name, mode, cpus }, this.#started);
  }

  async abandon(): Promise<void> {}
}

/** What a native build knows at its beginning. */
interface Beginning {
  readonly started: number;
  readonly identity: string;
  /** The folder with the objects that all models link. */
  readonly runtime: string;
  readonly temporary: TemporaryFolder;
  /** The files of the run-time system that others include. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cache: string;
}

/** Compiles files as they come, and links them to an addon or a library. */
export class NativeBuilding implements Building {
  readonly #sources = new Map<string, string>();
  readonly #texts: Map<string, string>;
  readonly #units: Unit[] = [];
  readonly #objects: Objects;

  private constructor(
    readonly target: BuildTarget,
    readonly beginning: Beginning,
  ) {
    const { temporary, headers, cache, identity } = beginning;
    this.#texts = new Map(headers);
    const { path: folder } = temporary;
    this.#objects = new Objects({ folder, texts: this.#texts, cache, identity, header: INSTRUCTIONS });
  }

  static async start(target: BuildTarget): Promise<NativeBuilding> {
    const started = performance.now();
    const { name, outDir, cpus = ['native'], compilers: asked = compilerIdentity() } = target;
    const identity = await toolchainIdentity(cpus, false, asked);
    const runtime = await runtimeObjects(await asked);
    const headers = new Map([...(await runtimeSources())].filter(([file]) => file.endsWith('.h')));
    const cache = await writableCache();
    makeFolder(outDir);
    const temporary = await temporaryFolder(cache, `${name}-`);
    await writeAll(temporary.path, headers);
    return new NativeBuilding(target, { started, identity, runtime, temporary, headers, cache });
  }

  add(file: string, text: string): void {
    const { mode = 'release', cpus = ['native'] } = this.target;
    this.#sources.set(file, text);
    this.#texts.set(file, text);
    writeFileSync(path.join(this.beginning.temporary.path, file), text);
    const units = unitsOf(file, mode, cpus);
    this.#units.push(...units);
    for (const unit of units) this.#objects.add(unit);
  }

  async finish(meanwhile: () => Promise<void> = async () => undefined): Promise<BuildResult> {
    const { temporary } = this.beginning;
    let keep = false;
    try {
      const output = new Output(this.target, await this.#key());
      const [failure] = await Promise.all([output.isThere ? this.#objects.idle() : this.#link(), meanwhile()]);
      if (failure) {
        keep = true;
        throw new EmittedCodeError(temporary.path, failure);
      }
      if (!output.isThere) await output.put(path.join(temporary.path, OUTPUT));
      return await output.result(this.beginning.started);
    } finally {
      await this.#objects.idle();
      await temporary.release({ keep });
    }
  }

  async abandon(): Promise<void> {
    await this.#objects.idle();
    await this.beginning.temporary.release();
  }

  /** The hash of all that goes into the output. */
  async #key(): Promise<string> {
    const { identity, runtime } = this.beginning;
    const byName = <T>(list: readonly T[], name: (item: T) => string): T[] =>
      [...list].sort((a, b) => (name(a) < name(b) ? -1 : 1));
    return hashOf([
      await packageVersion(),
      path.basename(runtime),
      identity,
      ...LINK_FLAGS,
      ...byName(this.#units, ({ file }) => file).flatMap(({ file, options }) => [file, ...options]),
      ...byName([...this.#sources], ([file]) => file).flat(),
    ]);
  }

  /** Links in the folder of the build, once all is compiled; what the compiler said where it refused the files. */
  async #link(): Promise<string | undefined> {
    const { runtime, temporary } = this.beginning;
    const { emit = 'addon' } = this.target;
    const compiled = await this.#objects.finished();
    if ('failure' in compiled) return compiled.failure;
    const parts = emit === 'addon' ? ['binding', 'rts'] : ['rts'];
    const common = await Promise.all(
      parts.map(async (part) =>
        (await readdir(path.join(runtime, part))).map((file) => path.join(runtime, part, file)),
      ),
    );
    const libraries = [
      ...(emit === 'addon' ? [process.platform === 'darwin' ? '-lc++' : '-lstdc++'] : []),
      '-lm',
      '-pthread',
    ];
    const link = (options: readonly string[]): Promise<string | undefined> => {
      const files = ['-o', OUTPUT, ...compiled.objects, ...common.flat()];
      return runAll([[compilers().c, ...LINK_FLAGS, ...options, ...files, ...libraries]], temporary.path);
    };
    const fast = await linkerOptions(runtime);
    // A linker that was found once may be gone.
    if (fast.length > 0 && (await link(fast)) === undefined) return undefined;
    return link([]);
  }
}
