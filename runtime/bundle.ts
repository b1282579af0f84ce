// Bundles: a whole model in one file. A zip archive holds what the compiler knows of the program (the manifest, and the text of its IR), the
// native code, and the state. A bundle is loaded without the folder of the compiled module; its native code runs as code does, so that only
// bundles of trusted origin should be.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { TdslError } from './errors.js';
import { cacheDirectory } from './io/cache.js';
import { type FilePath, writeAtomically } from './io/files.js';
import { decodeSafetensors, encodeSafetensors } from './io/safetensors.js';
import { isZip, unzip, zip } from './io/zip.js';
import { defineModel } from './load.js';
import { MANIFEST_FORMAT, type Manifest } from './manifest.js';
import type { CreateOptions, Session } from './session.js';
import { decodeStages, encodeStages, STAGES_FILE, withStages } from './stages.js';
import type { Tensor } from './tensor.js';

/** The format of bundles that this runtime reads and writes. */
const BUNDLE_FORMAT = 2;

/** The machines that a native module runs on: those of one operating system and kind of processor. */
const PLATFORM = `${process.platform}-${process.arch}`;

const FILES = {
  about: 'bundle.json',
  manifest: 'manifest.json',
  stages: STAGES_FILE,
  addon: 'model.node',
  state: 'state.safetensors',
} as const;

/** What a bundle holds. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly state: Readonly<Record<string, Tensor>>;
  /** The native module and the platform that it is for; a session of the interpreter has none. */
  readonly native?: { readonly platform: string; readonly addon: Uint8Array };
}

/** The bytes of a bundle. */
export function encodeBundle({ manifest, state, native }: Bundle): Uint8Array {
  const encoder = new TextEncoder();
  const text = (value: unknown) => encoder.encode(JSON.stringify(value));
  const about = { format: BUNDLE_FORMAT, name: manifest.name, tdsl: manifest.tdsl, platform: native?.platform ?? null };
  const files = {
    [FILES.about]: text(about),
    [FILES.manifest]: text(manifest),
    [FILES.stages]: encoder.encode(encodeStages(manifest)),
    ...(native && { [FILES.addon]: native.addon }),
    [FILES.state]: encodeSafetensors({ tensors: state }),
  };
  return zip(files, (name) => name !== FILES.state);
}

/** Reads the bytes of a bundle; `name` is for messages. */
export function decodeBundle(bytes: Uint8Array, name = 'the data'): Bundle {
  const fail = (reason: string): never => {
    throw new TdslError('TDSL_ABI', `${name} is not a valid bundle: ${reason}`);
  };
  if (!isZip(bytes)) fail('it does not begin as a zip file');
  const files = unzip(bytes, name);
  const read = (file: string): Uint8Array => files.get(file) ?? fail(`it has no ${file}`);
  const json = (file: string): unknown => {
    try {
      return JSON.parse(new TextDecoder().decode(read(file)));
    } catch (error) {
      return error instanceof TdslError ? fail(error.message) : fail(`${file} is not JSON`);
    }
  };
  const about = json(FILES.about);
  if (typeof about !== 'object' || about === null || !('format' in about))
    return fail(`${FILES.about} names no format`);
  if (about.format !== BUNDLE_FORMAT)
    fail(`its format is ${about.format}, this version of tdsl reads ${BUNDLE_FORMAT}`);
  const manifest = json(FILES.manifest);
  if (!isManifest(manifest)) return fail(`${FILES.manifest} is no manifest of format ${MANIFEST_FORMAT}`);
  const { tensors } = decodeSafetensors(read(FILES.state), `${name}: ${FILES.state}`);
  const addon = files.get(FILES.addon);
  const platform = 'platform' in about ? String(about.platform) : '';
  const stages = read(FILES.stages);
  const readStages = () =>
    decodeStages(new TextDecoder().decode(stages), manifest.sourceHash, `${name}: ${FILES.stages}`);
  return { manifest: withStages(manifest, readStages), state: tensors, ...(addon && { native: { platform, addon } }) };
}

/** Whether data have the parts of a manifest; what is in them is compared with the native module when that is loaded. */
function isManifest(value: unknown): value is Omit<Manifest, 'stages'> {
  if (typeof value !== 'object' || value === null) return false;
  const parts = ['entries', 'methods', 'state', 'sourceHash', 'name'];
  return 'format' in value && value.format === MANIFEST_FORMAT && parts.every((part) => part in value);
}

/** The native module of a bundle as a file of the cache, which is named after its content. */
async function unpackAddon(addon: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(addon).digest('hex');
  const file = path.join(cacheDirectory('bundles'), `${hash}.node`);
  const present = await readFile(file).catch(() => undefined);
  if (present === undefined || !addon.every((byte, i) => present[i] === byte) || present.length !== addon.length) {
    await writeAtomically(file, addon);
  }
  return file;
}

/** The native module of a session's model for a bundle; the session tells where its file is. */
export async function nativeOf(addonFile: string | undefined): Promise<Bundle['native']> {
  return addonFile === undefined ? undefined : { platform: PLATFORM, addon: await readFile(addonFile) };
}

/**
 * A session of the model in a bundle, with the state that the bundle holds: `await loadBundle<ModelSession>('mlp.tdz')`. The type of the session is
 * that of the compiled module that was saved.
 */
export async function loadBundle<S extends Session = Session>(
  file: FilePath,
  options: Pick<CreateOptions, 'threads'> = {},
): Promise<S> {
  const { manifest, state, native } = decodeBundle(await readFile(file), String(file));
  if (native === undefined || native.platform !== PLATFORM) {
    const found = native === undefined ? 'no native code' : `native code for ${native.platform}`;
    throw new TdslError(
      'TDSL_UNSUPPORTED',
      `${file} holds ${found}, and this is ${PLATFORM}; compile the program here and load its state, or run it with interpretBundle of tdsl/compile`,
    );
  }
  const model = defineModel<S>({ manifest, addonUrl: pathToFileURL(await unpackAddon(native.addon)) });
  const session = await model.create({ ...options, seed: 0 });
  session.loadStateDict(state);
  return session;
}
