// What repeats: comprehensions, folds and scans over sequences of known length, walks over trees; and `no_grad` blocks.
// All of it is unrolled while compiling.

import { type Dim, dimAdd, dimConst, dimValue } from '../ir/dims.js';
import type { Value } from '../ir/graph.js';
import type * as ast from '../syntax/ast.js';
import { detached } from './assign.js';
import type { Context } from './context.js';
import { evaluate, evaluatePlace } from './evaluate.js';
import { textOf } from './match.js';
import { condition } from './operators.js';
import { bindPattern } from './patterns.js';
import { fieldOf, type Scope } from './scope.js';
import { isNumeric, toTensor } from './tensors.js';
import { alignTrees, treeOf } from './trees.js';
import { type Arg, contents, describe, fnValue, int, list, none, string, tensor, tuple, type Val } from './values.js';

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
    message: `loops over a run-time length are not there yet: ${describe(sequence)}`,
    help: 'fix the dimension with `--dim NAME=SIZE`',
  });
}

function checkedLength(cx: Context, length: number): number {
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

/** The carries of a fold or scan: `step` gets each and gives the next. */
function runSteps(cx: Context, expr: ast.Fold | ast.Scan, scope: Scope, step: (result: Val) => Val): Val {
  const body = fnValue({ type: 'lambda', node: expr.body, scope });
  const site = { source: scope.unit.source, span: expr.body.span };
  const arg = (value: Val): Arg => ({ value, site });
  let carry = evaluate(cx, expr.init, scope);
  const sequence = evaluate(cx, expr.sequence, scope);
  for (const item of iterate(cx, sequence)) carry = step(cx.engine.call(cx, body, [arg(carry), arg(item)]));
  return carry;
}

/** The last carry. */
export const fold = (cx: Context, expr: ast.Fold, scope: Scope): Val => runSteps(cx, expr, scope, (result) => result);

/** What the steps give beside the carry, stacked, and the last carry. */
export function scan(cx: Context, expr: ast.Scan, scope: Scope): Val {
  const outputs: Val[] = [];
  const last = runSteps(cx, expr, scope, (result) => {
    if (result.kind !== 'tuple' || result.items.length !== 2) {
      cx.fail('E0301', { message: `the body of \`scan\` gives (carry, output), not ${describe(result)}` });
    }
    const [carry, output] = result.items as readonly [Val, Val];
    outputs.push(output);
    return carry;
  });
  if (outputs.length === 0) cx.fail('E0325', { message: 'a scan over nothing has no outputs to stack' });
  const names = outputs.map((_, i) => `output ${i}`);
  const stacked = alignTrees(
    cx,
    outputs.map((output) => treeOf(cx, output)),
    names,
    (_, leaves) => stack(cx, leaves),
  );
  return tuple([stacked, last]);
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
