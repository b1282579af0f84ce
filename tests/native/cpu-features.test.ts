// The features of processors that a model is checked for, against all that the C compiler may use on the processors that it knows.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

const compiler = process.env.CC ?? 'cc';

/** What only intrinsics reach: ciphers, hashes, transactions, cache control, random numbers, matrices and hints. */
const INTRINSIC_ONLY =
  /^(3dNOW(_A)?|ABM|AES|AMX_\w+|AVX512(4FMAPS|4VNNIW|VP2INTERSECT)|CLDEMOTE|CL(FLUSHOPT|WB|ZERO)|CRC32|ENQCMD|FSGSBASE|FXSR|HLE|HRESET|KL|LAHF_SAHF|LWP|MMX(_WITH_SSE)?|MOVDIR64B|MOVDIRI|MWAITX?|PCLMUL|PCONFIG|PKU|PREFETCH(I|WT1)|PRFCHW|PTWRITE|RDPID|RDPRU|RDRND|RDSEED|RTM|SERIALIZE|SGX|SHA(512)?|SHSTK|SM[34]|SSE4A|TSXLDTRK|UINTR|USER_MSR|VAES|WAITPKG|WBNOINVD|WIDEKL|XSAVE(C|OPT|S)?|CMPCCXADD|RAOINT|EVEX(256|512)|AVX10_1(_(256|512))?)$/;

/** The instruction sets that the compiler may use for a processor, by the names of their macros; undefined where it is none of 64 bits. */
function instructionSets(cpu: string): readonly string[] | undefined {
  const { status, stdout } = spawnSync(compiler, [`-march=${cpu}`, '-dM', '-E', '-x', 'c', '/dev/null'], {
    encoding: 'utf8',
  });
  const names = Array.from(stdout.matchAll(/^#define __([A-Z0-9_]+)__ 1$/gm), ([, name]) => name as string);
  return status === 0 && names.includes('SSE2') ? names : undefined;
}

/** The processors that the compiler names where it is asked for one that there is not. */
function knownProcessors(): readonly string[] {
  const { stderr } = spawnSync(compiler, ['-march=none', '-E', '-x', 'c', '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return (
    /valid (?:arguments to '-march=' switch|target CPU values) are: ([^;\n]*)/.exec(stderr)?.[1]?.match(/[\w.-]+/g) ??
    []
  );
}

test('models are checked for every feature that a compiler may use', () => {
  if (process.arch !== 'x64') return;
  const header = readFileSync(path.join(packageRoot, 'codegen', 'rts', 'tdsl_cpu.h'), 'utf8');
  const listed = new Set(Array.from(header.matchAll(/#ifdef __(\w+?)__$/gm), ([, name]) => name));
  const general = instructionSets('x86-64') ?? [];
  const processors = knownProcessors();
  assert.ok(processors.length > 20, `${compiler} names ${processors.length} processors`);
  const unlisted = new Set<string>();
  for (const cpu of processors)
    for (const name of instructionSets(cpu) ?? [])
      if (!general.includes(name) && !listed.has(name) && !INTRINSIC_ONLY.test(name)) unlisted.add(`${name} of ${cpu}`);
  assert.equal([...unlisted], []);
});

test.run();
