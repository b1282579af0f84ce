/** How types are printed. */
import type * as ast from '../ast.js';
import type { PrintContext } from './context.js';
import { type Doc, flatten, join, line } from './doc.js';
import { printArguments, printExpr } from './expressions.js';

/** Prints a type. */
export function printType(context: PrintContext, type: ast.Type): Doc {
  const print = (inner: ast.Type) => printType(context, inner);
  const end = type.span.end - 1;
  switch (type.kind) {
    case 'NamedType':
      return type.name.name;
    case 'ShapedType': {
      const items = type.shape.map((item) => printShapeItem(context, item));
      return [type.dtype.name, '[', flatten(join(', ', items)), ']'];
    }
    case 'AppliedType':
      return [type.name.name, printArguments(context, type.args, end)];
    case 'LikeType':
      return ['like(', printExpr(context, type.value), ')'];
    case 'TupleType': {
      const isSingle = type.elements.length === 1;
      if (isSingle) return ['(', ...type.elements.map(print), ',)'];
      return context.commaList(['(', ')'], type.elements, end, print);
    }
    case 'RecordType':
      return context.commaList(['{', '}'], type.fields, end, (field) => [field.name.name, ': ', print(field.type)], {
        padding: line,
      });
    case 'ListType':
      return ['[', print(type.element), ']'];
    case 'OptionalType':
      return [inParens(type.type, looseTypes.has(type.type.kind) || type.type.kind === 'OptionalType', print), '?'];
    case 'UnionType': {
      const alternatives = type.alternatives.map((inner) => inParens(inner, looseTypes.has(inner.kind), print));
      return join(' | ', alternatives);
    }
    case 'FunctionType':
      return [
        'fn',
        context.commaList(['(', ')'], type.params, type.result.span.start, print),
        ' -> ',
        print(type.result),
      ];
    case 'MutType':
      return ['mut ', print(type.type)];
    case 'Error':
      return context.text.slice(type.span.start, type.span.end);
  }
}

/** Types that need parentheses inside of `?` and `|`. */
const looseTypes: ReadonlySet<string> = new Set(['UnionType', 'FunctionType', 'MutType']);

function inParens(type: ast.Type, needed: boolean, print: (type: ast.Type) => Doc): Doc {
  return needed ? ['(', print(type), ')'] : print(type);
}

function printShapeItem(context: PrintContext, item: ast.ShapeItem): Doc {
  if (item.kind === 'RestDim') return `*${item.name.name}`;
  return item.kind === 'AnyDim' ? '_' : printExpr(context, item);
}
