/** The binary operators and how tightly they bind: what the parser builds trees by and the formatter prints them by. */

export type Associativity = 'left' | 'right' | 'none';

export interface OperatorRule {
  /** Operators of a higher precedence bind tighter. */
  readonly precedence: number;
  readonly associativity: Associativity;
}

const levels = [
  { operators: ['|>'], associativity: 'left' },
  { operators: ['||'], associativity: 'left' },
  { operators: ['&&'], associativity: 'left' },
  { operators: ['==', '!=', '<', '<=', '>', '>='], associativity: 'none' },
  { operators: ['..'], associativity: 'none' },
  { operators: ['+', '-'], associativity: 'left' },
  { operators: ['*', '/', '//', '%', '@'], associativity: 'left' },
] as const;

/** An operator that stands between two operands, `**` apart: that one belongs to the operand. */
export type InfixOperator = (typeof levels)[number]['operators'][number];

/** The rules of the infix operators, by operator. */
export const infixRules: ReadonlyMap<string, OperatorRule> = new Map(
  levels.flatMap(({ operators, associativity }, precedence) =>
    operators.map((operator): [InfixOperator, OperatorRule] => [operator, { precedence, associativity }]),
  ),
);

/** Unary `-` and `!` bind tighter than every infix operator, and `**` binds tighter than they do. */
export const unaryPrecedence = levels.length;
export const powerPrecedence = unaryPrecedence + 1;
/** Calls, indexing and fields, and everything that cannot be torn apart: literals, names, brackets. */
export const postfixPrecedence = powerPrecedence + 1;
/** Lambdas and reductions extend as far to the right as they can. */
export const openPrecedence = -1;
