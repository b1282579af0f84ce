/*
 * CPU features by name. `tdsl_cpu_features` is what the compiler was allowed to use in the file that includes this header: an emitted
 * model puts it into its info, and tdsl_cpu_missing compares it with the machine at hand before any code of the model runs. Listed is what
 * compilers use on their own; what only intrinsics reach, such as those for encryption, is not.
 */
#ifndef TDSL_CPU_H
#define TDSL_CPU_H

#include <stdint.h>

/* Writes the names of `required` that this machine lacks to `missing`, separated by spaces; returns how many there are. */
__attribute__((visibility("hidden"))) int tdsl_cpu_missing(const char *required, char *missing, uint64_t missing_bytes);

static const char tdsl_cpu_features[] __attribute__((unused)) = ""
#ifdef __SSE3__
  "sse3 "
#endif
#ifdef __SSSE3__
  "ssse3 "
#endif
#ifdef __SSE4_1__
  "sse4.1 "
#endif
#ifdef __SSE4_2__
  "sse4.2 "
#endif
#ifdef __POPCNT__
  "popcnt "
#endif
#ifdef __MOVBE__
  "movbe "
#endif
#ifdef __LZCNT__
  "lzcnt "
#endif
#ifdef __BMI__
  "bmi "
#endif
#ifdef __BMI2__
  "bmi2 "
#endif
#ifdef __ADX__
  "adx "
#endif
#ifdef __AVX__
  "avx "
#endif
#ifdef __F16C__
  "f16c "
#endif
#ifdef __FMA__
  "fma "
#endif
#ifdef __AVX2__
  "avx2 "
#endif
#ifdef __FMA4__
  "fma4 "
#endif
#ifdef __XOP__
  "xop "
#endif
#ifdef __TBM__
  "tbm "
#endif
#ifdef __GFNI__
  "gfni "
#endif
#ifdef __VPCLMULQDQ__
  "vpclmulqdq "
#endif
#ifdef __AVXVNNI__
  "avxvnni "
#endif
#ifdef __AVXVNNIINT8__
  "avxvnniint8 "
#endif
#ifdef __AVXVNNIINT16__
  "avxvnniint16 "
#endif
#ifdef __AVXNECONVERT__
  "avxneconvert "
#endif
#ifdef __AVXIFMA__
  "avxifma "
#endif
#ifdef __AVX512F__
  "avx512f "
#endif
#ifdef __AVX512DQ__
  "avx512dq "
#endif
#ifdef __AVX512IFMA__
  "avx512ifma "
#endif
#ifdef __AVX512CD__
  "avx512cd "
#endif
#ifdef __AVX512ER__
  "avx512er "
#endif
#ifdef __AVX512PF__
  "avx512pf "
#endif
#ifdef __AVX512BW__
  "avx512bw "
#endif
#ifdef __AVX512VL__
  "avx512vl "
#endif
#ifdef __AVX512VBMI__
  "avx512vbmi "
#endif
#ifdef __AVX512VBMI2__
  "avx512vbmi2 "
#endif
#ifdef __AVX512VNNI__
  "avx512vnni "
#endif
#ifdef __AVX512BITALG__
  "avx512bitalg "
#endif
#ifdef __AVX512VPOPCNTDQ__
  "avx512vpopcntdq "
#endif
#ifdef __AVX512BF16__
  "avx512bf16 "
#endif
#ifdef __AVX512FP16__
  "avx512fp16 "
#endif
#ifdef __APX_F__
  "apxf "
#endif
#ifdef __ARM_FEATURE_ATOMICS
  "atomics "
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
  "fp16 "
#endif
#ifdef __ARM_FEATURE_DOTPROD
  "dotprod "
#endif
#ifdef __ARM_FEATURE_SVE
  "sve "
#endif
#ifdef __ARM_FEATURE_SVE2
  "sve2 "
#endif
#ifdef __ARM_FEATURE_MATMUL_INT8
  "i8mm "
#endif
#ifdef __ARM_FEATURE_BF16
  "bf16 "
#endif
  ;

#endif
