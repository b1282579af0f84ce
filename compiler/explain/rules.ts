// Why a line of a derivative is what it is, in words: from the partial derivatives of the records, and for each kind of node its rule.

import type { ElementwiseOp, Formula } from '../ops/op.js';
import { findElementwiseOp, findOrderOp, findReduceOp } from '../ops/table.js';

const operands = ['x', 'y', 'z'];

/** How operators are written, and how tightly they bind. */
const infix: Readonly<Record<string, readonly [symbol: string, strength: number]>> = {
  add: ['+', 1],
  sub: ['-', 1],
  mul: ['·', 2],
  div: ['/', 2],
  pow: ['^', 4],
  eq: ['=', 0],
  ne: ['≠', 0],
  lt: ['<', 0],
  le: ['≤', 0],
  gt: ['>', 0],
  ge: ['≥', 0],
};

/** A formula as text; `result` is how the operation's own result is written. */
function write(formula: Formula, result: string, strength = 0): string {
  switch (formula.kind) {
    case 'operand':
      return operands[formula.index] ?? `x${formula.index}`;
    case 'result':
      return result;
    case 'literal':
      return String(formula.value);
    case 'apply': {
      const { op, args } = formula;
      const [left, right] = args;
      const own = infix[op];
      if (own !== undefined && left !== undefined && right !== undefined && args.length === 2) {
        const [symbol, binds] = own;
        const text = `${write(left, result, binds)} ${symbol} ${write(right, result, binds + 1)}`;
        return binds < strength ? `(${text})` : text;
      }
      if (op === 'neg' && left !== undefined) {
        const text = `-${write(left, result, 3)}`;
        return strength > 1 ? `(${text})` : text;
      }
      return `${op}(${args.map((arg) => write(arg, result)).join(', ')})`;
    }
  }
}

/** What a partial derivative makes of the tangent: a product, or a choice among tangents where the formula chooses. */
function term(formula: Formula, tangent: string, result: string): string {
  if (formula.kind === 'literal' && formula.value === 0) return '0';
  if (formula.kind === 'literal' && formula.value === 1) return tangent;
  if (formula.kind === 'literal' && formula.value === -1) return `-${tangent}`;
  if (formula.kind === 'apply' && formula.op === 'where') {
    const [condition, then, otherwise] = formula.args as [Formula, Formula, Formula];
    return `where(${write(condition, result)}, ${term(then, tangent, result)}, ${term(otherwise, tangent, result)})`;
  }
  if (formula.kind === 'apply' && formula.op === 'neg' && formula.args[0] !== undefined) {
    const inner = term(formula.args[0], tangent, result);
    return `-${inner}`;
  }
  return `${write(formula, result, 2)} · ${tangent}`;
}

/** The derivative of an elementwise operation, as an equation between tangents: `d mul(x, y) = y · dx + x · dy`. */
export function elementwiseRule(op: ElementwiseOp): string {
  const names = operands.slice(0, op.arity);
  const own = `${op.name}(${names.join(', ')})`;
  const terms = op.partials.flatMap((partial, i) => {
    if (partial.kind === 'none') return [];
    const text = term(partial.formula, `d${names[i]}`, own);
    return text === '0' ? [] : [text];
  });
  return `d ${own} = ${terms.join(' + ').replaceAll('+ -', '- ') || '0'}`;
}

/** The rules of what is no elementwise operation, by the name under which it prints. */
const others: Readonly<Record<string, string>> = {
  contract:
    'a sum of products is linear in each operand: the cotangent times the other operand, summed over the indices that the operand lacks',
  sum: 'every summand counts once, so each gets the cotangent of the sum',
  cumsum: 'an element is in every later sum, so it gets the running sum of the cotangents from the other end',
  reshape: 'the elements stay, so their cotangents take the shape that they had before',
  permute: 'the axes go back into the order that they had before',
  broadcast: 'an element that was repeated gets the sum of the cotangents of its copies',
  slice: 'what was cut out gets its cotangent, what was left out gets 0',
  flip: 'the elements go back into the order that they had before',
  pad: 'what was added around gets nothing, so the cotangent is cut to what was inside',
  concat: 'each part gets its part of the cotangent',
  gather: 'what was read gets the cotangent of the place it was read for; what was read several times gets their sum',
  scatter: 'what was written gets the cotangent of the place it was written to; what was overwritten gets 0',
  loop: 'a loop goes through its trips in the opposite direction, and carries the cotangents of what it carried',
  if: 'the branch that was taken gets the cotangent',
  checkpoint: 'the function is run again, and differentiated on the way',
  custom_jvp: 'the function states its derivative itself',
};

/** The rule for what prints under a name, such as `mul` or `contract`: an equation, or a sentence without a period. */
export function ruleNamed(name: string): string {
  const elementwise = findElementwiseOp(name);
  if (elementwise !== undefined) return elementwiseRule(elementwise);
  const folded = findReduceOp(name) ?? findOrderOp(name);
  return others[name] ?? (folded === undefined ? '' : folded.doc.replace(/\.$/, ''));
}
