/** The grammar of files: imports, declarations, functions and models. The last class of the chain, and the parser. */
import { EOF } from 'chevrotain';
import type * as ast from '../ast.js';
import { spanOf } from '../layout.js';
import * as t from '../tokens.js';
import { type ParserOptions, separators } from './base.js';
import { TypeGrammar } from './types.js';

const currentVersion = 1n;
const itemKinds = '`fn`, `export fn`, `model`, `import`, `dim`, `default_float` or `let`';
const fieldKinds = 'a field: `name: value`, `param`, `buffer`, `state`, `let`, `fn` or `if`';

/** Fields in braces. */
type FieldBlock = Pick<ast.Model, 'fields' | 'braces'>;

export class Grammar extends TypeGrammar {
  constructor(options: ParserOptions = {}) {
    super(options);
    this.performSelfAnalysis();
  }

  /** A whole file. */
  readonly file = this.RULE('file', (): ast.File => {
    this.MANY(() => this.CONSUME(t.Newline));
    const version = this.OPTION({
      GATE: () => this.sees(t.Int, 2),
      DEF: () => this.SUBRULE(this.version),
    });
    const items = this.SUBRULE(this.items);
    const { end } = this.span(0);
    return { kind: 'File', span: { start: 0, end }, ...(version ? { version } : {}), items };
  });

  /** A text that is one expression. */
  readonly loneExpression = this.RULE('loneExpression', (): ast.Expr => {
    this.MANY(() => this.CONSUME(t.Newline));
    return this.guarded([EOF], () => {
      const value = this.SUBRULE(this.expression);
      this.MANY2(() => this.CONSUME2(t.Newline));
      return value;
    });
  });

  private readonly version = this.RULE('version', (): ast.IntLiteral => {
    this.CONSUME(t.Tdsl);
    const version = this.SUBRULE(this.int);
    this.ACTION(() => {
      if (version.value === currentVersion) return;
      this.complain({ code: 'E0111', span: version.span, label: `this tdsl knows version ${currentVersion}` });
    });
    return version;
  });

  private readonly items = this.RULE('items', (): ast.Item[] =>
    this.sequence(EOF, itemKinds, () => this.SUBRULE(this.item)),
  );

  private readonly item: () => ast.Item = this.RULE(
    'item',
    (): ast.Item =>
      this.OR<ast.Item>({
        DEF: [
          { ALT: () => this.SUBRULE(this.import) },
          { ALT: () => this.SUBRULE(this.exportedFn) },
          { ALT: () => this.SUBRULE(this.fn) },
          { ALT: () => this.SUBRULE(this.model) },
          { ALT: () => this.SUBRULE(this.dimDeclaration) },
          { ALT: () => this.SUBRULE(this.defaultFloat) },
          { ALT: () => this.SUBRULE(this.constant) },
        ],
        ERR_MSG: itemKinds,
      }),
  );

  private readonly import = this.RULE('import', (): ast.Import => {
    const start = this.here();
    this.CONSUME(t.Import);
    const from = this.OR<ast.Import['from']>({
      DEF: [{ ALT: () => this.SUBRULE(this.moduleName) }, { ALT: () => this.SUBRULE(this.string) }],
      ERR_MSG: 'a module such as `std.nn`, or a path in quotes',
    });
    const names = this.SUBRULE(this.importNames);
    return { kind: 'Import', span: this.span(start), from, names };
  });

  private readonly moduleName = this.RULE('moduleName', (): ast.ModuleName => {
    const start = this.here();
    const parts: ast.Identifier[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.Dot, DEF: () => parts.push(this.identifier(this.CONSUME(t.Word))) });
    return { kind: 'ModuleName', span: this.span(start), parts };
  });

  private readonly importNames = this.RULE('importNames', (): ast.ImportName[] => {
    this.CONSUME(t.LeftBrace);
    const names = this.list(t.RightBrace, 'a name', () => this.SUBRULE(this.importName));
    this.CONSUME(t.RightBrace);
    return names.filter((name) => name.kind !== 'Error');
  });

  private readonly importName = this.RULE('importName', (): ast.ImportName => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Identifier));
    const alias = this.OPTION(() => {
      this.CONSUME(t.As);
      return this.identifier(this.CONSUME2(t.Identifier));
    });
    return { kind: 'ImportName', span: this.span(start), name, ...(alias ? { alias } : {}) };
  });

  private readonly dimDeclaration = this.RULE('dimDeclaration', (): ast.DimDeclaration => {
    const start = this.here();
    const names: ast.Identifier[] = [];
    this.CONSUME(t.Dim);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => names.push(this.identifier(this.CONSUME(t.Identifier))) });
    return { kind: 'DimDeclaration', span: this.span(start), ...this.docsAt(start), names };
  });

  private readonly defaultFloat = this.RULE('defaultFloat', (): ast.DefaultFloat => {
    const start = this.here();
    this.CONSUME(t.DefaultFloat);
    const dtype = this.identifier(this.CONSUME(t.Identifier));
    return { kind: 'DefaultFloat', span: this.span(start), ...this.docsAt(start), dtype };
  });

  private readonly constant = this.RULE('constant', (): ast.Constant => {
    const start = this.here();
    this.CONSUME(t.Let);
    const name = this.identifier(this.CONSUME(t.Identifier));
    const type = this.OPTION(() => {
      this.CONSUME(t.Colon);
      return this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.statementValue);
    const span = this.span(start);
    return { kind: 'Constant', span, ...this.docsAt(start), name, ...(type ? { type } : {}), value };
  });

  private readonly exportedFn = this.RULE('exportedFn', (): ast.Fn => {
    const start = this.here();
    this.CONSUME(t.Export);
    const fn = this.SUBRULE(this.fn);
    this.ACTION(() => {
      // A block may be there for its effects on state alone; whether it gives a value is known when it is elaborated.
      if (fn.result || fn.body.kind === 'Block') return;
      const help = 'write `-> type` after the parameters';
      this.complain({ code: 'E0112', span: fn.name.span, label: 'its result has no type', help });
    });
    return { ...fn, span: this.span(start), ...this.docsAt(start), exported: true };
  });

  private readonly fn: () => ast.Fn = this.RULE('fn', (): ast.Fn => {
    const start = this.here();
    this.CONSUME(t.Fn);
    const name = this.identifier(this.CONSUME(t.Identifier));
    const generics = this.OPTION(() => this.SUBRULE(this.generics)) ?? [];
    const params = this.SUBRULE(this.params);
    const result = this.OPTION2(() => {
      this.CONSUME(t.ThinArrow);
      return this.guarded([t.Equals, t.LeftBrace, t.RightBrace, ...separators], () => this.SUBRULE(this.type));
    });
    const body = this.OR<ast.Expr | ast.Block>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Equals);
            return this.SUBRULE(this.statementValue);
          },
        },
        { ALT: () => this.SUBRULE(this.block) },
      ],
      ERR_MSG: '`->` and a type, `=` and an expression, or a block in braces',
    });
    const derivative = this.OPTION3({
      GATE: () => this.isDerivative(),
      DEF: () => this.SUBRULE(this.derivative),
    });
    return {
      kind: 'Fn',
      span: this.span(start),
      ...this.docsAt(start),
      exported: false,
      ...{ name, generics, params },
      ...(result ? { result } : {}),
      body,
      ...(derivative ? { derivative } : {}),
    };
  });

  /** Whether `derivative (` or `derivative dx =>` follows, here or on the next line. */
  private isDerivative(): boolean {
    const at = this.sees(t.Newline) ? 2 : 1;
    return this.sees(t.Derivative, at) && (this.sees(t.LambdaParen, at + 1) || this.sees(t.FatArrow, at + 2));
  }

  private readonly derivative = this.RULE('derivative', (): ast.Derivative => {
    this.OPTION(() => this.CONSUME(t.Newline));
    const start = this.here();
    this.CONSUME(t.Derivative);
    const params = this.SUBRULE(this.lambdaParams);
    this.CONSUME(t.FatArrow);
    const body = this.SUBRULE(this.arrowBody);
    return { kind: 'Derivative', span: this.span(start), params: this.ACTION(() => this.plainNames(params)), body };
  });

  /** The tangents of a derivative are plain names: what they are tangent to has its type already. */
  private plainNames(params: readonly ast.LambdaParam[]): ast.Identifier[] {
    return params.flatMap(({ pattern, type, span }) => {
      if (pattern.kind === 'NamePattern' && type === undefined) return [pattern.name];
      if (pattern.kind !== 'Error') this.complain({ code: 'E0105', span, label: 'expected a name alone' });
      return [];
    });
  }

  private readonly generics = this.RULE('generics', (): ast.Generic[] => {
    this.CONSUME(t.LeftBracket);
    const generics = this.list(t.RightBracket, 'a name', () => this.SUBRULE(this.generic));
    this.CONSUME(t.RightBracket);
    return generics.filter((generic) => generic.kind !== 'Error');
  });

  private readonly generic = this.RULE('generic', (): ast.Generic => {
    const start = this.here();
    return this.OR<ast.Generic>([
      {
        ALT: () => {
          this.CONSUME(t.Star);
          const name = this.identifier(this.CONSUME(t.Identifier));
          return { kind: 'DimGeneric', span: this.span(start), name, rest: true };
        },
      },
      {
        ALT: () => {
          const name = this.identifier(this.CONSUME2(t.Identifier));
          const alternatives: ast.Identifier[] = [];
          this.OPTION(() => {
            this.CONSUME(t.Colon);
            this.AT_LEAST_ONE_SEP({
              SEP: t.Bar,
              DEF: () => alternatives.push(this.identifier(this.CONSUME3(t.Identifier))),
            });
          });
          const span = this.span(start);
          const [first, second] = alternatives;
          if (first === undefined) return { kind: 'DimGeneric', span, name, rest: false };
          if (first.name === 'model' && second === undefined) return { kind: 'ModelGeneric', span, name };
          return { kind: 'DtypeGeneric', span, name, alternatives };
        },
      },
    ]);
  });

  private readonly params = this.RULE('params', (): ast.Param[] => {
    this.CONSUME(t.LeftParen);
    const params = this.list(t.RightParen, 'a parameter', () => this.SUBRULE(this.param));
    this.CONSUME(t.RightParen);
    return params.filter((param) => param.kind !== 'Error');
  });

  private readonly param = this.RULE('param', (): ast.Param => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Identifier));
    const rest = this.OPTION(() => this.CONSUME(t.Ellipsis)) !== undefined;
    const type =
      this.OPTION2(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      }) ?? this.missingType(name);
    const value = this.OPTION3(() => {
      this.CONSUME(t.Equals);
      return this.SUBRULE(this.expression);
    });
    const span = this.span(start);
    return { kind: 'Param', span, ...this.docsAt(start), name, rest, type, ...(value ? { default: value } : {}) };
  });

  private missingType({ name, span }: ast.Identifier): ast.ErrorNode {
    const help =
      name === 'self'
        ? 'leave it out: a method sees its model as `self`, and the fields by their names'
        : `write \`${name}: type\`, for example \`${name}: f32\``;
    this.complain({ code: 'E0112', span, label: 'this parameter has no type', help });
    return { kind: 'Error', span };
  }

  private readonly model = this.RULE('model', (): ast.Model => {
    const start = this.here();
    this.CONSUME(t.Model);
    const name = this.identifier(this.CONSUME(t.Identifier));
    const generics = this.OPTION(() => this.SUBRULE(this.generics)) ?? [];
    const params = this.OPTION2(() => this.SUBRULE(this.params)) ?? [];
    const { fields, braces } = this.SUBRULE(this.fieldBlock);
    return { kind: 'Model', span: this.span(start), ...this.docsAt(start), name, generics, params, fields, braces };
  });

  private readonly fieldBlock: () => FieldBlock = this.RULE('fieldBlock', (): FieldBlock => {
    this.OPTION({ GATE: () => this.sees(t.LeftBrace, 2), DEF: () => this.CONSUME(t.Newline) });
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const fields = this.sequence(t.RightBrace, fieldKinds, () => this.SUBRULE(this.field));
    this.CONSUME(t.RightBrace);
    return { fields, braces: this.span(start) };
  });

  private readonly field: () => ast.Field = this.RULE(
    'field',
    (): ast.Field =>
      this.OR<ast.Field>({
        DEF: [
          { ALT: () => this.SUBRULE(this.childField) },
          { ALT: () => this.SUBRULE(this.tensorField) },
          { ALT: () => this.SUBRULE(this.constant) },
          { ALT: () => this.SUBRULE(this.fn) },
          { ALT: () => this.SUBRULE(this.ifField) },
        ],
        ERR_MSG: fieldKinds,
      }),
  );

  private readonly childField = this.RULE('childField', (): ast.ChildField => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Word));
    this.CONSUME(t.Colon);
    const value = this.guarded([t.Equals, t.RightBrace, ...separators], () => this.SUBRULE(this.expression));
    const equals = this.OPTION(() => {
      const sign = this.CONSUME(t.Equals);
      this.SUBRULE(this.statementValue);
      return sign;
    });
    const field = { kind: 'ChildField', span: this.span(start), ...this.docsAt(start), name } as const;
    if (!equals) return { ...field, value };
    this.ACTION(() => this.complain({ code: 'E0105', span: spanOf(equals), label: 'a sub-model has no value' }));
    return { ...field, value: { kind: 'Error', span: field.span } };
  });

  private readonly tensorField = this.RULE('tensorField', (): ast.TensorField => {
    const start = this.here();
    const role = this.OR([
      { ALT: () => this.CONSUME(t.Param) },
      { ALT: () => this.CONSUME(t.Buffer) },
      { ALT: () => this.CONSUME(t.State) },
    ]).image as ast.TensorField['role'];
    const name = this.identifier(this.CONSUME(t.Word));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    const init = this.OPTION(() => {
      this.CONSUME(t.Equals);
      return this.SUBRULE(this.statementValue);
    });
    const span = this.span(start);
    return { kind: 'TensorField', span, ...this.docsAt(start), role, name, type, ...(init ? { init } : {}) };
  });

  private readonly ifField: () => ast.IfField = this.RULE('ifField', (): ast.IfField => {
    const start = this.here();
    this.CONSUME(t.If);
    const condition = this.SUBRULE(this.expression);
    const block = this.SUBRULE(this.fieldBlock);
    const otherwise = this.OPTION(() => {
      this.CONSUME(t.Else);
      return this.OR<Pick<ast.IfField, 'otherwise' | 'otherwiseBraces'>>([
        { ALT: () => ({ otherwise: [this.SUBRULE(this.ifField)] }) },
        {
          ALT: () => {
            const { fields, braces } = this.SUBRULE2(this.fieldBlock);
            return { otherwise: fields, otherwiseBraces: braces };
          },
        },
      ]);
    });
    return { kind: 'IfField', span: this.span(start), condition, ...block, ...otherwise };
  });
}
