// What the host functions of the reference cases ask of programs: sessions that the interpreter runs, and values of expressions.

import type { Session } from 'tdsl';
import { evaluate as evaluateTensors, interpret } from 'tdsl/compile';

/** A session of the model that a text declares as `Net`. */
export const sessionOf = (text: string): Promise<Session> =>
  interpret({ text: `${text}\nexport fn use(net: Net) -> f32 = 0.0\n` });

/** `[name, shape]` of tensors by name, without the name of the field that holds the layers. */
const shapes = (tensors: readonly (readonly [string, { readonly shape: readonly unknown[] }])[]) =>
  tensors.map(([name, { shape }]) => [name.replace(/^layers\./, ''), shape]);

/** `[name, shape]` of each parameter, as PyTorch's `named_parameters` gives them. */
export const namedParameters = async (text: string) => shapes((await sessionOf(text)).namedParameters({ root: 'net' }));

/** `[name, shape]` of each tensor of the state, as PyTorch's `state_dict` gives them. */
export const stateDict = async (text: string) =>
  shapes(Object.entries((await sessionOf(text)).stateDict({ root: 'net' })));

/** The results of an expression, as lists of numbers, drawn from a seed. */
export const evaluate = (expr: string, seed = 0): readonly (readonly number[])[] =>
  evaluateTensors(expr, {}, { seed }).map((tensor) => [...tensor.toNumbers()]);
