"""Models with the interface of tdsl_model.h, from Python alone: memory is that of tdsl_mem, or of whoever passes addresses."""

import ctypes
import struct


class Tensor(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("dtype", ctypes.c_uint32), ("rank", ctypes.c_uint32), ("device", ctypes.c_uint32),
        ("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64), ("shape", ctypes.c_int64 * 8),
    ]


class Symbol(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("name", ctypes.c_char_p), ("min", ctypes.c_int64), ("max", ctypes.c_int64)]


class Spec(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("dtype", ctypes.c_uint32), ("role", ctypes.c_uint32), ("rank", ctypes.c_uint32),
        ("dims", ctypes.c_int64 * 8), ("name", ctypes.c_char_p),
    ]


class Entry(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("name", ctypes.c_char_p), ("n_args", ctypes.c_uint32),
        ("n_symbols", ctypes.c_uint32), ("args", ctypes.POINTER(Spec)), ("symbols", ctypes.POINTER(Symbol)),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("abi_version", ctypes.c_uint32), ("device", ctypes.c_uint32), ("flags", ctypes.c_uint32),
        ("model_name", ctypes.c_char_p), ("compiler", ctypes.c_char_p), ("source_hash", ctypes.c_char_p), ("cpu_features", ctypes.c_char_p),
        ("gpu_archs", ctypes.c_char_p), ("n_entries", ctypes.c_uint32), ("n_state", ctypes.c_uint32), ("entries", ctypes.POINTER(Entry)),
    ]


# By the number of a dtype: its name, the bytes of an element, and how `struct` calls it; bf16 is the upper half of an f32.
DTYPES = {1: ("bool", 1, "?"), 2: ("u8", 1, "B"), 3: ("i8", 1, "b"), 4: ("i16", 2, "h"), 5: ("i32", 4, "i"), 6: ("i64", 8, "q"), 7: ("f16", 2, "e"),
          8: ("bf16", 2, "H"), 9: ("f32", 4, "f"), 10: ("f64", 8, "d")}
FORMATS = {name: (size, code) for name, size, code in DTYPES.values()}
OUT = 2
ALLOC, FREE, TO_DEVICE, TO_HOST = 1, 2, 3, 4


def encode(dtype, values):
    """Numbers as the bytes of a dtype."""
    size, code = FORMATS[dtype]
    if dtype == "bf16":
        words = [struct.unpack("<I", struct.pack("<f", value))[0] for value in values]
        values = [word >> 16 if word & 0x7FFFFFFF > 0x7F800000 else (word + 0x7FFF + (word >> 16 & 1)) >> 16 for word in words]
    return struct.pack(f"<{len(values)}{code}", *values)


def decode(dtype, data):
    size, code = FORMATS[dtype]
    values = struct.unpack(f"<{len(data) // size}{code}", data)
    return [struct.unpack("<f", struct.pack("<I", value << 16))[0] for value in values] if dtype == "bf16" else list(values)


class Call:
    """A run of an entry that can be repeated. `outputs` are (dtype, shape, address)."""

    def __init__(self, model, index, values, tensors, outputs, keep):
        self.model, self.index, self.values, self.tensors, self.outputs, self.keep = model, index, values, tensors, outputs, keep

    def __call__(self, stream=0):
        place, size = self.keep[0]
        self.model.check(self.model.library.tdsl_run(
            self.model.instance, self.index, self.values, self.tensors, len(self.tensors), ctypes.c_void_p(place), ctypes.c_uint64(size),
            ctypes.c_void_p(stream or None)))

    def result(self, number):
        """The numbers of an output."""
        dtype, shape, address = self.outputs[number]
        return decode(dtype, self.model.download(address, elements(shape) * FORMATS[dtype][0]))


def elements(shape):
    count = 1
    for size in shape:
        count *= size
    return count


class Model:
    def __init__(self, file):
        self.library = ctypes.CDLL(file)
        self.library.tdsl_query.restype = ctypes.POINTER(Info)
        self.library.tdsl_error.restype = ctypes.c_uint64
        self.info = self.library.tdsl_query(1).contents
        self.entries = {self.info.entries[i].name.decode(): i for i in range(self.info.n_entries)}
        self.instance = ctypes.c_void_p()
        self.check(self.library.tdsl_create(None, ctypes.byref(self.instance)))

    def check(self, status):
        if status == 0:
            return
        text = ctypes.create_string_buffer(1000)
        self.library.tdsl_error(None, text, ctypes.c_uint64(1000))
        raise RuntimeError(f"status {status}: {text.value.decode()}")

    def mem(self, operation, block, source, size):
        self.check(self.library.tdsl_mem(self.instance, ctypes.c_uint32(operation), ctypes.byref(block), source, ctypes.c_uint64(size), None))

    def alloc(self, size):
        block = ctypes.c_void_p()
        self.mem(ALLOC, block, None, max(1, size))
        return block.value

    def free(self, address):
        self.mem(FREE, ctypes.c_void_p(address), None, 0)

    def upload(self, data):
        address = self.alloc(len(data))
        self.mem(TO_DEVICE, ctypes.c_void_p(address), data, len(data))
        return address

    def download(self, address, size):
        data = ctypes.create_string_buffer(max(1, size))
        self.mem(TO_HOST, ctypes.c_void_p(ctypes.addressof(data)), ctypes.c_void_p(address), size)
        return data.raw[:size]

    def prepare(self, name, symbols, inputs, allocate=None):
        """A call with inputs at addresses; `allocate(dtype, shape)` gives the addresses of outputs, which are filled with ones in all bits."""
        index = self.entries[name]
        entry = self.info.entries[index]
        names = [entry.symbols[k].name.decode() for k in range(entry.n_symbols)]
        values = (ctypes.c_int64 * max(1, len(names)))(*[symbols[n] for n in names])
        tensors = (Tensor * entry.n_args)()
        for tensor in tensors:
            tensor.size = ctypes.sizeof(Tensor)
        self.check(self.library.tdsl_shape(self.instance, index, values, tensors, entry.n_args))
        outputs, given = [], list(inputs)
        for k, tensor in enumerate(tensors):
            if entry.args[k].role != OUT:
                tensor.data = given.pop(0)
                continue
            dtype, shape = DTYPES[tensor.dtype][0], list(tensor.shape[: tensor.rank])
            poison = b"\xff" * (elements(shape) * FORMATS[dtype][0])
            tensor.data = allocate(dtype, shape) if allocate else self.upload(poison)
            outputs.append((dtype, shape, tensor.data))
        needed = ctypes.c_uint64()
        self.check(self.library.tdsl_workspace(self.instance, index, values, ctypes.byref(needed)))
        block = self.alloc(needed.value + 64)
        return Call(self, index, values, tensors, outputs, [((block + 63) // 64 * 64, needed.value), block])

    def release(self, call, inputs=()):
        for address in [call.keep[1], *inputs, *[address for _, _, address in call.outputs]]:
            self.free(address)

    def state_bytes(self):
        base, size = ctypes.c_void_p(), ctypes.c_uint64()
        self.check(self.library.tdsl_state(self.instance, ctypes.byref(base), ctypes.byref(size)))
        return size.value

    def destroy(self):
        """Frees the instance with its state; blocks that were allocated are the caller's."""
        self.library.tdsl_destroy(self.instance)

    def sync(self, stream=0):
        self.check(self.library.tdsl_sync(self.instance, ctypes.c_void_p(stream or None)))
