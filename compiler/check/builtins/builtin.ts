// How built-in functions are declared: a signature in one line, a sentence of documentation, and what it does.

import { type Dim, dimConst, dimValue, printDim } from '../../ir/dims.js';
import type { DType } from '../../ir/dtype.js';
import type { Value } from '../../ir/graph.js';
import type { ParameterShape } from '../arguments.js';
import type { Context } from '../context.js';
import { LIST_HELP } from '../foreign.js';
import { dtypeOf, isNumeric, type Numeric, toTensor } from '../tensors.js';
import { type Arg, bool, describe, float, int, none, numberOf, type Site, string, type Val } from '../values.js';

export interface Parameter extends ParameterShape {
  /** For the documentation; what is accepted, the accessors of `Arguments` check. */
  readonly type: string;
  readonly default?: Val;
  readonly defaultText?: string;
}

export interface Builtin {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** `name(parameter: type = default, …) -> type`. */
  readonly signature: string;
  readonly doc: string;
  readonly run: (cx: Context, args: Arguments) => Val;
}

/** Declares a built-in function. */
export function define(signature: string, doc: string, run: Builtin['run']): Builtin {
  const [, name, list] = /^(\w+)\((.*)\) -> .+$/.exec(signature) ?? [];
  if (name === undefined || list === undefined) throw new SyntaxError(`'${signature}' is not a signature`);
  const parameters = list === '' ? [] : list.split(/, (?![^[]*\])/).map(parameter);
  return { name, parameters, signature, doc, run };
}

function parameter(text: string): Parameter {
  const [, name, rest, type, , defaultText] = /^(\w+)(\.\.\.)?: ([^=]+?)( = (.+))?$/.exec(text) ?? [];
  if (name === undefined || type === undefined) throw new SyntaxError(`'${text}' is not a parameter`);
  const value = defaultText === undefined ? undefined : literal(defaultText);
  return {
    name,
    type,
    rest: rest !== undefined,
    list: type === 'ints' || type.startsWith('['),
    required: value === undefined,
    ...(value === undefined ? {} : { default: value, defaultText: defaultText as string }),
  };
}

function literal(text: string): Val {
  if (text === 'none') return none;
  if (text === '[]') return { kind: 'list', items: [] };
  if (text === 'true' || text === 'false') return bool(text === 'true');
  if (text.startsWith('"')) return string(text.slice(1, -1));
  return /[.e]/.test(text) ? float(Number(text)) : int(dimConst(Number(text)));
}

/** The arguments of a built-in by parameter name, with the checks that their types need. */
export class Arguments {
  constructor(
    readonly cx: Context,
    readonly builtin: Builtin,
    readonly assigned: ReadonlyMap<string, readonly Arg[]>,
  ) {}

  #parameter(name: string): Parameter {
    const found = this.builtin.parameters.find((param) => param.name === name);
    if (found === undefined) throw new Error(`${this.builtin.name} has no parameter ${name}`);
    return found;
  }

  /** The argument, or the default. */
  get(name: string): Val {
    return this.assigned.get(name)?.[0]?.value ?? this.#parameter(name).default ?? none;
  }

  site(name: string): Site {
    return this.assigned.get(name)?.[0]?.site ?? this.cx.site;
  }

  refuse(name: string, expected: string, help?: string): never {
    return this.cx.fail('E0301', {
      message: `\`${name}\` of ${this.builtin.name} is ${expected}, not ${describe(this.get(name))}`,
      site: this.site(name),
      help,
    });
  }

  /** The name of the function that the program called: this one, or the one of the library that is written with it. */
  get actor(): string {
    return this.cx.actor(this.builtin.name);
  }

  isNone(name: string): boolean {
    return this.get(name).kind === 'none';
  }

  /** The arguments of a rest parameter; a single list or tuple counts as its elements. */
  rest(name: string): readonly Val[] {
    const values = (this.assigned.get(name) ?? []).map((arg) => arg.value);
    const [first] = values;
    return values.length === 1 && first !== undefined && (first.kind === 'list' || first.kind === 'tuple')
      ? first.items
      : values;
  }

  numeric(name: string): Numeric {
    const val = this.get(name);
    return isNumeric(val) ? val : this.refuse(name, 'a tensor or a number');
  }

  /** The argument as a tensor; a number becomes one of rank 0. */
  tensor(name: string): Value {
    const val = this.numeric(name);
    return toTensor(this.cx, val, dtypeOf(this.cx, val), this.site(name));
  }

  tensors(name: string): readonly Value[] {
    const items = this.list(name);
    return items.map((val) =>
      isNumeric(val) ? toTensor(this.cx, val) : this.refuse(name, 'a list or tuple of tensors'),
    );
  }

  list(name: string): readonly Val[] {
    const val = this.get(name);
    return val.kind === 'list' || val.kind === 'tuple' ? val.items : this.refuse(name, 'a list or tuple', LIST_HELP);
  }

  dim(name: string): Dim {
    const val = this.get(name);
    return val.kind === 'int' ? val.dim : this.refuse(name, 'an int');
  }

  int(name: string): number {
    const value = dimValue(this.dim(name));
    return value ?? this.refuse(name, 'an int that is known when compiling');
  }

  /** One size or a list of them. */
  dims(name: string): readonly Dim[] {
    const val = this.get(name);
    if (val.kind === 'int') return [val.dim];
    return this.list(name).map((item) =>
      item.kind === 'int' ? item.dim : this.refuse(name, 'an int or a list of ints'),
    );
  }

  ints(name: string): readonly number[] {
    return this.dims(name).map((dim) => dimValue(dim) ?? this.refuse(name, 'ints that are known when compiling'));
  }

  number(name: string): number {
    const value = numberOf(this.get(name));
    return value ?? this.refuse(name, 'a number that is known when compiling');
  }

  bool(name: string): boolean {
    const val = this.get(name);
    return val.kind === 'bool' ? val.value : this.refuse(name, 'a bool that is known when compiling');
  }

  string(name: string): string {
    const val = this.get(name);
    return val.kind === 'string' ? val.value : this.refuse(name, 'a string');
  }

  /** One of several words. */
  word<const W extends string>(name: string, words: readonly W[]): W {
    const text = this.string(name);
    return (
      words.find((word) => word === text) ?? this.refuse(name, `one of ${words.map((word) => `"${word}"`).join(', ')}`)
    );
  }

  dtype(name: string): DType {
    const val = this.get(name);
    return val.kind === 'dtype' ? val.dtype : this.refuse(name, 'a dtype');
  }

  /** The dtype, or undefined where the argument is none. */
  optionalDType(name: string): DType | undefined {
    return this.isNone(name) ? undefined : this.dtype(name);
  }

  /** The sizes of a shape, each at least 0. */
  sizes(name: string): readonly Dim[] {
    return this.dims(name).map((dim) => {
      if (this.cx.nonNegative(dim, `sizes are not negative`)) return dim;
      return this.cx.fail('E0324', {
        message: `a size of ${this.actor} is negative: ${printDim(dim)}`,
        site: this.site(name),
      });
    });
  }

  /** An axis of a tensor; negative ones count from the end. */
  axis(name: string, rank: number): number {
    return this.axisOf(this.int(name), rank, name);
  }

  /** Several axes, each at most once. */
  axes(name: string, rank: number): readonly number[] {
    const axes = this.ints(name).map((axis) => this.axisOf(axis, rank, name));
    const twice = axes.find((axis, i) => axes.indexOf(axis) !== i);
    if (twice !== undefined) {
      this.cx.fail('E0308', {
        message: `axis ${twice} occurs twice in \`${name}\` of ${this.builtin.name}`,
        site: this.site(name),
      });
    }
    return axes;
  }

  axisOf(axis: number, rank: number, name: string): number {
    const places = Math.max(1, rank);
    if (axis >= -places && axis < places) return axis < 0 ? axis + places : axis;
    return this.cx.fail('E0308', {
      message: `axis ${axis} is outside [${-places}, ${places - 1}] for ${this.actor}`,
      label: `the tensor has rank ${rank}`,
      site: this.site(name),
    });
  }
}
