// Builds the project: compiles TypeScript into dist/, then bundles the command line into dist/bundle/, which starts several times faster
// than its hundreds of modules do.
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const result = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root });
process.exitCode = result.status ?? 1;

// Bundled aside and swapped in, so that a command that starts meanwhile finds either the old files or the new ones.
const bundle = path.join(root, 'dist', 'bundle');
const aside = `${bundle}.${process.pid}`;
if (process.exitCode === 0) {
  await build({
    entryPoints: [path.join(root, 'dist', 'cli', 'main.js')],
    outdir: aside,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    external: ['cmake-js', 'ts-morph'],
    // Packages in CommonJS form call `require`, which ES modules lack.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    logLevel: 'warning',
  });
  rmSync(bundle, { recursive: true, force: true });
  renameSync(aside, bundle);
}
