/*
 * Looks up CPU features by name. Features that a machine has in silicon count only when the operating system saves the registers that they
 * use, which XGETBV tells. An unknown name counts as missing: it is safer to refuse than to run into an illegal instruction.
 */
#include "tdsl_cpu.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

enum { EBX, ECX, EDX, EAX };
enum { NO_STATE = 0, AVX_STATE = 0x06, AVX512_STATE = 0xe6, APX_STATE = 0x80000 }; /* masks of the registers in XCR0 */

static const struct {
  const char *name;
  unsigned leaf, subleaf, reg, bit, state;
} features[] = {
    {"sse3", 1, 0, ECX, 0, NO_STATE},
    {"ssse3", 1, 0, ECX, 9, NO_STATE},
    {"sse4.1", 1, 0, ECX, 19, NO_STATE},
    {"sse4.2", 1, 0, ECX, 20, NO_STATE},
    {"movbe", 1, 0, ECX, 22, NO_STATE},
    {"popcnt", 1, 0, ECX, 23, NO_STATE},
    {"lzcnt", 0x80000001u, 0, ECX, 5, NO_STATE},
    {"bmi", 7, 0, EBX, 3, NO_STATE},
    {"bmi2", 7, 0, EBX, 8, NO_STATE},
    {"adx", 7, 0, EBX, 19, NO_STATE},
    {"fma", 1, 0, ECX, 12, AVX_STATE},
    {"avx", 1, 0, ECX, 28, AVX_STATE},
    {"f16c", 1, 0, ECX, 29, AVX_STATE},
    {"avx2", 7, 0, EBX, 5, AVX_STATE},
    {"fma4", 0x80000001u, 0, ECX, 16, AVX_STATE},
    {"xop", 0x80000001u, 0, ECX, 11, AVX_STATE},
    {"tbm", 0x80000001u, 0, ECX, 21, NO_STATE},
    {"gfni", 7, 0, ECX, 8, NO_STATE},
    {"vpclmulqdq", 7, 0, ECX, 10, AVX_STATE},
    {"avxvnni", 7, 1, EAX, 4, AVX_STATE},
    {"avxvnniint8", 7, 1, EDX, 4, AVX_STATE},
    {"avxvnniint16", 7, 1, EDX, 10, AVX_STATE},
    {"avxneconvert", 7, 1, EDX, 5, AVX_STATE},
    {"avxifma", 7, 1, EAX, 23, AVX_STATE},
    {"avx512f", 7, 0, EBX, 16, AVX512_STATE},
    {"avx512dq", 7, 0, EBX, 17, AVX512_STATE},
    {"avx512ifma", 7, 0, EBX, 21, AVX512_STATE},
    {"avx512cd", 7, 0, EBX, 28, AVX512_STATE},
    {"avx512er", 7, 0, EBX, 27, AVX512_STATE},
    {"avx512pf", 7, 0, EBX, 26, AVX512_STATE},
    {"avx512bw", 7, 0, EBX, 30, AVX512_STATE},
    {"avx512vl", 7, 0, EBX, 31, AVX512_STATE},
    {"avx512vbmi", 7, 0, ECX, 1, AVX512_STATE},
    {"avx512vbmi2", 7, 0, ECX, 6, AVX512_STATE},
    {"avx512vnni", 7, 0, ECX, 11, AVX512_STATE},
    {"avx512bitalg", 7, 0, ECX, 12, AVX512_STATE},
    {"avx512vpopcntdq", 7, 0, ECX, 14, AVX512_STATE},
    {"avx512fp16", 7, 0, EDX, 23, AVX512_STATE},
    {"avx512bf16", 7, 1, EAX, 5, AVX512_STATE},
    {"apxf", 7, 1, EDX, 21, APX_STATE},
};

/* The registers that the operating system saves (XCR0); 0 where it does not say. */
static unsigned saved_state(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return a;
}

static int present(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
    if (strlen(features[i].name) != length || memcmp(features[i].name, name, length) != 0) continue;
    unsigned regs[4];
    if (!__get_cpuid_count(features[i].leaf, features[i].subleaf, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX])) return 0;
    return (regs[features[i].reg] >> features[i].bit & 1) != 0 && (saved_state() & features[i].state) == features[i].state;
  }
  return 0;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static const struct {
  const char *name;
  unsigned long type, mask;
} features[] = {
    {"atomics", AT_HWCAP, HWCAP_ATOMICS}, {"fp16", AT_HWCAP, HWCAP_ASIMDHP}, {"dotprod", AT_HWCAP, HWCAP_ASIMDDP}, {"sve", AT_HWCAP, HWCAP_SVE},
    {"sve2", AT_HWCAP2, HWCAP2_SVE2},     {"i8mm", AT_HWCAP2, HWCAP2_I8MM},  {"bf16", AT_HWCAP2, HWCAP2_BF16},
};

static int present(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
    if (strlen(features[i].name) == length && memcmp(features[i].name, name, length) == 0)
      return (getauxval(features[i].type) & features[i].mask) != 0;
  return 0;
}

#else
/* On other systems (Apple's ARM machines among them) there is no portable question to ask; every model of the architecture is taken to fit. */
static int present(const char *name, size_t length) {
  (void)name;
  (void)length;
  return 1;
}
#endif

int tdsl_cpu_missing(const char *required, char *missing, uint64_t missing_bytes) {
  int count = 0;
  uint64_t used = 0;
  if (missing_bytes > 0) missing[0] = 0;
  for (const char *name = required; *name;) {
    size_t length = strcspn(name, " ");
    if (length > 0 && !present(name, length)) {
      int written = used < missing_bytes ? snprintf(missing + used, missing_bytes - used, "%s%.*s", count ? " " : "", (int)length, name) : 0;
      used += written > 0 ? (uint64_t)written : 0;
      count++;
    }
    name += length;
    name += *name == ' ';
  }
  return count;
}
