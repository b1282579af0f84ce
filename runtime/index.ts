// The runtime of compiled models, which is what `tdsl` exports: tensors, files and random numbers.

export { type DataOf, DTYPES, type DType, type DTypeKind, isDType, type ScalarOf, type TypedArray } from './dtype.js';
export { loadIdx, parseIdx } from './io/idx.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type SafetensorsFile,
  saveSafetensors,
} from './io/safetensors.js';
export type { Manifest } from './manifest.js';
export type { Nested, Scalar } from './nested.js';
export { type PrintOptions, setPrintOptions } from './print.js';
export { Generator } from './random.js';
export type { Shape, SizesOf } from './shape.js';
export { Tensor, type TensorSource, type Tolerance } from './tensor.js';
