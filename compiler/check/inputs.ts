// The parameters of an entry as values: tensors become inputs, models and keys state, everything else takes its default.

import { type Dim, dimConst, dimSymbol } from '../ir/dims.js';
import type { DType } from '../ir/dtype.js';
import type { TensorType, Value } from '../ir/graph.js';
import type { EntryArgument, EntryInput, StateLeaf, Structure } from '../program.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { isDTypeName } from './dtype-names.js';
import { textOf } from './match.js';
import { isComplete, modelOfType } from './model-types.js';
import { tensorType } from './models.js';
import type { Scope } from './scope.js';
import type { OpenNames } from './signature.js';
import { type StateTable, sessionKey } from './state.js';
import { type Blueprint, type Cell, int, list, type ModelRef, type Site, tensor, tuple, type Val } from './values.js';

/** Collects the inputs of one function of an entry, in the order of its parameters. */
export class Inputs {
  readonly inputs: EntryInput[] = [];
  readonly arguments: EntryArgument[] = [];
  readonly argumentTypes: TensorType[] = [];
  /** Run-time dimensions that are arguments themselves. */
  readonly numbers: string[] = [];
  /** Whether some state may be written. */
  hasMutableState = false;
  #sessionKey: Cell | undefined;

  constructor(
    readonly cx: Context,
    readonly table: StateTable,
    /** Whether mutable models are in training mode; not in the form of an entry for evaluation. */
    readonly trains = true,
  ) {}

  /** An argument of the call, as an input of the function. */
  argument(path: string, type: TensorType): Value {
    this.inputs.push({ kind: 'argument', path });
    this.argumentTypes.push(type);
    return this.cx.frame.param(path, type);
  }

  /** A number of the call that is a run-time dimension; where other sizes determine it, that is checked when the entry is called. */
  number(path: string): Dim {
    const { options, constraints, settled } = this.cx;
    this.numbers.push(path);
    const own = dimSymbol(path);
    const known = options.dims.get(path);
    if (known === undefined) return own;
    const { message = `\`${path}\` fits the shapes`, site } = settled.get(path) ?? {};
    constraints.set(path, { left: own, right: known, message, ...(site && { site }) });
    return known;
  }

  /** A leaf of the state, as an input of the function. */
  stateLeaf(path: string, role: StateLeaf['role'], type: TensorType, site: Site): Cell {
    const leaf = this.table.leaf(this.cx, path, role, type, site);
    this.inputs.push({ kind: 'state', leaf });
    return { path, role, type, value: this.cx.frame.param(path, type) };
  }

  /** The key of the session; it becomes an input at the first draw. `root` is the function of the entry. */
  sessionKey(site: Site): Cell {
    const root = this.cx.rootFrame;
    this.#sessionKey ??= this.cx.inFrame(root, () => this.stateLeaf(sessionKey, 'key', keyType, site));
    return this.#sessionKey;
  }

  /** The key of the session where the entry drew from it. */
  get usedKey(): Cell | undefined {
    return this.#sessionKey;
  }
}

export const keyType: TensorType = { dtype: 'i64', shape: [dimConst(2)] };

/** Binds the open names of a signature to symbols, or to the sizes that are fixed. `any` is for functions that are checked by themselves. */
export function bindOpenNames(cx: Context, open: OpenNames, scope: Scope, kind: 'export' | 'any'): void {
  for (const [name, entry] of open) {
    const site: Site = { source: scope.unit.source, span: entry.span };
    const define = (value: Val) => scope.define(name, { value, role: 'dimension', site });
    const refuse = (what: string): never =>
      cx.fail('E0406', {
        message: `an exported function has no ${what}: \`${name}\``,
        site,
        help: 'write it out, or call a generic function from an exported one',
      });
    switch (entry.kind) {
      case 'dim':
        define(int(sizeOf(cx, name)));
        break;
      case 'rest':
        define(kind === 'export'
          ? refuse('shape of unknown rank')
          : list([`${name}.0`, `${name}.1`].map((part) => int(sizeOf(cx, part)))));
        break;
      case 'dtype':
        define(kind === 'export'
          ? refuse('dtype variable')
          : { kind: 'dtype', dtype: defaultDType(cx, entry.alternatives) });
        break;
      case 'model':
        refuse('model variable');
    }
  }
}

const sizeOf = (cx: Context, name: string): Dim => cx.options.dims.get(name) ?? dimSymbol(name);

/** The instance of a dtype variable in a function that is checked by itself. */
const defaultDType = (cx: Context, alternatives: readonly DType[]): DType =>
  alternatives.includes(cx.options.defaultFloat) ? cx.options.defaultFloat : (alternatives[0] ?? 'f32');

/** Whether a parameter of this type can be made up, so that a function can be elaborated without a call. */
export function canInvent(cx: Context, type: ast.Type, scope: Scope, open: OpenNames): boolean {
  switch (type.kind) {
    case 'NamedType': {
      const { name } = type.name;
      if (
        ['int', 'float', 'bool', 'string', 'dtype', 'dim', 'tensor', 'any', 'number', 'function', 'model'].includes(
          name,
        )
      )
        return false;
      if (open.get(name)?.kind === 'model') return false;
      return name === 'key' || open.has(name) || isDTypeName(name) || isComplete(cx, type.name, scope);
    }
    case 'ShapedType':
    case 'AppliedType':
      return true;
    case 'TupleType':
      return type.elements.every((element) => canInvent(cx, element, scope, open));
    case 'RecordType':
      return type.fields.every((field) => canInvent(cx, field.type, scope, open));
    case 'MutType':
      return canInvent(cx, type.type, scope, open);
    default:
      return false;
  }
}

/** Makes the value of a parameter from its type. */
export function invent(inputs: Inputs, param: ast.Param, scope: Scope, kind: 'export' | 'any'): Val {
  const { cx } = inputs;
  const path = param.name.name;
  const site: Site = { source: scope.unit.source, span: param.name.span };
  const isMutable = param.type.kind === 'MutType';
  const type = param.type.kind === 'MutType' ? param.type.type : param.type;
  const state = stateValue(inputs, type, path, scope, site, isMutable);
  if (state !== undefined) return state;
  if (isMutable) {
    cx.fail('E0406', {
      message: `\`${path}\` is \`mut\`, but only models, optimizers and keys are state`,
      site,
      help: 'take the tensor as an argument and give its new value back',
    });
  }
  const isNumber = type.kind === 'NamedType' && type.name.name === 'dim';
  const fixed = isNumber ? cx.options.fixed.get(path) : undefined;
  if (fixed !== undefined) return int(fixed);
  if (isStatic(type) && !(isNumber && param.default === undefined)) {
    if (param.default !== undefined) return cx.engine.evaluate(cx, param.default, scope);
    cx.fail('E0406', {
      message: `\`${path}\` is ${textOf(scope, type)}: an exported function takes tensors and state`,
      site,
      help: staticHelp(path, type),
    });
  }
  const first = inputs.argumentTypes.length;
  const firstNumber = inputs.numbers.length;
  const made = tensors(inputs, type, path, scope, kind);
  inputs.arguments.push({ name: path, structure: structureOf(inputs, made, first, firstNumber) });
  return made;
}

/** What takes the place of a parameter whose value is fixed when compiling: the scalar that each call gives, or a default. */
function staticHelp(path: string, type: ast.Type): string {
  const form = type.kind === 'NamedType' ? scalars.get(type.name.name) : undefined;
  const fixed = 'give it a default, which is the value that is compiled in';
  return form === undefined ? fixed : `a scalar that each call gives is \`${path}: ${form}\`; else ${fixed}`;
}

/** The types of scalars that calls give, by the compile-time types that are taken for them. */
const scalars: ReadonlyMap<string, string> = new Map([
  ['bool', 'bool[]'],
  ['int', 'dim'],
  ['float', 'f32'],
]);

const isStatic = (type: ast.Type): boolean =>
  type.kind === 'OptionalType' ||
  type.kind === 'UnionType' ||
  type.kind === 'FunctionType' ||
  type.kind === 'ListType' ||
  (type.kind === 'NamedType' &&
    ['int', 'float', 'bool', 'string', 'dtype', 'dim', 'tensor', 'any', 'number', 'function', 'model'].includes(
      type.name.name,
    ));

/** A model or key as state; undefined for other types. */
function stateValue(
  inputs: Inputs,
  type: ast.Type,
  path: string,
  scope: Scope,
  site: Site,
  isMutable: boolean,
): Val | undefined {
  const { cx, table } = inputs;
  if (type.kind === 'NamedType' && type.name.name === 'key') {
    table.declareRoot(cx, path, 'key', 'key', site);
    if (isMutable) inputs.hasMutableState = true;
    return { kind: 'cell', cell: inputs.stateLeaf(path, 'key', keyType, site), access: isMutable ? 'write' : 'read' };
  }
  const blueprint = modelBlueprint(cx, type, scope);
  if (blueprint === undefined) return undefined;
  if (isMutable) inputs.hasMutableState = true;
  table.declareRoot(cx, path, blueprint.model, textOf(scope, type), site);
  const made = cx.engine.instantiate(cx, blueprint, path) as ModelRef;
  return { ...made, training: isMutable && inputs.trains, access: isMutable ? 'write' : 'read' };
}

/** The blueprint of a model type with its arguments; undefined for types that are no models. */
export function modelBlueprint(cx: Context, type: ast.Type, scope: Scope): Blueprint | undefined {
  if (type.kind !== 'AppliedType' && type.kind !== 'NamedType') return undefined;
  if (
    type.kind === 'NamedType' &&
    (isDTypeName(type.name.name) || isStatic(type) || scope.find(type.name.name)?.binding.value.kind === 'dtype')
  )
    return undefined;
  return modelOfType(cx, type, scope);
}

/** Tensors, and tuples and records of them, as arguments. */
function tensors(inputs: Inputs, type: ast.Type, path: string, scope: Scope, kind: 'export' | 'any'): Val {
  const { cx } = inputs;
  switch (type.kind) {
    case 'TupleType':
      return tuple(type.elements.map((element, i) => tensors(inputs, element, `${path}.${i}`, scope, kind)));
    case 'RecordType':
      return {
        kind: 'record',
        fields: new Map(
          type.fields.map((field) => [
            field.name.name,
            tensors(inputs, field.type, `${path}.${field.name.name}`, scope, kind),
          ]),
        ),
      };
    case 'ShapedType':
    case 'NamedType':
      if (type.kind === 'NamedType' && type.name.name === 'dim') return int(inputs.number(path));
      return tensor(inputs.argument(path, argumentType(cx, type, path, scope)));
    default:
      return cx.fail('E0406', {
        message: `\`${path}\` is ${textOf(scope, type)}: an exported function takes tensors and state`,
        site: { source: scope.unit.source, span: type.span },
      });
  }
}

/** The type of an argument; a size without a name is a symbol of its own. */
function argumentType(cx: Context, type: ast.ShapedType | ast.NamedType, path: string, scope: Scope): TensorType {
  if (type.kind === 'NamedType') return tensorType(cx, type, scope);
  const owner = `\`${path}\``;
  const shape = type.shape.flatMap((item, axis): readonly Dim[] => {
    if (item.kind === 'AnyDim') return [sizeOf(cx, `${path}.${axis}`)];
    if (item.kind !== 'RestDim') return tensorType(cx, { ...type, shape: [item] }, scope, { name: owner, axis }).shape;
    const rest = scope.own(item.name.name)?.value;
    return rest?.kind === 'list' ? rest.items.flatMap((size) => (size.kind === 'int' ? [size.dim] : [])) : [];
  });
  return { dtype: tensorType(cx, { ...type, shape: [] }, scope).dtype, shape };
}

/** How an argument is built from the entry's argument inputs, from `first` on, and from numbers. */
function structureOf(inputs: Inputs, value: Val, first: number, firstNumber: number): Structure {
  let next = first;
  let nextNumber = firstNumber;
  const walk = (val: Val): Structure => {
    if (val.kind === 'tuple') return { kind: 'tuple', items: val.items.map(walk) };
    if (val.kind === 'record')
      return { kind: 'record', fields: [...val.fields].map(([name, field]) => ({ name, value: walk(field) })) };
    if (val.kind === 'int') return { kind: 'dim', symbol: inputs.numbers[nextNumber++] as string };
    const index = next++;
    return { kind: 'tensor', index, type: inputs.argumentTypes[index] as TensorType };
  };
  return walk(value);
}
