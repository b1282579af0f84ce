// Finds and installs what is measured against. None of it is a dependency: packages go to build/bench/peers, without their scripts.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The versions that were measured; the packages ship their binaries and load nothing further. */
const PACKAGES = {
  'onnxruntime-node': '1.30.0',
  '@tensorflow/tfjs-core': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
} as const;

/** The folder with the packages; undefined, with the reason printed, where they cannot be had. */
export function installPackages(folder: string): string | undefined {
  const installed = Object.keys(PACKAGES).every((name) => existsSync(path.join(folder, 'node_modules', name)));
  if (installed) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }));
  console.log('installing ONNX Runtime and TensorFlow.js ...');
  const npm = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (npm.status === 0) return folder;
  console.log(`no ONNX Runtime and no TensorFlow.js: npm install failed: ${(npm.stderr ?? '').split('\n')[0] ?? ''}`);
  return undefined;
}

/** A Python that imports a module; Debian's packages are seen by /usr/bin/python3 only. */
export function findPython(module: string): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0,
  );
}

function compileC(args: readonly string[], source: string): void {
  const cc = spawnSync(process.env.CC || 'cc', [...args, source], { encoding: 'utf8' });
  if (cc.status !== 0) throw new Error(`the C compiler refuses ${source}: ${cc.stderr ?? ''}`);
}

/** The program that measures the machine, compiled by the C compiler. */
export function buildMachineProbe(source: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const target = path.join(folder, 'machine');
  compileC(['-O2', '-march=native', '-ffp-contract=fast', '-pthread', '-o', target], source);
  return target;
}

/** The program that calls a model from C, whose library lies in `library` with its header. */
export function buildCallProbe(bench: string, library: string, model: string): string {
  const target = path.join(library, 'call');
  const shared = path.join(library, `lib${model}.so`);
  compileC(
    ['-O2', `-I${library}`, `-Wl,-rpath,${library}`, '-Wl,--no-as-needed', shared, '-o', target],
    path.join(bench, 'peers', 'call.c'),
  );
  return target;
}
