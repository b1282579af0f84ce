// One call of a compiled model as the binding makes it: symbols and typed arrays from JavaScript become checked tensors, a status becomes an
// exception. Nothing here knows a particular model.
#ifndef TDSL_CALL_H
#define TDSL_CALL_H

#include <napi.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tdsl_model.h"

namespace tdsl {

// Steps through an array of the ABI's structs by the size that its elements state.
template <typename T>
const T &At(const T *first, uint32_t index) {
  return *reinterpret_cast<const T *>(reinterpret_cast<const char *>(first) + static_cast<size_t>(first->size) * index);
}

struct DType {
  const char *name;
  const char *array;
  napi_typedarray_type type;
  size_t bytes;
};

// Element types by their number in the ABI, with the typed array that holds them.
inline const DType &DTypeOf(uint32_t number) {
  static const DType table[] = {
      {"?", "?", napi_uint8_array, 1},
      {"bool", "Uint8Array", napi_uint8_array, 1},
      {"u8", "Uint8Array", napi_uint8_array, 1},
      {"i8", "Int8Array", napi_int8_array, 1},
      {"i16", "Int16Array", napi_int16_array, 2},
      {"i32", "Int32Array", napi_int32_array, 4},
      {"i64", "BigInt64Array", napi_bigint64_array, 8},
      {"f16", "Uint16Array", napi_uint16_array, 2},
      {"bf16", "Uint16Array", napi_uint16_array, 2},
      {"f32", "Float32Array", napi_float32_array, 4},
      {"f64", "Float64Array", napi_float64_array, 8},
  };
  return table[number <= TDSL_F64 ? number : 0];
}

// The bytes of one element of a typed array.
inline size_t ElementBytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 1;
  }
}

// A machine-readable name for a status, which errors carry as `code`.
inline const char *StatusCode(tdsl_status status) {
  static const char *const names[] = {"TDSL_OK",    "TDSL_ARG",       "TDSL_ABI",         "TDSL_SHAPE", "TDSL_NOMEM",    "TDSL_NO_DEVICE", "TDSL_DRIVER",
                                      "TDSL_UNSUPPORTED", "TDSL_BUSY", "TDSL_INTERNAL", "TDSL_LIMIT",     "TDSL_INDEX", "TDSL_VALUE"};
  return status >= 0 && status <= TDSL_E_VALUE ? names[status] : "TDSL_INTERNAL";
}

// The text of the calling thread's last error.
inline std::string LastError() {
  std::string text(tdsl_error(nullptr, nullptr, 0), '\0');
  tdsl_error(nullptr, &text[0], text.size());
  text.pop_back();
  return text;
}

// An Error with a `code`; null where the environment is being torn down and makes no objects any more.
inline napi_value MakeError(napi_env env, tdsl_status status, const std::string &text) {
  napi_value code, message, error = nullptr;
  if (napi_create_string_utf8(env, StatusCode(status), NAPI_AUTO_LENGTH, &code) != napi_ok) return nullptr;
  if (napi_create_string_utf8(env, text.data(), text.size(), &message) != napi_ok) return nullptr;
  return napi_create_error(env, code, message, &error) == napi_ok ? error : nullptr;
}

inline void Throw(napi_env env, tdsl_status status, const std::string &text) {
  napi_value error = MakeError(env, status, text);
  if (error != nullptr) napi_throw(env, error);
}

// The memory behind a typed array.
struct View {
  napi_typedarray_type type;
  void *data;
  size_t bytes;
};

// Reads a typed array; false where the value is none.
inline bool ViewOf(napi_env env, napi_value value, View *view) {
  size_t length;
  if (napi_get_typedarray_info(env, value, &view->type, &length, &view->data, nullptr, nullptr) != napi_ok) return false;
  view->bytes = length * ElementBytes(view->type);
  return true;
}

// Whether a typed array of this element size still lies where it did. It cannot have become one of another type, and telling types takes longer
// than all else.
inline bool LiesAt(napi_env env, napi_value array, const void *data, size_t bytes, size_t element_bytes) {
  void *found;
  size_t length;
  return napi_get_typedarray_info(env, array, nullptr, &length, &found, nullptr, nullptr) == napi_ok && found == data && length * element_bytes == bytes;
}

inline bool IsDetached(napi_env env, napi_value value) {
  napi_value buffer;
  bool detached = false;
  napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr);
  return napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached;
}

// Bytes of a large page and of a small one on x86 and, as most systems set them up, on 64-bit ARM.
constexpr size_t LARGE_PAGE = size_t{2} << 20, SMALL_PAGE = size_t{4} << 10;

// Asks for large pages where memory covers any, for what is written first from now on; what was written before is moved when the system comes to it. Large
// arrays take more small pages than a processor has at hand, and it fetches ahead within a page only. Where there are no large pages, nothing changes.
inline void PreferLargePages(void *data, size_t bytes) {
#ifdef MADV_HUGEPAGE
  // Allocators keep a header before memory that begins with a page of its own: small pages are taken whole.
  const uintptr_t first = reinterpret_cast<uintptr_t>(data) / SMALL_PAGE * SMALL_PAGE, last = reinterpret_cast<uintptr_t>(data) + bytes + SMALL_PAGE - 1;
  const uintptr_t begin = (first + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE, end = last / LARGE_PAGE * LARGE_PAGE;
  if (begin < end) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)data, (void)bytes;
#endif
}

// Memory that only grows: of the host, or of the device of an instance.
class Block {
 public:
  // False, and the old memory stays, where there is not enough.
  bool Reserve(uint64_t bytes, tdsl_instance *instance, bool on_device) {
    if (bytes <= bytes_ && data_ != nullptr) return true;
    void *data = nullptr;
    if (on_device) {
      if (tdsl_mem(instance, TDSL_MEM_ALLOC, &data, nullptr, bytes, nullptr) != TDSL_OK) return false;
    } else {
      if (posix_memalign(&data, bytes < LARGE_PAGE ? TDSL_ALIGNMENT : LARGE_PAGE, bytes) != 0) return false;
      PreferLargePages(data, bytes);
    }
    Free(instance, on_device);
    data_ = data;
    bytes_ = bytes;
    return true;
  }
  void Free(tdsl_instance *instance, bool on_device) {
    if (on_device)
      tdsl_mem(instance, TDSL_MEM_FREE, &data_, nullptr, 0, nullptr);
    else
      free(data_);
    data_ = nullptr;
    bytes_ = 0;
  }
  void *data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void *data_ = nullptr;
  uint64_t bytes_ = 0;
};

// The native side of an instance: it outlives the JavaScript object while a call is running on another thread.
class Core {
 public:
  // `mirror` is where JavaScript sees the state of a model whose state lies on a device; null on the CPU.
  Core(tdsl_instance *instance, void *mirror) : instance(instance), mirror_(mirror), on_device_(tdsl_query(TDSL_ABI_VERSION)->device != TDSL_CPU) {
    tdsl_stream(instance, &stream);
  }
  Core(const Core &) = delete;
  Core &operator=(const Core &) = delete;
  ~Core() {
    workspace_.Free(instance, on_device_);
    for (Block &block : blocks_) block.Free(instance, on_device_);
    tdsl_destroy(instance);
  }

  // Runs an entry in the instance's own workspace, which only grows. Calls must not overlap; the error is LastError() of the same thread.
  tdsl_status Run(uint32_t entry, const int64_t *symbols, const tdsl_tensor *tensors, uint32_t count) {
    uint64_t needed;
    tdsl_status status = tdsl_workspace(instance, entry, symbols, &needed);
    if (status != TDSL_OK) return status;
    // A block that cannot be had leaves the old one in place, and tdsl_run reports both sizes.
    if (needed > 0) workspace_.Reserve(needed, instance, on_device_);
    return on_device_ ? RunOnDevice(entry, symbols, tensors, count) : Start(entry, symbols, tensors, count);
  }

  // Copies the state between the arena that JavaScript sees and the device.
  tdsl_status Copy(bool to_device) {
    void *state;
    uint64_t bytes;
    tdsl_status status = tdsl_state(instance, &state, &bytes);
    if (status != TDSL_OK || bytes == 0 || mirror_ == nullptr) return status;
    void *to = to_device ? state : mirror_;
    return tdsl_mem(instance, to_device ? TDSL_MEM_TO_DEVICE : TDSL_MEM_TO_HOST, &to, to_device ? mirror_ : state, bytes, stream);
  }

  tdsl_instance *const instance;
  // Everything of a session goes to its own stream, so that sessions do not wait for each other.
  void *stream = nullptr;
  // Whether the state stays on the device between calls; otherwise every call takes it from the arena that JavaScript sees and puts it back.
  bool is_resident = false;

 private:
  tdsl_status Start(uint32_t entry, const int64_t *symbols, const tdsl_tensor *tensors, uint32_t count) {
    return tdsl_run(instance, entry, symbols, tensors, count, workspace_.data(), workspace_.bytes(), stream);
  }

  // The same for tensors in memory of the host: copies what the entry reads to the device and its results back.
  tdsl_status RunOnDevice(uint32_t entry, const int64_t *symbols, const tdsl_tensor *tensors, uint32_t count) {
    const tdsl_entry_spec &spec = At(tdsl_query(TDSL_ABI_VERSION)->entries, entry);
    std::vector<tdsl_tensor> placed(tensors, tensors + count);
    tdsl_status status = TDSL_OK;
    if (blocks_.size() < count) blocks_.resize(count);
    for (uint32_t i = 0; i < count && status == TDSL_OK; i++) {
      if (placed[i].device == TDSL_CUDA) continue;
      placed[i].device = TDSL_CUDA;
      if (!blocks_[i].Reserve(placed[i].bytes, instance, true)) return TDSL_E_NOMEM;
      placed[i].data = blocks_[i].data();
      void *to = placed[i].data;
      if (At(spec.args, i).role == TDSL_IN) status = tdsl_mem(instance, TDSL_MEM_TO_DEVICE, &to, tensors[i].data, tensors[i].bytes, stream);
    }
    const bool reads = (spec.flags & (TDSL_READS_STATE | TDSL_WRITES_STATE)) != 0, writes = (spec.flags & TDSL_WRITES_STATE) != 0;
    if (status == TDSL_OK && reads && !is_resident) status = Copy(true);
    if (status == TDSL_OK) status = Start(entry, symbols, placed.data(), count);
    if (status == TDSL_OK) status = tdsl_sync(instance, stream);
    if (status == TDSL_OK && writes && !is_resident) status = Copy(false);
    for (uint32_t i = 0; i < count && status == TDSL_OK; i++) {
      void *to = tensors[i].data;
      if (tensors[i].device == TDSL_CPU && At(spec.args, i).role == TDSL_OUT) status = tdsl_mem(instance, TDSL_MEM_TO_HOST, &to, placed[i].data, tensors[i].bytes, stream);
    }
    return status;
  }

  void *mirror_;
  bool on_device_;
  Block workspace_;
  std::vector<Block> blocks_;
};

// Memory of the device that JavaScript holds: an object that this is wrapped in.
struct DeviceMemory {
  std::shared_ptr<Core> core;
  void *data;
  uint64_t bytes;
};

constexpr napi_type_tag DEVICE_MEMORY = {0x7464736c64657669, 0x63656d656d6f7279};

// The memory that an object stands for; null for other values.
inline DeviceMemory *DeviceMemoryOf(napi_env env, napi_value value) {
  napi_valuetype type;
  bool matches = false;
  void *memory = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &DEVICE_MEMORY, &matches) != napi_ok || !matches) return nullptr;
  return napi_unwrap(env, value, &memory) == napi_ok ? static_cast<DeviceMemory *>(memory) : nullptr;
}

inline std::string ShapeText(const tdsl_tensor &tensor) {
  std::string text = "[";
  for (uint32_t d = 0; d < tensor.rank; d++) text += (d > 0 ? ", " : "") + std::to_string(tensor.shape[d]);
  return text + "]";
}

// Entry number, symbols and tensors of one call.
struct Call {
  uint32_t entry = 0;
  std::vector<int64_t> symbols;
  std::vector<tdsl_tensor> tensors;

  const tdsl_entry_spec &Spec() const { return At(tdsl_query(TDSL_ABI_VERSION)->entries, entry); }

  std::string Name(uint32_t index) const {
    const tdsl_tensor_spec &spec = At(Spec().args, index);
    return std::string(Spec().name) + ": " + (spec.role == TDSL_OUT ? "output " : "argument ") + spec.name;
  }

  // Reads the entry's number and the Float64Array of symbol values; throws and returns false where they do not fit.
  bool ReadEntry(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    const tdsl_model_info *model = tdsl_query(TDSL_ABI_VERSION);
    View view;
    if (info.Length() < 2 || napi_get_value_uint32(env, info[0], &entry) != napi_ok || entry >= model->n_entries) {
      Throw(env, TDSL_E_ARG, std::string(model->model_name) + ": there is no such entry");
      return false;
    }
    if (!ViewOf(env, info[1], &view) || view.type != napi_float64_array || view.bytes / 8 != Spec().n_symbols) {
      Throw(env, TDSL_E_ARG, std::string(Spec().name) + ": expected a Float64Array of " + std::to_string(Spec().n_symbols) + " symbol values");
      return false;
    }
    symbols.resize(Spec().n_symbols);
    for (uint32_t k = 0; k < Spec().n_symbols; k++) {
      double value = static_cast<const double *>(view.data)[k];
      if (value != std::floor(value) || std::fabs(value) > 9007199254740992.0) {
        Throw(env, TDSL_E_SHAPE, std::string(Spec().name) + ": " + At(Spec().symbols, k).name + " is not an integer");
        return false;
      }
      symbols[k] = static_cast<int64_t>(value);
    }
    return true;
  }

  // Lets the model write the shapes that these symbols give; throws and returns false where it refuses.
  bool ReadShapes(Napi::Env env, tdsl_instance *instance) {
    tensors.resize(Spec().n_args);
    for (tdsl_tensor &tensor : tensors) tensor.size = sizeof tensor;
    tdsl_status status = tdsl_shape(instance, entry, symbols.data(), tensors.data(), Spec().n_args);
    if (status == TDSL_OK) return true;
    Throw(env, status, LastError());
    return false;
  }

  // Points the tensors at typed arrays, the arguments after entry and symbols; throws and returns false where one does not fit.
  bool ReadTensors(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    if (info.Length() - 2 != tensors.size()) {
      Throw(env, TDSL_E_ARG, std::string(Spec().name) + " takes " + std::to_string(tensors.size()) + " typed arrays, " + std::to_string(info.Length() - 2) + " given");
      return false;
    }
    for (uint32_t i = 0; i < tensors.size(); i++) {
      tdsl_tensor &tensor = tensors[i];
      const DType &dtype = DTypeOf(tensor.dtype);
      View view;
      if (DeviceMemory *memory = DeviceMemoryOf(env, info[i + 2])) {
        if (tensor.device == TDSL_CPU) {
          Throw(env, TDSL_E_ARG, Name(i) + ": this model runs on the CPU, the tensor is in the memory of a GPU; `to('cpu')` copies it");
          return false;
        }
        if (memory->bytes != tensor.bytes) {
          Throw(env, TDSL_E_SHAPE, Name(i) + ": expected " + std::to_string(tensor.bytes) + " bytes, found " + std::to_string(memory->bytes));
          return false;
        }
        tensor.device = TDSL_CUDA;
        tensor.data = memory->data;
        continue;
      }
      tensor.device = TDSL_CPU;
      if (!ViewOf(env, info[i + 2], &view) || view.type != dtype.type) {
        Throw(env, TDSL_E_ARG, Name(i) + ": expected a " + dtype.array + " (" + dtype.name + ")");
        return false;
      }
      if (view.bytes != tensor.bytes) {
        Throw(env, TDSL_E_SHAPE, Name(i) + ": " + (IsDetached(env, info[i + 2]) ? "its buffer is detached"
                                                   : "expected " + std::to_string(tensor.bytes / dtype.bytes) + " elements, " + ShapeText(tensor) + ", found " +
                                                         std::to_string(view.bytes / dtype.bytes)));
        return false;
      }
      tensor.data = view.data;
      PreferLargePages(view.data, view.bytes);
    }
    return true;
  }
};

}  // namespace tdsl

#endif
