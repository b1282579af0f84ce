/** Random syntax trees without positions, for `parse(print(tree)) = tree`. */
import fc, { type Arbitrary } from 'fast-check';
import type * as ast from '../../compiler/syntax/ast.js';

const span = { start: 0, end: 0 };

const names = ['x', 'y', 'net', 'from', 'max', 'over', 'where', 'map', 'fold', 'dim', 'param', 'model', 'as', 'key'];
const words = [...names, 'if', 'fn', 'none', 'while', 'let', 'T'];

const identifierOf = (from: readonly string[]): Arbitrary<ast.Identifier> =>
  fc.constantFrom(...from).map((name) => ({ kind: 'Identifier', span, name }));

const identifier = identifierOf(names);
const word = identifierOf(words);

const few = <T>(element: Arbitrary<T>, minLength = 0) => fc.array(element, { minLength, maxLength: 3 });

/** An optional property: a record with it or without. */
const maybe = <K extends string, T>(key: K, value: Arbitrary<T>): Arbitrary<{ readonly [k in K]?: T }> =>
  fc.option(value, { nil: undefined }).map((made) => {
    return (made === undefined ? {} : { [key]: made }) as { readonly [k in K]?: T };
  });

// A variable called `fold` would read as a loop where a `from` follows, as in the head of `while`.
const variables = names.filter((text) => text !== 'fold');

const name: Arbitrary<ast.Expr> = fc.constantFrom(...variables).map((text) => ({ kind: 'Name', span, name: text }));

const leaf: Arbitrary<ast.Expr> = fc.oneof(
  name,
  fc.nat(99).map((value): ast.Expr => ({ kind: 'IntLiteral', span, value: BigInt(value), text: String(value) })),
  fc
    .constantFrom('1.5', '1e-3', 'inf', 'nan')
    .map((text): ast.Expr => ({ kind: 'FloatLiteral', span, value: text === 'inf' ? Infinity : Number(text), text })),
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((value): ast.Expr => ({ kind: 'StringLiteral', span, value })),
  fc.boolean().map((value): ast.Expr => ({ kind: 'BoolLiteral', span, value })),
  fc.constant<ast.Expr>({ kind: 'NoneLiteral', span }),
);

const binaryOperators = ['||', '&&', '==', '<', '>=', '+', '-', '*', '/', '//', '%', '@', '**'] as const;

/** The parts of the language refer to each other, so they are made together. */
const { expr, type, item } = fc.letrec<{
  expr: ast.Expr;
  pattern: ast.Pattern;
  statement: ast.Statement;
  block: ast.Block;
  lambda: ast.Lambda;
  argument: ast.Argument;
  binder: ast.IndexBinder;
  type: ast.Type;
  param: ast.Param;
  generic: ast.Generic;
  field: ast.Field;
  fn: ast.Fn;
  item: ast.Item;
}>((tie) => {
  const e = tie('expr');
  const node = <K extends string, T extends object>(kind: K, parts: { [key in keyof T]: Arbitrary<T[key]> }) =>
    fc.record(parts).map((made) => ({ kind, span, ...made }));
  const slice: Arbitrary<ast.Slice> = fc
    .tuple(maybe('start', e), maybe('stop', e), maybe('step', e))
    .map((parts) => Object.assign({ kind: 'Slice' as const, span }, ...parts));
  const indexItem: Arbitrary<ast.IndexItem> = fc.oneof(
    e,
    slice,
    fc.constant<ast.IndexItem>({ kind: 'Ellipsis', span }),
  );
  const loop = (kind: 'Fold' | 'Scan') =>
    node(kind, { sequence: e, init: e, body: tie('lambda').filter(({ body }) => body.kind === 'Block') });
  const expression: Arbitrary<ast.Expr> = fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    node('Unary', { operator: fc.constantFrom('-' as const, '!' as const), operand: e }),
    node('Binary', {
      operator: fc.constantFrom(...binaryOperators),
      operatorSpan: fc.constant(span),
      left: e,
      right: e,
    }),
    node('Pipe', { value: e, target: e }),
    node('Range', { start: e, end: e }),
    node('Call', { callee: e, args: few(tie('argument')) }),
    fc
      .tuple(node('Index', { object: e, items: few(indexItem, 1) }), maybe('outside', e))
      .map(([index, outside]) => ({ ...index, ...outside })),
    node('Member', { object: e, name: word }),
    tie('lambda'),
    node('List', { elements: few(indexItem) }),
    node('Comprehension', {
      element: e,
      clauses: few(node('ComprehensionClause', { pattern: tie('pattern'), iterable: e, conditions: few(e) }), 1),
    }),
    node('Tuple', { elements: few(e) }),
    node('Record', { fields: few(node('RecordField', { name: word, value: e })) }),
    fc
      .tuple(e, tie('block'), maybe('otherwise', tie('block')))
      .map(([condition, then, otherwise]): ast.If => ({ kind: 'If', span, condition, then, ...otherwise })),
    loop('Fold'),
    loop('Scan'),
    fc
      .tuple(node('While', { condition: e, pattern: tie('pattern'), init: e, body: tie('block') }), maybe('limit', e))
      .map(([loopNode, limit]) => ({ ...loopNode, ...limit })),
    node('Map', { params: few(tie('pattern')), trees: few(e), body: tie('block') }),
    node('NoGrad', { body: tie('block') }),
    fc
      .tuple(
        node('Reduction', {
          reducer: identifierOf(['sum', 'max', 'mean', 'x']),
          binders: few(tie('binder'), 1),
          body: e,
        }),
        maybe('condition', e),
      )
      .map(([reduction, condition]) => ({ ...reduction, ...condition })),
  );
  const namePattern = node('NamePattern', { name: identifier });
  const typeArbitrary: Arbitrary<ast.Type> = fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    node('NamedType', { name: identifier }),
    node('ShapedType', {
      dtype: identifier,
      shape: few(
        fc.oneof(e, fc.constant<ast.ShapeItem>({ kind: 'AnyDim', span }), node('RestDim', { name: identifier })),
      ),
    }),
    node('AppliedType', { name: identifier, args: few(tie('argument')) }),
    node('LikeType', { value: e }),
    node('TupleType', { elements: few(tie('type')) }),
    node('RecordType', { fields: few(node('RecordTypeField', { name: word, type: tie('type') })) }),
    node('ListType', { element: tie('type') }),
    node('OptionalType', { type: tie('type') }),
    node('UnionType', {
      alternatives: few(
        tie('type').filter(({ kind }) => kind !== 'UnionType'),
        2,
      ),
    }),
    node('FunctionType', { params: few(tie('type')), result: tie('type') }),
    node('MutType', { type: tie('type') }),
  );
  const body = fc.oneof(e, tie('block'));
  const constant: Arbitrary<ast.Constant> = fc
    .tuple(node('Constant', { name: identifier, value: e }), maybe('type', tie('type')))
    .map(([made, annotation]) => ({ ...made, ...annotation }));
  const braces = fc.constant(span);
  return {
    expr: expression,
    pattern: fc.oneof(
      { maxDepth: 2 },
      namePattern,
      node('TuplePattern', { elements: few(tie('pattern')) }),
      node('RecordPattern', {
        fields: few(
          fc
            .tuple(node('RecordPatternField', { name: word }), maybe('pattern', tie('pattern')))
            .map(([field, pattern]) => ({ ...field, ...pattern })),
        ),
      }),
    ),
    statement: fc.oneof(
      fc
        .tuple(node('Let', { pattern: tie('pattern'), value: e }), maybe('type', tie('type')))
        .map(([made, annotation]) => ({ ...made, ...annotation })),
      node('Assign', {
        target: fc.oneof(name, node('Member', { object: name, name: word })),
        operator: fc.constantFrom('=' as const, '+=' as const, '/=' as const),
        value: e,
      }),
      node('IndexDefinition', { name: identifier, indices: few(tie('binder'), 1), value: e }),
      node('For', { pattern: tie('pattern'), iterable: e, body: tie('block') }),
      e,
    ),
    block: fc.tuple(few(tie('statement')), maybe('value', e)).map(([statements, value]): ast.Block => {
      // An expression in the last place would be the value.
      const kept = value.value
        ? statements
        : statements.filter((s) => /^(?:Let|Assign|IndexDefinition|For)$/.test(s.kind));
      return { kind: 'Block', span, statements: kept, ...value };
    }),
    lambda: fc
      .tuple(few(fc.tuple(tie('pattern'), maybe('type', tie('type')))), body)
      .map(([params, made]): ast.Lambda => {
        const list = params.map(([pattern, annotation]): ast.LambdaParam => {
          return { kind: 'LambdaParam', span, pattern, ...annotation };
        });
        return { kind: 'Lambda', span, params: list, body: made };
      }),
    argument: fc
      .tuple(node('Argument', { value: e }), maybe('name', word))
      .map(([argument, label]) => ({ ...argument, ...label })),
    binder: fc
      .tuple(node('IndexBinder', { name: identifier }), maybe('range', e))
      .map(([binder, range]) => ({ ...binder, ...range })),
    type: typeArbitrary,
    param: fc
      .tuple(node('Param', { name: identifier, rest: fc.boolean(), type: tie('type') }), maybe('default', e))
      .map(([param, value]) => ({ ...param, ...value })),
    generic: fc.oneof(
      node('DimGeneric', { name: identifier, rest: fc.boolean() }),
      node('DtypeGeneric', { name: identifier, alternatives: few(identifierOf(['float', 'f32', 'any']), 1) }),
      node('ModelGeneric', { name: identifier }),
    ),
    field: fc.oneof(
      { maxDepth: 2 },
      node('ChildField', { name: word, value: e }),
      fc
        .tuple(
          node('TensorField', {
            role: fc.constantFrom('param' as const, 'buffer' as const, 'state' as const),
            name: word,
            type: tie('type'),
          }),
          maybe('init', e),
        )
        .map(([field, init]) => ({ ...field, ...init })),
      constant,
      tie('fn').map((fn): ast.Fn => ({ ...fn, exported: false })),
      fc
        .tuple(
          node('IfField', { condition: e, fields: few(tie('field')), braces }),
          maybe('otherwise', few(tie('field'))),
        )
        .map(([field, { otherwise }]) => ({ ...field, ...(otherwise ? { otherwise, otherwiseBraces: span } : {}) })),
    ),
    fn: fc
      .tuple(
        node('Fn', {
          exported: fc.constant(false),
          name: identifier,
          generics: few(tie('generic')),
          params: few(tie('param')),
          body,
        }),
        maybe('result', tie('type')),
        maybe('derivative', node('Derivative', { params: few(identifier), body })),
      )
      .map(([fn, result, derivative]) => ({ ...fn, exported: result.result !== undefined, ...result, ...derivative })),
    item: fc.oneof(
      node('Import', {
        from: fc.oneof(
          node('ModuleName', { parts: few(word, 1) }),
          node('StringLiteral', { value: fc.constantFrom('./a.td', 'pkg/b.td') }),
        ),
        names: few(
          fc
            .tuple(node('ImportName', { name: identifier }), maybe('alias', identifier))
            .map(([made, alias]) => ({ ...made, ...alias })),
        ),
      }),
      node('DimDeclaration', { names: few(identifier, 1) }),
      node('DefaultFloat', { dtype: identifier }),
      constant,
      tie('fn'),
      node('Model', {
        name: identifier,
        generics: few(tie('generic')),
        params: few(tie('param')),
        fields: few(tie('field')),
        braces,
      }),
    ),
  };
});

export { expr, type };

/** Whole files. */
export const file: Arbitrary<ast.File> = few(item, 1).map((items) => ({ kind: 'File', span, items }));
