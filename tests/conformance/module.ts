// Host functions of the reference cases about the structure of models.

import { DTYPES } from 'tdsl';
import { namedParameters, sessionOf, stateDict } from './inspect.js';

const imports = 'import std.nn { BatchNorm2d, Flatten, Linear, ReLU }\n';

/** A model that is a sequence of layers, nested lists included. */
const sequence = (layers: string): string => `${imports}model Net { layers: ${layers} }`;

export const module_named_parameters_nested = () => namedParameters(sequence('[[Linear(4, 8), ReLU()], Linear(8, 1)]'));

export const module_named_parameters_class = () =>
  namedParameters(`${imports}model Net {
  Linear1: Linear(20, 13)
  Linear2: Linear(13, 8)
  output: Linear(8, 3)
}`);

export const module_module_dict_names = () =>
  namedParameters(sequence('{ linear: Linear(7, 2), act: ReLU(), output: Linear(2, 1) }'));

export const module_ordered_dict_names = () =>
  namedParameters(sequence('{ flatten: Flatten(), linear: Linear(7, 2) }'));

export const module_batchnorm_state = async () => {
  const session = await sessionOf(`${imports}model Net { layers: BatchNorm2d(3) }`);
  return Object.entries(session.stateDict({ root: 'net' })).map(([path, { shape, dtype }]) => [
    path.replace(/^layers\./, ''),
    shape,
    `torch.${DTYPES[dtype].torch}`,
  ]);
};

/** One layer in two places: it is made once, where it first stands. */
export const module_named_parameters_shared = async () => {
  const text = `${imports}model Net {
  let shared = Linear(8, 8)
  layers: [Linear(4, 8), ReLU(), shared, ReLU(), shared, ReLU(), Linear(8, 1)]
}`;
  return { named_parameters: await namedParameters(text), state_dict: await stateDict(text) };
};
