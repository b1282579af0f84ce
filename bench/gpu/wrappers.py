"""Compares every instruction that kernels use through a td_* function with what the emulator makes of the same numbers.

    python3 wrappers.py DIR [--record]

DIR/wrappers.fatbin holds the kernels of wrappers.cu. --record writes numbers and results, and is run over the emulator where the kernels are built;
without it the results are compared with those. It needs the CUDA driver alone, so that it runs before anything else is known to be right.
"""

import ctypes
import os
import random
import struct
import sys

# Name, threads, words of the result, how results compare, the numbers it takes. The last seven exist for sm_90a alone.
KERNELS = [
    ("copy_4", 32, 32, "bits", "f32"), ("copy_8", 32, 64, "bits", "f32"), ("copy_16", 32, 128, "bits", "f32"),
    ("round_tf32", 32, 32, "f32", "f32"), ("round_bf16", 32, 32, "bf16", "f32"),
    ("ldmatrix", 32, 128, "bits", "bf16"), ("ldmatrix_turned", 32, 128, "bits", "bf16"),
    ("mma_tf32", 32, 128, "sums", "plain"), ("mma_bf16", 32, 128, "sums", "bf16"),
    ("tile_bf16", 128, 8192, "bits", "bf16"), ("tile_tf32", 128, 8192, "f32", "plain"),
    ("wgmma_bf16", 128, 16384, "sums", "bf16"), ("wgmma_tf32", 128, 16384, "sums", "plain"),
    ("wgmma_bf16_left_turned", 128, 16384, "sums", "bf16"), ("wgmma_bf16_right_turned", 128, 16384, "sums", "bf16"),
    ("wgmma_bf16_both_turned", 128, 16384, "sums", "bf16"),
]
ROWS, ROW_BYTES = 256, 192
WORDS = ROWS * ROW_BYTES // 4
SHARED_BYTES = 256 * 128 + 64
MAX_THREADS, TYPES = 0, {"bf16": 9, "tf32": 11}
SWIZZLE_128, L2_256 = 3, 3


class Driver:
    """The CUDA driver, each of whose functions answers 0 where all went well."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise RuntimeError(f"no GPU: {error}") from None
        self.call("cuInit", ctypes.c_uint(0))
        context, device = ctypes.c_void_p(), ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(0))
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxPushCurrent_v2", context)

    def call(self, name, *args):
        result = getattr(self.library, name)(*args)
        if result != 0:
            text = ctypes.c_char_p()
            self.library.cuGetErrorString(ctypes.c_int(result), ctypes.byref(text))
            raise RuntimeError(f"{name}: {(text.value or b'?').decode()}")

    def upload(self, words):
        address, data = ctypes.c_uint64(), (ctypes.c_uint32 * len(words))(*words)
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(ctypes.sizeof(data)))
        self.call("cuMemcpyHtoDAsync_v2", address, data, ctypes.c_size_t(ctypes.sizeof(data)), None)
        self.call("cuStreamSynchronize", None)
        return address

    def download(self, address, count):
        data = (ctypes.c_uint32 * count)()
        self.call("cuMemcpyDtoHAsync_v2", data, address, ctypes.c_size_t(ctypes.sizeof(data)), None)
        self.call("cuStreamSynchronize", None)
        self.call("cuMemFree_v2", address)
        return list(data)

    def tensor_map(self, address, dtype):
        """A map over ROWS rows of ROW_BYTES bytes, of which tiles of 256 rows of 128 bytes are copied; with the memory that it lies in."""
        place, block = map_memory()
        size = 2 if dtype == "bf16" else 4
        sizes, steps = (ctypes.c_uint64 * 5)(ROW_BYTES // size, ROWS, 1, 1, 1), (ctypes.c_uint64 * 4)(ROW_BYTES, 4096, 4096, 4096)
        box, ones = (ctypes.c_uint32 * 5)(128 // size, 256, 1, 1, 1), (ctypes.c_uint32 * 5)(1, 1, 1, 1, 1)
        self.call("cuTensorMapEncodeTiled", ctypes.c_void_p(place), ctypes.c_int(TYPES[dtype]), ctypes.c_uint32(5), address, sizes, steps, box, ones,
                  ctypes.c_int(0), ctypes.c_int(SWIZZLE_128), ctypes.c_int(L2_256), ctypes.c_int(0))
        return place, block


def map_memory():
    """Room for a tensor map, which begins at a multiple of 64."""
    block = ctypes.create_string_buffer(192)
    return (ctypes.addressof(block) + 63) // 64 * 64, block


def run_kernel(driver, library, name, threads, count, words):
    """The words that a kernel writes; None where the GPU has not the kernel's instructions."""
    kernel, function, most = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int()
    driver.call("cuLibraryGetKernel", ctypes.byref(kernel), library, name.encode())
    driver.call("cuKernelGetFunction", ctypes.byref(function), kernel)
    driver.call("cuFuncGetAttribute", ctypes.byref(most), ctypes.c_int(MAX_THREADS), function)
    if most.value < threads:
        return None
    source, target = driver.upload(words), driver.upload([0xFFFFFFFF] * count)
    place, keep = driver.tensor_map(source, "tf32" if name.endswith("tf32") else "bf16") if threads > 32 else map_memory()
    pointers = (ctypes.c_void_p * 3)(ctypes.addressof(source), ctypes.addressof(target), place)
    one, shared = ctypes.c_uint(1), ctypes.c_uint(SHARED_BYTES if threads > 32 else 0)
    driver.call("cuLaunchKernel", function, one, one, one, ctypes.c_uint(threads), one, one, shared, None, pointers, None)
    result = driver.download(target, count)
    driver.call("cuMemFree_v2", source)
    del keep
    return result


def bits_of(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def value_of(word):
    return struct.unpack("<f", struct.pack("<I", word))[0]


def make_numbers(kind):
    """Words: any f32 with the hard ones first, f32 without these, or pairs of bf16."""
    source = random.Random(kind)
    plain = [bits_of(source.uniform(-2, 2)) for _ in range(2 * WORDS)]
    if kind == "bf16":
        return [low >> 16 | plain[2 * i + 1] & 0xFFFF0000 for i, low in enumerate(plain[::2])]
    # Ties and neighbours of ties of both roundings, overflow, the smallest numbers, infinities, NaN.
    hard = [0x3F801000, 0x3F803000, 0x3F800FFF, 0xBF801000, 0x3F808000, 0x3F818000, 0x3F807FFF, 0xBF808001, 0x7F7FFFFF, 0x7F7F8000, 1, 0x807FFFFF,
            0x00801000, 0x7F800000, 0xFF800000, 0x7FC00000, 0, 0x80000000]
    return ((hard if kind == "f32" else []) + plain)[:WORDS]


def same(kind, got, want):
    if kind == "bits":
        return got == want
    if kind == "sums":
        a, b = [value_of(w) for w in got], [value_of(w) for w in want]
        most = 1e-5 * max(map(abs, b))
        return all(abs(x - y) <= most for x, y in zip(a, b))
    nan = (lambda w: w & 0x7FFFFFFF > 0x7F800000) if kind == "f32" else (lambda w: w & 0x7FFF > 0x7F80 or w >> 16 & 0x7FFF > 0x7F80)
    return all(x == y or (nan(x) and nan(y)) for x, y in zip(got, want))


def read(file):
    with open(file, "rb") as stream:
        data = stream.read()
    return list(struct.unpack(f"<{len(data) // 4}I", data))


def write(file, words):
    with open(file, "wb") as stream:
        stream.write(struct.pack(f"<{len(words)}I", *words))


def check(directory, record=False):
    """The names of the kernels that differ."""
    driver, library = Driver(), ctypes.c_void_p()
    folder = os.path.join(directory, "wrappers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(directory, "wrappers.fatbin"), "rb") as stream:
        code = stream.read()
    driver.call("cuLibraryLoadData", ctypes.byref(library), code, None, None, ctypes.c_uint(0), None, None, ctypes.c_uint(0))
    failures = []
    for name, threads, count, kind, numbers in KERNELS:
        if not record:
            print(f"begin {name}", flush=True)
        given = os.path.join(folder, f"{numbers}.in")
        if record:
            write(given, make_numbers(numbers))
        got, recorded = run_kernel(driver, library, name, threads, count, read(given)), os.path.join(folder, f"{name}.out")
        if record:
            write(recorded, got)
            continue
        if got is None:
            print(f"skip {name}: this GPU has no such instruction", flush=True)
            continue
        good = same(kind, got, read(recorded))
        failures += [] if good else [f"td_* function of {name}: the GPU and the emulator differ"]
        print(f"{'ok  ' if good else 'FAIL'} {name}", flush=True)
    return failures


if __name__ == "__main__":
    try:
        found = check(sys.argv[1], "--record" in sys.argv)
    except RuntimeError as problem:
        sys.exit(str(problem))
    sys.exit("\n".join(found) if found else 0)
