// Builds the project: compiles TypeScript into dist/, then bundles the command line, what it writes typed modules with, and `tdsl/compile` into
// dist/bundle/, which start several times faster than their hundreds of modules do.
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const result = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root });
process.exitCode = result.status ?? 1;

/** Keeps the runtime out of a bundle: programs that import `tdsl` too must see the same classes. */
const ownRuntime = {
  name: 'own-runtime',
  setup({ onResolve }) {
    onResolve({ filter: /\/runtime\// }, ({ path: name, resolveDir }) => {
      const file = path.relative(path.join(root, 'dist'), path.resolve(resolveDir, name)).replaceAll('\\', '/');
      return file.startsWith('runtime/') ? { path: `../${file}`, external: true } : undefined;
    });
  },
};

const options = {
  bundle: true,
  platform: 'node',
  external: ['cmake-js'],
  logLevel: 'warning',
};

/** ES modules. Packages in CommonJS form call `require`, which these lack. */
const modules = {
  ...options,
  splitting: true,
  format: 'esm',
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
};

/** One script in CommonJS form, of which Node 20 too can keep the code that it made of it. */
const script = {
  ...options,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'ownUrl' },
  banner: { js: "const ownUrl = require('node:url').pathToFileURL(__filename).href;" },
};

// Bundled aside and swapped in, so that a command that starts meanwhile finds either the old files or the new ones.
const bundle = path.join(root, 'dist', 'bundle');
const aside = `${bundle}.${process.pid}`;
if (process.exitCode === 0) {
  const entry = (...name) => ({ entryPoints: [`${path.join(root, 'dist', ...name)}.js`], outdir: aside });
  await build({ ...modules, ...entry('cli', 'start') });
  await build({ ...script, ...entry('cli', 'main') });
  await build({ ...script, ...entry('codegen', 'bindings', 'module'), external: [], minify: true });
  await build({ ...modules, ...entry('cli', 'api'), plugins: [ownRuntime] });
  rmSync(bundle, { recursive: true, force: true });
  renameSync(aside, bundle);
}
