// What the names in a signature stand for: which of them are dimensions, dtypes and models to be inferred from the arguments.

import { nearest } from '../diagnostics/nearest.js';
import type { Span } from '../diagnostics/source.js';
import { type DType, dtypes, isDType, isFloat, isInt } from '../ir/dtype.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Scope } from './scope.js';
import type { Unit } from './workspace.js';

/** A name that each use of the function or model binds anew. */
export type Open =
  | { readonly kind: 'dim'; readonly span: Span }
  | { readonly kind: 'rest'; readonly span: Span }
  | { readonly kind: 'dtype'; readonly span: Span; readonly alternatives: readonly DType[] }
  | { readonly kind: 'model'; readonly span: Span };

export type OpenNames = ReadonlyMap<string, Open>;

/** The parts of a function or model that a signature consists of. */
export interface Signature {
  readonly name: ast.Identifier;
  readonly generics: readonly ast.Generic[];
  readonly params: readonly ast.Param[];
  readonly result?: ast.Type;
}

const classes: Readonly<Record<string, readonly DType[]>> = {
  // The default instance of a class is its first dtype.
  float: ['f32', ...dtypes.filter((dtype) => isFloat(dtype) && dtype !== 'f32')],
  int: ['i64', ...dtypes.filter((dtype) => isInt(dtype) && dtype !== 'i64')],
  number: ['f32', ...dtypes.filter((dtype) => dtype !== 'bool' && dtype !== 'f32')],
  bool: ['bool'],
  any: ['f32', ...dtypes.filter((dtype) => dtype !== 'f32')],
};

function genericNames(cx: Context, unit: Unit, generics: readonly ast.Generic[]): Map<string, Open> {
  const open = new Map<string, Open>();
  for (const generic of generics) {
    const { name, span } = generic.name;
    if (generic.kind === 'DimGeneric') open.set(name, { kind: generic.rest ? 'rest' : 'dim', span });
    else if (generic.kind === 'ModelGeneric') open.set(name, { kind: 'model', span });
    else {
      const alternatives = generic.alternatives.flatMap((alternative): readonly DType[] => {
        if (isDType(alternative.name) && alternative.name !== 'bool') return [alternative.name];
        const found = classes[alternative.name];
        if (found !== undefined) return found;
        const hint = nearest(alternative.name, [...Object.keys(classes), ...dtypes]);
        return cx.fail('E0201', {
          message: `\`${alternative.name}\` is no dtype and no class of dtypes`,
          site: { source: unit.source, span: alternative.span },
          help: hint === undefined ? `the classes are ${Object.keys(classes).join(', ')}` : `did you mean \`${hint}\`?`,
        });
      });
      open.set(name, { kind: 'dtype', span, alternatives });
    }
  }
  return open;
}

/** The use of a name in a shape: bare as in `f32[n]`, or inside an expression as in `f32[n + 1]`. */
interface Use {
  readonly name: string;
  readonly span: Span;
  readonly isBare: boolean;
  readonly inResult: boolean;
  readonly isRest: boolean;
}

function usesOf(type: ast.Type, inResult: boolean): readonly Use[] {
  switch (type.kind) {
    case 'ShapedType':
      return type.shape.flatMap((item): readonly Use[] => {
        if (item.kind === 'AnyDim') return [];
        if (item.kind === 'RestDim')
          return [{ name: item.name.name, span: item.span, isBare: true, inResult, isRest: true }];
        return namesIn(item).map(({ name, span }) => ({
          name,
          span,
          isBare: item.kind === 'Name',
          inResult,
          isRest: false,
        }));
      });
    case 'TupleType':
      return type.elements.flatMap((element) => usesOf(element, inResult));
    case 'RecordType':
      return type.fields.flatMap((field) => usesOf(field.type, inResult));
    case 'ListType':
      return usesOf(type.element, inResult);
    case 'OptionalType':
    case 'MutType':
      return usesOf(type.type, inResult);
    case 'UnionType':
      return type.alternatives.flatMap((alternative) => usesOf(alternative, inResult));
    case 'FunctionType':
      // What a function parameter takes and gives binds nothing; its names only have to be known.
      return [...type.params, type.result].flatMap((part) => usesOf(part, true));
    default:
      return [];
  }
}

/** The names that are run-time dimensions somewhere in a file: declared ones, and those in the shapes of its functions. */
export function dimensionNames(unit: Unit): ReadonlySet<string> {
  const functions = unit.file.items.filter((item): item is ast.Fn => item.kind === 'Fn');
  return new Set([
    ...unit.dims.keys(),
    ...functions.flatMap(({ generics, params }) => [
      ...generics.flatMap((generic) => (generic.kind === 'DimGeneric' ? [generic.name.name] : [])),
      ...params.flatMap(({ type }) => usesOf(type, false).map((use) => use.name)),
      ...params.flatMap(({ type, name }) => (type.kind === 'NamedType' && type.name.name === 'dim' ? [name.name] : [])),
    ]),
  ]);
}

/** The names in the expression of a size. */
function namesIn(expr: ast.Expr): readonly ast.Name[] {
  switch (expr.kind) {
    case 'Name':
      return [expr];
    case 'Unary':
      return namesIn(expr.operand);
    case 'Binary':
      return [...namesIn(expr.left), ...namesIn(expr.right)];
    case 'Index':
      return [
        ...namesIn(expr.object),
        ...expr.items.flatMap((item) => (item.kind === 'Slice' || item.kind === 'Ellipsis' ? [] : namesIn(item))),
      ];
    case 'Member':
      return namesIn(expr.object);
    case 'Call':
      return expr.args.flatMap((arg) => namesIn(arg.value));
    default:
      return [];
  }
}

/**
 * The names that a signature leaves open. A name in a shape is a dimension when it is generic, declared with `dim`, or occurs twice; a name
 * that is a value in sight is that value.
 */
export function openNames(cx: Context, unit: Unit, signature: Signature, outer: Scope | undefined): OpenNames {
  refuseDuplicates(cx, unit, [...signature.generics, ...signature.params]);
  const open = genericNames(cx, unit, signature.generics);
  const uses = [
    ...signature.params.flatMap((param) => usesOf(param.type, false)),
    ...(signature.result === undefined ? [] : usesOf(signature.result, true)),
  ];
  const counts = new Map<string, number>();
  for (const { name } of uses) counts.set(name, (counts.get(name) ?? 0) + 1);
  const params = new Set(signature.params.map((param) => param.name.name));
  const isValue = (name: string) => params.has(name) || outer?.find(name) !== undefined || unit.items.has(name);
  for (const { name, span, isRest } of uses) {
    if (open.has(name)) continue;
    if (isRest) open.set(name, { kind: 'rest', span });
    else if (!isValue(name) && (unit.dims.has(name) || (counts.get(name) ?? 0) > 1))
      open.set(name, { kind: 'dim', span });
    else if (!isValue(name)) {
      const known = [...counts.keys(), ...unit.dims.keys(), ...params, ...(outer?.names() ?? [])].filter(
        (other) => other !== name,
      );
      const hint = nearest(name, known);
      cx.fail('E0306', {
        message: `the dimension \`${name}\` occurs only once`,
        site: { source: unit.source, span },
        help: `${hint === undefined ? '' : `did you mean \`${hint}\`? `}Write \`_\` for a size without a name, or declare it: \`dim ${name}\``,
      });
    }
  }
  refuseUninferable(cx, unit, open, uses);
  return open;
}

function refuseDuplicates(cx: Context, unit: Unit, declared: readonly { readonly name: ast.Identifier }[]): void {
  const first = new Map<string, Span>();
  for (const { name } of declared) {
    const { source } = unit;
    const before = first.get(name.name);
    if (before !== undefined && name.name !== '_') {
      const notes = [{ text: `\`${name.name}\` is first declared here`, span: before, source }];
      cx.fail('E0202', { message: `\`${name.name}\` is declared twice`, site: { source, span: name.span }, notes });
    }
    first.set(name.name, name.span);
  }
}

/** A dimension is inferred from a place where it stands alone. */
function refuseUninferable(cx: Context, unit: Unit, open: OpenNames, uses: readonly Use[]): void {
  for (const use of uses) {
    if (open.get(use.name)?.kind !== 'dim') continue;
    if (uses.some((other) => other.name === use.name && other.isBare && !other.inResult)) continue;
    if (uses.every((other) => other.name !== use.name || other.inResult) && unit.dims.has(use.name)) continue;
    cx.fail('E0307', {
      message: `the dimension \`${use.name}\` cannot be inferred`,
      label: 'it stands alone in the shape of no parameter',
      site: { source: unit.source, span: use.span },
      help: `give a parameter an axis that is just \`${use.name}\`, or pass the size: \`${use.name}: dim\``,
    });
  }
}
