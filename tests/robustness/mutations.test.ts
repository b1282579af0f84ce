// Mutations of real programs: whatever the text is, the checker ends, and what it reports has a place in the text.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import { draws } from '../support/property.js';
import { assertSound, checkFiles } from './check.js';

const folders = ['examples', 'std', 'tests/syntax/samples', 'tests/conformance', 'tests/conformance/errors'];

/** The programs to mutate, as tokens. */
const seeds: readonly (readonly string[])[] = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.td'))
    .map(
      (file) =>
        readFileSync(path.join(folder, file), 'utf8').match(/\w+|\s+|"[^"\n]*"|[|=-]>|\.{2,3}|\*\*|\/\/|./gs) ?? [],
    ),
);

/** What is put in the place of a token: brackets, operators, words with a meaning, numbers at the edges. */
const fragments = [
  ...'( ) [ ] { } , : ; = . @ _ |> -> => .. ... ** // % == && ! " # \\'.split(' '),
  ...'0 1 -1 99999999999999999999 1e400 nan inf none true "text" \u0000 é 😀 \r \t'.split(' '),
  ...'fn let if else for in while mut import export dim model param buffer state derivative like fold scan map no_grad from'.split(
    ' ',
  ),
  ...'f32 i64 bool int dim tensor any key x self training grad vjp sum max arange zeros reshape .T .shape [0] [:] [::-1] *S'.split(
    ' ',
  ),
  '\n',
];

type Mutation = (tokens: string[], at: number, other: number, fragment: string) => void;

const mutations: readonly Mutation[] = [
  (tokens, at) => tokens.splice(at, 1),
  (tokens, at, other) => tokens.splice(at, 1 + (other % 40)),
  (tokens, at, _, fragment) => tokens.splice(at, 0, fragment),
  (tokens, at, _, fragment) => tokens.splice(at, 1, fragment),
  (tokens, at, other) => tokens.splice(at, 0, tokens[other] ?? ''),
  (tokens, at, other) => {
    [tokens[at], tokens[other]] = [tokens[other] ?? '', tokens[at] ?? ''];
  },
  // A word for another word, a number for another number: most such programs parse.
  (tokens, at, other) => {
    const words = tokens.flatMap((token, i) => (/^\w+$/.test(token) ? [i] : []));
    const [target, source] = [words[at % words.length], words[other % words.length]];
    if (target !== undefined && source !== undefined) tokens[target] = tokens[source] ?? '';
  },
  (tokens, at) => tokens.splice(at),
];

const step = fc.record({
  mutation: fc.constantFrom(...mutations),
  at: fc.nat(1_000_000),
  other: fc.nat(1_000_000),
  fragment: fc.constantFrom(...fragments),
});

const mutant = fc
  .tuple(fc.constantFrom(...seeds), fc.array(step, { minLength: 1, maxLength: 3 }))
  .map(([seed, steps]) => {
    const tokens = [...seed];
    for (const { mutation, at, other, fragment } of steps) {
      if (tokens.length > 0) mutation(tokens, at % tokens.length, other % tokens.length, fragment);
    }
    return tokens.join('');
  });

test('mutated programs are checked or refused', () => {
  fc.assert(
    fc.property(mutant, (text) => assertSound(checkFiles({ 'mutant.td': text }))),
    draws(400),
  );
});

test('random texts are refused', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...fragments)).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(text, (random) => assertSound(checkFiles({ 'random.td': random }))),
    draws(300),
  );
});

test.run();
