// The files of a model come one by one, so that compilers begin early: each after those that it includes, and each kernel in one of them.

import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { generate } from '../../codegen/generate.js';
import { machines } from '../../codegen/kernel/machine.js';

const program = lower(loadProgram(path.resolve('examples/mlp.td'))).program;

function filesFor(cpus: readonly string[]): readonly (readonly [name: string, text: string])[] {
  const files: [string, string][] = [];
  const { sources } = generate(program, {
    target: 'c',
    version: '',
    sourceHash: '',
    machines: machines.filter(({ name }) => name === 'avx2'),
    cpus,
    onFile: (name, text) => files.push([name, text]),
  });
  assert.equal([...sources], files);
  return files;
}

for (const cpus of [['native'], ['x86-64-v3', 'x86-64-v4']]) {
  test(`files for ${cpus.join()}`, () => {
    const files = filesFor(cpus);
    const names = new Set(files.map(([name]) => name));
    assert.is(names.size, files.length);
    const told = new Set<string>();
    for (const [name, text] of files) {
      told.add(name);
      for (const [, included = ''] of text.matchAll(/^#include "([^"]+)"/gm))
        if (names.has(included)) assert.ok(told.has(included), `${name} includes ${included}`);
    }
    const kernels = files.filter(([name]) => name.startsWith('kernels_'));
    const defined = kernels.flatMap(([, text]) => [...text.matchAll(/^void (kernel_\d+)\(.*\{$/gm)].map((m) => m[1]));
    const declared = [...(new Map(files).get('kernels.h') ?? '').matchAll(/\bvoid (kernel_\d+)\(/g)].map((m) => m[1]);
    assert.ok(declared.length > 10);
    assert.equal([...defined].sort(), [...declared].sort());
    assert.equal(filesFor(cpus), files);
  });
}

test.run();
