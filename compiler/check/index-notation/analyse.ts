// From the syntax of an index expression to its tree: finds the index variables, the affine subscripts and the lookups.

import type { Span } from '../../diagnostics/source.js';
import { type Dim, dimAdd, dimConst, dimMul, dimNeg, dimValue, printDim } from '../../ir/dims.js';
import { isInt } from '../../ir/dtype.js';
import type * as ast from '../../syntax/ast.js';
import type { Context } from '../context.js';
import { evaluate, evaluateArguments, evaluatePlace } from '../evaluate.js';
import { binary, unary } from '../operators.js';
import type { Scope } from '../scope.js';
import { isNumeric } from '../tensors.js';
import { type Arg, describe, int, none, type Site, tuple, typeText, type Val } from '../values.js';
import { applyVmap } from '../vmap.js';
import { type AffineUse, type IndexTree, type IndexVar, type SubscriptTree, statedRange } from './tree.js';

export const reducers = [
  'sum',
  'prod',
  'max',
  'min',
  'amax',
  'amin',
  'mean',
  'logsumexp',
  'any',
  'all',
  'argmax',
  'argmin',
] as const;

/** The index variables in sight, by name. */
export type IndexNames = ReadonlyMap<string, IndexVar>;

/** Reads index expressions; keeps the numbering of variables. */
export class Analysis {
  #count = 0;

  constructor(
    readonly cx: Context,
    readonly scope: Scope,
  ) {}

  #site(span: Span): Site {
    return { source: this.scope.unit.source, span };
  }

  /** New variables for binders, in order. */
  declare(binders: readonly ast.IndexBinder[]): readonly IndexVar[] {
    const seen = new Set<string>();
    return binders.map(({ name, range }): IndexVar => {
      const site = this.#site(name.span);
      if (seen.has(name.name)) this.cx.fail('E0322', { message: `the index \`${name.name}\` occurs twice`, site });
      seen.add(name.name);
      const given = range && evaluate(this.cx, range, this.scope);
      if (given !== undefined && given.kind !== 'range') {
        this.cx.fail('E0301', {
          message: `an index runs over a range such as \`0..n\`, not over ${describe(given)}`,
          site: this.#site((range as ast.Expr).span),
        });
      }
      const start = given?.start ?? dimConst(0);
      const extent = given && dimAdd(given.end, dimNeg(given.start));
      return {
        name: name.name,
        id: this.#count++,
        site,
        start,
        extent,
        source: given === undefined ? '' : statedRange,
      };
    });
  }

  tree(expr: ast.Expr, names: IndexNames): IndexTree {
    return this.cx.at(this.scope.unit, expr.span, () => this.#tree(expr, names));
  }

  #tree(expr: ast.Expr, names: IndexNames): IndexTree {
    const site = this.#site(expr.span);
    if (expr.kind === 'Reduction') return this.#reduction(expr, names, site);
    if (expr.kind === 'Name') {
      const index = names.get(expr.name);
      if (index !== undefined) return { kind: 'index', index };
    }
    if (!mentions(expr, names))
      return { kind: 'value', value: this.#scalar(evaluate(this.cx, expr, this.scope), site) };
    switch (expr.kind) {
      case 'Index':
        return this.#read(expr, names, site);
      case 'Unary':
        return this.#apply([this.tree(expr.operand, names)], site, ([operand]) =>
          unary(this.cx, expr.operator, operand as Val),
        );
      case 'Binary': {
        const operands = [this.tree(expr.left, names), this.tree(expr.right, names)];
        const apply = ([left, right]: readonly Val[]) => binary(this.cx, expr.operator, left as Val, right as Val);
        return { kind: 'apply', operands, isProduct: expr.operator === '*', over: 'tensors', apply, site };
      }
      case 'Call':
        return this.#call(evaluatePlace(this.cx, expr.callee, this.scope), undefined, expr.args, names, site);
      case 'Pipe': {
        const first = this.tree(expr.value, names);
        const { target } = expr;
        if (target.kind !== 'Call')
          return this.#call(evaluatePlace(this.cx, target, this.scope), first, [], names, site);
        return this.#call(evaluatePlace(this.cx, target.callee, this.scope), first, target.args, names, site);
      }
      default:
        return this.cx.fail('E0320', {
          message: 'in an index expression, operators, calls and reductions work on elements',
          site,
        });
    }
  }

  #apply(operands: readonly IndexTree[], site: Site, apply: (operands: readonly Val[]) => Val): IndexTree {
    return { kind: 'apply', operands, isProduct: false, over: 'tensors', apply, site };
  }

  /**
   * A function of elements; arguments without indices are passed as they are. Built-in functions of elements work on whole tensors, all others
   * are written for one element and mapped.
   */
  #call(
    callee: Val,
    first: IndexTree | undefined,
    args: readonly ast.Argument[],
    names: IndexNames,
    site: Site,
  ): IndexTree {
    const operands: IndexTree[] = first === undefined ? [] : [first];
    const makers: ((operands: readonly Val[]) => Arg)[] =
      first === undefined ? [] : [(values) => ({ value: values[0] as Val, site })];
    for (const arg of args) {
      const name = arg.name === undefined ? {} : { name: arg.name };
      const own = this.#site(arg.value.span);
      if (mentions(arg.value, names)) {
        const at = operands.push(this.tree(arg.value, names)) - 1;
        makers.push((values) => ({ ...name, value: values[at] as Val, site: own }));
      } else {
        const [given] = evaluateArguments(this.cx, callee, [arg], this.scope) as readonly [Arg];
        makers.push(() => given);
      }
    }
    const argumentsOf = (values: readonly Val[]): readonly Arg[] => makers.map((make) => make(values));
    if (callee.kind === 'function' && callee.fn.type === 'builtin')
      return this.#apply(operands, site, (values) => this.cx.engine.call(this.cx, callee, argumentsOf(values)));
    const apply = (values: readonly Val[]): Val => {
      const args = argumentsOf(values);
      const axes = args.map(
        ({ value }): Val => (values.includes(value) && value.kind === 'tensor' ? int(dimConst(0)) : none),
      );
      return applyVmap(
        this.cx,
        { name: 'vmap', of: callee, inDims: tuple(axes), outDims: int(dimConst(0)), randomness: 'different', site },
        args,
      );
    };
    return { kind: 'apply', operands, isProduct: false, over: 'vectors', apply, site };
  }

  #scalar(value: Val, site: Site) {
    if (!isNumeric(value))
      return this.cx.fail('E0301', {
        message: `an index expression is made of numbers, not of ${describe(value)}`,
        site,
      });
    if (value.kind === 'tensor' && value.value.type.shape.length > 0) {
      return this.cx.fail('E0320', {
        message: `${typeText(value.value.type)} stands here for an element`,
        site,
        help: 'index it: `x[i, j]`',
      });
    }
    return value;
  }

  #reduction(expr: ast.Reduction, names: IndexNames, site: Site): IndexTree {
    const { reducer } = expr;
    if (!reducers.some((known) => known === reducer.name)) {
      this.cx.fail('E0320', {
        message: `\`${reducer.name}\` is no reduction`,
        site: this.#site(reducer.span),
        help: `there are ${reducers.join(', ')}`,
      });
    }
    const vars = this.declare(expr.binders);
    const inner = new Map([...names, ...vars.map((v) => [v.name, v] as const)]);
    const body = this.tree(expr.body, inner);
    const condition = expr.condition && this.tree(expr.condition, inner);
    return {
      kind: 'reduce',
      reducer: reducer.name,
      vars,
      body,
      site,
      ...(condition === undefined ? {} : { condition }),
    };
  }

  #read(expr: ast.Index, names: IndexNames, site: Site): IndexTree {
    if (mentions(expr.object, names)) {
      this.cx.fail('E0320', {
        message: 'what is indexed may not depend on an index variable',
        site: this.#site(expr.object.span),
        help: 'define it first: `h[i, j] = …`',
      });
    }
    const object = evaluate(this.cx, expr.object, this.scope);
    if (object.kind !== 'tensor')
      this.cx.fail('E0320', { message: `${describe(object)} cannot be read with index variables`, site });
    const { value } = object;
    const rank = value.type.shape.length;
    if (expr.items.length !== rank) {
      this.cx.fail('E0320', {
        message: `${typeText(value.type)} is read with ${expr.items.length} subscript${expr.items.length === 1 ? '' : 's'}, it has rank ${rank}`,
        site,
      });
    }
    const subscripts = expr.items.map((item) => this.#subscript(item, names));
    const outside = expr.outside && this.tree(expr.outside, names);
    return { kind: 'read', tensor: value, subscripts, site, ...(outside === undefined ? {} : { outside }) };
  }

  #subscript(item: ast.IndexItem, names: IndexNames): SubscriptTree {
    const site = this.#site(item.span);
    if (item.kind === 'Slice' || item.kind === 'Ellipsis' || item.kind === 'NoneLiteral') {
      return this.cx.fail('E0320', {
        message: 'a subscript of an index expression is made of index variables and sizes',
        site,
      });
    }
    return this.#affine(item, names) ?? this.#lookup(item, names, site);
  }

  /** A subscript that is no affine expression is looked up in a tensor of integers. */
  #lookup(item: ast.Expr, names: IndexNames, site: Site): SubscriptTree {
    const table = mentions(item, names) ? this.tree(item, names) : this.#rankZero(item, site);
    const dtype = table.kind === 'read' ? table.tensor.type.dtype : undefined;
    if (dtype !== undefined && !isInt(dtype)) {
      this.cx.fail('E0320', { message: `a subscript is an integer, not ${dtype}`, site });
    }
    return { kind: 'lookup', table };
  }

  #rankZero(item: ast.Expr, site: Site): IndexTree {
    return { kind: 'value', value: this.#scalar(evaluate(this.cx, item, this.scope), site) };
  }

  /** A subscript as an affine expression; undefined where it is none. */
  #affine(expr: ast.Expr, names: IndexNames): AffineUse | undefined {
    const affine = (terms: readonly (readonly [IndexVar, number])[], offset: Dim, divisor = 1): AffineUse => ({
      kind: 'affine',
      terms: new Map(terms.filter(([, coefficient]) => coefficient !== 0)),
      offset,
      divisor,
    });
    if (expr.kind === 'Name') {
      const index = names.get(expr.name);
      if (index !== undefined) return affine([[index, 1]], index.start);
    }
    if (!mentions(expr, names)) {
      const value = evaluate(this.cx, expr, this.scope);
      return value.kind === 'int' ? affine([], value.dim) : undefined;
    }
    if (expr.kind === 'Unary' && expr.operator === '-') {
      const operand = this.#affine(expr.operand, names);
      return operand && scale(operand, dimConst(-1));
    }
    if (expr.kind !== 'Binary') return undefined;
    const [left, right] = [this.#affine(expr.left, names), this.#affine(expr.right, names)];
    if (left === undefined || right === undefined) return undefined;
    switch (expr.operator) {
      case '+':
        return add(left, right);
      case '-': {
        const negative = scale(right, dimConst(-1));
        return negative && add(left, negative);
      }
      case '*':
        return left.terms.size === 0
          ? scale(right, left.offset)
          : right.terms.size === 0
            ? scale(left, right.offset)
            : undefined;
      case '/': {
        const divisor = right.terms.size === 0 ? dimValue(right.offset) : undefined;
        if (divisor !== undefined && divisor > 0) return { ...left, divisor: left.divisor * divisor };
        return this.cx.fail('E0320', {
          message: `a subscript is divided by a positive int that is known when compiling, not by ${printDim(right.offset)}`,
          site: this.#site(expr.span),
        });
      }
      default:
        return undefined;
    }
  }
}

function add(a: AffineUse, b: AffineUse): AffineUse | undefined {
  if (a.divisor !== 1 || b.divisor !== 1) return undefined;
  const terms = new Map(a.terms);
  for (const [index, coefficient] of b.terms) {
    const sum = (terms.get(index) ?? 0) + coefficient;
    if (sum === 0) terms.delete(index);
    else terms.set(index, sum);
  }
  return { kind: 'affine', terms, offset: dimAdd(a.offset, b.offset), divisor: 1 };
}

function scale(a: AffineUse, factor: Dim): AffineUse | undefined {
  const number = dimValue(factor);
  if (a.divisor !== 1 || (number === undefined && a.terms.size > 0)) return undefined;
  const terms = new Map(
    number === 0 ? [] : [...a.terms].map(([index, coefficient]) => [index, coefficient * (number ?? 0)] as const),
  );
  return { kind: 'affine', terms, offset: dimMul(a.offset, factor), divisor: 1 };
}

/** Whether an expression names an index variable, or reduces over new ones. */
function mentions(node: unknown, names: IndexNames): boolean {
  if (Array.isArray(node)) return node.some((item) => mentions(item, names));
  if (typeof node !== 'object' || node === null) return false;
  const kind = 'kind' in node ? node.kind : undefined;
  if (kind === 'Reduction') return true;
  if (kind === 'Name' && 'name' in node && typeof node.name === 'string') return names.has(node.name);
  return Object.values(node).some((part) => mentions(part, names));
}
