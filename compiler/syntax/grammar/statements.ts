/** The grammar of patterns, statements and blocks. */
import type * as ast from '../ast.js';
import * as t from '../tokens.js';
import type { Complaint } from './base.js';
import { ExpressionGrammar } from './expressions.js';

/** The inside of a block. */
type BlockContent = Pick<ast.Block, 'statements' | 'value'>;

export abstract class StatementGrammar extends ExpressionGrammar {
  protected readonly pattern: () => ast.Pattern = this.RULE('pattern', (): ast.Pattern => {
    const start = this.here();
    return this.OR<ast.Pattern>({
      DEF: [
        {
          ALT: () => {
            const name = this.identifier(this.CONSUME(t.Identifier));
            return { kind: 'NamePattern', span: this.span(start), name };
          },
        },
        { ALT: () => this.SUBRULE(this.tuplePattern) },
        { ALT: () => this.SUBRULE(this.recordPattern) },
      ],
      ERR_MSG: 'a name or a pattern',
    });
  });

  private readonly tuplePattern: () => ast.TuplePattern = this.RULE('tuplePattern', (): ast.TuplePattern => {
    const start = this.here();
    this.CONSUME(t.LeftParen);
    const elements = this.list(t.RightParen, 'a pattern', () => this.SUBRULE(this.pattern));
    this.CONSUME(t.RightParen);
    return { kind: 'TuplePattern', span: this.span(start), elements };
  });

  private readonly recordPattern: () => ast.RecordPattern = this.RULE('recordPattern', (): ast.RecordPattern => {
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const fields = this.list(t.RightBrace, 'a name', () => this.SUBRULE(this.recordPatternField));
    this.CONSUME(t.RightBrace);
    return { kind: 'RecordPattern', span: this.span(start), fields: fields.filter((field) => field.kind !== 'Error') };
  });

  private readonly recordPatternField = this.RULE('recordPatternField', (): ast.RecordPatternField => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Word));
    const pattern = this.OPTION(() => {
      this.CONSUME(t.Colon);
      return this.SUBRULE(this.pattern);
    });
    return { kind: 'RecordPatternField', span: this.span(start), name, ...(pattern ? { pattern } : {}) };
  });

  protected readonly block: () => ast.Block = this.RULE('block', (): ast.Block => {
    this.OPTION({ GATE: () => this.sees(t.LeftBrace, 2), DEF: () => this.CONSUME(t.Newline) });
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const content = this.SUBRULE(this.blockContent);
    this.CONSUME(t.RightBrace);
    return { kind: 'Block', span: this.span(start), ...content };
  });

  private readonly blockContent = this.RULE('blockContent', (): BlockContent => {
    const statements = this.sequence(t.RightBrace, 'a statement', () => this.SUBRULE(this.statement));
    const last = statements.at(-1);
    if (last === undefined || !isExpression(last)) return { statements };
    return { statements: statements.slice(0, -1), value: last };
  });

  /** `{ (carry, x) => statements }`, which stands only after the head of a loop. */
  protected readonly bracedLambda = this.RULE('bracedLambda', (): ast.Lambda => {
    this.OPTION({ GATE: () => this.sees(t.LeftBrace, 2), DEF: () => this.CONSUME(t.Newline) });
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const params = this.SUBRULE(this.lambdaParams);
    this.CONSUME(t.FatArrow);
    const bodyStart = this.here();
    const content = this.SUBRULE(this.blockContent);
    const body: ast.Block = { kind: 'Block', span: this.span(bodyStart), ...content };
    this.CONSUME(t.RightBrace);
    return { kind: 'Lambda', span: this.span(start), params, body };
  });

  protected readonly lambdaParams: () => ast.LambdaParam[] = this.RULE('lambdaParams', (): ast.LambdaParam[] =>
    this.OR<ast.LambdaParam[]>([
      { ALT: () => this.SUBRULE(this.lambdaParamList) },
      {
        ALT: () => {
          const start = this.here();
          const name = this.identifier(this.CONSUME(t.Identifier));
          const span = this.span(start);
          return [{ kind: 'LambdaParam', span, pattern: { kind: 'NamePattern', span, name } }];
        },
      },
    ]),
  );

  private readonly lambdaParamList = this.RULE('lambdaParamList', (): ast.LambdaParam[] => {
    this.CONSUME(t.LambdaParen);
    const params = this.list(t.RightParen, 'a parameter', () => this.SUBRULE(this.lambdaParam));
    this.CONSUME(t.RightParen);
    return params.map((param) =>
      param.kind === 'Error' ? { kind: 'LambdaParam', span: param.span, pattern: param } : param,
    );
  });

  private readonly lambdaParam = this.RULE('lambdaParam', (): ast.LambdaParam => {
    const start = this.here();
    const pattern = this.SUBRULE(this.pattern);
    const type = this.OPTION(() => {
      this.CONSUME(t.Colon);
      return this.SUBRULE(this.type);
    });
    return { kind: 'LambdaParam', span: this.span(start), pattern, ...(type ? { type } : {}) };
  });

  private readonly statement = this.RULE(
    'statement',
    (): ast.Statement =>
      this.OR<ast.Statement>([
        { ALT: () => this.SUBRULE(this.letStatement) },
        { ALT: () => this.SUBRULE(this.forStatement) },
        {
          GATE: () => this.isIndexDefinition(),
          ALT: () => this.SUBRULE(this.indexDefinition),
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => this.SUBRULE(this.expressionOrAssign) },
      ]),
  );

  private readonly letStatement = this.RULE('letStatement', (): ast.Let => {
    const start = this.here();
    this.CONSUME(t.Let);
    const pattern = this.SUBRULE(this.pattern);
    const type = this.OPTION(() => {
      this.CONSUME(t.Colon);
      return this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.statementValue);
    return { kind: 'Let', span: this.span(start), pattern, ...(type ? { type } : {}), value };
  });

  /** The value of a binding: if it does not parse, the names are bound all the same. */
  protected readonly statementValue = this.RULE(
    'statementValue',
    (): ast.Expr =>
      this.guarded([t.Newline, t.Semicolon, t.RightBrace, t.Derivative], () => this.SUBRULE(this.expression)),
  );

  private readonly forStatement = this.RULE('forStatement', (): ast.For => {
    const start = this.here();
    this.CONSUME(t.For);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(t.In);
    const iterable = this.SUBRULE(this.expression);
    const body = this.SUBRULE(this.block);
    return { kind: 'For', span: this.span(start), pattern, iterable, body };
  });

  private readonly indexDefinition = this.RULE('indexDefinition', (): ast.IndexDefinition => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Identifier));
    const indices = this.SUBRULE(this.indexBinders);
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.statementValue);
    return { kind: 'IndexDefinition', span: this.span(start), name, indices, value };
  });

  private readonly indexBinders = this.RULE('indexBinders', (): ast.IndexBinder[] => {
    this.CONSUME(t.LeftBracket);
    const binders = this.list(t.RightBracket, 'an index variable', () => this.SUBRULE(this.indexBinder));
    this.CONSUME(t.RightBracket);
    return binders.filter((binder) => binder.kind !== 'Error');
  });

  private readonly expressionOrAssign = this.RULE('expressionOrAssign', (): ast.Statement => {
    const start = this.here();
    const target = this.SUBRULE(this.expression);
    let result: ast.Statement = target;
    this.OPTION(() => {
      const operator = this.CONSUME(t.AssignmentSign).image as ast.AssignOperator;
      const value = this.SUBRULE(this.statementValue);
      this.ACTION(() => {
        const complaint = checkTarget(target);
        if (complaint) this.complain(complaint);
      });
      result = { kind: 'Assign', span: this.span(start), target, operator, value };
    });
    return result;
  });

  /** Whether `name[i, j] =` follows, with an index variable in the first place. */
  private isIndexDefinition(): boolean {
    if (!this.sees(t.Identifier) || !this.sees(t.LeftBracket, 2) || !this.sees(t.Identifier, 3)) return false;
    const binds = this.sees(t.Comma, 4) || this.sees(t.RightBracket, 4) || this.sees(t.In, 4);
    return binds && this.sees(t.Equals, this.afterGroup(2));
  }
}

const statementKinds: ReadonlySet<string> = new Set(['Let', 'Assign', 'IndexDefinition', 'For']);

function isExpression(statement: ast.Statement): statement is ast.Expr {
  return !statementKinds.has(statement.kind);
}

/** What is wrong with the left side of an assignment: it is a name, or a field of what a name holds. */
function checkTarget(target: ast.Expr): Complaint | undefined {
  const { span } = target;
  if (target.kind === 'Index') {
    const help = 'values are pure: write `x = update(x, [1:3], v)`, or `out[i, j] = …` with index variables';
    return { code: 'E0108', span, label: 'elements cannot be assigned', help };
  }
  let root: ast.Expr = target;
  while (root.kind === 'Member' || root.kind === 'Index') root = root.object;
  if (root.kind === 'Name' || root.kind === 'Error') return undefined;
  return { code: 'E0108', span, label: 'not a name or a field', help: 'to compare, write `==`' };
}
