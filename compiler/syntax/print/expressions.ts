/** How expressions are printed. */
import type * as ast from '../ast.js';
import { encodeString } from '../grammar/literals.js';
import { openPrecedence, postfixPrecedence, powerPrecedence, unaryPrecedence } from '../operators.js';
import { belowComments, type PrintContext } from './context.js';
import { type Doc, group, hardline, indent, join, line, softline, suffix } from './doc.js';
import { endsOpen, leftmost, precedenceOf } from './precedence.js';
import { blockParts, printPattern } from './statements.js';
import { printType } from './types.js';

/** Prints an expression, in parentheses where it has them or binds less tightly than its place asks. */
export function printExpr(context: PrintContext, expr: ast.Expr, lowest = openPrecedence): Doc {
  const needsParens = expr.kind !== 'Error' && expr.kind !== 'Tuple' && expr.parenthesized === true;
  if (needsParens || precedenceOf(expr) < lowest) {
    return inParens(printBare(context, expr));
  }
  return printBare(context, expr);
}

function inParens(doc: Doc): Doc {
  return group('(', indent(softline, doc), softline, ')');
}

function printBare(context: PrintContext, expr: ast.Expr): Doc {
  const print = (inner: ast.Expr, lowest?: number) => printExpr(context, inner, lowest);
  const end = expr.span.end - (expr.kind !== 'Error' && expr.parenthesized ? 2 : 1);
  switch (expr.kind) {
    case 'Name':
      return expr.name;
    case 'IntLiteral':
    case 'FloatLiteral':
      return expr.text;
    case 'StringLiteral':
      return encodeString(expr.value);
    case 'BoolLiteral':
      return String(expr.value);
    case 'NoneLiteral':
      return 'none';
    case 'Unary':
      return [expr.operator, print(expr.operand, unaryPrecedence)];
    case 'Binary':
      return expr.operator === '**' ? printPower(context, expr) : printChain(context, expr);
    case 'Pipe':
      return printPipe(context, expr);
    case 'Range': {
      const tighter = precedenceOf(expr) + 1;
      return [printLeft(context, expr.start, tighter), '..', print(expr.end, tighter)];
    }
    case 'Call':
      return [printHead(context, expr.callee), printArguments(context, expr.args, end)];
    case 'Index':
      return printIndex(context, expr);
    case 'Member':
      return [printHead(context, expr.object), '.', expr.name.name];
    case 'Lambda':
      return [printLambdaParams(context, expr.params, expr.body.span.start), ' => ', printBody(context, expr.body)];
    case 'List':
      return context.commaList(['[', ']'], expr.elements, end, (item) => printItem(context, item), {
        hug: hugs(expr.elements),
      });
    case 'Comprehension':
      return printComprehension(context, expr);
    case 'Tuple': {
      const isSingle = expr.elements.length === 1;
      if (isSingle) return ['(', ...expr.elements.map((element) => print(element)), ',)'];
      return context.commaList(['(', ')'], expr.elements, end, print);
    }
    case 'Record':
      return context.commaList(['{', '}'], expr.fields, end, (field) => [field.name.name, ': ', print(field.value)], {
        padding: line,
      });
    case 'If':
      return group(...printIf(context, expr));
    case 'Fold':
    case 'Scan': {
      const head = [
        expr.kind === 'Fold' ? 'fold ' : 'scan ',
        printLeft(context, expr.sequence, 0),
        ' from ',
        print(expr.init),
      ];
      return [...head, ' ', printBracedLambda(context, expr.body)];
    }
    case 'While': {
      const limit = expr.limit ? [' max ', print(expr.limit)] : [];
      const start = [' from ', printPattern(expr.pattern), ' = ', print(expr.init), ' '];
      return ['while ', print(expr.condition), ...limit, ...start, group(blockParts(context, expr.body))];
    }
    case 'Map': {
      const params = join(', ', expr.params.map(printPattern));
      const trees = context.commaList(['(', ')'], expr.trees, expr.body.span.start, print);
      return ['map (', ...params, ') over ', trees, ' ', group(blockParts(context, expr.body))];
    }
    case 'NoGrad':
      return ['no_grad ', group(blockParts(context, expr.body))];
    case 'Reduction':
      return printReduction(context, expr);
    case 'Error':
      return context.text.slice(expr.span.start, expr.span.end);
  }
}

/** What stands before a call, an index or a field. */
function printHead(context: PrintContext, expr: ast.Expr): Doc {
  return badHeads.has(expr.kind) && !isParenthesized(expr)
    ? inParens(printExpr(context, expr))
    : printExpr(context, expr, postfixPrecedence);
}

/** What needs parentheses there: after a brace they help the eye, and a point after a number belongs to the number. */
const badHeads: ReadonlySet<string> = new Set([
  ...['If', 'Fold', 'Scan', 'While', 'Map', 'NoGrad'],
  ...['IntLiteral', 'FloatLiteral'],
]);

function isParenthesized(expr: ast.Expr): boolean {
  return expr.kind !== 'Error' && expr.parenthesized === true;
}

/** A left operand: what extends to the right as far as it can needs parentheses there, wherever it ends. */
function printLeft(context: PrintContext, expr: ast.Expr, lowest: number): Doc {
  if (!isParenthesized(expr) && precedenceOf(expr) >= lowest && endsOpen(expr))
    return inParens(printExpr(context, expr));
  return printExpr(context, expr, lowest);
}

function printPower(context: PrintContext, { left, right }: ast.Binary): Doc {
  return [printExpr(context, left, powerPrecedence + 1), ' ** ', printExpr(context, right, unaryPrecedence)];
}

/** Operators of one precedence, one after the other: if they do not fit on one line, each operator ends one. */
function printChain(context: PrintContext, expr: ast.Binary): Doc {
  const precedence = precedenceOf(expr);
  // Comparisons do not chain, so the operand on either side of one binds tighter.
  const chains = !comparisons.has(expr.operator);
  const links = [expr];
  let first = expr.left;
  while (chains && first.kind === 'Binary' && !isParenthesized(first) && precedenceOf(first) === precedence) {
    links.unshift(first);
    first = first.left;
  }
  const head = printLeft(context, first, chains ? precedence : precedence + 1);
  const rest = links.flatMap(({ operator, operatorSpan, right }, index): Doc[] => {
    const comment = context.commentAfter(operatorSpan.end);
    const isLast = index === links.length - 1;
    const operand = isLast ? printExpr(context, right, precedence + 1) : printLeft(context, right, precedence + 1);
    return [` ${operator}`, comment ? suffix(`  ${comment.text}`) : '', line, operand];
  });
  return group(head, indent(...rest));
}

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

function printPipe(context: PrintContext, expr: ast.Pipe): Doc {
  const precedence = precedenceOf(expr);
  const stages: ast.Expr[] = [];
  let first: ast.Expr = expr;
  while (first.kind === 'Pipe' && (first === expr || !isParenthesized(first))) {
    stages.unshift(first.target);
    first = first.value;
  }
  const head = printLeft(context, first, precedence + 1);
  let end = first.span.end;
  const lines = stages.map((stage, index): Doc => {
    const trailing = context.commentAfter(end);
    end = stage.span.end;
    const above = context.commentsBefore(stage.span.start).map(({ text }): Doc => [hardline, text]);
    const print = index === stages.length - 1 ? printExpr : printLeft;
    return [trailing ? suffix(`  ${trailing.text}`) : '', above, line, '|> ', print(context, stage, precedence + 1)];
  });
  return group(head, indent(...lines));
}

/** Arguments in parentheses. A lone list, record or block, or a block in the last place, breaks by itself. */
export function printArguments(context: PrintContext, args: readonly ast.Argument[], end: number): Doc {
  const print = ({ name, value }: ast.Argument): Doc => [name ? `${name.name}: ` : '', printExpr(context, value)];
  return context.commaList(['(', ')'], args, end, print, { hug: hugs(args.map(({ value }) => value)) });
}

function hugs(values: readonly ast.IndexItem[]): boolean {
  const last = values.at(-1);
  if (last === undefined || last.kind === 'Slice' || last.kind === 'Ellipsis' || isParenthesized(last)) return false;
  const hasBlock = last.kind === 'Lambda' && last.body.kind === 'Block';
  return hasBlock || (values.length === 1 && (last.kind === 'List' || last.kind === 'Record' || last.kind === 'Tuple'));
}

function printItem(context: PrintContext, item: ast.IndexItem): Doc {
  if (item.kind === 'Ellipsis') return '...';
  return item.kind === 'Slice' ? printSlice(context, item) : printExpr(context, item);
}

function printIndex(context: PrintContext, expr: ast.Index): Doc {
  const print = (item: ast.IndexItem): Doc => printItem(context, item);
  const end = expr.outside?.span.start ?? expr.span.end - 1;
  const items = context.commaList(['[', ']'], expr.items, end, print, { trailingComma: false });
  const outside = expr.outside ? [' else ', printExpr(context, expr.outside, unaryPrecedence)] : [];
  return [printHead(context, expr.object), items, ...outside];
}

function printSlice(context: PrintContext, { start, stop, step }: ast.Slice): Doc {
  const part = (expr: ast.Expr | undefined) => (expr ? printExpr(context, expr) : '');
  return [part(start), ':', part(stop), step ? [':', part(step)] : ''];
}

/** The parameters of a lambda; a lone name needs no parentheses. */
export function printLambdaParams(context: PrintContext, params: readonly ast.LambdaParam[], end: number): Doc {
  const [only] = params;
  if (only && params.length === 1 && only.type === undefined && only.pattern.kind === 'NamePattern') {
    return printPattern(only.pattern);
  }
  return context.commaList(['(', ')'], params, end, ({ pattern, type }) => [
    printPattern(pattern),
    type ? [': ', printType(context, type)] : '',
  ]);
}

/** What stands after `=>`. An empty record would be an empty block there. */
export function printBody(context: PrintContext, body: ast.Expr | ast.Block): Doc {
  if (body.kind === 'Block') return group(blockParts(context, body));
  const first = leftmost(body);
  const isEmptyRecord = first.kind === 'Record' && first.fields.length === 0;
  return isEmptyRecord && !isParenthesized(body) ? inParens(printExpr(context, body)) : printExpr(context, body);
}

function printBracedLambda(context: PrintContext, lambda: ast.Lambda): Doc {
  const params = printLambdaParams(context, lambda.params, lambda.body.span.start);
  if (lambda.body.kind !== 'Block') return ['{ ', params, ' => ', printExpr(context, lambda.body), ' }'];
  return group(blockParts(context, lambda.body, [' ', params, ' =>'], lambda.span));
}

function printComprehension(context: PrintContext, { element, clauses }: ast.Comprehension): Doc {
  const docs = clauses.map(({ pattern, iterable, conditions }): Doc => {
    const head = [line, 'for ', printPattern(pattern), ' in ', printExpr(context, iterable)];
    return [...head, ...conditions.map((condition): Doc => [line, 'if ', printExpr(context, condition)])];
  });
  return group('[', indent(softline, printExpr(context, element), ...docs), softline, ']');
}

/** The parts of a conditional, outside of a group: its branches break together. */
function printIf(context: PrintContext, expr: ast.If): Doc[] {
  const head = ['if ', printExpr(context, expr.condition), ' ', blockParts(context, expr.then)];
  if (expr.otherwise === undefined) return head;
  const tail = expr.otherwise.kind === 'If' ? printIf(context, expr.otherwise) : [blockParts(context, expr.otherwise)];
  return [...head, ' else ', ...tail];
}

function printReduction(context: PrintContext, { reducer, binders, body, condition }: ast.Reduction): Doc {
  const head = [
    `${reducer.name} over `,
    ...join(
      ', ',
      binders.map((binder) => printBinder(context, binder)),
    ),
    ':',
  ];
  const value = condition && endsOpen(body) ? inParens(printExpr(context, body)) : printExpr(context, body);
  return group(...head, indent(line, value), condition ? [' where ', printExpr(context, condition)] : '');
}

/** An index variable with its range. */
export function printBinder(context: PrintContext, { name, range }: ast.IndexBinder): Doc {
  return range ? [name.name, ' in ', printExpr(context, range)] : name.name;
}

/** Values that stay beside the `=` before them: they break inside. */
const staysBeside: ReadonlySet<string> = new Set([
  ...['Call', 'Index', 'Pipe', 'Lambda', 'List', 'Comprehension', 'Tuple', 'Record'],
  ...['If', 'Fold', 'Scan', 'While', 'Map', 'NoGrad', 'Error'],
]);

/** `head = value`, broken after the sign where that helps. */
export function printAssignment(context: PrintContext, head: Doc, sign: string, value: ast.Expr, mayStay = true): Doc {
  const comments = context.commentsBefore(value.span.start);
  const doc = printExpr(context, value);
  if (comments.length > 0) return [head, sign, indent(hardline, belowComments(comments, doc))];
  if (mayStay && staysBeside.has(value.kind)) return [head, sign, ' ', doc];
  return [head, group(sign, indent(line, doc))];
}
