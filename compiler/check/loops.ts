// What repeats: folds, scans and `while`, which run as loops or are unrolled; comprehensions and walks over trees, which always are; and
// `no_grad` blocks.

import { type Dim, dimAdd, dimConst, dimMax, dimSub, dimValue, isDimConst, printDim } from '../ir/dims.js';
import type { Value } from '../ir/graph.js';
import type * as ast from '../syntax/ast.js';
import { detached } from './assign.js';
import type { Context } from './context.js';
import { type Course, runTimeLoop } from './control/loop.js';
import { evaluate, evaluatePlace } from './evaluate.js';
import { Failure, Poisoned } from './failure.js';
import { textOf } from './match.js';
import { condition, isTest, notOneBool } from './operators.js';
import { bindPattern } from './patterns.js';
import { fieldOf, Scope } from './scope.js';
import { isNumeric, toTensor } from './tensors.js';
import { alignTrees, treeOf } from './trees.js';
import {
  type Arg,
  contents,
  describe,
  fnValue,
  int,
  list,
  none,
  string,
  tensor,
  tuple,
  type Val,
  weakened,
} from './values.js';

/** More steps than this make a graph that is no use to anybody. */
const maxUnrolled = 4096;

/** The elements of a sequence, in order: of a list, tuple, range, or a tensor's first axis. */
export function iterate(cx: Context, sequence: Val): readonly Val[] {
  switch (sequence.kind) {
    case 'list':
    case 'tuple':
      return sequence.items;
    case 'record':
      return [...sequence.fields.values()];
    case 'range': {
      const [start, end] = [dimValue(sequence.start), dimValue(sequence.end)];
      if (start === undefined || end === undefined) return runTimeLength(cx, sequence);
      return Array.from({ length: checkedLength(cx, Math.max(0, end - start)) }, (_, i) => int(dimConst(start + i)));
    }
    case 'tensor': {
      const { value } = sequence;
      const [length, ...rest] = value.type.shape;
      if (length === undefined)
        cx.fail('E0303', { message: `a tensor of rank 0 is no sequence: ${describe(sequence)}` });
      const count = dimValue(length);
      if (count === undefined) return runTimeLength(cx, sequence);
      return Array.from({ length: checkedLength(cx, count) }, (_, i) => tensor(elementAt(cx, value, i, rest)));
    }
    case 'model': {
      const inside = fieldOf(sequence, contents);
      if (inside !== undefined) return iterate(cx, inside);
    }
  }
  return cx.fail('E0301', { message: `a sequence is a list, a tuple, a range or a tensor, not ${describe(sequence)}` });
}

function runTimeLength(cx: Context, sequence: Val): never {
  return cx.fail('L0902', {
    message: `the length of ${describe(sequence)} is known only when running, and this is unrolled when compiling`,
    help: 'use `fold` or `scan`, or fix the dimension with `--dim NAME=SIZE`',
  });
}

function checkedLength(cx: Context, length: number): number {
  cx.spend(Math.min(length, maxUnrolled));
  if (length <= maxUnrolled) return length;
  return cx.fail('L0902', { message: `a loop of ${length} steps is too long to be unrolled (at most ${maxUnrolled})` });
}

function elementAt(cx: Context, value: Value, at: number, rest: readonly Dim[]): Value {
  const starts = [dimConst(at), ...rest.map(() => dimConst(0))];
  const slice = cx.b.view(value, { type: 'slice', starts, steps: starts.map(() => 1), sizes: [dimConst(1), ...rest] });
  return cx.b.reshape(slice, rest);
}

export function comprehension(cx: Context, expr: ast.Comprehension, scope: Scope): Val {
  const items: Val[] = [];
  const walk = (depth: number, inner: Scope): void => {
    const clause = expr.clauses[depth];
    if (clause === undefined) {
      items.push(evaluate(cx, expr.element, inner));
      return;
    }
    for (const item of iterate(cx, evaluate(cx, clause.iterable, inner))) {
      const body = inner.block();
      bindPattern(cx, clause.pattern, item, body, 'variable');
      if (
        clause.conditions.every((test) => condition(cx, evaluate(cx, test, body), 'the condition of a comprehension'))
      )
        walk(depth + 1, body);
    }
  };
  walk(0, scope);
  return list(items);
}

/** Loops of at most this many trips are unrolled: each trip is then simplified by itself. */
const fewTrips = 8;

/** What a loop over a sequence runs over; undefined for sequences of the compiler. */
function courseOf(cx: Context, sequence: Val): Course | undefined {
  if (sequence.kind === 'range') {
    const { start, end } = sequence;
    const item = (position: Value): Val =>
      weakened(isDimConst(start, 0) ? position : cx.b.elementwise('add', [position, cx.b.size(start)]));
    return { length: dimMax(dimConst(0), dimSub(end, start)), xs: [], item };
  }
  const stacks = stacksOf(sequence);
  if (stacks === undefined) return undefined;
  const [length] = stacks.map(({ type }) => type.shape[0]);
  if (length === undefined) return undefined;
  const xs = stacks.map((value) => {
    const [own, ...shape] = value.type.shape as readonly [Dim, ...Dim[]];
    if (!cx.sameSize(own, length, 'what a loop goes over together has one length'))
      cx.fail('E0302', { message: `a loop goes over tensors of one length, not of ${own.key} and ${length.key}` });
    return cx.b.reshape(value, [length, ...shape]);
  });
  const item = (_: Value, slices: readonly Value[]): Val =>
    sequence.kind === 'tensor' ? tensor(slices[0] as Value) : tuple(slices.map(tensor));
  return { length, xs, item };
}

/** The tensors that a loop goes over together: one, or those of a tuple. */
function stacksOf(sequence: Val): readonly Value[] | undefined {
  if (sequence.kind === 'tensor') return sequence.value.type.shape.length > 0 ? [sequence.value] : undefined;
  if (sequence.kind !== 'tuple' || sequence.items.length === 0) return undefined;
  const stacks = sequence.items.map(stacksOf);
  if (!sequence.items.every((item) => item.kind === 'tensor') || stacks.includes(undefined)) return undefined;
  return stacks.flatMap((stack) => stack ?? []);
}

/** The items of a sequence of known length, for a loop that is unrolled. */
function itemsOf(cx: Context, sequence: Val, course: Course | undefined): readonly Val[] {
  const count = course?.length === undefined ? undefined : dimValue(course.length);
  if (sequence.kind !== 'tuple' || course === undefined || count === undefined) return iterate(cx, sequence);
  return Array.from({ length: checkedLength(cx, count) }, (_, i) =>
    tuple(course.xs.map((value) => tensor(elementAt(cx, value, i, value.type.shape.slice(1))))),
  );
}

/**
 * Runs a fold or scan: as a loop of the graph, or unrolled where the sequence is a list, there are few trips, or the body needs what only an
 * unrolled loop has, such as a position that is known when compiling.
 */
function runLoop<T>(cx: Context, expr: ast.Fold | ast.Scan, scope: Scope, forms: LoopForms<T>): T {
  const body = fnValue({ type: 'lambda', node: expr.body, scope });
  const site = { source: scope.unit.source, span: expr.body.span };
  const arg = (value: Val): Arg => ({ value, site });
  const step = (carry: Val, item: Val): Val => cx.engine.call(cx, body, [arg(carry), arg(item)]);
  const init = evaluate(cx, expr.init, scope);
  const sequence = evaluate(cx, expr.sequence, scope);
  const course = courseOf(cx, sequence);
  const count = course?.length === undefined ? undefined : dimValue(course.length);
  if (course === undefined || (count !== undefined && count <= fewTrips))
    return forms.unrolled(init, itemsOf(cx, sequence, course), step);
  if (count === undefined || count > maxUnrolled) return forms.running(init, course, step);
  const [reported, draws] = [cx.diagnostics.length, cx.draws];
  try {
    return forms.running(init, course, step);
  } catch (error) {
    if (!(error instanceof Failure || error instanceof Poisoned)) throw error;
    cx.diagnostics.length = reported;
    cx.draws = draws;
    return forms.unrolled(init, itemsOf(cx, sequence, course), step);
  }
}

/** The two ways in which a loop over a sequence is written. */
interface LoopForms<T> {
  readonly running: (init: Val, course: Course, step: (carry: Val, item: Val) => Val) => T;
  readonly unrolled: (init: Val, items: readonly Val[], step: (carry: Val, item: Val) => Val) => T;
}

/** The last carry. */
export const fold = (cx: Context, expr: ast.Fold, scope: Scope): Val =>
  runLoop(cx, expr, scope, {
    running: (init, course, step) =>
      runTimeLoop(cx, { name: 'fold', init, course, step: (carry, item) => ({ carry: step(carry, item) }) }).carry,
    unrolled: (init, items, step) => items.reduce(step, init),
  });

/** What a step of a scan gives. */
function scanStep(cx: Context, result: Val): { readonly carry: Val; readonly output: Val } {
  if (result.kind !== 'tuple' || result.items.length !== 2) {
    cx.fail('E0301', { message: `the body of \`scan\` gives (carry, output), not ${describe(result)}` });
  }
  const [carry, output] = result.items as readonly [Val, Val];
  return { carry, output };
}

/** What the steps give beside the carry, stacked, and the last carry. */
export const scan = (cx: Context, expr: ast.Scan, scope: Scope): Val =>
  runLoop(cx, expr, scope, {
    running: (init, course, step) => {
      const { carry, output } = runTimeLoop(cx, {
        name: 'scan',
        init,
        course,
        step: (before, item) => scanStep(cx, step(before, item)),
      });
      return tuple([output ?? none, carry]);
    },
    unrolled: (init, items, step) => {
      const outputs: Val[] = [];
      const last = items.reduce((before: Val, item) => {
        const { carry, output } = scanStep(cx, step(before, item));
        outputs.push(output);
        return carry;
      }, init);
      if (outputs.length === 0) cx.fail('E0325', { message: 'a scan over nothing has no outputs to stack' });
      const names = outputs.map((_, i) => `output ${i}`);
      const trees = outputs.map((output) => treeOf(cx, output));
      return tuple([alignTrees(cx, trees, names, (_, leaves) => stack(cx, leaves)), last]);
    },
  });

/** `while condition max limit from pattern = init { next }`: the value for which the condition no longer holds. */
export function whileLoop(cx: Context, expr: ast.While, scope: Scope): Val {
  const limit = expr.limit === undefined ? undefined : evaluate(cx, expr.limit, scope);
  if (limit !== undefined && limit.kind !== 'int')
    cx.fail('E0301', { message: `the bound of \`while\` is an int, not ${describe(limit)}` });
  if (limit !== undefined && !cx.nonNegative(limit.dim, 'the bound of `while` is not negative'))
    cx.fail('E0324', { message: `the bound of \`while\` is negative: ${printDim(limit.dim)}` });
  const inside = (carry: Val): Scope => {
    const inner = Scope.function(scope.unit, 'while', scope);
    bindPattern(cx, expr.pattern, carry, inner, 'variable');
    return inner;
  };
  return runTimeLoop(cx, {
    name: 'while',
    init: evaluate(cx, expr.init, scope),
    course: { length: limit?.kind === 'int' ? limit.dim : undefined, xs: [], item: () => none },
    step: (carry) => ({ carry: cx.engine.block(cx, expr.body, inside(carry)) }),
    test: (carry) =>
      cx.at(scope.unit, expr.condition.span, () => {
        const test = evaluate(cx, expr.condition, inside(carry));
        return isTest(test) ? test : notOneBool(cx, test, 'the condition of `while`');
      }),
  }).carry;
}

function stack(cx: Context, leaves: readonly Val[]): Val {
  const values = leaves.map((leaf) => {
    if (!isNumeric(leaf)) return cx.fail('E0301', { message: `a scan stacks tensors, not ${describe(leaf)}` });
    const value = toTensor(cx, leaf);
    return cx.b.reshape(value, [dimConst(1), ...value.type.shape]);
  });
  return tensor(values.length === 1 ? (values[0] as Value) : cx.b.concat(values, 0));
}

/** `map (path, p, g) over (net, grads) { … }`: the body once for each leaf; its values form a tree like the first one. */
export function mapTrees(cx: Context, expr: ast.Map, scope: Scope): Val {
  const { params, trees } = expr;
  const hasPath = params.length === trees.length + 1;
  if (!hasPath && params.length !== trees.length) {
    cx.fail('E0323', {
      message: `${params.length} names stand for the leaves of ${trees.length} trees`,
      help: 'one name for each tree, and before them one for the path',
    });
  }
  const values = trees.map((tree) => evaluatePlace(cx, tree, scope));
  const names = trees.map((tree) => textOf(scope, tree));
  const result = alignTrees(
    cx,
    values.map((value) => treeOf(cx, value)),
    names,
    (path, leaves) => {
      const inner = scope.block();
      const parts = hasPath ? [string(path), ...leaves] : leaves;
      for (const [i, pattern] of params.entries()) bindPattern(cx, pattern, parts[i] as Val, inner, 'variable');
      return cx.engine.block(cx, expr.body, inner);
    },
  );
  return expr.body.value === undefined ? none : result;
}

/** The value of a block as a constant for derivatives; so is what the block assigns. */
export function noGrad(cx: Context, expr: ast.NoGrad, scope: Scope): Val {
  cx.withoutGradient++;
  try {
    return detached(cx, cx.engine.block(cx, expr.body, scope.block()));
  } finally {
    cx.withoutGradient--;
  }
}

/** The length of a sequence. */
export function lengthOf(cx: Context, sequence: Val): Dim {
  switch (sequence.kind) {
    case 'list':
    case 'tuple':
      return dimConst(sequence.items.length);
    case 'string':
      return dimConst(sequence.value.length);
    case 'range':
      return dimAdd(sequence.end, dimConst(-(dimValue(sequence.start) ?? 0)));
    case 'tensor': {
      const [length] = sequence.value.type.shape;
      if (length !== undefined) return length;
    }
  }
  return cx.fail('E0301', { message: `${describe(sequence)} has no length` });
}
