/** How files are printed: imports, declarations, functions and models. */
import type * as ast from '../ast.js';
import { encodeString } from '../grammar/literals.js';
import type { PrintContext } from './context.js';
import { type Doc, flatten, group, hardline, indent, join, line } from './doc.js';
import { printAssignment, printBody, printExpr } from './expressions.js';
import { blockParts, braced } from './statements.js';
import { printType } from './types.js';

/** Prints a file. */
export function printFile(context: PrintContext, file: ast.File): Doc {
  const parts = [...(file.version ? [file.version] : []), ...file.items];
  const entries = context.entries(parts, Number.POSITIVE_INFINITY, (part) =>
    part.kind === 'IntLiteral' ? `tdsl ${part.text}` : printItem(context, part),
  );
  return entries.length === 0 ? '' : [context.lines(entries, hardline), hardline];
}

function printItem(context: PrintContext, item: ast.Item): Doc {
  switch (item.kind) {
    case 'Import':
      return printImport(context, item);
    case 'DimDeclaration':
      return [
        'dim ',
        ...join(
          ', ',
          item.names.map(({ name }) => name),
        ),
      ];
    case 'DefaultFloat':
      return ['default_float ', item.dtype.name];
    case 'Model':
      return printModel(context, item);
    case 'Fn':
      return printFn(context, item);
    case 'Constant':
      return printConstant(context, item);
    case 'Error':
      return context.text.slice(item.span.start, item.span.end);
  }
}

function printImport(context: PrintContext, { from, names, span }: ast.Import): Doc {
  const source = from.kind === 'ModuleName' ? from.parts.map(({ name }) => name).join('.') : encodeString(from.value);
  const print = ({ name, alias }: ast.ImportName) => (alias ? `${name.name} as ${alias.name}` : name.name);
  return ['import ', source, ' ', context.commaList(['{', '}'], names, span.end - 1, print, { padding: line })];
}

function printConstant(context: PrintContext, { name, type, value }: ast.Constant): Doc {
  return printAssignment(context, ['let ', name.name, type ? [': ', printType(context, type)] : ''], ' =', value);
}

function printGenerics(generics: readonly ast.Generic[]): Doc {
  if (generics.length === 0) return '';
  const docs = generics.map((generic): string => {
    const { name } = generic.name;
    if (generic.kind === 'DimGeneric') return generic.rest ? `*${name}` : name;
    if (generic.kind === 'ModelGeneric') return `${name}: model`;
    return `${name}: ${generic.alternatives.map((alternative) => alternative.name).join(' | ')}`;
  });
  return ['[', ...join(', ', docs), ']'];
}

function printParams(context: PrintContext, params: readonly ast.Param[], end: number): Doc {
  return context.commaList(['(', ')'], params, end, (param) => {
    const value = param.default ? [' = ', printExpr(context, param.default)] : [];
    return [param.name.name, param.rest ? '...' : '', ': ', printType(context, param.type), ...value];
  });
}

function printFn(context: PrintContext, fn: ast.Fn): Doc {
  const paramsEnd = fn.result?.span.start ?? fn.body.span.start;
  const head: Doc = [
    fn.exported ? 'export fn ' : 'fn ',
    fn.name.name,
    printGenerics(fn.generics),
    printParams(context, fn.params, paramsEnd),
    fn.result ? [' -> ', flatten(printType(context, fn.result))] : '',
  ];
  const body =
    fn.body.kind === 'Block'
      ? [head, ' ', group(blockParts(context, fn.body))]
      : [printAssignment(context, head, ' =', fn.body, false)];
  return fn.derivative ? [...body, indent(hardline, printDerivative(context, fn.derivative))] : body;
}

function printDerivative(context: PrintContext, { params, body }: ast.Derivative): Doc {
  return [
    'derivative (',
    ...join(
      ', ',
      params.map(({ name }) => name),
    ),
    ') => ',
    printBody(context, body),
  ];
}

function printModel(context: PrintContext, { name, generics, params, fields, braces }: ast.Model): Doc {
  const inputs = params.length === 0 ? '' : printParams(context, params, braces.start);
  const body = group(braced(context, fields, braces, '', (field) => printField(context, field)));
  return ['model ', name.name, printGenerics(generics), inputs, ' ', body];
}

function printField(context: PrintContext, field: ast.Field): Doc {
  switch (field.kind) {
    case 'ChildField':
      return [field.name.name, ': ', printExpr(context, field.value)];
    case 'TensorField': {
      const head: Doc = [field.role, ' ', field.name.name, ': ', printType(context, field.type)];
      return field.init ? printAssignment(context, head, ' =', field.init) : head;
    }
    case 'Constant':
      return printConstant(context, field);
    case 'Fn':
      return printFn(context, field);
    case 'IfField':
      return group(...printIfField(context, field));
    case 'Error':
      return context.text.slice(field.span.start, field.span.end);
  }
}

/** The parts of a conditional field, outside of a group: its branches break together. */
function printIfField(context: PrintContext, field: ast.IfField): Doc[] {
  const { condition, fields, braces, otherwise, otherwiseBraces } = field;
  const print = (inner: ast.Field) => printField(context, inner);
  const head = ['if ', printExpr(context, condition), ' ', braced(context, fields, braces, '', print)];
  if (otherwise === undefined) return head;
  if (otherwiseBraces) return [...head, ' else ', braced(context, otherwise, otherwiseBraces, '', print)];
  return [
    ...head,
    ' else ',
    ...otherwise.flatMap((inner) => (inner.kind === 'IfField' ? printIfField(context, inner) : [])),
  ];
}
