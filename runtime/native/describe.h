// The static tables of a model as plain JavaScript objects.
#ifndef TDSL_DESCRIBE_H
#define TDSL_DESCRIBE_H

#include "call.h"

namespace tdsl {

// A fixed dimension is a number, a symbol its name, and an expression in symbols is null: `shape` evaluates it.
inline Napi::Value DescribeDim(Napi::Env env, const tdsl_entry_spec *entry, int64_t dim) {
  if (TDSL_DIM_IS_DERIVED(dim)) return env.Null();
  if (dim < 0) return Napi::String::New(env, At(entry->symbols, static_cast<uint32_t>(-1 - dim)).name);
  return Napi::Number::New(env, static_cast<double>(dim));
}

inline Napi::Array DescribeDims(Napi::Env env, const tdsl_entry_spec *entry, uint32_t rank, const int64_t *dims) {
  Napi::Array list = Napi::Array::New(env, rank);
  for (uint32_t d = 0; d < rank; d++) list.Set(d, DescribeDim(env, entry, dims[d]));
  return list;
}

inline Napi::Object DescribeEntry(Napi::Env env, const tdsl_entry_spec &entry) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", entry.name);
  object.Set("readsState", Napi::Boolean::New(env, (entry.flags & TDSL_READS_STATE) != 0));
  object.Set("writesState", Napi::Boolean::New(env, (entry.flags & TDSL_WRITES_STATE) != 0));
  object.Set("init", Napi::Boolean::New(env, (entry.flags & TDSL_ENTRY_INIT) != 0));
  Napi::Array symbols = Napi::Array::New(env, entry.n_symbols);
  for (uint32_t k = 0; k < entry.n_symbols; k++) {
    const tdsl_symbol_spec &symbol = At(entry.symbols, k);
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", symbol.name);
    item.Set("min", static_cast<double>(symbol.min));
    item.Set("max", symbol.max == INT64_MAX ? env.Null() : Napi::Value(Napi::Number::New(env, static_cast<double>(symbol.max))));
    symbols.Set(k, item);
  }
  object.Set("symbols", symbols);
  Napi::Array args = Napi::Array::New(env, entry.n_args);
  for (uint32_t i = 0; i < entry.n_args; i++) {
    const tdsl_tensor_spec &arg = At(entry.args, i);
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", arg.name);
    item.Set("role", arg.role == TDSL_OUT ? "out" : "in");
    item.Set("dtype", DTypeOf(arg.dtype).name);
    item.Set("dims", DescribeDims(env, &entry, arg.rank, arg.dims));
    args.Set(i, item);
  }
  object.Set("args", args);
  return object;
}

inline Napi::Object DescribeLeaf(Napi::Env env, const tdsl_state_spec &leaf) {
  static const char *const roles[] = {"param", "buffer", "state", "key"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("path", leaf.name);
  object.Set("role", leaf.role >= TDSL_PARAM && leaf.role <= TDSL_KEY ? roles[leaf.role - TDSL_PARAM] : "?");
  object.Set("dtype", DTypeOf(leaf.dtype).name);
  object.Set("shape", DescribeDims(env, nullptr, leaf.rank, leaf.dims));
  object.Set("offset", static_cast<double>(leaf.offset));
  object.Set("bytes", static_cast<double>(leaf.bytes));
  return object;
}

// describe(): the model's info, entries and state.
inline Napi::Value Describe(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  const tdsl_model_info *model = tdsl_query(TDSL_ABI_VERSION);
  Napi::Object object = Napi::Object::New(env);
  object.Set("abiVersion", static_cast<double>(model->abi_version));
  object.Set("name", model->model_name);
  object.Set("compiler", model->compiler);
  object.Set("sourceHash", model->source_hash);
  object.Set("device", model->device == TDSL_CUDA ? "cuda" : "cpu");
  object.Set("cpuFeatures", model->cpu_features);
  object.Set("stateBytes", static_cast<double>(model->state_bytes));
  Napi::Array entries = Napi::Array::New(env, model->n_entries);
  for (uint32_t i = 0; i < model->n_entries; i++) entries.Set(i, DescribeEntry(env, At(model->entries, i)));
  object.Set("entries", entries);
  Napi::Array state = Napi::Array::New(env, model->n_state);
  for (uint32_t i = 0; i < model->n_state; i++) state.Set(i, DescribeLeaf(env, At(model->state, i)));
  object.Set("state", state);
  return object;
}

}  // namespace tdsl

#endif
