/** When an expression needs parentheses. */
import type * as ast from '../ast.js';
import { infixRules, openPrecedence, postfixPrecedence, powerPrecedence, unaryPrecedence } from '../operators.js';

/** How tightly the outermost operator of an expression binds. */
export function precedenceOf(expr: ast.Expr): number {
  switch (expr.kind) {
    case 'Pipe':
      return rank('|>');
    case 'Range':
      return rank('..');
    case 'Binary':
      return expr.operator === '**' ? powerPrecedence : rank(expr.operator);
    case 'Unary':
      return unaryPrecedence;
    case 'Index':
      return expr.outside ? unaryPrecedence : postfixPrecedence;
    case 'Lambda':
    case 'Reduction':
      return openPrecedence;
    default:
      return postfixPrecedence;
  }
}

function rank(operator: string): number {
  return infixRules.get(operator)?.precedence ?? openPrecedence;
}

/** Whether an expression ends in a lambda or a reduction, which would go on with whatever follows. */
export function endsOpen(expr: ast.Expr): boolean {
  if (expr.kind === 'Error' || expr.parenthesized) return false;
  switch (expr.kind) {
    case 'Lambda':
      return expr.body.kind !== 'Block';
    case 'Reduction':
      return true;
    case 'Pipe':
      return endsOpen(expr.target);
    case 'Range':
      return endsOpen(expr.end);
    case 'Binary':
      return endsOpen(expr.right);
    case 'Unary':
      return endsOpen(expr.operand);
    default:
      return false;
  }
}

/** The part of an expression that its text begins with. */
export function leftmost(expr: ast.Expr): ast.Expr {
  if (expr.kind === 'Error' || expr.parenthesized) return expr;
  switch (expr.kind) {
    case 'Pipe':
      return leftmost(expr.value);
    case 'Range':
      return leftmost(expr.start);
    case 'Binary':
      return leftmost(expr.left);
    case 'Call':
      return leftmost(expr.callee);
    case 'Index':
    case 'Member':
      return leftmost(expr.object);
    default:
      return expr;
  }
}
