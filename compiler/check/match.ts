// Matches values with declared types: binds the open names of a signature, converts compile-time numbers, refuses what does not fit.

import type { Note } from '../diagnostics/report.js';
import { type Dim, dimSymbols, dimValue, printDim, printShape } from '../ir/dims.js';
import { type DType, dtypeKind } from '../ir/dtype.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { dtypeNamed, isDTypeName } from './dtype-names.js';
import { Failure, Poisoned } from './failure.js';
import { foreignArgument, foreignDType, LIST_HELP } from './foreign.js';
import { declarationOfType } from './model-types.js';
import type { Scope } from './scope.js';
import { shapeHint, type WantedShape } from './shape-hints.js';
import type { OpenNames } from './signature.js';
import { dtypeOf, isNumeric, type Numeric, toTensor } from './tensors.js';
import { likeTree, treeDifference, treeOf } from './trees.js';
import { describe, float, int, list, numberOf, type Site, tensor, tuple, typeText, type Val } from './values.js';

/** The source text of a type, on one line. */
export const textOf = (scope: Scope, node: ast.Type | ast.Expr): string =>
  scope.unit.source.text.slice(node.span.start, node.span.end).replace(/\s+/g, ' ');

/** One use of a signature: the arguments are matched in order, then `finish` checks what had to wait. */
export class Matcher {
  readonly #origins = new Map<string, string>();
  readonly #dtypes = new Map<string, DType>();
  readonly #deferred: (() => void)[] = [];

  constructor(
    readonly cx: Context,
    /** Where open names are bound; the names of earlier parameters are there too. */
    readonly scope: Scope,
    readonly open: OpenNames,
  ) {}

  /** The value as one of the type; `what` names it in messages. */
  match(type: ast.Type, val: Val, what: string, site: Site): Val {
    switch (type.kind) {
      case 'NamedType':
        return this.#named(type, val, what, site);
      case 'ShapedType':
        return this.#tensor(type, type.dtype, type.shape, val, what, site);
      case 'AppliedType':
        return this.#model(type, val, what, site);
      case 'LikeType':
        return this.#like(type, val, what, site);
      case 'TupleType':
        return this.#tuple(type, val, what, site);
      case 'RecordType':
        return this.#record(type, val, what, site);
      case 'ListType': {
        if (val.kind !== 'list' && val.kind !== 'tuple') this.#refuse(type, val, what, site, LIST_HELP);
        return list(val.items.map((item, i) => this.match(type.element, item, `element ${i} of ${what}`, site)));
      }
      case 'OptionalType':
        return val.kind === 'none' ? val : this.match(type.type, val, what, site);
      case 'UnionType':
        return this.#union(type, val, what, site);
      case 'FunctionType':
        if (val.kind !== 'function' && val.kind !== 'model') this.#refuse(type, val, what, site);
        return val;
      case 'MutType':
        return this.#mutable(type, val, what, site);
      case 'Error':
        // What the value should be is not known, so that nothing which follows from it is worth a report.
        throw new Poisoned();
    }
  }

  /** Checks the sizes that depend on names bound later. */
  finish(): void {
    for (const check of this.#deferred.splice(0)) check();
  }

  /** The dtype that a name in a type stands for; undefined when it is an open dtype that nothing has bound yet. */
  dtype(name: ast.Identifier): DType | undefined {
    const open = this.open.get(name.name);
    if (open?.kind === 'dtype') return this.#dtypes.get(name.name);
    const bound = this.scope.find(name.name)?.binding.value;
    if (bound?.kind === 'dtype') return bound.dtype;
    const named = dtypeNamed(name.name, this.cx.options.defaultFloat);
    if (named !== undefined) return named;
    return this.cx.fail('E0201', {
      message: `\`${name.name}\` is no dtype`,
      site: { source: this.scope.unit.source, span: name.span },
      help: foreignDType(name.name),
    });
  }

  /** A type as it is written, with the dtype that `real` stands for. */
  #typeText(type: ast.Type): string {
    return textOf(this.scope, type).replace(/^real\b/, this.cx.options.defaultFloat);
  }

  #refuse(type: ast.Type, val: Val, what: string, site: Site, help?: string): never {
    const isModelVariable = type.kind === 'NamedType' && this.open.get(type.name.name)?.kind === 'model';
    const wanted = isModelVariable ? 'a model' : textOf(this.scope, type);
    return this.cx.fail('E0301', {
      message: `${what} is ${wanted}, not ${describe(val)}`,
      site,
      notes: [this.#declared(type)],
      help: help ?? foreignArgument(what),
    });
  }

  #declared(type: ast.Type) {
    return { text: `declared \`${textOf(this.scope, type)}\``, span: type.span, source: this.scope.unit.source };
  }

  // ---- names ------------------------------------------------------------------------------------------------------

  #named(type: ast.NamedType, val: Val, what: string, site: Site): Val {
    const { name } = type.name;
    switch (name) {
      case 'int':
        if (val.kind !== 'int') this.#refuse(type, val, what, site);
        if (dimValue(val.dim) === undefined) {
          this.cx.fail('E0316', {
            message: `${what} is known only when running: ${describe(val)}`,
            site,
            help: `fix the dimension with \`--dim ${[...dimSymbols(val.dim)][0] ?? 'NAME'}=SIZE\``,
          });
        }
        return val;
      case 'dim':
        return val.kind === 'int' ? val : this.#refuse(type, val, what, site);
      case 'float': {
        if (val.kind === 'float') return val;
        const number = val.kind === 'int' ? numberOf(val) : undefined;
        return number === undefined ? this.#refuse(type, val, what, site) : float(number);
      }
      case 'bool':
        if (val.kind === 'bool' || val.kind === 'relation') return val;
        break;
      case 'string':
      case 'dtype':
        return val.kind === name ? val : this.#refuse(type, val, what, site);
      case 'number':
      case 'tensor':
        return isNumeric(val) ? val : this.#refuse(type, val, what, site);
      case 'any':
        return val;
      case 'function':
        return val.kind === 'function' || val.kind === 'model' ? val : this.#refuse(type, val, what, site);
      case 'model':
        return val.kind === 'model' || val.kind === 'blueprint'
          ? this.#passOn(val)
          : this.#refuse(type, val, what, site);
      case 'key': {
        const isKey = val.kind === 'tensor' && typeText(val.value.type) === 'i64[2]';
        return isKey ? val : this.#refuse(type, val, what, site);
      }
    }
    const open = this.open.get(name);
    if (open?.kind === 'model') return this.#modelVariable(type, name, val, what, site);
    if (open?.kind === 'dtype' || isDTypeName(name)) return this.#tensor(type, type.name, [], val, what, site);
    const bound = this.scope.find(name)?.binding.value;
    if (bound?.kind === 'dtype') return this.#tensor(type, type.name, [], val, what, site);
    return this.#model(type, val, what, site);
  }

  /** A model variable means the model of its first argument from then on, in the methods of the model too. */
  #modelVariable(type: ast.Type, name: string, val: Val, what: string, site: Site): Val {
    if (val.kind !== 'model' && val.kind !== 'blueprint') this.#refuse(type, val, what, site, treeHelp(val));
    const { model, name: modelName, unit } = val.kind === 'model' ? val.instance : val;
    const bound = this.scope.own(name)?.value;
    if (bound?.kind === 'class' && bound.model !== model) {
      this.#refuse(type, val, what, site, `\`${name}\` is ${bound.model.name.name} here`);
    }
    this.scope.define(name, { value: { kind: 'class', model, name: modelName, unit }, role: 'constant' });
    return this.#passOn(val);
  }

  #model(type: ast.NamedType | ast.AppliedType, val: Val, what: string, site: Site): Val {
    const model = declarationOfType(this.cx, type, this.scope);
    const own = val.kind === 'model' ? val.instance.model : val.kind === 'blueprint' ? val.model : undefined;
    if (own !== model) this.#refuse(type, val, what, site, treeHelp(val));
    return this.#passOn(val);
  }

  /** A model passed as a plain parameter may still update its buffers, but not be assigned to. */
  #passOn(val: Val): Val {
    return val.kind === 'model' && val.access === 'write' ? { ...val, access: 'effects' } : val;
  }

  /** A parameter that may be assigned to: a model or a leaf of the state that is `mut` where the argument comes from. */
  #mutable(type: ast.MutType, val: Val, what: string, site: Site): Val {
    const place = val.kind === 'cell' ? tensor(val.cell.value) : val;
    const plain = this.match(type.type, place, what, site);
    if (val.kind !== 'model' && val.kind !== 'cell') {
      this.cx.fail('E0401', {
        message: `${what} is \`mut\`, but ${describe(val)} is no state`,
        site,
        notes: [this.#declared(type)],
        help: 'only models, optimizers, keys and their parts are changed in place; give other new values back as results',
      });
    }
    if (val.access !== 'write') {
      const { path } = val.kind === 'model' ? val.instance : val.cell;
      this.cx.fail('E0401', {
        message: `${what} is \`mut\`, but \`${path}\` cannot be assigned to here`,
        site,
        notes: [this.#declared(type)],
        help: `declare the parameter: \`${path.split('.')[0]}: mut …\``,
      });
    }
    return plain.kind === 'model' ? { ...plain, access: 'write' } : val;
  }

  // ---- compound types -----------------------------------------------------------------------------------------------

  #like(type: ast.LikeType, val: Val, what: string, site: Site): Val {
    const model = this.cx.engine.evaluatePlace(this.cx, type.value, this.scope);
    const difference = treeDifference(likeTree(this.cx, model), treeOf(this.cx, val));
    if (difference === undefined) return val;
    return this.cx.fail('E0315', {
      message: `${what} is not like \`${textOf(this.scope, type.value)}\`: ${difference}`,
      site,
      notes: [this.#declared(type)],
    });
  }

  #tuple(type: ast.TupleType, val: Val, what: string, site: Site): Val {
    if (val.kind !== 'tuple' || val.items.length !== type.elements.length) this.#refuse(type, val, what, site);
    return tuple(
      type.elements.map((element, i) => this.match(element, val.items[i] as Val, `element ${i} of ${what}`, site)),
    );
  }

  #record(type: ast.RecordType, val: Val, what: string, site: Site): Val {
    if (val.kind !== 'record') this.#refuse(type, val, what, site);
    const fields = type.fields.map((field): [string, Val] => {
      const { name } = field.name;
      const value = val.fields.get(name);
      if (value === undefined) this.#refuse(type, val, what, site, `the field \`${name}\` is missing`);
      return [name, this.match(field.type, value, `field \`${name}\` of ${what}`, site)];
    });
    if (fields.length !== val.fields.size) this.#refuse(type, val, what, site);
    return { kind: 'record', fields: new Map(fields) };
  }

  /** The first alternative that fits. Where the kind of the value leaves only one, the error is that one's. */
  #union(type: ast.UnionType, val: Val, what: string, site: Site): Val {
    const possible = type.alternatives.filter((alternative) => mayBe(alternative, val));
    const [only, ...others] = possible;
    if (only !== undefined && others.length === 0) return this.match(only, val, what, site);
    for (const alternative of possible) {
      try {
        return this.match(alternative, val, what, site);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }
    return this.#refuse(type, val, what, site);
  }

  // ---- tensors ------------------------------------------------------------------------------------------------------

  #tensor(
    type: ast.Type,
    dtypeName: ast.Identifier,
    items: readonly ast.ShapeItem[],
    val: Val,
    what: string,
    site: Site,
  ): Val {
    if (!isNumeric(val)) this.#refuse(type, val, what, site);
    const value = toTensor(this.cx, val, this.#dtypeFor(type, dtypeName, val, what, site), site);
    this.#shape(type, items, value.type.shape, what, site, () => describe(val));
    return tensor(value);
  }

  /** The dtype of the type, which an open name takes from the value; numbers that are not tensors convert where no information is lost. */
  #dtypeFor(type: ast.Type, name: ast.Identifier, val: Numeric, what: string, site: Site): DType {
    const own = dtypeOf(this.cx, val);
    const open = this.open.get(name.name);
    const dtype = this.dtype(name) ?? own;
    if (open?.kind === 'dtype') {
      if (!open.alternatives.includes(dtype)) {
        const weak = val.kind !== 'tensor' && val.kind === 'int' ? open.alternatives[0] : undefined;
        if (weak === undefined)
          this.#refuse(type, val, what, site, `\`${name.name}\` is one of ${open.alternatives.join(', ')}`);
        return this.#bindDType(name.name, weak);
      }
      this.#bindDType(name.name, dtype);
    }
    if (own === dtype) return dtype;
    const converts =
      val.kind !== 'tensor' &&
      (dtypeKind(dtype) === dtypeKind(own) || (val.kind === 'int' && dtypeKind(dtype) === 'float'));
    if (!converts) {
      this.cx.fail('E0305', {
        message: `${what} is ${this.#typeText(type)}, not ${describe(val)}`,
        label: `this is ${own}`,
        site,
        notes: [this.#declared(type)],
        help: `convert it: cast(x, ${dtype})`,
      });
    }
    return dtype;
  }

  #bindDType(name: string, dtype: DType): DType {
    this.#dtypes.set(name, dtype);
    this.scope.define(name, { value: { kind: 'dtype', dtype }, role: 'dimension' });
    return dtype;
  }

  #shape(
    type: ast.Type,
    items: readonly ast.ShapeItem[],
    sizes: readonly Dim[],
    what: string,
    site: Site,
    found: () => string,
  ): void {
    const rest = items.findIndex((item) => item.kind === 'RestDim');
    const fixed = rest < 0 ? items.length : items.length - 1;
    const refuse = (code: 'E0302' | 'E0303', label: string): never =>
      this.cx.fail(code, {
        message: `${what} is ${this.#typeText(type)}, not ${found()}`,
        label,
        site,
        notes: [this.#declared(type), ...this.#originNotes(items)],
        help: shapeHint(sizes, this.#wanted(items)),
      });
    if (rest < 0 ? sizes.length !== fixed : sizes.length < fixed) {
      const declared = `${rest < 0 ? '' : 'at least '}${fixed} ${fixed === 1 ? 'is' : 'are'} declared`;
      refuse('E0303', `it has ${axes(sizes.length)}, ${declared}`);
    }
    const extra = sizes.length - fixed;
    const mismatch: Mismatch = (label) => refuse('E0302', label);
    items.forEach((item, at) => {
      const axis = rest >= 0 && at > rest ? at + extra - 1 : at;
      if (item.kind === 'RestDim') this.#rest(item, sizes.slice(rest, rest + extra), axis, mismatch, what);
      else if (item.kind !== 'AnyDim') this.#size(item, sizes[axis] as Dim, axis, mismatch, what);
    });
  }

  #rest(item: ast.RestDim, sizes: readonly Dim[], axis: number, mismatch: Mismatch, what: string): void {
    const { name } = item.name;
    const bound = this.scope.own(name)?.value;
    if (bound?.kind !== 'list') {
      this.scope.define(name, {
        value: list(sizes.map(int)),
        role: 'dimension',
        site: { source: this.scope.unit.source, span: item.span },
      });
      this.#origins.set(name, `\`*${name}\` is [${printShape(sizes)}] by ${what}`);
      return;
    }
    const wanted = bound.items.map((size) => (size.kind === 'int' ? size.dim : undefined)) as readonly Dim[];
    if (wanted.length !== sizes.length)
      mismatch(`\`*${name}\` would be [${printShape(sizes)}], but it is [${printShape(wanted)}]`);
    sizes.forEach((size, i) => {
      const other = wanted[i] as Dim;
      if (!this.cx.sameSize(size, other, `${what} has the shape that is declared`))
        mismatch(`axis ${axis + i} has size ${printDim(size)}, not ${printDim(other)}`);
    });
  }

  #size(item: ast.Expr, size: Dim, axis: number, mismatch: Mismatch, what: string): void {
    if (item.kind === 'Name' && this.open.get(item.name)?.kind === 'dim' && this.scope.own(item.name) === undefined) {
      this.scope.define(item.name, {
        value: int(size),
        role: 'dimension',
        site: { source: this.scope.unit.source, span: item.span },
      });
      this.#origins.set(item.name, `\`${item.name}\` is ${printDim(size)} by axis ${axis} of ${what}`);
      return;
    }
    const check = () => {
      const wanted = this.size(item);
      const text = textOf(this.scope, item);
      if (this.cx.sameSize(size, wanted, `${what} has the shape that is declared`)) return;
      const named = text === printDim(wanted) ? text : `\`${text}\` = ${printDim(wanted)}`;
      mismatch(`axis ${axis} has size ${printDim(size)}, not ${named}`);
    };
    if (item.kind === 'Name' || item.kind === 'IntLiteral') check();
    else this.#deferred.push(check);
  }

  /** The value of the expression of a size. */
  size(item: ast.Expr): Dim {
    const value = this.cx.at(this.scope.unit, item.span, () => this.cx.engine.evaluate(this.cx, item, this.scope));
    if (value.kind === 'int') return value.dim;
    return this.cx.fail('E0301', {
      message: `a size is an int, not ${describe(value)}`,
      site: { source: this.scope.unit.source, span: item.span },
    });
  }

  /** The sizes that a shape states, as far as they are known. */
  #wanted(items: readonly ast.ShapeItem[]): WantedShape {
    const known = (name: string): readonly (Dim | undefined)[] => {
      const value = this.scope.find(name)?.binding.value;
      if (value?.kind === 'list') return value.items.map((size) => (size.kind === 'int' ? size.dim : undefined));
      return [value?.kind === 'int' ? value.dim : undefined];
    };
    return items.flatMap((item) => {
      if (item.kind === 'RestDim') return known(item.name.name);
      if (item.kind === 'Name') return known(item.name);
      return [item.kind === 'IntLiteral' ? this.size(item) : undefined];
    });
  }

  /** Where the dimensions of a shape got their values. */
  #originNotes(items: readonly ast.ShapeItem[]): readonly (Note | string)[] {
    const names = items.map((item) =>
      item.kind === 'RestDim' ? item.name.name : item.kind === 'Name' ? item.name : '',
    );
    return [...new Set(names)].flatMap((name): (Note | string)[] => {
      const origin = this.#origins.get(name);
      if (origin !== undefined) return [origin];
      const { value, given } = this.scope.find(name)?.binding ?? {};
      return value?.kind === 'int' && given !== undefined
        ? [{ text: `\`${name}\` is ${printDim(value.dim)}`, ...given }]
        : [];
    });
  }
}

/** Gradients are no models, but trees with the structure of one. */
const treeHelp = (val: Val): string | undefined =>
  val.kind === 'record' || val.kind === 'tensor'
    ? 'a tree with the structure of a parameter `net`, such as its gradient, has the type `like(net)`'
    : undefined;

/** Refuses a shape; the label says what is wrong. */
type Mismatch = (label: string) => never;

const axes = (count: number): string => (count === 1 ? '1 axis' : `${count} axes`);

/** The kinds of value that a named compile-time type takes. */
const kindsOfNames: Readonly<Record<string, readonly Val['kind'][]>> = {
  int: ['int'],
  dim: ['int'],
  float: ['float', 'int'],
  bool: ['bool', 'relation'],
  string: ['string'],
  dtype: ['dtype'],
};

/** Whether a parameter of a type takes a list. */
export function takesList(type: ast.Type | undefined): boolean {
  if (type?.kind === 'OptionalType') return takesList(type.type);
  if (type?.kind === 'UnionType') return type.alternatives.some(takesList);
  return type?.kind === 'ListType';
}

/** Whether a value may be of a type as far as its kind tells. */
function mayBe(type: ast.Type, val: Val): boolean {
  if (type.kind === 'ListType') return val.kind === 'list' || val.kind === 'tuple';
  if (type.kind === 'TupleType' || type.kind === 'RecordType')
    return val.kind === (type.kind === 'TupleType' ? 'tuple' : 'record');
  return type.kind !== 'NamedType' || (kindsOfNames[type.name.name]?.includes(val.kind) ?? true);
}
