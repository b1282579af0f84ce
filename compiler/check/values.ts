// The values of the elaborator. Compile-time values are themselves; a tensor is a value of the graph being built.

import type { Source, Span } from '../diagnostics/source.js';
import { type Dim, dimValue, printDim, printShape } from '../ir/dims.js';
import { type DType, dtypeKind } from '../ir/dtype.js';
import type { TensorType, Value } from '../ir/graph.js';
import type { StateLeaf } from '../program.js';
import type * as ast from '../syntax/ast.js';
import type { Builtin } from './builtins/builtin.js';
import type { Scope } from './scope.js';
import type { Unit } from './workspace.js';

/** A place in a source text. */
export interface Site {
  readonly source: Source;
  readonly span: Span;
}

/** A tensor of the state: its value changes as the program assigns to it. */
export interface Cell {
  /** Dotted path from the parameter's name. */
  readonly path: string;
  readonly role: StateLeaf['role'];
  readonly type: TensorType;
  value: Value;
}

/** A model with its fields; leaves are cells. Where it was declared and with which arguments is in the scope of its methods. */
export interface Instance {
  readonly model: ast.Model;
  /** The name that it was made under: that of the model, or of a constant that stands for it. */
  readonly name: string;
  readonly unit: Unit;
  readonly path: string;
  readonly fields: Map<string, Val>;
  /** The arguments of the constructor and the constants of the body, visible to the methods. */
  readonly scope: Scope;
  readonly methods: ReadonlyMap<string, ast.Fn>;
}

/** The field whose content is the content of the model: its elements have no name of the field in their paths. */
export const contents = '_';

/** What may be written through a reference: nothing, buffers (a model passed on as a plain parameter), or everything (`mut`). */
export type AccessRight = 'read' | 'effects' | 'write';

/** A model as a value is a reference to its instance, with a mode. */
export interface ModelRef {
  readonly kind: 'model';
  readonly instance: Instance;
  readonly training: boolean;
  readonly access: AccessRight;
}

/** A model with the arguments of its constructor that has no place in a tree yet; it becomes an instance as a field's value. */
export interface Blueprint {
  readonly kind: 'blueprint';
  readonly model: ast.Model;
  readonly name: string;
  readonly unit: Unit;
  readonly args: readonly Arg[];
  readonly site: Site;
}

/** A function made of another one. */
export type Transform =
  /** The derivative of a scalar by the parameters at `wrt`; `caller` is the function that asks for it on behalf of the program. */
  | {
      readonly name: 'grad' | 'value_and_grad';
      readonly of: Val;
      readonly wrt: Wrt;
      /** Whether the function gives what is not differentiated beside the scalar: (value, aux). */
      readonly hasAux?: boolean;
      readonly caller?: string;
    }
  /** All partial derivatives, by the mode that takes fewer products unless one is asked for. */
  | {
      readonly name: 'jacobian';
      readonly of: Val;
      readonly wrt: Wrt;
      readonly mode: 'auto' | 'jvp' | 'vjp';
      /** So many products at once; all of them without it. */
      readonly chunk?: number;
    }
  /** The function for many sets of arguments: over which axes of arguments and results they lie, and how random draws are made. */
  | {
      readonly name: 'vmap';
      readonly of: Val;
      readonly inDims: Val;
      readonly outDims: Val;
      readonly randomness: 'different' | 'same' | 'error';
      /** Where the axes are named. */
      readonly site: Site;
    };

export type FunctionValue =
  | { readonly type: 'declared'; readonly decl: ast.Fn; readonly unit: Unit; readonly self?: ModelRef }
  | { readonly type: 'lambda'; readonly node: ast.Lambda; readonly scope: Scope }
  | { readonly type: 'builtin'; readonly builtin: Builtin }
  | { readonly type: 'transform'; readonly transform: Transform }
  /** The tangent of a function that a stated derivative is given: where the function is called, what it gives by what it closes over. */
  | { readonly type: 'tangent'; readonly of: Val; readonly tangentOf: (captured: Value) => Value | undefined }
  /** A function with its first argument: `x.sum` is `sum` with `x`. */
  | { readonly type: 'partial'; readonly of: Val; readonly first: Arg };

/** Which parameters a derivative is taken by; `single` gives the gradient itself rather than a tuple of gradients. */
export interface Wrt {
  readonly params: readonly (number | string)[];
  readonly single: boolean;
  /** Where they are named. */
  readonly site: Site;
}

export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Val =
  /** A compile-time `int` is the constant case, a run-time size the symbolic one. */
  | { readonly kind: 'int'; readonly dim: Dim }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'dtype'; readonly dtype: DType }
  | { readonly kind: 'range'; readonly start: Dim; readonly end: Dim }
  /** A comparison of sizes that only running decides. */
  | { readonly kind: 'relation'; readonly op: Relation; readonly left: Dim; readonly right: Dim }
  | { readonly kind: 'list'; readonly items: readonly Val[] }
  | { readonly kind: 'tuple'; readonly items: readonly Val[] }
  /** Parts of an index that is written as a list: `1:3`, `...`. */
  | { readonly kind: 'slice'; readonly start?: Dim; readonly stop?: Dim; readonly step: number }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Val> }
  /** `weak` marks an integer of rank 0 that stands for a number, as the position in a loop does: it says nothing about widths. */
  | { readonly kind: 'tensor'; readonly value: Value; readonly weak?: true }
  /** A real number that only running gives, such as a size times a literal. It has no dtype yet, and is held in f64 until it meets one. */
  | { readonly kind: 'real'; readonly value: Value }
  /** A leaf of the state as a place; reading an expression gives its tensor. */
  | { readonly kind: 'cell'; readonly cell: Cell; readonly access: AccessRight }
  | ModelRef
  | Blueprint
  | { readonly kind: 'class'; readonly model: ast.Model; readonly name: string; readonly unit: Unit }
  | { readonly kind: 'function'; readonly fn: FunctionValue }
  /** The value of an expression that was reported already; using it is silent. */
  | { readonly kind: 'poison' };

export type ValOf<K extends Val['kind']> = Extract<Val, { kind: K }>;

/** An argument of a call, with the place where it was written. */
export interface Arg {
  readonly name?: ast.Identifier;
  readonly value: Val;
  readonly site: Site;
}

export const none: Val = { kind: 'none' };
export const poison: Val = { kind: 'poison' };
export const int = (dim: Dim): ValOf<'int'> => ({ kind: 'int', dim });
export const float = (value: number): ValOf<'float'> => ({ kind: 'float', value });
export const bool = (value: boolean): ValOf<'bool'> => ({ kind: 'bool', value });
export const string = (value: string): ValOf<'string'> => ({ kind: 'string', value });
export const real = (value: Value): ValOf<'real'> => ({ kind: 'real', value });
export const tensor = (value: Value): ValOf<'tensor'> => ({ kind: 'tensor', value });
export const list = (items: readonly Val[]): ValOf<'list'> => ({ kind: 'list', items });
export const tuple = (items: readonly Val[]): ValOf<'tuple'> => ({ kind: 'tuple', items });
export const fnValue = (fn: FunctionValue): Val => ({ kind: 'function', fn });

/** Numbers and truth values without a dtype: they take that of the tensor that they meet. */
export type WeakNumber = ValOf<'int' | 'float' | 'bool' | 'relation' | 'real'>;
const weakKinds: ReadonlySet<Val['kind']> = new Set(['int', 'float', 'bool', 'relation', 'real']);
export const isWeakNumber = (val: Val): val is WeakNumber => weakKinds.has(val.kind);

/** A value of rank 0 as a number without a dtype: a real one in f64, an integer, or a truth value. */
export const weakened = (value: Value): Val => {
  const kind = dtypeKind(value.type.dtype);
  if (kind === 'float') return real(value);
  return kind === 'int' ? { kind: 'tensor', value, weak: true } : tensor(value);
};

/** Whether a value is a number that says nothing about dtypes, known when compiling or not. */
export const isUntyped = (val: Val): boolean => isWeakNumber(val) || (val.kind === 'tensor' && val.weak === true);

/** `f32[B, 10]`, `i64` for rank 0. */
export const typeText = (type: TensorType): string =>
  type.shape.length === 0 ? type.dtype : `${type.dtype}[${printShape(type.shape)}]`;

/** The number of a compile-time number that has one. */
export function numberOf(val: Val): number | undefined {
  if (val.kind === 'int') return dimValue(val.dim);
  if (val.kind === 'float') return val.value;
  return val.kind === 'bool' ? Number(val.value) : undefined;
}

/** What a value is, for messages: `f32[B, 10]`, `the int 3`, `a tuple of 2`. */
export function describe(val: Val): string {
  switch (val.kind) {
    case 'int':
      return dimValue(val.dim) === undefined ? `the size ${printDim(val.dim)}` : `the int ${printDim(val.dim)}`;
    case 'float':
      return `the float ${floatText(val.value)}`;
    case 'bool':
      return `the bool ${val.value}`;
    case 'string':
      return `the string ${JSON.stringify(val.value)}`;
    case 'none':
      return 'none';
    case 'dtype':
      return `the dtype ${val.dtype}`;
    case 'range':
      return `the range ${printDim(val.start)}..${printDim(val.end)}`;
    case 'real':
      return 'a real number that only running gives';
    case 'relation':
      return `a bool (${printDim(val.left)} ${val.op} ${printDim(val.right)})`;
    case 'list':
      return `a list of ${val.items.length}`;
    case 'tuple':
      return `a tuple of ${val.items.length}`;
    case 'slice':
      return 'a slice';
    case 'ellipsis':
      return 'the ellipsis `...`';
    case 'record':
      return `a record { ${[...val.fields.keys()].join(', ')} }`;
    case 'tensor':
      return typeText(val.value.type);
    case 'cell':
      return typeText(val.cell.type);
    case 'model':
      return `a model ${val.instance.model.name.name}`;
    case 'blueprint':
      return `a model ${val.model.name.name}`;
    case 'class':
      return `the model type ${val.model.name.name}`;
    case 'function':
      return `the function ${functionName(val.fn)}`;
    case 'poison':
      return 'an error';
  }
}

export const floatText = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e16
    ? `${value}.0`
    : String(value).replace('Infinity', 'inf').replace('NaN', 'nan');

/** The name of a function, for messages and for the functions of the graph. */
export function functionName(fn: FunctionValue): string {
  switch (fn.type) {
    case 'declared':
      return fn.self === undefined ? fn.decl.name.name : `${fn.self.instance.model.name.name}.${fn.decl.name.name}`;
    case 'lambda':
      return 'lambda';
    case 'builtin':
      return fn.builtin.name;
    case 'transform':
      return `${fn.transform.name}(${calleeName(fn.transform.of)})`;
    case 'tangent':
      return `the tangent of ${calleeName(fn.of)}`;
    case 'partial':
      return calleeName(fn.of);
  }
}

/** The name of what is called. */
export function calleeName(val: Val): string {
  if (val.kind === 'function') return functionName(val.fn);
  if (val.kind === 'model') return val.instance.path;
  return val.kind === 'class' ? val.model.name.name : describe(val);
}

/** How a compile-time value reads as text, for `+` on strings and messages. */
export function show(val: Val): string {
  switch (val.kind) {
    case 'int':
      return printDim(val.dim);
    case 'float':
      return floatText(val.value);
    case 'bool':
      return String(val.value);
    case 'string':
      return val.value;
    case 'dtype':
      return val.dtype;
    case 'list':
      return `[${val.items.map(show).join(', ')}]`;
    case 'tuple':
      return `(${val.items.map(show).join(', ')})`;
    case 'relation':
      return `${printDim(val.left)} ${val.op} ${printDim(val.right)}`;
    default:
      return describe(val);
  }
}
