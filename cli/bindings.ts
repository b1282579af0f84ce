// Writes index.js, index.d.ts, the manifest and the stages of a compiled module. ts-morph, which prints the first two, is large: it lies in a bundle of its own, and
// texts are kept in the cache, since most changes of a program leave its signatures as they were.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ModuleText } from '../codegen/bindings/module.js';
import { removeOldest, writeAtomically } from '../codegen/build/files.js';
import { hashOf } from '../codegen/build/identity.js';
import { writableCache } from '../codegen/build/places.js';
import { makeFolder } from '../runtime/io/folders.js';
import type { Manifest } from '../runtime/manifest.js';
import { encodeStages, STAGES_FILE } from '../runtime/stages.js';
import { loadScript } from './kept-code.js';
import { installationIdentity, packageRoot } from './package.js';

/** Stands for the addon's name in texts that are kept. */
const ADDON = 'addon.node';
/** So many texts are kept; those that were used last. */
const KEPT = 256;

function keptText(file: string): ModuleText | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ModuleText;
  } catch {
    return undefined;
  }
}

/** The texts of a module, whose addon has no name yet. */
export interface Bindings extends ModuleText {
  readonly manifest: string;
  readonly stages: string;
}

/** The texts for a manifest, where the module imports the runtime from `runtime`. */
export async function makeBindings(manifest: Manifest, runtime: string): Promise<Bindings> {
  const { sourceHash: _, ...visible } = manifest;
  const folder = path.join(await writableCache(), 'modules');
  const file = path.join(folder, `${hashOf([JSON.stringify(visible), runtime, installationIdentity()])}.json`);
  let text = keptText(file);
  if (text === undefined) {
    const script = path.join(packageRoot, 'dist', 'bundle', 'module.cjs');
    const { writeModule } = loadScript(script) as typeof import('../codegen/bindings/module.js');
    text = writeModule(manifest, { addon: ADDON, runtime });
    makeFolder(folder);
    writeAtomically(file, JSON.stringify(text));
    await removeOldest(folder, KEPT);
  }
  return { ...text, manifest: JSON.stringify(manifest), stages: encodeStages(manifest) };
}

/** Writes the files beside an addon of this name; returns their paths. */
export function writeBindings(
  { manifest, stages, dts, js }: Bindings,
  addon: string,
  outDir: string,
): readonly string[] {
  const texts = {
    [STAGES_FILE]: stages,
    'manifest.json': manifest,
    'index.d.ts': dts,
    'index.js': js.replace(ADDON, addon),
  };
  return Object.entries(texts).map(([name, text]) => {
    const file = path.join(outDir, name);
    writeAtomically(file, text);
    return file;
  });
}
