// Host functions of the reference cases about printed text.

import { Tensor } from 'tdsl';
import { evaluate, interpret } from 'tdsl/compile';

const text = (x: Tensor) => String(x);

export const print_floats_4_digits = text;
export const print_matrix = text;
export const print_negative_align = text;
export const print_bools = text;
export const print_scalar = text;
export const print_scalar_int_like = text;
export const print_i32_suffix = text;
export const print_large_value = text;
export const print_summarised = () => text(Tensor.arange(2000));

/** The case prints softmax(x), over the one dimension. */
export const print_scientific = (x: Tensor) => evaluate('softmax(x, 0)', { x }).map(text)[0];

export const print_module_list = async () => {
  const session = await interpret({
    text: `
import std.nn { Linear, ReLU }
model Net { layers: [Linear(784, 256), ReLU(), Linear(256, 10)] }
export fn use(net: Net) -> f32 = 0.0
`,
  });
  return session.describeModel('net.layers');
};
