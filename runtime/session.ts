// A session: one instance of a compiled model with a state of its own. Exported functions are methods, state is nested objects over one arena.

import type { Addon, NativeInstance } from './addon.js';
import { offerDevice } from './device.js';
import { rejectingOurs, TdslError, throwingOurs } from './errors.js';
import { type FilePath, writeAtomically } from './io/files.js';
import { loadSafetensors, saveSafetensors } from './io/safetensors.js';
import type { Manifest, ManifestLeaf, Structure } from './manifest.js';
import { alignedBytes } from './memory.js';
import { type MethodContext, makeAsyncMethod, makeMethod, requireIdle } from './method.js';
import { formatModel } from './models.js';
import { asyncName, RESERVED_NAMES } from './session-names.js';
import { defineState, type LoadReport, loadInto, namesOf, viewState } from './state.js';
import { describeTensor, Tensor } from './tensor.js';

export interface CreateOptions {
  /** Determines the initial state and all random draws; 0 unless given. */
  readonly seed?: number | bigint;
  /** Threads of one call; as many as there are cores unless given. Results do not depend on it. */
  readonly threads?: number;
}

/** Which part of the state is meant. */
export interface StateSelection {
  /** One tree, such as `net`; its name is then left out of the paths, as PyTorch's files have them. */
  readonly root?: string;
}

export interface LoadOptions extends StateSelection {
  /** Whether the names must be exactly those of the state; true unless given. */
  readonly strict?: boolean;
}

/** What a session is made from. */
interface Origin {
  readonly addon: Addon;
  readonly manifest: Manifest;
  readonly threads: number;
  /** The file of the native code; an interpreted session has none. */
  readonly addonFile: string | undefined;
}

/** The key that a seed stands for. */
export function keyOfSeed(seed: number | bigint): Tensor<'i64', [2]> {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    throw new TdslError('TDSL_ARG', `a seed is a whole number, not ${seed}; beyond 2^53 it is a bigint`);
  }
  return new Tensor('i64', [2], BigInt64Array.of(BigInt.asIntN(64, BigInt(seed)), 0n));
}

/** Refuses a module whose functions and state hide each other or members of the session; the compiler makes none since it checks for that. */
export function checkMembers({ name: model, methods, state }: Manifest): void {
  const fail = (reason: string): never => {
    throw new TdslError('TDSL_ABI', `${model}: ${reason} in the program, and compile it again`);
  };
  const names = [...methods.flatMap(({ jsName }) => [jsName, asyncName(jsName)]), ...Object.keys(state.roots)];
  for (const [i, name] of names.entries()) {
    if (RESERVED_NAMES.includes(name)) fail(`${name} is a name that sessions have themselves; rename it`);
    if (names.indexOf(name) !== i) fail(`two members of the session would be called ${name}; rename one`);
  }
}

/**
 * One instance of a compiled model. Calls on a session follow each other; sessions are independent of each other and of the threads they are
 * used on. The typed interface of a compiled module extends this class by the model's functions and state.
 */
export class Session {
  readonly manifest: Manifest;
  readonly #instance: NativeInstance;
  readonly #tensors: readonly Tensor[];
  /** What the session was made from. */
  readonly #origin: Origin;
  #mode: 'train' | 'eval' | undefined;
  /** Settles when the last asynchronous call has ended. */
  #last: Promise<unknown> = Promise.resolve();

  /** Use the `create` of a compiled module. */
  protected constructor(origin: Origin) {
    const { addon, manifest, threads } = origin;
    this.#origin = origin;
    const arena = alignedBytes(addon, manifest.state.bytes);
    this.manifest = manifest;
    this.#instance = throwingOurs(() => addon.create({ state: arena, threads }));
    if (manifest.target === 'cuda') offerDevice(this.#instance);
    this.#tensors = viewState(manifest, arena);
    const { roots, leaves } = manifest.state;
    defineState(this, roots, leaves, this.#tensors, () => requireIdle(this.#instance, 'setting state'));
    const session = this;
    const context: MethodContext = {
      instance: this.#instance,
      entries: manifest.entries,
      get mode() {
        return session.#mode;
      },
      track: (call) => this.#track(call),
    };
    for (const method of manifest.methods) {
      Object.defineProperty(this, method.jsName, { value: makeMethod(context, method) });
      Object.defineProperty(this, asyncName(method.jsName), { value: makeAsyncMethod(context, method) });
    }
  }

  /** Makes a session and initialises its state from the seed, on another thread. `addonFile` is where the native code comes from. */
  static async create(
    addon: Addon,
    manifest: Manifest,
    options: CreateOptions = {},
    addonFile?: string,
  ): Promise<Session> {
    const { seed = 0, threads = 0 } = options;
    const key = keyOfSeed(seed);
    const session = new Session({ addon, manifest, threads, addonFile });
    const { initEntry } = manifest;
    if (initEntry !== null) {
      const takesKey = manifest.entries[initEntry]!.tensors.length > 0;
      await rejectingOurs(session.#instance.runAsync(initEntry, new Float64Array(0), ...(takesKey ? [key.data] : [])));
    }
    return session;
  }

  /** `train` or `eval` where the session was put into that mode; undefined: every function runs in the form that it declares. */
  get mode(): 'train' | 'eval' | undefined {
    return this.#mode;
  }

  /** Functions that were compiled in both forms run as in training (dropout draws, batch norm takes the batch's statistics). */
  train(): this {
    this.#mode = 'train';
    return this;
  }

  /** Functions that were compiled in both forms run as in evaluation. */
  eval(): this {
    this.#mode = 'eval';
    return this;
  }

  /**
   * For a GPU: whether the state stays there between calls. The tensors of the state are then as of the last `fetchState`, and changes to them
   * take effect with `sendState`. Otherwise, as at first, every call takes the state from these tensors and puts it back.
   */
  keepState(on: boolean): this {
    requireIdle(this.#instance, 'keepState');
    this.#instance.keepState(on);
    return this;
  }

  /** Copies the state from the GPU to its tensors. */
  fetchState(): this {
    requireIdle(this.#instance, 'fetchState');
    throwingOurs(() => this.#instance.copyState(false));
    return this;
  }

  /** Copies the tensors of the state to the GPU. */
  sendState(): this {
    requireIdle(this.#instance, 'sendState');
    throwingOurs(() => this.#instance.copyState(true));
    return this;
  }

  /** The state by path, shared tensors under each of their names; the tensors are views: clone them to keep what they hold. */
  stateDict(selection: StateSelection = {}): Record<string, Tensor> {
    return Object.fromEntries(this.#select(selection).map(({ name, tensor }) => [name, tensor]));
  }

  /** Copies tensors into the state, all or none; returns what was missing and what had no place. */
  loadStateDict(tensors: Readonly<Record<string, Tensor>>, options: LoadOptions = {}): LoadReport {
    requireIdle(this.#instance, 'loadStateDict');
    const target = new Map(this.#select(options).map(({ name, tensor }) => [name, tensor]));
    return loadInto(target, tensors, options.strict ?? true);
  }

  /** The trainable tensors, as views. */
  parameters(selection: StateSelection = {}): Tensor[] {
    return this.namedParameters(selection).map(([, tensor]) => tensor);
  }

  /** The trainable tensors with their paths, each once: a shared one under its first name. */
  namedParameters(selection: StateSelection = {}): [string, Tensor][] {
    return this.#select(selection)
      .filter(({ leaf, alias }) => leaf.role === 'param' && !alias)
      .map(({ name, tensor }) => [name, tensor]);
  }

  /** The tensors of the state that forward passes update, such as running means, with their paths. */
  namedBuffers(selection: StateSelection = {}): [string, Tensor][] {
    return this.#select(selection)
      .filter(({ leaf, alias }) => leaf.role === 'buffer' && !alias)
      .map(({ name, tensor }) => [name, tensor]);
  }

  /** The models of a tree by path with the names of their types, itself under '' first; a shared one counts once. */
  namedModules(root = 'net'): [string, string][] {
    const prefix = this.#prefix({ root });
    return this.manifest.state.models
      .filter(({ path, shared }) => !shared && (path === root || path.startsWith(prefix)))
      .map(({ path, model }) => [path.slice(prefix.length), model]);
  }

  /** The text of a model of the state and its parts as PyTorch prints modules; of the model `net` unless another path is given. */
  describeModel(path = 'net'): string {
    const { models } = this.manifest.state;
    const roots = models.filter((model) => !model.path.includes('.')).map((model) => model.path);
    const text = formatModel(models, path);
    if (text === undefined) {
      throw new TdslError('TDSL_ARG', `there is no model ${path}; the models are ${roots.join(', ') || 'none'}`);
    }
    return text;
  }

  /** What `console.log` shows: the functions, and the models of the state. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { name, methods, state } = this.manifest;
    const leaf = (tree: Structure): string =>
      tree.kind === 'tensor' ? describeTensor(state.leaves[tree.index]!) : '…';
    const trees = Object.entries(state.roots).map(
      ([root, tree]) => `(${root}): ${formatModel(state.models, root) ?? leaf(tree)}`,
    );
    const head = `Session of ${name}: ${methods.map(({ jsName }) => jsName).join(', ')}`;
    return [head, ...trees.map((tree) => tree.replace(/^/gm, '  '))].join('\n');
  }

  /** Another session of the same model with a copy of the state; from then on both are independent. Waits for asynchronous calls made before. */
  async clone(): Promise<this> {
    await this.#idle();
    const { addon, manifest, threads, addonFile } = this.#origin;
    const copy = await Session.create(addon, manifest, { threads }, addonFile);
    copy.loadStateDict(this.stateDict());
    copy.#mode = this.#mode;
    // A session of the same manifest has the same methods and state.
    return copy as this;
  }

  /** Writes the state, or one tree of it, as safetensors: in full or not at all. Waits for asynchronous calls that were made before. */
  async save(file: FilePath, selection: StateSelection = {}): Promise<void> {
    this.#prefix(selection);
    await this.#idle();
    await saveSafetensors(file, this.#copy(selection), {
      format: 'tdsl',
      model: this.manifest.name,
      source: this.manifest.sourceHash,
    });
  }

  /** Writes the whole model as a bundle: program, native code and state in one file, which `loadBundle` reads. In full or not at all. */
  async saveBundle(file: FilePath): Promise<void> {
    // Loaded here, since bundles make sessions.
    const { encodeBundle, nativeOf } = await import('./bundle.js');
    const native = await nativeOf(this.#origin.addonFile);
    await this.#idle();
    await writeAtomically(
      file,
      encodeBundle({ manifest: this.manifest, state: this.#copy({}), ...(native && { native }) }),
    );
  }

  /** Reads the state, or one tree of it, from a safetensors file, all or none. Waits for asynchronous calls that were made before. */
  async load(file: FilePath, options: LoadOptions = {}): Promise<LoadReport> {
    const { tensors } = await loadSafetensors(file);
    await this.#idle();
    try {
      return this.loadStateDict(tensors, options);
    } catch (error) {
      if (error instanceof TdslError) throw new TdslError(error.code, `${file}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #track(call: Promise<unknown>): void {
    const settled = call.then(
      () => undefined,
      () => undefined,
    );
    this.#last = settled;
  }

  async #idle(): Promise<void> {
    // Calls that were made while waiting come before us too, since they are queued already.
    while (this.#instance.pending > 0) await this.#last;
  }

  /** Copies of the selected tensors, each under its first name, so that calls may go on while they are written. */
  #copy(selection: StateSelection): Record<string, Tensor> {
    const own = this.#select(selection).filter(({ alias }) => !alias);
    return Object.fromEntries(own.map(({ name, tensor }) => [name, tensor.clone()]));
  }

  #prefix({ root }: StateSelection): string {
    const { roots } = this.manifest.state;
    if (root === undefined) return '';
    if (Object.hasOwn(roots, root)) return `${root}.`;
    throw new TdslError('TDSL_ARG', `there is no state ${root}; there is ${Object.keys(roots).join(', ') || 'none'}`);
  }

  /** The names of the selected leaves. A leaf that is shared with another tree counts as an alias only where its first name is selected. */
  #select(selection: StateSelection): { name: string; leaf: ManifestLeaf; tensor: Tensor; alias: boolean }[] {
    const prefix = this.#prefix(selection);
    const seen = new Set<number>();
    return namesOf(this.manifest.state).flatMap(({ path, leaf: index }) => {
      if (!path.startsWith(prefix)) return [];
      const alias = seen.has(index);
      seen.add(index);
      const leaf = this.manifest.state.leaves[index]!;
      return [{ name: path.slice(prefix.length), leaf, tensor: this.#tensors[index]!, alias }];
    });
  }
}
