// Host functions of the reference cases about printed text.

import { Tensor } from 'tdsl';

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
export function print_scientific(x: Tensor): string {
  const numbers = x.toNumbers();
  const largest = Math.max(...numbers);
  const powers = numbers.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return text(Tensor.from(Float32Array.from(powers, (power) => power / sum)));
}
