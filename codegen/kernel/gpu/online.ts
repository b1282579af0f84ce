// Finds a maximum over a row and the sum of exponentials of differences from it: one pass finds both (Milakov and Gimelshein 2018, "Online
// normalizer calculation for softmax"), so that a row too long for registers is read twice for a softmax and not three times, and written once.
//
// With the maximum m of the elements so far the sum is s = Σ exp(x - m); where the maximum becomes n, the sum becomes s·exp(m - n).

import { dimEquals, dimSymbol } from '../../../compiler/ir/dims.js';
import { apply, argument, constant, type Scalar } from '../../../compiler/ir/scalar.js';
import { eq } from '../../../compiler/scalar/expression.js';
import { type Accumulate, type Buffer, type Expr, type Fold, type Loop, type Stmt, type Temp, walk } from '../ir.js';
import { substitute } from '../positions.js';
import { exprText, printScalar } from '../print.js';
import { copyBody, mapTemps } from '../schedule/copies.js';
import { mapExpr } from '../schedule/rewrite.js';

export interface Online {
  readonly max: Accumulate;
  readonly sum: Accumulate;
  /** The pass of the maximum, and the element that it takes. */
  readonly pass: Loop;
  readonly element: Temp;
  /** What the elements are compared with, of the maximum (argument 0): itself, or 0 where it is infinite. */
  readonly shift: Scalar;
  /** What is added for an element (argument 0) and such a value (argument 1). */
  readonly term: Scalar;
}

type Let = Extract<Stmt, { kind: 'let' }>;

/** The statements of a team with the pairs of folds that one pass finds. What the second one stored for later passes they compute again. */
export function onlineFolds(body: readonly Stmt[]): {
  readonly body: readonly Stmt[];
  readonly pairs: readonly Online[];
} {
  const pairs: Online[] = [];
  let current = body;
  for (const [at, max] of body.entries()) {
    if (max.kind !== 'accumulate') continue;
    for (const sum of body.slice(at + 1)) {
      const found = sum.kind === 'accumulate' ? pairOf(max, sum, current) : undefined;
      if (found === undefined) continue;
      pairs.push(found.pair);
      current = found.body;
      break;
    }
  }
  return { body: current, pairs };
}

function pairOf(
  max: Accumulate,
  sum: Accumulate,
  body: readonly Stmt[],
): { readonly pair: Online; readonly body: readonly Stmt[] } | undefined {
  const at = body.indexOf(sum);
  const [first, second] = [passOf(max), passOf(sum)];
  if (at < 0 || first === undefined || second === undefined || !dimEquals(first.loop.extent, second.loop.extent))
    return undefined;
  if (!isFoldOf(max.fold, 'max') || !isFoldOf(sum.fold, 'add') || first.stores.length > 0) return undefined;
  const lets = new Map(second.lets.map((stmt) => [stmt.temp.name, stmt.value]));
  const exponential = applied(
    lets.get(second.argument.name),
    (scalar) => scalar.kind === 'call' && /^exp_f\d+$/.test(scalar.fn.name),
  );
  const difference = applied(
    lets.get(exponential?.[0]?.name ?? ''),
    (scalar) => scalar.kind === 'apply' && scalar.op === 'sub',
  );
  const [element, subtracted] = difference ?? [];
  const [result] = max.results as [Temp];
  if (element === undefined || subtracted === undefined || lets.has(subtracted.name)) return undefined;
  if (first.argument.dtype !== result.dtype || sum.fold.state[0] !== result.dtype) return undefined;
  const shift = shiftOf(subtracted, result, body.slice(0, at));
  const isSame = meaning(first.argument, first) === meaning(element, second);
  const isPlain = second.stores.every(({ value }) => value.name === second.argument.name);
  if (shift === undefined || !isSame || !isPlain || writes(body, readsOf(first.lets))) return undefined;
  const { value } = second.lets.find(({ temp }) => temp.name === second.argument.name) as Let;
  if (value.kind !== 'scalar' || value.body.kind !== 'call') return undefined;
  const [x, y] = [argument(0, result.dtype), argument(1, result.dtype)];
  const term: Scalar = { ...value.body, args: [apply('sub', x, y)] };
  const later = recomputed(body.slice(at + 1), second);
  if (later === undefined) return undefined;
  const { loop: pass, argument: own } = first;
  return { pair: { max, sum, pass, element: own, shift, term }, body: [...body.slice(0, at + 1), ...later] };
}

/** A plain pass over a row that folds one argument. */
interface Pass {
  readonly loop: Loop;
  readonly lets: readonly Let[];
  readonly stores: readonly Extract<Stmt, { kind: 'store' }>[];
  readonly argument: Temp;
}

function passOf({ name, body }: Accumulate): Pass | undefined {
  const [loop] = body;
  if (body.length !== 1 || loop?.kind !== 'for' || loop.mark !== 'team') return undefined;
  const last = loop.body.at(-1);
  if (last?.kind !== 'fold' || last.into !== name || last.args.length !== 1 || last.guards.length > 0) return undefined;
  const lets = loop.body.filter((stmt): stmt is Let => stmt.kind === 'let');
  const stores = loop.body.filter((stmt) => stmt.kind === 'store');
  if (lets.length + stores.length + 1 < loop.body.length) return undefined;
  return { loop, lets, stores, argument: last.args[0] as Temp };
}

/** Whether a fold joins its elements by an operator, in whatever order, and gives what it has joined. */
function isFoldOf({ state, step, finish }: Fold, op: 'max' | 'add'): boolean {
  const [only] = step;
  if (state.length !== 1 || only?.kind !== 'apply' || only.op !== op || finish[0]?.kind !== 'argument') return false;
  const places = only.args.map((arg) => (arg.kind === 'argument' ? arg.index : -1));
  return places.includes(0) && places.includes(1);
}

/** The operands of an expression whose scalar takes them in order. */
function applied(value: Expr | undefined, is: (scalar: Scalar) => boolean): readonly Temp[] | undefined {
  if (value?.kind !== 'scalar' || !is(value.body) || !('args' in value.body)) return undefined;
  const inOrder = value.body.args.every((arg, i) => arg.kind === 'argument' && arg.index === i);
  return inOrder ? value.args : undefined;
}

/** What is subtracted, as a function of the maximum; undefined unless that is the maximum wherever it is finite. */
function shiftOf(subtracted: Temp, max: Temp, before: readonly Stmt[]): Scalar | undefined {
  const own = argument(0, max.dtype);
  const lets = new Map(before.flatMap((stmt) => (stmt.kind === 'let' ? [[stmt.temp.name, stmt.value] as const] : [])));
  const inlined = (temp: Temp): Scalar | undefined => {
    if (temp.name === max.name) return own;
    const value = lets.get(temp.name);
    if (value?.kind !== 'scalar') return undefined;
    const args = value.args.map(inlined);
    return args.includes(undefined) ? undefined : replaceArguments(value.body, args as Scalar[]);
  };
  const shift = inlined(subtracted);
  if (shift === undefined || shift === own) return shift;
  const isInfinite = eq(apply('abs', own), constant(Number.POSITIVE_INFINITY, max.dtype));
  const isIt =
    shift.kind === 'select' && shift.otherwise === own && printScalar(shift.condition) === printScalar(isInfinite);
  return isIt ? shift : undefined;
}

function replaceArguments(scalar: Scalar, args: readonly Scalar[]): Scalar {
  switch (scalar.kind) {
    case 'argument':
      return args[scalar.index] as Scalar;
    case 'constant':
      return scalar;
    case 'select': {
      const [condition, then, otherwise] = [scalar.condition, scalar.then, scalar.otherwise].map((part) =>
        replaceArguments(part, args),
      ) as [Scalar, Scalar, Scalar];
      return { ...scalar, condition, then, otherwise };
    }
    case 'cast':
    case 'bitcast':
      return { ...scalar, arg: replaceArguments(scalar.arg, args) };
    default:
      return { ...scalar, args: scalar.args.map((arg) => replaceArguments(arg, args)) };
  }
}

/** A text that is the same for equal values of two passes. */
function meaning(temp: Temp, pass: Pass): string {
  const found = pass.lets.find((stmt) => stmt.temp.name === temp.name);
  if (found === undefined) return temp.name;
  const value = mapExpr(found.value, (position) => substitute(position, pass.loop.index, dimSymbol('$row')));
  return exprText(mapTemps(value, (arg) => ({ ...arg, name: meaning(arg, pass) })));
}

const readsOf = (lets: readonly Let[]): ReadonlySet<string> =>
  new Set(lets.flatMap(({ value }) => (value.kind === 'load' ? [value.buffer.name] : [])));

const writes = (body: readonly Stmt[], buffers: ReadonlySet<string>): boolean =>
  [...walk(body)].some((stmt) => stmt.kind === 'store' && buffers.has(stmt.buffer.name));

/** Later statements that compute again what a pass has stored; undefined where they read it at other places. */
function recomputed(body: readonly Stmt[], pass: Pass): readonly Stmt[] | undefined {
  const stored = new Map<Buffer, string>(
    pass.stores.map(({ buffer, offset }) => [buffer, substitute(offset, pass.loop.index, dimSymbol('$row')).key]),
  );
  if (stored.size === 0) return body;
  const inLoop = (loop: Loop): Loop => {
    const again = new Map<string, Temp>();
    const own = loop.body.flatMap((stmt): readonly Stmt[] => {
      const renamed = withTemps(stmt, again);
      if (renamed.kind !== 'let' || renamed.value.kind !== 'load' || renamed.value.guards.length > 0) return [renamed];
      const { buffer, offset } = renamed.value;
      if (stored.get(buffer) !== substitute(offset, loop.index, dimSymbol('$row')).key) return [renamed];
      const suffix = `_${renamed.temp.name}`;
      again.set(renamed.temp.name, { ...pass.argument, name: `${pass.argument.name}${suffix}` });
      return copyBody(pass.lets, suffix, new Map([[pass.loop.index, dimSymbol(loop.index)]]));
    });
    return { ...loop, body: own };
  };
  const made = body.map((stmt): Stmt => {
    if (stmt.kind === 'for' && stmt.mark === 'team') return inLoop(stmt);
    if (stmt.kind !== 'accumulate') return stmt;
    const inner = stmt.body.map((part) => (part.kind === 'for' && part.mark === 'team' ? inLoop(part) : part));
    return { ...stmt, body: inner };
  });
  // Nothing may read what is not stored any more, and where nothing is stored later it was a result.
  const isLeft = [...walk(made)].some(
    (stmt) => stmt.kind === 'let' && stmt.value.kind === 'load' && stored.has(stmt.value.buffer),
  );
  const isReplaced = [...stored.keys()].every((buffer) => writes(made, new Set([buffer.name])));
  return isReplaced && !isLeft ? made : undefined;
}

/** The statement with what it reads under other names. */
function withTemps(stmt: Stmt, names: ReadonlyMap<string, Temp>): Stmt {
  const own = (temp: Temp): Temp => names.get(temp.name) ?? temp;
  if (stmt.kind === 'let') return { ...stmt, value: mapTemps(stmt.value, own) };
  if (stmt.kind === 'store') return { ...stmt, value: own(stmt.value) };
  return stmt.kind === 'fold' ? { ...stmt, args: stmt.args.map(own) } : stmt;
}
