// What a derivative is taken by: arguments that `wrt` names by their parameters, or parts of them: `wrt: net.fc1`.

import { nearest } from '../diagnostics/nearest.js';
import { assignArguments } from './arguments.js';
import { parameterShapes } from './call.js';
import type { Context } from './context.js';
import { fieldOf } from './scope.js';
import { type Arg, calleeName, describe, type Site, type Val, type Wrt } from './values.js';

/** An argument, or the part of it at a path, by which is differentiated. */
export interface Selection {
  readonly argument: Arg;
  readonly path: readonly string[];
  readonly value: Val;
  readonly site: Site;
  /** Whether the value belongs to a model: its leaves are places, which the function finds by itself. */
  readonly isPlace: boolean;
}

/** An argument as a whole. */
export const whole = (argument: Arg): Selection => ({
  argument,
  path: [],
  value: argument.value,
  site: argument.site,
  isPlace: argument.value.kind === 'model',
});

/** The parts that a value has under names. */
function partNames(val: Val): readonly string[] {
  switch (val.kind) {
    case 'model':
      return [...val.instance.fields.keys()];
    case 'record':
      return [...val.fields.keys()];
    case 'tuple':
    case 'list':
      return val.items.map((_, i) => String(i));
    default:
      return [];
  }
}

function partOf(val: Val, name: string): Val | undefined {
  switch (val.kind) {
    case 'model':
      return val.instance.fields.has(name) ? fieldOf(val, name) : undefined;
    case 'record':
      return val.fields.get(name);
    case 'tuple':
    case 'list':
      return val.items[Number(name)];
    default:
      return undefined;
  }
}

/** The part of an argument that a path names. */
function select(cx: Context, argument: Arg, path: readonly string[], site: Site): Selection {
  let { value } = argument;
  let isPlace = value.kind === 'model';
  for (const [i, name] of path.entries()) {
    const part = partOf(value, name);
    if (part === undefined) {
      const names = partNames(value);
      const hint = nearest(name, names);
      const all =
        names.length === 0 ? `it is ${describe(value)}` : `its parts are ${names.map((n) => `\`${n}\``).join(', ')}`;
      return cx.fail('E0503', {
        message: `there is no \`${name}\` in ${i === 0 ? 'the argument' : `\`${path.slice(0, i).join('.')}\``} to differentiate by`,
        site,
        help: hint === undefined ? all : `did you mean \`${hint}\`?`,
      });
    }
    value = part;
    isPlace ||= value.kind === 'model';
  }
  return { argument, path, value, site: argument.site, isPlace };
}

/** The arguments and parts that `wrt` names, by the parameters of the function. */
export function selectArguments(cx: Context, of: Val, wrt: Wrt, args: readonly Arg[]): readonly Selection[] {
  const params = parameterShapes(cx, of);
  const assigned = assignArguments(cx, calleeName(of), params, args);
  return wrt.params.map((param) => {
    const [own, ...path] = typeof param === 'number' ? [param] : param.split('.');
    const at = typeof own === 'number' ? own : params.findIndex(({ name }) => name === own);
    if (params[at] === undefined) {
      const names = params.map(({ name }) => name);
      const hint = typeof own === 'string' ? nearest(own, names) : undefined;
      const all = names.map((name) => `\`${name}\``).join(', ');
      cx.fail('E0503', {
        message: `\`${calleeName(of)}\` has no parameter \`${own}\` to differentiate by`,
        site: wrt.site,
        help:
          hint === undefined
            ? `its parameter${names.length === 1 ? ' is' : 's are'} ${all}`
            : `did you mean \`${hint}\`?`,
      });
    }
    const [arg, ...others] = assigned[at] ?? [];
    if (arg !== undefined && others.length === 0) return select(cx, arg, path.map(String), wrt.site);
    return cx.fail('E0503', {
      message: `\`${params[at]?.name}\` of \`${calleeName(of)}\` is not given, so there is nothing to differentiate by`,
    });
  });
}

/** A value with another one at a path. */
function replaced(val: Val, path: readonly string[], part: Val): Val {
  const [name, ...rest] = path;
  if (name === undefined) return part;
  switch (val.kind) {
    case 'record':
      return {
        kind: 'record',
        fields: new Map(
          [...val.fields].map(([key, field]) => [key, key === name ? replaced(field, rest, part) : field]),
        ),
      };
    case 'tuple':
    case 'list':
      return { ...val, items: val.items.map((item, i) => (String(i) === name ? replaced(item, rest, part) : item)) };
    default:
      return val;
  }
}

/** The arguments with what is differentiated replaced by what stands for it in the function. Models stay: their leaves are places. */
export const substituted = (
  args: readonly Arg[],
  selected: readonly Selection[],
  substitute: (selection: number) => Val,
): readonly Arg[] =>
  args.map((arg) => {
    const value = selected.reduce(
      (val, { argument, path, isPlace }, i) => (argument !== arg || isPlace ? val : replaced(val, path, substitute(i))),
      arg.value,
    );
    return value === arg.value ? arg : { ...arg, value };
  });
