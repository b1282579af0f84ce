// Scopes: names and what they are bound to, from the innermost block out to the parameters of the function.

import type * as ast from '../syntax/ast.js';
import { contents, type ModelRef, type Site, type Val } from './values.js';
import type { Unit } from './workspace.js';

/** What a name is bound to. `let` and parameters rebind; `value` changes then. */
export interface Binding {
  value: Val;
  readonly role: 'parameter' | 'variable' | 'constant' | 'dimension' | 'field';
  /** Where it is declared. */
  readonly site?: Site;
  /** Where a parameter got its value: the argument, or the default. */
  readonly given?: Site;
  /** The type that the declaration states, as text. */
  readonly declared?: string;
}

/** Marks one run of a function's body: assignments do not cross from one activation to another. */
export interface Activation {
  readonly name: string;
}

export class Scope {
  readonly #bindings = new Map<string, Binding>();
  readonly #announced = new Map<string, Site>();

  private constructor(
    readonly unit: Unit,
    readonly activation: Activation,
    readonly parent: Scope | undefined,
    /** The model whose method this is. */
    readonly self: ModelRef | undefined,
  ) {}

  /** The scope of a function's parameters, or of a file's constants. */
  static function(unit: Unit, name: string, parent?: Scope, self?: ModelRef): Scope {
    return new Scope(unit, { name }, parent, self);
  }

  /** A block inside: it sees and assigns the names around it. */
  block(): Scope {
    return new Scope(this.unit, this.activation, this, undefined);
  }

  define(name: string, binding: Binding): void {
    if (name !== '_') this.#bindings.set(name, binding);
  }

  /** Tells the names of parameters before they are bound, for what is said about one that is used too early. */
  announce(params: readonly ast.Param[]): void {
    for (const { name } of params) this.#announced.set(name.name, { source: this.unit.source, span: name.span });
  }

  /** Where a parameter is declared that is not bound yet. */
  announced(name: string): Site | undefined {
    return this.#announced.get(name) ?? this.parent?.announced(name);
  }

  /** The binding of a name in this scope alone. */
  own(name: string): Binding | undefined {
    return this.#bindings.get(name);
  }

  /** The innermost binding of a name and the scope that holds it; fields of `self` count as names of its methods' scope. */
  find(name: string): { readonly binding: Binding; readonly scope: Scope } | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const binding = scope.#bindings.get(name) ?? fieldBinding(scope.self, name);
      if (binding !== undefined) return { binding, scope };
    }
    return undefined;
  }

  /** Every name in sight, the innermost first. */
  *names(): Iterable<string> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      yield* scope.#bindings.keys();
      if (scope.self === undefined) continue;
      yield* scope.self.instance.fields.keys();
      yield* scope.self.instance.methods.keys();
    }
  }
}

function fieldBinding(self: ModelRef | undefined, name: string): Binding | undefined {
  if (self === undefined) return undefined;
  if (name === 'self') return { value: self, role: 'constant' };
  if (name === 'training') return { value: { kind: 'bool', value: self.training }, role: 'constant' };
  const value = fieldOf(self, name);
  return value && { value, role: 'field' };
}

/** A field or method of a model: sub-models and leaves take over the mode and the rights of the reference. */
export function fieldOf(ref: ModelRef, name: string): Val | undefined {
  const field = ref.instance.fields.get(name);
  if (field !== undefined) return through(ref, field);
  const inside = ref.instance.fields.get(contents);
  const part = inside?.kind === 'record' ? inside.fields.get(name) : undefined;
  if (part !== undefined) return through(ref, part);
  const method = ref.instance.methods.get(name);
  if (method === undefined) return undefined;
  return { kind: 'function', fn: { type: 'declared', decl: method, unit: ref.instance.unit, self: ref } };
}

/** A value reached through a reference to a model. A model that the field merely names (an argument) keeps its own rights. */
export function through(ref: ModelRef, field: Val): Val {
  switch (field.kind) {
    case 'model':
      return { ...field, training: ref.training, access: ref.access };
    case 'cell':
      return { ...field, access: ref.access };
    case 'list':
    case 'tuple':
      return { ...field, items: field.items.map((item) => through(ref, item)) };
    case 'record':
      return { ...field, fields: new Map([...field.fields].map(([name, item]) => [name, through(ref, item)])) };
    default:
      return field;
  }
}
