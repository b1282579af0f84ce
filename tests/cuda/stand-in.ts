// Run by driver.test.ts in a process of its own, in which the emulator stands in for libcuda.so.1: `node stand-in.js ADDON EXAMPLE`.

import { createRequire } from 'node:module';
import { nativeInstance } from '../../cli/backends.js';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import type { Addon } from '../../runtime/addon.js';
import { compareExample, fileOf } from './examples.js';

const [file = '', name = ''] = process.argv.slice(2);
const lowered = lower(loadProgram(fileOf(name), { dims: {} }));
compareExample(name, lowered, nativeInstance(lowered.program, createRequire(import.meta.url)(file) as Addon));
console.log('ok');
