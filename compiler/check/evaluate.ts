// Expressions: from the tree of an expression to its value. Statements are in `block.ts`, loops and trees in `loops.ts`.

import { dimConst } from '../ir/dims.js';
import type * as ast from '../syntax/ast.js';
import { quotedParameters } from './builtins/transforms.js';
import type { Context } from './context.js';
import { runTimeIf } from './control/branch.js';
import { explained } from './explain.js';
import { Poisoned } from './failure.js';
import { reductionExpression } from './index-expression.js';
import { indexValue, sliceItem } from './indexing.js';
import { lookup, refuseHiddenFunction, unknownName } from './lookup.js';
import { comprehension, fold, mapTrees, noGrad, scan, whileLoop } from './loops.js';
import { member } from './member.js';
import { binary, condition, isTest, unary } from './operators.js';
import type { Scope } from './scope.js';
import {
  type Arg,
  bool,
  describe,
  float,
  fnValue,
  int,
  list,
  none,
  string,
  tensor,
  tuple,
  type Val,
} from './values.js';

/** The value of an expression; leaves of the state are read. */
export const evaluate = (cx: Context, expr: ast.Expr, scope: Scope): Val => settle(evaluatePlace(cx, expr, scope));

/** Reads the places in a value: what a name is bound to stays as it is when the state changes later. */
export function settle(val: Val): Val {
  switch (val.kind) {
    case 'cell':
      return tensor(val.cell.value);
    case 'poison':
      throw new Poisoned();
    case 'list':
    case 'tuple': {
      const items = val.items.map(settle);
      return items.every((item, i) => item === val.items[i]) ? val : { ...val, items };
    }
    case 'record': {
      const fields = new Map([...val.fields].map(([name, field]) => [name, settle(field)]));
      return [...fields].every(([name, field]) => field === val.fields.get(name)) ? val : { ...val, fields };
    }
    default:
      return val;
  }
}

/** The value of an expression; a leaf of the state stays a place. */
export function evaluatePlace(cx: Context, expr: ast.Expr, scope: Scope): Val {
  switch (expr.kind) {
    case 'IntLiteral':
      return integer(cx, expr, scope);
    case 'FloatLiteral':
      return float(expr.value);
    case 'StringLiteral':
      return string(expr.value);
    case 'BoolLiteral':
      return bool(expr.value);
    case 'NoneLiteral':
      return none;
    case 'Lambda':
      return fnValue({ type: 'lambda', node: expr, scope });
    case 'Error':
      throw new Poisoned();
    case 'Binary':
      return binaryChain(cx, expr, scope);
    default:
      return at(cx, expr, scope, () => compound(cx, expr, scope));
  }
}

/** Evaluates what is written at an expression: errors point there, and say what its operands are. */
const at = (cx: Context, expr: ast.Expr, scope: Scope, body: () => Val): Val =>
  cx.at(scope.unit, expr.span, () => explained(expr, scope, body));

function integer(cx: Context, { value, text, span }: ast.IntLiteral, scope: Scope): Val {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return int(dimConst(number));
  return cx.fail('E0319', {
    message: `${text} is too large for a compile-time int`,
    help: 'integers of the program are below 2^53: a larger i64 is an argument, or computed on tensors (`cast(2 ** 31, i64) * 2 ** 31`)',
    site: { source: scope.unit.source, span },
  });
}

type Compound = Exclude<
  ast.Expr,
  {
    kind:
      | 'Binary'
      | 'IntLiteral'
      | 'FloatLiteral'
      | 'StringLiteral'
      | 'BoolLiteral'
      | 'NoneLiteral'
      | 'Lambda'
      | 'Error';
  }
>;

function compound(cx: Context, expr: Compound, scope: Scope): Val {
  switch (expr.kind) {
    case 'Name': {
      const binding = lookup(cx, expr.name, scope) ?? unknownName(cx, expr.name, scope);
      if (binding.value.kind === 'poison') throw new Poisoned();
      return binding.value;
    }
    case 'Unary':
      return unary(cx, expr.operator, evaluate(cx, expr.operand, scope));
    case 'Pipe':
      return pipe(cx, expr, scope);
    case 'Range': {
      const [start, end] = [expr.start, expr.end].map((side) => evaluate(cx, side, scope)) as [Val, Val];
      if (start.kind === 'int' && end.kind === 'int') return { kind: 'range', start: start.dim, end: end.dim };
      return cx.fail('E0301', {
        message: `a range goes from an int to an int, not from ${describe(start)} to ${describe(end)}`,
      });
    }
    case 'Call': {
      const callee = evaluatePlace(cx, expr.callee, scope);
      if (expr.callee.kind === 'Name') refuseHiddenFunction(cx, expr.callee.name, callee, scope);
      return cx.engine.call(cx, callee, evaluateArguments(cx, callee, expr.args, scope));
    }
    case 'Index':
      return indexValue(cx, evaluatePlace(cx, expr.object, scope), expr, scope);
    case 'Member':
      return member(cx, evaluatePlace(cx, expr.object, scope), expr, scope);
    case 'List':
      return list(expr.elements.map((element) => listElement(cx, element, scope)));
    case 'Comprehension':
      return comprehension(cx, expr, scope);
    case 'Tuple':
      return tuple(expr.elements.map((element) => evaluate(cx, element, scope)));
    case 'Record':
      return {
        kind: 'record',
        fields: new Map(expr.fields.map((field) => [field.name.name, evaluate(cx, field.value, scope)])),
      };
    case 'If':
      return ifExpression(cx, expr, scope);
    case 'Fold':
      return fold(cx, expr, scope);
    case 'Scan':
      return scan(cx, expr, scope);
    case 'While':
      return whileLoop(cx, expr, scope);
    case 'Map':
      return mapTrees(cx, expr, scope);
    case 'NoGrad':
      return noGrad(cx, expr, scope);
    case 'Reduction':
      return reductionExpression(cx, expr, scope);
  }
}

/** `a + b + c + …`: the operators that are nested on the left one after another, since a sum may have thousands of terms. */
function binaryChain(cx: Context, expr: ast.Binary, scope: Scope): Val {
  const chain = [expr];
  let innermost = expr.left;
  for (; innermost.kind === 'Binary'; innermost = innermost.left) chain.push(innermost);
  let left = evaluate(cx, innermost, scope);
  for (const link of chain.reverse()) {
    const operand = left;
    left = settle(at(cx, link, scope, () => binaryExpression(cx, link, operand, scope)));
  }
  return left;
}

/** An operator whose left side is evaluated. */
function binaryExpression(cx: Context, expr: ast.Binary, left: Val, scope: Scope): Val {
  // A decided left side makes the right one irrelevant; it may even be meaningless, as in `p != none && p > 0`.
  if (left.kind === 'bool' && expr.operator === '&&' && !left.value) return left;
  if (left.kind === 'bool' && expr.operator === '||' && left.value) return left;
  const right = evaluate(cx, expr.right, scope);
  if (left.kind === 'bool' && (expr.operator === '&&' || expr.operator === '||') && right.kind === 'relation')
    return right;
  return binary(cx, expr.operator, left, right);
}

/** `x |> f` is `f(x)`, and `x |> f(a)` is `f(x, a)`. */
function pipe(cx: Context, expr: ast.Pipe, scope: Scope): Val {
  const first: Arg = {
    value: argumentValue(cx, expr.value, scope),
    site: { source: scope.unit.source, span: expr.value.span },
  };
  const { target } = expr;
  if (target.kind !== 'Call') return cx.engine.call(cx, evaluatePlace(cx, target, scope), [first]);
  const callee = evaluatePlace(cx, target.callee, scope);
  return cx.engine.call(cx, callee, [first, ...evaluateArguments(cx, callee, target.args, scope)]);
}

/** The arguments of a call. Where the callee takes names of parameters (`wrt: net`), those are not evaluated. */
export function evaluateArguments(
  cx: Context,
  callee: Val,
  args: readonly ast.Argument[],
  scope: Scope,
): readonly Arg[] {
  const { source } = scope.unit;
  const quoted = quotedParameters(callee);
  return args.map((arg): Arg => {
    const isQuoted = arg.name !== undefined && quoted.includes(arg.name.name);
    const value = isQuoted ? quote(cx, arg.value, scope) : argumentValue(cx, arg.value, scope);
    return { value, site: { source, span: arg.value.span }, ...(arg.name === undefined ? {} : { name: arg.name }) };
  });
}

/** A leaf of the state stays a place, since the parameter may be `mut`; everything else is read. */
function argumentValue(cx: Context, expr: ast.Expr, scope: Scope): Val {
  const value = evaluatePlace(cx, expr, scope);
  return value.kind === 'cell' ? value : settle(value);
}

/** The dotted path of `net.layers[0].weight`; undefined for other expressions. */
function pathText(expr: ast.Expr): string | undefined {
  if (expr.kind === 'Name') return expr.name;
  if (expr.kind !== 'Member' && expr.kind !== 'Index') return undefined;
  const object = pathText(expr.object);
  if (object === undefined) return undefined;
  if (expr.kind === 'Member') return `${object}.${expr.name.name}`;
  const [item, ...others] = expr.items;
  return item?.kind === 'IntLiteral' && others.length === 0 ? `${object}.${item.value}` : undefined;
}

/** A name or a path as a string, a list or tuple of them as a list of strings; anything else as its value. */
function quote(cx: Context, expr: ast.Expr, scope: Scope): Val {
  const path = pathText(expr);
  if (path !== undefined) return string(path);
  if (expr.kind === 'List' || expr.kind === 'Tuple')
    return list(
      expr.elements.map((element) =>
        element.kind === 'Slice' || element.kind === 'Ellipsis'
          ? listElement(cx, element, scope)
          : quote(cx, element, scope),
      ),
    );
  return evaluate(cx, expr, scope);
}

/** An element of a list; slices and `...` make it an index. */
function listElement(cx: Context, element: ast.IndexItem, scope: Scope): Val {
  if (element.kind === 'Ellipsis') return { kind: 'ellipsis' };
  return element.kind === 'Slice' ? sliceItem(cx, element, scope) : evaluate(cx, element, scope);
}

function ifExpression(cx: Context, expr: ast.If, scope: Scope): Val {
  const { otherwise } = expr;
  const test = cx.at(scope.unit, expr.condition.span, () => evaluate(cx, expr.condition, scope));
  const then = (): Val => cx.engine.block(cx, expr.then, scope.block());
  const other = (): Val => {
    if (otherwise === undefined) return none;
    return otherwise.kind === 'If' ? ifExpression(cx, otherwise, scope) : cx.engine.block(cx, otherwise, scope.block());
  };
  if (test.kind !== 'bool' && isTest(test)) {
    // Without an else the block is run for what it assigns.
    const effect = (): Val => {
      then();
      return none;
    };
    return runTimeIf(cx, test, scope, [otherwise === undefined ? effect : then, other]);
  }
  const isTrue = cx.at(scope.unit, expr.condition.span, () => condition(cx, test, 'the condition of `if`'));
  return isTrue ? then() : other();
}
