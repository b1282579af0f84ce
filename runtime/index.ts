// The runtime of compiled models, which is what `tdsl` exports: sessions, tensors, files and random numbers.

export type { ModelDescription } from './addon.js';
export type { TensorInput } from './arguments.js';
export { type Bundle, decodeBundle, encodeBundle, loadBundle } from './bundle.js';
export { type Cell, type ColumnKind, type DummyOptions, Table } from './data/table.js';
export { DeviceTensor } from './device.js';
export { type DataOf, DTYPES, type DType, type DTypeKind, isDType, type ScalarOf, type TypedArray } from './dtype.js';
export { type BincountOptions, bincount, maskedSelect, nonzero, nonzeroTuple, type Unique, unique } from './dynamic.js';
export { type ErrorCode, TdslError } from './errors.js';
export { type CsvReadOptions, formatCsv, loadCsv, parseCsv, saveCsv } from './io/csv.js';
export { loadIdx, parseIdx } from './io/idx.js';
export {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  loadNpy,
  loadNpz,
  type NpzReadOptions,
  type NpzWriteOptions,
  saveNpy,
  saveNpz,
} from './io/npy.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type SafetensorsFile,
  saveSafetensors,
} from './io/safetensors.js';
export { defineModel, type Model, type ModelSource } from './load.js';
export type { Manifest } from './manifest.js';
export type { AsyncMethod, BoundMethod, Method } from './method.js';
export type { Nested, Scalar } from './nested.js';
export { type PrintOptions, setPrintOptions, type TextOptions } from './print.js';
export { Generator } from './random.js';
export {
  type CreateOptions,
  type LoadOptions,
  Session,
  type StateSelection,
} from './session.js';
export { RESERVED_NAMES } from './session-names.js';
export type { Shape, SizesOf } from './shape.js';
export { readManifest } from './stages.js';
export type { LoadReport } from './state.js';
export { Tensor, type TensorSource, type Tolerance } from './tensor.js';
