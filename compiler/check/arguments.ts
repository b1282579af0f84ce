// Matches the arguments of a call with parameters by position and name.

import { nearest } from '../diagnostics/nearest.js';
import type { Context } from './context.js';
import { foreignParameter } from './foreign.js';
import type { Arg } from './values.js';

/** What the matching needs to know of a parameter. */
export interface ParameterShape {
  readonly name: string;
  readonly required: boolean;
  /** Takes all further positional arguments. */
  readonly rest: boolean;
  /** Takes a list. */
  readonly list: boolean;
}

/** The arguments of each parameter: one, none where the default applies, any number for a rest parameter. */
export type Assigned = readonly (readonly Arg[])[];

/**
 * Assigns arguments to parameters. Positional ones go in order; where there are exactly as many as required parameters, they go to
 * those, so that `arange(10)` is `arange(end: 10)` although `start` comes first. `implied` names a required parameter that the
 * caller fills in when it is missing.
 */
export function assignArguments(
  cx: Context,
  callee: string,
  params: readonly ParameterShape[],
  args: readonly Arg[],
  implied?: string,
): Assigned {
  // The common case: one argument for each parameter, in order.
  const isPlain = args.length === params.length && !args.some((arg) => arg.name) && !params.some((param) => param.rest);
  if (isPlain) return args.map((arg) => [arg]);
  const assigned = params.map((): Arg[] => []);
  const isFree = (i: number) => assigned[i]?.length === 0;
  for (const arg of args) {
    if (arg.name === undefined) continue;
    const { name, span } = arg.name;
    const site = { source: arg.site.source, span };
    const at = params.findIndex((param) => param.name === name);
    if (at < 0) {
      const known = params.map((param) => param.name);
      const near = nearest(name, known);
      const hint = foreignParameter(name, known) ?? (near && `did you mean \`${near}\`?`);
      cx.fail('E0206', {
        message: `\`${callee}\` has no parameter \`${name}\``,
        site,
        help: hint ?? `it takes (${known.join(', ')})`,
      });
    }
    if (!isFree(at)) cx.fail('E0209', { message: `\`${name}\` is given twice`, site });
    assigned[at]?.push(arg);
  }
  const positional = args.filter((arg) => arg.name === undefined);
  const required = params.flatMap((param, i) =>
    param.required && !param.rest && isFree(i) && param.name !== implied ? [i] : [],
  );
  const open = params.flatMap((_, i) => (isFree(i) ? [i] : []));
  const skipsDefaults = required.length === positional.length && !params.some((param) => param.rest);
  const targets = skipsDefaults ? required : open;
  positional.forEach((arg, i) => {
    const rest = params.findIndex((param) => param.rest);
    const at = targets[i] ?? rest;
    const target = rest >= 0 && at >= rest ? rest : at;
    if (target < 0) {
      const named = args.find((other) => other.name !== undefined);
      cx.fail('E0208', {
        message: `\`${callee}\` takes ${params.length === 1 ? '1 argument' : `${params.length} arguments`}, ${args.length} are given`,
        site: arg.site,
        ...(named === undefined ? {} : { notes: ['arguments given by name count too'] }),
        help: asList(callee, params, positional),
      });
    }
    assigned[target]?.push(arg);
  });
  const missing = params.filter((param, i) => param.required && !param.rest && isFree(i) && param.name !== implied);
  if (missing.length > 0) {
    cx.fail('E0207', {
      message: `\`${callee}\` needs the argument${missing.length === 1 ? '' : 's'} ${missing.map((param) => `\`${param.name}\``).join(' and ')}`,
    });
  }
  return assigned;
}

/** How to write a call whose last arguments are sizes or axes one by one, where a list of them is wanted: `reshape(x, 2, 3)`. */
function asList(callee: string, params: readonly ParameterShape[], args: readonly Arg[]): string | undefined {
  const first = args.findIndex(({ value }) => value.kind === 'int');
  if (first < 0 || params[first]?.list !== true || args.slice(first).some(({ value }) => value.kind !== 'int'))
    return undefined;
  const text = ({ site: { source, span } }: Arg) => source.text.slice(span.start, span.end);
  const parts = [...args.slice(0, first).map(text), `[${args.slice(first).map(text).join(', ')}]`];
  return `they are one list: \`${callee}(${parts.join(', ')})\``;
}
