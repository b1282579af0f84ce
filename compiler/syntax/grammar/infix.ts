/** From a flat list of operands and operators to a tree, by the precedences of `operators.ts`. */
import type { IToken } from 'chevrotain';
import { cover } from '../../diagnostics/source.js';
import type * as ast from '../ast.js';
import { spanOf } from '../layout.js';
import { type InfixOperator, infixRules } from '../operators.js';
import type { Complaint } from './base.js';

/** An operator and the operand on its right. */
export interface InfixTail {
  readonly operator: IToken;
  readonly operand: ast.Expr;
}

/** Builds the tree of `first op a op b …` by precedence climbing. */
export function buildInfix(
  first: ast.Expr,
  tail: readonly InfixTail[],
  complain: (complaint: Complaint) => void,
): ast.Expr {
  let next = 0;
  const climb = (start: ast.Expr, lowest: number): ast.Expr => {
    let left = start;
    let unchained = -1;
    for (let step = tail[next]; step !== undefined; step = tail[next]) {
      const rule = infixRules.get(step.operator.image);
      if (rule === undefined || rule.precedence < lowest) break;
      if (rule.precedence === unchained) complain(chained(step.operator));
      if (rule.associativity === 'none') unchained = rule.precedence;
      next++;
      const right = climb(step.operand, rule.precedence + 1);
      left = join(step.operator, left, right);
    }
    return left;
  };
  return climb(first, 0);
}

function join(operator: IToken, left: ast.Expr, right: ast.Expr): ast.Expr {
  const span = cover(left.span, right.span);
  const image = operator.image as InfixOperator;
  if (image === '|>') return { kind: 'Pipe', span, value: left, target: right };
  if (image === '..') return { kind: 'Range', span, start: left, end: right };
  return { kind: 'Binary', span, operator: image, operatorSpan: spanOf(operator), left, right };
}

function chained(operator: IToken): Complaint {
  const span = spanOf(operator);
  return operator.image === '..'
    ? { code: 'E0107', span, label: 'a range has two ends' }
    : { code: 'E0107', span, label: 'a second comparison', help: 'write `a < b && b < c` for `a < b < c`' };
}
