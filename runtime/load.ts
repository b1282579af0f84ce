// Loads compiled modules. The generated index.js calls `defineModel` and exports its `create`.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Addon, ModelDescription } from './addon.js';
import { TdslError } from './errors.js';
import { MANIFEST_FORMAT, type Manifest } from './manifest.js';
import { alignWith } from './memory.js';
import { type CreateOptions, checkMembers, Session } from './session.js';

/** Where a compiled module is. */
export interface ModelSource {
  readonly manifest: Manifest;
  readonly addonUrl: URL;
}

/** A loaded module. */
export interface Model<S extends Session = Session> {
  readonly manifest: Manifest;
  /** The tables of the native code. */
  describe(): ModelDescription;
  /** Null, or why this machine cannot run the model. */
  probe(): string | null;
  /** Makes a session with a state of its own. Throws TDSL_NO_DEVICE or TDSL_UNSUPPORTED, with what `probe` says, where this machine cannot run it. */
  create(options?: CreateOptions): Promise<S>;
}

/** Makes sure that manifest and native code are of one compile, and that this runtime speaks their formats. */
function checkManifest(manifest: Manifest, native: ModelDescription): void {
  const fail = (reason: string): never => {
    throw new TdslError('TDSL_ABI', `${manifest.name}: ${reason}; compile the program again`);
  };
  if (native.sourceHash !== manifest.sourceHash) fail('the manifest and the addon are from different compiles');
  if (native.stateBytes !== manifest.state.bytes) fail('the manifest and the addon lay out the state differently');
  const signature = (tensors: readonly { role: string; dtype: string; dims: readonly unknown[] }[]): string =>
    tensors.map(({ role, dtype, dims }) => `${role} ${dtype} ${dims.length}`).join(', ');
  const entries = manifest.entries.map(({ name, tensors }) => `${name}(${signature(tensors)})`).join('\n');
  if (entries !== native.entries.map(({ name, args }) => `${name}(${signature(args)})`).join('\n')) {
    fail('the manifest and the addon have different entries');
  }
  checkMembers(manifest);
}

function loadAddon(addonUrl: URL): Addon {
  const file = fileURLToPath(addonUrl);
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TdslError('TDSL_ABI', `the native module cannot be loaded: ${reason}; was it compiled on this system?`, {
      cause,
    });
  }
}

/** Loads the native code of a compiled module, which works where it cannot run too: what is known about the model can be read anywhere. */
export function defineModel<S extends Session = Session>({ manifest, addonUrl }: ModelSource): Model<S> {
  if (manifest.format !== MANIFEST_FORMAT) {
    const wanted = `this version of tdsl reads format ${MANIFEST_FORMAT}`;
    throw new TdslError(
      'TDSL_ABI',
      `the module has a manifest of format ${manifest.format}, ${wanted}; compile the program again`,
    );
  }
  const addon = loadAddon(addonUrl);
  checkManifest(manifest, addon.describe());
  alignWith(addon);
  return {
    manifest,
    describe: () => addon.describe(),
    probe: () => addon.probe(),
    // The compiled module's declarations say which functions and state its sessions have; the manifest made them.
    create: async (options) => (await Session.create(addon, manifest, options, fileURLToPath(addonUrl))) as S,
  };
}
