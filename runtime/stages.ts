// The stages of a compile, which are the text of the IR after each pass, in files of their own: they are many times larger than everything else that is
// known of a model, and few programs ask for them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TdslError } from './errors.js';
import type { Manifest, Stages } from './manifest.js';

/** The name of the file with the stages, beside manifest.json. */
export const STAGES_FILE = 'stages.json';

/** A manifest whose stages are read when they are first asked for. Copies and texts of it are made without them. */
export function withStages(manifest: Omit<Manifest, 'stages'>, read: () => Stages): Manifest {
  let known: Stages | undefined;
  const stages = (): Stages => {
    known ??= read();
    return known;
  };
  return Object.defineProperty({ ...manifest }, 'stages', { get: stages }) as Manifest;
}

/** The text of the file with the stages of a manifest. */
export const encodeStages = ({ sourceHash, stages }: Manifest): string => JSON.stringify({ sourceHash, stages });

/** The stages in the text of a file, which must be of the same compile; `name` is for messages. */
export function decodeStages(text: string, sourceHash: string, name: string): Stages {
  const found = JSON.parse(text) as { readonly sourceHash?: unknown; readonly stages?: Stages } | null;
  if (found?.stages !== undefined && found.sourceHash === sourceHash) return found.stages;
  throw new TdslError('TDSL_ABI', `${name} and the manifest are from different compiles; compile the program again`);
}

/** The manifest in a file, with the stages that lie beside it. */
export function readManifest(url: URL): Manifest {
  const manifest = JSON.parse(readFileSync(url, 'utf8')) as Omit<Manifest, 'stages'>;
  return withStages(manifest, () => {
    const file = fileURLToPath(new URL(STAGES_FILE, url));
    try {
      return decodeStages(readFileSync(file, 'utf8'), manifest.sourceHash, file);
    } catch (cause) {
      if (cause instanceof TdslError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TdslError('TDSL_ABI', `the stages of ${manifest.name} cannot be read: ${reason}; compile it again`, {
        cause,
      });
    }
  });
}
