/** The grammar of types. */
import type * as ast from '../ast.js';
import * as t from '../tokens.js';
import { StatementGrammar } from './statements.js';

export abstract class TypeGrammar extends StatementGrammar {
  protected readonly type: () => ast.Type = this.RULE('type', (): ast.Type => {
    const start = this.here();
    return this.OR<ast.Type>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Mut);
            const type = this.SUBRULE(this.type);
            return { kind: 'MutType', span: this.span(start), type };
          },
        },
        { ALT: () => this.SUBRULE(this.unionType) },
      ],
      ERR_MSG: 'a type',
    });
  });

  private readonly unionType = this.RULE('unionType', (): ast.Type => {
    const start = this.here();
    const first = this.SUBRULE(this.optionalType);
    const alternatives = [first];
    this.MANY(() => {
      this.CONSUME(t.Bar);
      alternatives.push(this.SUBRULE2(this.optionalType));
    });
    return alternatives.length === 1 ? first : { kind: 'UnionType', span: this.span(start), alternatives };
  });

  private readonly optionalType = this.RULE('optionalType', (): ast.Type => {
    const start = this.here();
    let type = this.SUBRULE(this.plainType);
    this.OPTION(() => {
      this.CONSUME(t.Question);
      type = { kind: 'OptionalType', span: this.span(start), type };
    });
    return type;
  });

  private readonly plainType = this.RULE(
    'plainType',
    (): ast.Type =>
      this.OR<ast.Type>({
        DEF: [
          {
            GATE: () => this.sees(t.LeftParen, 2),
            ALT: () => this.SUBRULE(this.likeType),
            IGNORE_AMBIGUITIES: true,
          },
          { ALT: () => this.SUBRULE(this.namedType) },
          { ALT: () => this.SUBRULE(this.tupleType) },
          { ALT: () => this.SUBRULE(this.listType) },
          { ALT: () => this.SUBRULE(this.recordType) },
          { ALT: () => this.SUBRULE(this.functionType) },
        ],
        ERR_MSG: 'a type',
      }),
  );

  private readonly likeType = this.RULE('likeType', (): ast.LikeType => {
    const start = this.here();
    this.CONSUME(t.Like);
    this.CONSUME(t.LeftParen);
    const value = this.guarded([t.RightParen], () => this.SUBRULE(this.expression));
    this.CONSUME(t.RightParen);
    return { kind: 'LikeType', span: this.span(start), value };
  });

  /** A name, alone or with a shape or arguments. */
  private readonly namedType = this.RULE('namedType', (): ast.Type => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Identifier));
    const qualified = this.OPTION(() =>
      this.OR<ast.Type>([
        {
          ALT: () => {
            const shape = this.SUBRULE(this.shape);
            return { kind: 'ShapedType', span: this.span(start), dtype: name, shape };
          },
        },
        {
          ALT: () => {
            const args = this.SUBRULE(this.args);
            return { kind: 'AppliedType', span: this.span(start), name, args };
          },
        },
      ]),
    );
    return qualified ?? { kind: 'NamedType', span: this.span(start), name };
  });

  private readonly shape = this.RULE('shape', (): ast.ShapeItem[] => {
    this.CONSUME(t.LeftBracket);
    const items = this.list(t.RightBracket, 'a dimension', () => this.SUBRULE(this.shapeItem));
    this.CONSUME(t.RightBracket);
    return items;
  });

  private readonly shapeItem = this.RULE('shapeItem', (): ast.ShapeItem => {
    const start = this.here();
    return this.OR<ast.ShapeItem>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Star);
            const name = this.identifier(this.CONSUME(t.Identifier));
            return { kind: 'RestDim', span: this.span(start), name };
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Underscore);
            return { kind: 'AnyDim', span: this.span(start) };
          },
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => this.SUBRULE(this.expression) },
      ],
      ERR_MSG: 'a dimension',
    });
  });

  /** A tuple, or a type in parentheses. */
  private readonly tupleType = this.RULE('tupleType', (): ast.Type => {
    const start = this.here();
    this.CONSUME(t.LeftParen);
    const elements = this.list(t.RightParen, 'a type', () => this.SUBRULE(this.type));
    const hasComma = this.LA(0).tokenType === t.Comma;
    this.CONSUME(t.RightParen);
    const [only] = elements;
    if (only && elements.length === 1 && !hasComma) return only;
    return { kind: 'TupleType', span: this.span(start), elements };
  });

  private readonly listType = this.RULE('listType', (): ast.ListType => {
    const start = this.here();
    this.CONSUME(t.LeftBracket);
    const element = this.guarded([t.RightBracket], () => this.SUBRULE(this.type));
    this.CONSUME(t.RightBracket);
    return { kind: 'ListType', span: this.span(start), element };
  });

  private readonly recordType = this.RULE('recordType', (): ast.RecordType => {
    const start = this.here();
    this.CONSUME(t.LeftBrace);
    const fields = this.list(t.RightBrace, 'a field', () => this.SUBRULE(this.recordTypeField));
    this.CONSUME(t.RightBrace);
    return { kind: 'RecordType', span: this.span(start), fields: fields.filter((field) => field.kind !== 'Error') };
  });

  private readonly recordTypeField = this.RULE('recordTypeField', (): ast.RecordTypeField => {
    const start = this.here();
    const name = this.identifier(this.CONSUME(t.Word));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    return { kind: 'RecordTypeField', span: this.span(start), ...this.docsAt(start), name, type };
  });

  private readonly functionType = this.RULE('functionType', (): ast.FunctionType => {
    const start = this.here();
    this.CONSUME(t.Fn);
    const params = this.SUBRULE(this.functionTypeParams);
    this.CONSUME(t.ThinArrow);
    const result = this.SUBRULE(this.type);
    return { kind: 'FunctionType', span: this.span(start), params, result };
  });

  private readonly functionTypeParams = this.RULE('functionTypeParams', (): ast.Type[] => {
    this.CONSUME(t.LeftParen);
    const params = this.list(t.RightParen, 'a type', () => this.SUBRULE(this.type));
    this.CONSUME(t.RightParen);
    return params;
  });
}
