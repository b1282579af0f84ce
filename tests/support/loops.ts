// Functions with loops and conditional nodes, in the text of the IR, for tests of every stage.

import { dimSymbols } from '../../compiler/ir/dims.js';
import type { Func, Module } from '../../compiler/ir/graph.js';
import { parseModule } from '../../compiler/ir/parse.js';
import { renameRegion } from '../../compiler/ir/rewrite.js';
import type { Entry, Program } from '../../compiler/program.js';
import { derivativeOf } from './calculus.js';

/** The last function of each text is the one to evaluate; its parameters are all it needs. */
export const loopTexts = {
  /** h ← tanh(W h + x), all h and the last one. */
  elman: `
fn step(%i: i64, %w: f64[H, H], %h: f64[B, H], %x: f64[B, H]) -> (f64[B, H], f64[B, H]) {
  %a = contract [b, o] over k: %h[b, k] * %w[o, k] : f64[B, H]
  %s = add %a, %x : f64[B, H]
  %n = tanh %s : f64[B, H]
  return %n, %n
}
fn elman(%w: f64[H, H], %h0: f64[B, H], %xs: f64[T, B, H]) -> (f64[T, B, H], f64[B, H]) {
  %h, %hs = loop @step over [T] with %w carry %h0 each %xs : f64[B, H], f64[T, B, H]
  return %hs, %h
}`,
  /** Products of what slices give with a matrix, which another value of the trip reads, too; from the last step to the first. */
  sliced: `
fn step(%i: i64, %w: f64[H, H], %u: f64[H, H], %h: f64[B, H], %x: f64[B, H]) -> (f64[B, H], f64[B, H]) {
  %s = sin %x : f64[B, H]
  %p = contract [b, o] over k: %s[b, k] * %w[o, k] : f64[B, H]
  %q = contract [b, o] over k: %h[b, k] * %u[o, k] : f64[B, H]
  %a = add %p, %q : f64[B, H]
  %n = tanh %a : f64[B, H]
  %y = mul %n, %p : f64[B, H]
  return %n, %y
}
fn sliced(%w: f64[H, H], %u: f64[H, H], %h0: f64[B, H], %xs: f64[T, B, H]) -> (f64[T, B, H], f64[B, H]) {
  %h, %ys = loop @step over [T] reverse with %w, %u carry %h0 each %xs : f64[B, H], f64[T, B, H]
  return %ys, %h
}`,
  /** Elementwise steps from the last to the first; the position takes part. */
  backwards: `
fn step(%i: i64, %w: f64[N], %h: f64[N], %x: f64[N]) -> (f64[N], f64[N]) {
  %p = cast %i : f64
  %a = mul %h, %w : f64[N]
  %s = add %a, %x : f64[N]
  %n = sin %s : f64[N]
  %q = mul %p, %n : f64[N]
  %y = mul %q, %x : f64[N]
  return %n, %y
}
fn backwards(%w: f64[N], %h0: f64[N], %xs: f64[T, N]) -> (f64[N], f64[T, N]) {
  %h, %ys = loop @step over [T] reverse with %w carry %h0 each %xs : f64[N], f64[T, N]
  return %h, %ys
}`,
  /** Two carries that change places, a third that stays, and no slices. */
  swap: `
fn step(%i: i64, %c: f64[N], %a: f64[N], %b: f64[N], %k: f64[N]) -> (f64[N], f64[N], f64[N]) {
  %s = sin %a : f64[N]
  %m = mul %s, %k : f64[N]
  %t = mul %m, %c : f64[N]
  return %b, %t, %k
}
fn swap(%c: f64[N], %a: f64[N], %b: f64[N], %k: f64[N]) -> (f64[N], f64[N], f64[N]) {
  %x, %y, %z = loop @step over [5] with %c carry %a, %b, %k : f64[N], f64[N], f64[N]
  return %x, %y, %z
}`,
  /** Doubles a vector until its norm is at least 1000; then the sign of its sum decides. */
  doubling: `
fn more(%i: i64, %b: f64[N]) -> bool {
  %q = mul %b, %b : f64[N]
  %s = sum %q over [0] : f64
  %r = sqrt %s : f64
  %c = lt %r, f64(1000) : bool
  return %c
}
fn twice(%i: i64, %b: f64[N]) -> f64[N] {
  %d = mul %b, f64(2) : f64[N]
  return %d
}
fn same(%b: f64[N]) -> f64[N] {
  return %b
}
fn hundred(%b: f64[N]) -> f64[N] {
  %d = mul %b, f64(100) : f64[N]
  return %d
}
fn doubling(%a: f64[N]) -> f64[N] {
  %b0 = mul %a, f64(2) : f64[N]
  %b, %n = loop @twice over [64] while @more carry %b0 : f64[N], i64
  %s = sum %b over [0] : f64
  %c = gt %s, f64(0) : bool
  %d = if %c then @same else @hundred (%b) : f64[N]
  return %d
}`,
  /** Newton's method for a square root: trips until the error is small, with a bound, and what each trip had. */
  newton: `
fn more(%i: i64, %a: f64, %x: f64) -> bool {
  %q = mul %x, %x : f64
  %e = sub %q, %a : f64
  %m = abs %e : f64
  %c = gt %m, f64(0.001) : bool
  return %c
}
fn step(%i: i64, %a: f64, %x: f64) -> (f64, f64) {
  %d = div %a, %x : f64
  %s = add %x, %d : f64
  %h = mul %s, f64(0.5) : f64
  return %h, %x
}
fn newton(%v: f64[N]) -> (f64, f64[40], i64) {
  %q = mul %v, %v : f64[N]
  %a = sum %q over [0] : f64
  %b = add %a, f64(1) : f64
  %x, %xs, %n = loop @step over [40] while @more with %b carry %b : f64, f64[40], i64
  return %x, %xs, %n
}`,
  /** A number of trips that is a value, inside of a bound; a branch that depends on the position. */
  counted: `
fn grow(%h: f64[N], %x: f64[N]) -> f64[N] {
  %p = mul %h, %x : f64[N]
  %s = add %p, %x : f64[N]
  return %s
}
fn fall(%h: f64[N], %x: f64[N]) -> f64[N] {
  %n = cos %h : f64[N]
  return %n
}
fn step(%i: i64, %h: f64[N], %x: f64[N]) -> (f64[N], f64[N]) {
  %c = ge %i, i64(2) : bool
  %n = if %c then @grow else @fall (%h, %x) : f64[N]
  return %n, %h
}
fn counted(%h0: f64[N], %xs: f64[6, N]) -> (f64[N], f64[6, N]) {
  %n = size {N + 2} : i64
  %h, %ys = loop @step over [6] times %n carry %h0 each %xs : f64[N], f64[6, N]
  return %h, %ys
}`,
  /** A loop in a loop: both have constants, carries and slices. */
  nested: `
fn inner(%i: i64, %w: f64[N], %g: f64, %h: f64[N], %x: f64) -> (f64[N], f64[N]) {
  %a = mul %h, %w : f64[N]
  %e = mul %g, %x : f64
  %s = add %a, %e : f64[N]
  %n = tanh %s : f64[N]
  return %n, %s
}
fn outer(%j: i64, %w: f64[N], %h: f64[N], %x: f64[N]) -> (f64[N], f64) {
  %q = mul %h, %x : f64[N]
  %g = sum %q over [0] : f64
  %n, %ys = loop @inner over [N] reverse with %w, %g carry %h each %x : f64[N], f64[N, N]
  %y = sum %ys over [0, 1] : f64
  return %n, %y
}
fn nested(%w: f64[N], %h0: f64[N], %xs: f64[T, N]) -> (f64[N], f64[T]) {
  %h, %ys = loop @outer over [T] with %w carry %h0 each %xs : f64[N], f64[T]
  return %h, %ys
}`,
  /** Blocks of trips: reverse mode keeps the carry of each block and runs one block at a time again. */
  blocks: `
fn step(%i: i64, %w: f64[N], %h: f64[N], %x: f64[N]) -> f64[N] {
  %a = mul %h, %w : f64[N]
  %s = add %a, %x : f64[N]
  %n = tanh %s : f64[N]
  return %n
}
fn block(%w: f64[N], %h: f64[N], %xs: f64[3, N]) -> (f64[N], f64) {
  %n = loop @step over [3] with %w carry %h each %xs : f64[N]
  %e = sum %n over [0] : f64
  return %n, %e
}
fn outer(%i: i64, %w: f64[N], %h: f64[N], %xs: f64[3, N]) -> (f64[N], f64) {
  %n, %e = checkpoint @block(%w, %h, %xs) : f64[N], f64
  return %n, %e
}
fn blocks(%w: f64[N], %h0: f64[N], %xs: f64[T, 3, N]) -> (f64[N], f64[T]) {
  %h, %ys = loop @outer over [T] with %w carry %h0 each %xs : f64[N], f64[T]
  return %h, %ys
}`,
} as const;

export type LoopName = keyof typeof loopTexts;

export const loopNames = Object.keys(loopTexts) as readonly LoopName[];

/** The run-time dimensions that the functions are tried with. */
export const loopDims: ReadonlyMap<string, number> = new Map([
  ['B', 2],
  ['H', 3],
  ['N', 3],
  ['T', 4],
]);

/** A module; the function to evaluate has the name of the text. */
export const loopModule = (name: LoopName): Module => parseModule(`tdir 1\n${loopTexts[name]}`);

/** An entry of which all parameters are arguments. */
export function entryOf(fn: Func): Entry {
  const symbols = new Set<string>();
  for (const { type } of fn.params) for (const dim of type.shape) dimSymbols(dim, symbols);
  return {
    name: fn.name,
    fn: fn.name,
    inputs: fn.params.map(({ name }) => ({ kind: 'argument', path: name })),
    outputs: fn.results.map((_, i) => ({ kind: 'result', path: String(i) })),
    arguments: fn.params.map(({ name, type }, index) => ({ name, structure: { kind: 'tensor', index, type } })),
    result: { kind: 'tuple', items: fn.results.map(({ type }, index) => ({ kind: 'tensor', index, type })) },
    symbols: [...symbols],
    constraints: [],
  };
}

/** A module and the name of its main function. */
export interface Loop {
  readonly module: Module;
  readonly fn: string;
}

/** A program whose entries are the main functions, and their derivatives up to an order; derivatives are not expanded. */
export function programOfLoops(loops: readonly Loop[], order: number): Program {
  const functions = new Map<string, Func>();
  const entries: Entry[] = [];
  for (const { module, fn } of loops) {
    const rename = (name: string) => (name === fn ? fn : `${fn}.${name}`);
    for (const func of module.functions.values()) {
      const nodes = func.nodes.map((node) =>
        node.kind === 'region' ? { ...node, region: renameRegion(node.region, rename) } : node,
      );
      functions.set(rename(func.name), { ...func, name: rename(func.name), nodes });
    }
    let last = [functions.get(fn) as Func];
    for (let n = 0; ; n++) {
      entries.push(...last.map(entryOf));
      if (n === order) break;
      last = last.flatMap((func) => [derivativeOf(func, 'jvp'), derivativeOf(func, 'vjp')]);
      for (const func of last) functions.set(func.name, func);
    }
  }
  return { name: 'loops', module: { functions }, entries, state: [] };
}

/** The program of some of the loops above. */
export const loopProgram = (names: readonly LoopName[], order: number): Program =>
  programOfLoops(
    names.map((fn) => ({ module: loopModule(fn), fn })),
    order,
  );
