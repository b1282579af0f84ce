// A host that notes what it is asked and what it answered, so that another time one can tell whether it would still answer the same: also
// where a file was looked for and not found.

import { hashOf } from '../codegen/build/identity.js';
import type { Host } from '../compiler/host.js';

/** A question to a host, as data. */
export type Question =
  | readonly ['readFile', path: string]
  | readonly ['resolve', from: string, name: string]
  | readonly ['standardModules'];

/** A question, and a hash of the answer. */
export type Observation = readonly [question: Question, answer: string];

function ask(host: Host, [call, first = '', second = '']: Question): unknown {
  if (call === 'readFile') return host.readFile(first);
  return call === 'resolve' ? host.resolve(first, second) : host.standardModules();
}

const hashOfAnswer = (answer: unknown): string => hashOf([JSON.stringify(answer) ?? 'undefined']);

export interface ObservedHost extends Host {
  readonly observations: () => readonly Observation[];
}

export function observe(host: Host): ObservedHost {
  const found = new Map<string, Observation>();
  const note = <T>(question: Question, answer: T): T => {
    const key = JSON.stringify(question);
    const hash = hashOfAnswer(answer);
    const known = found.get(key)?.[1] ?? hash;
    // An answer that changes on the way cannot be trusted: no later one equals it.
    found.set(key, [question, known === hash ? hash : 'changed']);
    return answer;
  };
  return {
    readFile: (path) => note(['readFile', path], host.readFile(path)),
    resolve: (from, name) => note(['resolve', from, name], host.resolve(from, name)),
    // Only a compile that fails asks for it, and its result is not kept.
    filesBeside: (path) => host.filesBeside?.(path) ?? [],
    standardModules: () => note(['standardModules'], host.standardModules()),
    observations: () => [...found.values()],
  };
}

/** Whether a host gives the answers that were noted. */
export const agrees = (host: Host, observations: readonly Observation[]): boolean =>
  observations.every(([question, answer]) => hashOfAnswer(ask(host, question)) === answer);
