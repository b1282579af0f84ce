/** The grammar of expressions. */
import { EOF, type IToken, type TokenType } from 'chevrotain';
import type * as ast from '../ast.js';
import { spanOf } from '../layout.js';
import * as t from '../tokens.js';
import { BaseGrammar, isOneOf } from './base.js';
import { buildInfix, type InfixTail } from './infix.js';
import { decodeString } from './literals.js';

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

export abstract class ExpressionGrammar extends BaseGrammar {
  /** Operands with infix operators between them; `infix.ts` gives the flat list its tree. */
  protected readonly expression = this.RULE('expression', (): ast.Expr => {
    const start = this.here();
    const first = this.SUBRULE(this.operand);
    const tail: InfixTail[] = [];
    this.MANY(() => {
      const operator = this.CONSUME(t.Infix);
      tail.push({ operator, operand: this.SUBRULE2(this.operand) });
    });
    const ternary = this.OPTION(() => this.SUBRULE(this.ternary));
    if (ternary) return { kind: 'Error', span: this.span(start) };
    return this.ACTION(() => buildInfix(first, tail, (complaint) => this.complain(complaint)));
  });

  /** `? a : b` is taken as a whole and reported once; it stands for nothing. */
  private readonly ternary = this.RULE('ternary', (): true => {
    const question = this.CONSUME(t.Question);
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE2(this.expression);
    });
    this.ACTION(() => this.complain({ code: 'E0105', span: spanOf(question), label: 'no operator of tdsl' }));
    return true;
  });

  private readonly operand: () => ast.Expr = this.RULE('operand', (): ast.Expr => {
    const start = this.here();
    return this.OR<ast.Expr>({
      DEF: [
        {
          ALT: () => {
            const sign = this.OR2([{ ALT: () => this.CONSUME(t.Minus) }, { ALT: () => this.CONSUME(t.Bang) }]);
            const operand = this.SUBRULE(this.operand);
            const operator = sign.image === '!' ? '!' : '-';
            return { kind: 'Unary', span: this.span(start), operator, operand };
          },
        },
        { ALT: () => this.SUBRULE(this.power) },
      ],
      ERR_MSG: 'an expression',
    });
  });

  private readonly power = this.RULE('power', (): ast.Expr => {
    const start = this.here();
    let result = this.SUBRULE(this.postfix);
    this.OPTION(() => {
      const sign = this.CONSUME(t.Power);
      const right = this.SUBRULE(this.operand);
      const operatorSpan = { start: sign.startOffset, end: sign.startOffset + 2 };
      result = { kind: 'Binary', span: this.span(start), operator: '**', operatorSpan, left: result, right };
    });
    return result;
  });

  private readonly postfix: () => ast.Expr = this.RULE('postfix', (): ast.Expr => {
    const start = this.here();
    let result = this.SUBRULE(this.primary);
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const args = this.SUBRULE(this.args);
            result = { kind: 'Call', span: this.span(start), callee: result, args };
          },
        },
        {
          ALT: () => {
            const items = this.SUBRULE(this.indexItems);
            const object = result;
            result = { kind: 'Index', span: this.span(start), object, items };
            this.OPTION(() => {
              this.CONSUME(t.Else);
              const outside = this.SUBRULE(this.operand);
              result = { kind: 'Index', span: this.span(start), object, items, outside };
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Dot);
            const name = this.identifier(this.CONSUME(t.Word));
            result = { kind: 'Member', span: this.span(start), object: result, name };
          },
        },
      ]);
    });
    return result;
  });

  protected readonly args = this.RULE('args', (): ast.Argument[] => {
    this.CONSUME(t.LeftParen);
    const args = this.list(t.RightParen, 'an argument', () => this.SUBRULE(this.argument));
    this.CONSUME(t.RightParen);
    return args.map((arg) => (arg.kind === 'Error' ? { kind: 'Argument', span: arg.span, value: arg } : arg));
  });

  private readonly argument = this.RULE('argument', (): ast.Argument => {
    const start = this.here();
    const name = this.OPTION({
      GATE: () => this.sees(t.Colon, 2) || this.sees(t.Equals, 2),
      DEF: () => {
        const word = this.CONSUME(t.Word);
        this.OR([
          { ALT: () => this.CONSUME(t.Colon) },
          {
            ALT: () => {
              const sign = this.CONSUME(t.Equals);
              this.complain({ code: 'E0105', span: spanOf(sign), label: 'expected `:`' });
            },
          },
        ]);
        return this.identifier(word);
      },
    });
    const value = this.SUBRULE(this.expression);
    return { kind: 'Argument', span: this.span(start), ...(name ? { name } : {}), value };
  });

  private readonly indexItems = this.RULE('indexItems', (): ast.IndexItem[] => {
    this.CONSUME(t.LeftBracket);
    const items = this.list(t.RightBracket, 'an index', () => this.SUBRULE(this.indexItem));
    this.CONSUME(t.RightBracket);
    return items;
  });

  private readonly indexItem = this.RULE('indexItem', (): ast.IndexItem => {
    const start = this.here();
    return this.OR<ast.IndexItem>([
      {
        ALT: () => {
          this.CONSUME(t.Ellipsis);
          return { kind: 'Ellipsis', span: this.span(start) };
        },
      },
      {
        ALT: () => {
          const first = this.SUBRULE(this.expression);
          return this.OPTION(() => this.SUBRULE(this.sliceTail, { ARGS: [start, first] })) ?? first;
        },
      },
      { ALT: () => this.SUBRULE2(this.sliceTail, { ARGS: [start] }) },
    ]);
  });

  /** What follows the first part of a slice: `:stop:step`. */
  private readonly sliceTail = this.RULE('sliceTail', (start: number, first?: ast.Expr): ast.Slice => {
    const parts: Mutable<Pick<ast.Slice, 'start' | 'stop' | 'step'>> = first ? { start: first } : {};
    this.CONSUME(t.Colon);
    this.OPTION(() => {
      parts.stop = this.SUBRULE(this.expression);
    });
    this.OPTION2(() => {
      this.CONSUME2(t.Colon);
      this.OPTION3(() => {
        parts.step = this.SUBRULE2(this.expression);
      });
    });
    return { kind: 'Slice', span: this.span(start), ...parts };
  });

  private readonly primary = this.RULE('primary', (): ast.Expr => {
    const start = this.here();
    return this.OR<ast.Expr>({
      DEF: [
        { ALT: () => this.SUBRULE(this.lambda), IGNORE_AMBIGUITIES: true },
        { ALT: () => this.SUBRULE(this.parenthesized) },
        { ALT: () => this.SUBRULE(this.listOrComprehension) },
        { ALT: () => this.SUBRULE(this.record) },
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE(this.whileLoop) },
        { GATE: () => this.isLoop(), ALT: () => this.SUBRULE(this.loop), IGNORE_AMBIGUITIES: true },
        { GATE: () => this.isMap(), ALT: () => this.SUBRULE(this.map), IGNORE_AMBIGUITIES: true },
        {
          GATE: () => this.sees(t.LeftBrace, 2),
          ALT: () => this.SUBRULE(this.noGrad),
          IGNORE_AMBIGUITIES: true,
        },
        {
          GATE: () => this.sees(t.Over, 2) && this.sees(t.Identifier, 3),
          ALT: () => this.SUBRULE(this.reduction),
          IGNORE_AMBIGUITIES: true,
        },
        {
          ALT: () => {
            const name = this.CONSUME(t.Identifier).image;
            return { kind: 'Name', span: this.span(start), name };
          },
        },
        { ALT: () => this.SUBRULE(this.literal) },
      ],
      ERR_MSG: 'an expression',
    });
  });

  private readonly literal = this.RULE('literal', (): ast.Expr => {
    const start = this.here();
    const number = (token: IToken, value: number): ast.Expr => {
      if (token.tokenType === t.BadNumber) return { kind: 'Error', span: this.span(start) };
      return { kind: 'FloatLiteral', span: this.span(start), value, text: token.image };
    };
    const bool = (value: boolean): ast.Expr => ({ kind: 'BoolLiteral', span: this.span(start), value });
    return this.OR<ast.Expr>([
      { ALT: () => this.SUBRULE(this.int) },
      {
        ALT: () => {
          const token = this.CONSUME(t.Float);
          return number(token, Number(token.image.replaceAll('_', '')));
        },
      },
      { ALT: () => number(this.CONSUME(t.Inf), Number.POSITIVE_INFINITY) },
      { ALT: () => number(this.CONSUME(t.Nan), Number.NaN) },
      { ALT: () => this.SUBRULE(this.string) },
      { ALT: () => bool(this.CONSUME(t.True).image === 'true') },
      { ALT: () => bool(this.CONSUME(t.False).image === 'true') },
      {
        ALT: () => {
          this.CONSUME(t.None);
          return { kind: 'NoneLiteral', span: this.span(start) };
        },
      },
    ]);
  });

  protected readonly int = this.RULE('int', (): ast.IntLiteral => {
    const start = this.here();
    const text = this.CONSUME(t.Int).image;
    const value = this.ACTION(() => BigInt(text.replaceAll('_', '')));
    return { kind: 'IntLiteral', span: this.span(start), value, text };
  });

  protected readonly string = this.RULE('string', (): ast.StringLiteral => {
    const token = this.CONSUME(t.Text);
    const value = this.ACTION(() => decodeString(token, (complaint) => this.complain(complaint)));
    return { kind: 'StringLiteral', span: this.span(token.startOffset), value };
  });

  private readonly lambda = this.RULE('lambda', (): ast.Lambda => {
    const start = this.here();
    const params = this.SUBRULE(this.lambdaParams);
    this.CONSUME(t.FatArrow);
    const body = this.SUBRULE(this.arrowBody);
    return { kind: 'Lambda', span: this.span(start), params, body };
  });

  /** What follows `=>`: a brace begins a block there, unless the field of a record follows it. */
  protected readonly arrowBody: () => ast.Expr | ast.Block = this.RULE('arrowBody', (): ast.Expr | ast.Block =>
    this.OR<ast.Expr | ast.Block>([
      {
        GATE: () => !(this.sees(t.Word, 2) && this.sees(t.Colon, 3)),
        ALT: () => this.SUBRULE(this.block),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]),
  );

  /** `(e)`, `()`, `(a,)` and `(a, b)`. */
  private readonly parenthesized: () => ast.Expr = this.RULE('parenthesized', (): ast.Expr => {
    const start = this.here();
    this.CONSUME(t.LeftParen);
    const elements = this.list(t.RightParen, 'an expression', () => this.SUBRULE(this.expression));
    const hasComma = this.LA(0).tokenType === t.Comma;
    this.CONSUME(t.RightParen);
    const [only] = elements;
    const span = this.span(start);
    if (only && elements.length === 1 && !hasComma) {
      return only.kind === 'Error' ? only : { ...only, span, parenthesized: true };
    }
    return { kind: 'Tuple', span, elements };
  });

  private readonly listOrComprehension: () => ast.Expr = this.RULE('listOrComprehension', (): ast.Expr => {
    const start = this.here();
    const clauses: ast.ComprehensionClause[] = [];
    this.CONSUME(t.LeftBracket);
    const elements = this.list(t.RightBracket, 'an expression', () => {
      const element = this.SUBRULE(this.indexItem);
      this.MANY(() => clauses.push(this.SUBRULE(this.comprehensionClause)));
      return element;
    });
    this.CONSUME(t.RightBracket);
    const span = this.span(start);
    const [element, second] = elements;
    if (clauses.length === 0 || element === undefined) return { kind: 'List', span, elements };
    if (element.kind === 'Slice' || element.kind === 'Ellipsis') {
      this.complain({ code: 'E0105', span: element.span, label: 'a comprehension is made of expressions' });
      return { kind: 'Error', span };
    }
    if (second) {
      const label = 'a comprehension has one element';
      this.complain({ code: 'E0105', span: second.span, label, help: 'make it a list of lists, or a call of `cat`' });
    }
    return { kind: 'Comprehension', span, element, clauses };
  });

  private readonly comprehensionClause = this.RULE('comprehensionClause', (): ast.ComprehensionClause => {
    const start = this.here();
    const conditions: ast.Expr[] = [];
    this.CONSUME(t.For);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(t.In);
    const iterable = this.SUBRULE(this.expression);
    this.MANY(() => {
      this.CONSUME(t.If);
      conditions.push(this.SUBRULE2(this.expression));
    });
    return { kind: 'ComprehensionClause', span: this.span(start), pattern, iterable, conditions };
  });

  private readonly record: () => ast.Record = this.RULE('record', (): ast.Record => {
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const fields = this.list(t.RightBrace, 'a field', () => this.SUBRULE(this.recordField));
    this.CONSUME(t.RightBrace);
    return { kind: 'Record', span: this.span(start), fields: fields.filter((field) => field.kind !== 'Error') };
  });

  private readonly recordField = this.RULE('recordField', (): ast.RecordField => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Word));
    this.CONSUME(t.Colon);
    const value = this.SUBRULE(this.expression);
    return { kind: 'RecordField', span: this.span(start), name, value };
  });

  private readonly conditional: () => ast.If = this.RULE('conditional', (): ast.If => {
    const start = this.here();
    this.CONSUME(t.If);
    const condition = this.SUBRULE(this.expression);
    const then = this.SUBRULE(this.block);
    const otherwise = this.OPTION(() => {
      this.CONSUME(t.Else);
      return this.OR<ast.Block | ast.If>([
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE2(this.block) },
      ]);
    });
    return { kind: 'If', span: this.span(start), condition, then, ...(otherwise ? { otherwise } : {}) };
  });

  private readonly whileLoop = this.RULE('whileLoop', (): ast.While => {
    const start = this.here();
    this.CONSUME(t.While);
    const condition = this.SUBRULE(this.expression);
    const limit = this.OPTION(() => {
      this.CONSUME(t.Max);
      return this.SUBRULE2(this.expression);
    });
    this.CONSUME(t.From);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(t.Equals);
    const init = this.SUBRULE3(this.expression);
    const body = this.SUBRULE(this.block);
    return { kind: 'While', span: this.span(start), condition, ...(limit ? { limit } : {}), pattern, init, body };
  });

  /** `fold` and `scan`. */
  private readonly loop = this.RULE('loop', (): ast.Fold | ast.Scan => {
    const start = this.here();
    const word = this.OR([{ ALT: () => this.CONSUME(t.Fold) }, { ALT: () => this.CONSUME(t.Scan) }]);
    const kind = word.image === 'fold' ? 'Fold' : 'Scan';
    const sequence = this.SUBRULE(this.expression);
    this.CONSUME(t.From);
    const init = this.SUBRULE2(this.expression);
    const body = this.SUBRULE(this.bracedLambda);
    return { kind, span: this.span(start), sequence, init, body };
  });

  protected abstract readonly bracedLambda: () => ast.Lambda;

  private readonly map = this.RULE('map', (): ast.Map => {
    const start = this.here();
    this.CONSUME(t.MapWord);
    const params = this.SUBRULE(this.mapParams);
    this.CONSUME(t.Over);
    const trees = this.SUBRULE(this.mapTrees);
    const body = this.SUBRULE(this.block);
    return { kind: 'Map', span: this.span(start), params, trees, body };
  });

  private readonly mapParams = this.RULE('mapParams', (): ast.Pattern[] => {
    this.CONSUME(t.LeftParen);
    const params = this.list(t.RightParen, 'a pattern', () => this.SUBRULE(this.pattern));
    this.CONSUME(t.RightParen);
    return params;
  });

  private readonly mapTrees = this.RULE('mapTrees', (): ast.Expr[] => {
    this.CONSUME(t.LeftParen);
    const trees = this.list(t.RightParen, 'an expression', () => this.SUBRULE(this.expression));
    this.CONSUME(t.RightParen);
    return trees;
  });

  private readonly noGrad = this.RULE('noGrad', (): ast.NoGrad => {
    const start = this.here();
    this.CONSUME(t.NoGrad);
    const body = this.SUBRULE(this.block);
    return { kind: 'NoGrad', span: this.span(start), body };
  });

  private readonly reduction = this.RULE('reduction', (): ast.Reduction => {
    const start = this.here();
    const reducer = this.identifier(this.CONSUME(t.Identifier));
    const binders: ast.IndexBinder[] = [];
    this.CONSUME(t.Over);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => binders.push(this.SUBRULE(this.indexBinder)) });
    this.CONSUME(t.Colon);
    const body = this.SUBRULE(this.expression);
    const condition = this.OPTION(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE2(this.expression);
    });
    return { kind: 'Reduction', span: this.span(start), reducer, binders, body, ...(condition ? { condition } : {}) };
  });

  protected readonly indexBinder = this.RULE('indexBinder', (): ast.IndexBinder => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Identifier));
    const range = this.OPTION(() => {
      this.CONSUME(t.In);
      return this.SUBRULE(this.expression);
    });
    return { kind: 'IndexBinder', span: this.span(start), name, ...(range ? { range } : {}) };
  });

  /**
   * Whether `fold` or `scan` begins a loop here: then a `from` follows after an operand, before anything that could
   * end the expression. Else it is a name, such as that of the function `fold`.
   */
  private isLoop(): boolean {
    // This is asked at every operand, and looks to the end of the expression.
    if (!this.sees(t.Fold) && !this.sees(t.Scan)) return false;
    let inBinders = false;
    for (let at = 2; !stopsLoopHead(this.LA(at), inBinders); at = this.afterGroup(at)) {
      if (this.sees(t.Over, at)) inBinders = true;
      if (this.sees(t.Colon, at)) inBinders = false;
      if (at > 2 && this.sees(t.From, at) && this.endsOperand(at - 1)) return true;
    }
    return false;
  }

  /** Whether the token `distance` ahead can be the last of an operand. */
  private endsOperand(distance: number): boolean {
    return isOneOf(this.LA(distance), operandLasts) || this.sees(t.Dot, distance - 1);
  }

  /** Whether `map` begins a walk over trees: a bracketed group and `over` follow. */
  private isMap(): boolean {
    return this.sees(t.LeftParen, 2) && this.sees(t.Over, this.afterGroup(2));
  }
}

/** What the last token of an operand may be. */
const operandLasts = [
  ...[t.Identifier, t.Int, t.Float, t.Text, t.True, t.False, t.None, t.Inf, t.Nan],
  ...[t.RightParen, t.RightBracket, t.RightBrace],
];

const loopHeadStops: readonly TokenType[] = [t.Newline, t.Semicolon, t.RightParen, t.RightBracket, t.RightBrace, EOF];

/** Whether a token stands after the head of a loop. A comma does, but for those between the variables of a reduction. */
function stopsLoopHead(token: IToken, inBinders: boolean): boolean {
  return isOneOf(token, loopHeadStops) || (token.tokenType === t.Comma && !inBinders);
}
