// The Node-API binding of compiled models, generic over the C ABI: compiled once a machine and linked with each model. It has no global
// state, so that several models, and one model in several worker threads, load side by side. All memory that JavaScript sees is allocated by
// JavaScript; the binding only checks and points at it.
//
//   describe()                            the model's tables
//   probe()                               null, or why this machine cannot run the model
//   alignedOffset(buffer)                 where in it memory begins that is aligned as a state arena must be
//   create({ state, threads })            an Instance over that arena
//   instance.shape(entry, symbols)        the shapes of all tensors of an entry
//   instance.run(entry, symbols, ...)     runs it; typed arrays, inputs first
//   instance.runAsync(entry, symbols, …)  the same on another thread; calls queue in order
//   instance.bind(entry, symbols, ...)    a function that runs it again and again on the same arrays
//   instance.place(array)                 a copy in the memory of the GPU, which runs take in place of the array
//   instance.fetch(memory, array)         copies it back
//   instance.keepState(on)                whether the state stays on the GPU between calls
//   instance.copyState(toDevice)          copies it between the arena and the GPU
//   instance.pending                      the number of asynchronous calls that are queued or running

#include <deque>

#include "call.h"
#include "describe.h"

namespace tdsl {

class Job;

// What the module keeps for each environment (main thread or worker).
struct Module {
  Napi::FunctionReference instance;
};

class Instance : public Napi::ObjectWrap<Instance> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Instance",
                       {InstanceMethod<&Instance::Shape>("shape"), InstanceMethod<&Instance::Run>("run"), InstanceMethod<&Instance::RunAsync>("runAsync"),
                        InstanceMethod<&Instance::Bind>("bind"), InstanceAccessor<&Instance::Pending>("pending"),
                        InstanceMethod<&Instance::Place>("place"), InstanceMethod<&Instance::Fetch>("fetch"),
                        InstanceMethod<&Instance::KeepState>("keepState"), InstanceMethod<&Instance::CopyState>("copyState")});
  }

  // new Instance(state, threads); create() below is the way in.
  explicit Instance(const Napi::CallbackInfo &info);

  // The first call of the queue has ended: starts the next one, or drops all where the environment is being torn down.
  void Finished(bool alive);

  bool IsBusy() const { return !queue_.empty(); }
  const std::shared_ptr<Core> &core() const { return core_; }

  // Throws and returns false when an asynchronous call is running or the state was taken away by a transfer.
  bool IsReady(Napi::Env env, const tdsl_entry_spec &entry) {
    if (IsBusy()) {
      Throw(env, TDSL_E_BUSY, std::string(entry.name) + ": an asynchronous call is running on this session; await it first");
      return false;
    }
    return HasState(env);
  }

  bool HasState(Napi::Env env) {
    if (state_ == nullptr || LiesAt(env, state_array_.Value(), state_, tdsl_query(TDSL_ABI_VERSION)->state_bytes, 1)) return true;
    Throw(env, TDSL_E_ARG, "the state's buffer is detached");
    return false;
  }

 private:
  Napi::Value Shape(const Napi::CallbackInfo &info);
  Napi::Value Run(const Napi::CallbackInfo &info);
  Napi::Value RunAsync(const Napi::CallbackInfo &info);
  Napi::Value Bind(const Napi::CallbackInfo &info);
  Napi::Value Place(const Napi::CallbackInfo &info);
  Napi::Value Fetch(const Napi::CallbackInfo &info);
  Napi::Value KeepState(const Napi::CallbackInfo &info);
  Napi::Value CopyState(const Napi::CallbackInfo &info);
  Napi::Value Pending(const Napi::CallbackInfo &info) { return Napi::Number::New(info.Env(), static_cast<double>(queue_.size())); }

  std::shared_ptr<Core> core_;
  void *state_ = nullptr;
  Napi::ObjectReference state_array_;  // weak: the object's own property keeps the array
  Call scratch_;                       // of synchronous calls, so that they allocate nothing
  std::deque<Job *> queue_;            // the first is running
};

// A property that scripts neither see nor change; it keeps a value alive as long as its owner.
static void Keep(Napi::Object owner, const char *name, Napi::Value value) {
  owner.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_default));
}

// --- asynchronous calls -------------------------------------------------------------------------------------------------------------

class Job : public Napi::AsyncWorker {
 public:
  Job(Napi::Env env, Instance *instance, Napi::Object owner) : AsyncWorker(env), instance_(instance), core_(instance->core()) {
    keep_.push_back(Napi::Persistent(owner));
  }

  void KeepAlive(Napi::Object value) { keep_.push_back(Napi::Persistent(value)); }

  // The promise of the call; undefined, with a pending exception, where none can be made.
  Napi::Value MakePromise() {
    napi_value promise;
    if (napi_create_promise(Env(), &deferred_, &promise) != napi_ok) return Env().Undefined();
    return Napi::Value(Env(), promise);
  }

  Call call;

 protected:
  void Execute() override {
    status_ = core_->Run(call.entry, call.symbols.data(), call.tensors.data(), static_cast<uint32_t>(call.tensors.size()));
    if (status_ != TDSL_OK) error_ = LastError();
  }

  // A worker thread that is terminated waits for calls that are running and then comes here, but scripts can run no more: that the promise
  // cannot be settled is then no error.
  void OnOK() override {
    bool alive;
    if (status_ == TDSL_OK) {
      alive = napi_resolve_deferred(Env(), deferred_, Env().Undefined()) == napi_ok;
    } else {
      napi_value error = MakeError(Env(), status_, error_);
      alive = error != nullptr && napi_reject_deferred(Env(), deferred_, error) == napi_ok;
    }
    instance_->Finished(alive);
  }

 private:
  napi_deferred deferred_ = nullptr;
  Instance *instance_;
  std::shared_ptr<Core> core_;
  std::vector<Napi::ObjectReference> keep_;  // the instance and the arrays
  tdsl_status status_ = TDSL_OK;
  std::string error_;
};

void Instance::Finished(bool alive) {
  queue_.pop_front();
  if (alive && !queue_.empty()) queue_.front()->Queue();
  if (alive) return;
  for (Job *job : queue_) delete job;
  queue_.clear();
}

Napi::Value Instance::RunAsync(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Job *job = new Job(env, this, Value());
  if (!job->call.ReadEntry(info) || !HasState(env) || !job->call.ReadShapes(env, core_->instance) || !job->call.ReadTensors(info)) {
    delete job;
    return env.Undefined();
  }
  if (state_ != nullptr) job->KeepAlive(state_array_.Value());
  for (size_t i = 2; i < info.Length(); i++) job->KeepAlive(info[i].As<Napi::Object>());
  Napi::Value promise = job->MakePromise();
  queue_.push_back(job);
  if (queue_.size() == 1) job->Queue();
  return promise;
}

// --- bound calls --------------------------------------------------------------------------------------------------------------------

// The arrays of a bound call are kept by a property of the function, and looked at again on each call through weak references.
struct Bound {
  Instance *instance;
  Call call;
  std::vector<Napi::Reference<Napi::Object>> arrays;

  static Napi::Value Run(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    Bound &bound = *static_cast<Bound *>(info.Data());
    Call &call = bound.call;
    if (!bound.instance->IsReady(env, call.Spec())) return env.Undefined();
    for (uint32_t i = 0; i < call.tensors.size(); i++) {
      const tdsl_tensor &tensor = call.tensors[i];
      if (tensor.device == TDSL_CUDA) continue;
      if (!LiesAt(env, bound.arrays[i].Value(), tensor.data, tensor.bytes, DTypeOf(tensor.dtype).bytes)) {
        Throw(env, TDSL_E_ARG, call.Name(i) + ": its buffer was detached or resized after bind");
        return env.Undefined();
      }
    }
    tdsl_status status = bound.instance->core()->Run(call.entry, call.symbols.data(), call.tensors.data(), static_cast<uint32_t>(call.tensors.size()));
    if (status != TDSL_OK) Throw(env, status, LastError());
    return env.Undefined();
  }
};

Napi::Value Instance::Bind(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  std::unique_ptr<Bound> bound(new Bound{this, {}, {}});
  if (!bound->call.ReadEntry(info) || !HasState(env) || !bound->call.ReadShapes(env, core_->instance) || !bound->call.ReadTensors(info)) return env.Undefined();
  Napi::Array kept = Napi::Array::New(env);
  for (size_t i = 2; i < info.Length(); i++) {
    kept.Set(static_cast<uint32_t>(i - 2), info[i]);
    bound->arrays.push_back(Napi::Reference<Napi::Object>::New(info[i].As<Napi::Object>(), 0));
  }
  Bound *data = bound.release();
  Napi::Function function = Napi::Function::New(env, Bound::Run, data->call.Spec().name, data);
  function.AddFinalizer([](Napi::Env, Bound *finished) { delete finished; }, data);
  Keep(function, "instance", Value());
  Keep(function, "arrays", kept);
  return function;
}

// --- synchronous calls ----------------------------------------------------------------------------------------------------------------

Napi::Value Instance::Shape(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Call call;
  if (!call.ReadEntry(info) || !call.ReadShapes(env, core_->instance)) return env.Undefined();
  Napi::Array shapes = Napi::Array::New(env, call.tensors.size());
  for (uint32_t i = 0; i < call.tensors.size(); i++) {
    const tdsl_tensor &tensor = call.tensors[i];
    Napi::Array shape = Napi::Array::New(env, tensor.rank);
    for (uint32_t d = 0; d < tensor.rank; d++) shape.Set(d, static_cast<double>(tensor.shape[d]));
    shapes.Set(i, shape);
  }
  return shapes;
}

Napi::Value Instance::Run(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!scratch_.ReadEntry(info) || !IsReady(env, scratch_.Spec()) || !scratch_.ReadShapes(env, core_->instance) || !scratch_.ReadTensors(info)) return env.Undefined();
  tdsl_status status = core_->Run(scratch_.entry, scratch_.symbols.data(), scratch_.tensors.data(), static_cast<uint32_t>(scratch_.tensors.size()));
  if (status != TDSL_OK) Throw(env, status, LastError());
  return env.Undefined();
}

// --- memory of a GPU ------------------------------------------------------------------------------------------------------------------

Napi::Value Instance::Place(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  View view;
  if (tdsl_query(TDSL_ABI_VERSION)->device != TDSL_CUDA) {
    Throw(env, TDSL_E_NO_DEVICE, "this model runs on the CPU; one that was compiled for CUDA has memory of a GPU");
    return env.Undefined();
  }
  if (info.Length() < 1 || !ViewOf(env, info[0], &view)) {
    Throw(env, TDSL_E_ARG, "place: expected a typed array");
    return env.Undefined();
  }
  auto *memory = new DeviceMemory{core_, nullptr, view.bytes};
  tdsl_status status = tdsl_mem(core_->instance, TDSL_MEM_ALLOC, &memory->data, nullptr, view.bytes, nullptr);
  void *to = memory->data;
  if (status == TDSL_OK) status = tdsl_mem(core_->instance, TDSL_MEM_TO_DEVICE, &to, view.data, view.bytes, core_->stream);
  // The array may be changed as soon as this returns.
  if (status == TDSL_OK) status = tdsl_sync(core_->instance, core_->stream);
  Napi::Object object = Napi::Object::New(env);
  auto finalize = [](napi_env, void *data, void *) {
    auto *finished = static_cast<DeviceMemory *>(data);
    if (finished->data != nullptr) tdsl_mem(finished->core->instance, TDSL_MEM_FREE, &finished->data, nullptr, 0, nullptr);
    delete finished;
  };
  napi_wrap(env, object, memory, finalize, nullptr, nullptr);
  napi_type_tag_object(env, object, &DEVICE_MEMORY);
  if (status == TDSL_OK) return object;
  Throw(env, status, LastError());
  return env.Undefined();
}

Napi::Value Instance::Fetch(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  View view;
  DeviceMemory *memory = info.Length() < 2 ? nullptr : DeviceMemoryOf(env, info[0]);
  if (memory == nullptr || !ViewOf(env, info[1], &view) || view.bytes != memory->bytes) {
    Throw(env, TDSL_E_ARG, "fetch: expected memory of a GPU and a typed array of the same size");
    return env.Undefined();
  }
  tdsl_status status = tdsl_mem(core_->instance, TDSL_MEM_TO_HOST, &view.data, memory->data, view.bytes, core_->stream);
  if (status != TDSL_OK) Throw(env, status, LastError());
  return env.Undefined();
}

Napi::Value Instance::KeepState(const Napi::CallbackInfo &info) {
  const bool keeps = info.Length() > 0 && info[0].ToBoolean();
  tdsl_status status = core_->is_resident == keeps ? TDSL_OK : core_->Copy(keeps);
  core_->is_resident = keeps;
  if (status != TDSL_OK) Throw(info.Env(), status, LastError());
  return info.Env().Undefined();
}

Napi::Value Instance::CopyState(const Napi::CallbackInfo &info) {
  tdsl_status status = core_->Copy(info.Length() > 0 && info[0].ToBoolean());
  if (status != TDSL_OK) Throw(info.Env(), status, LastError());
  return info.Env().Undefined();
}

Instance::Instance(const Napi::CallbackInfo &info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  const tdsl_model_info *model = tdsl_query(TDSL_ABI_VERSION);
  tdsl_options options = {};
  options.size = sizeof options;
  View view;
  if (info.Length() < 2 || !ViewOf(env, info[0], &view) || view.type != napi_uint8_array || view.bytes != model->state_bytes) {
    Throw(env, TDSL_E_ARG, "create: expected `state`, a Uint8Array of " + std::to_string(model->state_bytes) + " bytes");
    return;
  }
  double threads = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
  if (threads != std::floor(threads) || threads < 0 || threads > 256) {
    Throw(env, TDSL_E_ARG, "create: `threads` is an integer from 0 (as many as there are cores) to 256");
    return;
  }
  options.n_threads = static_cast<int32_t>(threads);
  if (model->state_bytes > 0) {
    state_ = view.data;
    if (model->device == TDSL_CPU) {
      options.state = state_;
      options.state_bytes = view.bytes;
    }
    state_array_ = Napi::Reference<Napi::Object>::New(info[0].As<Napi::Object>(), 0);
    Keep(info.This().As<Napi::Object>(), "state", info[0]);
  }
  tdsl_instance *instance;
  tdsl_status status = tdsl_create(&options, &instance);
  if (status == TDSL_OK)
    core_ = std::make_shared<Core>(instance, model->device == TDSL_CPU ? nullptr : state_);
  else
    Throw(env, status, LastError());
}

// --- the module -------------------------------------------------------------------------------------------------------------------------

static Napi::Value Create(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsObject()) {
    Throw(env, TDSL_E_ARG, "create: expected { state, threads }");
    return env.Undefined();
  }
  Napi::Object options = info[0].As<Napi::Object>();
  Napi::Value threads = options.Get("threads");
  if (threads.IsUndefined()) threads = Napi::Number::New(env, 0);
  return env.GetInstanceData<Module>()->instance.New({options.Get("state"), threads});
}

static Napi::Value Probe(const Napi::CallbackInfo &info) {
  char why[512];
  Napi::Env env = info.Env();
  if (tdsl_probe(0, why, sizeof why) == TDSL_OK) return env.Null();
  return Napi::String::New(env, why);
}

// JavaScript cannot see addresses, so it asks where in a slightly larger buffer aligned memory begins.
static Napi::Value AlignedOffset(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  void *data;
  size_t bytes;
  if (info.Length() < 1 || napi_get_arraybuffer_info(env, info[0], &data, &bytes) != napi_ok) {
    Throw(env, TDSL_E_ARG, "alignedOffset: expected an ArrayBuffer");
    return env.Undefined();
  }
  PreferLargePages(data, bytes);
  return Napi::Number::New(env, (TDSL_ALIGNMENT - reinterpret_cast<uintptr_t>(data) % TDSL_ALIGNMENT) % TDSL_ALIGNMENT);
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (tdsl_query(TDSL_ABI_VERSION) == nullptr) {
    Throw(env, TDSL_E_ABI, "this model does not speak version " + std::to_string(TDSL_ABI_VERSION) + " of tdsl's C interface; compile it again");
    return exports;
  }
  Napi::Function instance = Instance::Define(env);
  env.SetInstanceData(new Module{Napi::Persistent(instance)});
  exports.Set("describe", Napi::Function::New(env, Describe, "describe"));
  exports.Set("probe", Napi::Function::New(env, Probe, "probe"));
  exports.Set("alignedOffset", Napi::Function::New(env, AlignedOffset, "alignedOffset"));
  exports.Set("create", Napi::Function::New(env, Create, "create"));
  return exports;
}

NODE_API_MODULE(tdsl, Init)

}  // namespace tdsl
