/*
 * A model written by hand in the form that the emitter writes: kernels, one `run` function per entry, static tables. It exercises
 * everything that the run-time system and the binding offer: run-time and derived dimensions, checks, a workspace, threads, faults, every element
 * type, state in every role, and slow calls.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "tdsl_rts.h"

#include <string.h>
#include <time.h>

/* The arena. */
#define WEIGHT(call) ((float *)((call)->state + 0))
#define MEAN(call) ((float *)((call)->state + 64))
#define LR(call) ((float *)((call)->state + 128))
#define STEPS(call) ((int64_t *)((call)->state + 192))
#define KEY(call) ((int64_t *)((call)->state + 256))

static const tdsl_state_spec state[] = {
    TDSL_LEAF("net.weight", TDSL_PARAM, TDSL_F32, 0, 48, 2, 4, 3), TDSL_LEAF("net.mean", TDSL_BUFFER, TDSL_F32, 64, 12, 1, 3),
    TDSL_LEAF("opt.lr", TDSL_STATE, TDSL_F32, 128, 4, 0, 0),       TDSL_LEAF("opt.steps", TDSL_STATE, TDSL_I64, 192, 8, 0, 0),
    TDSL_LEAF("rng", TDSL_KEY, TDSL_I64, 256, 16, 1, 2),
};

/* init(key): weights from the key, learning rate 0.5. */
static tdsl_status run_init(tdsl_call *c) {
  const int64_t *key = c->args[0];
  for (int i = 0; i < 12; i++) WEIGHT(c)[i] = (float)((key[0] + key[1] + i * 7) % 11) / 4;
  memset(MEAN(c), 0, 12);
  LR(c)[0] = 0.5f;
  STEPS(c)[0] = 0;
  KEY(c)[0] = key[0];
  KEY(c)[1] = key[1];
  return TDSL_OK;
}
static const tdsl_tensor_spec init_args[] = {TDSL_ARG("key", TDSL_IN, TDSL_I64, 1, 2)};

/* predict(x: f32[B, 4]) -> f32[B, 3] = x @ net.weight */
static const tdsl_symbol_spec batch[] = {TDSL_SYMBOL("B", 0, 1024)};

static void matmul(int64_t rows, const float *x, const float *w, float scale, float *out) {
  for (int64_t b = 0; b < rows; b++)
    for (int j = 0; j < 3; j++) {
      float sum = 0;
      for (int k = 0; k < 4; k++) sum += x[b * 4 + k] * w[k * 3 + j];
      out[b * 3 + j] = scale * sum;
    }
}
static tdsl_status run_predict(tdsl_call *c) {
  matmul(c->symbols[0], c->args[0], WEIGHT(c), 1, c->args[1]);
  return TDSL_OK;
}
static tdsl_status run_predict_train(tdsl_call *c) {
  matmul(c->symbols[0], c->args[0], WEIGHT(c), 2, c->args[1]);
  return TDSL_OK;
}
static const tdsl_tensor_spec predict_args[] = {TDSL_ARG("x", TDSL_IN, TDSL_F32, 2, TDSL_DIM_SYMBOL(0), 4),
                                                TDSL_ARG("result", TDSL_OUT, TDSL_F32, 2, TDSL_DIM_SYMBOL(0), 3)};

/* train_step(x: f32[B, 4], y: i64[B]) -> f32: adds lr to column y[b] of the weight, counts, returns the sum of the prediction. */
static tdsl_status run_train_step(tdsl_call *c) {
  int64_t rows = c->symbols[0];
  const int64_t *y = c->args[1];
  float *prediction = (float *)c->workspace, sum = 0;
  for (int64_t b = 0; b < rows; b++)
    if (y[b] < 0 || y[b] >= 3) tdsl_fail(c, 0, b, y[b], 3);
  TDSL_CHECK_FAULTS(c);
  if (rows > 0) matmul(rows, c->args[0], WEIGHT(c), 1, prediction);
  for (int64_t i = 0; i < rows * 3; i++) sum += prediction[i];
  for (int64_t b = 0; b < rows; b++)
    for (int k = 0; k < 4; k++) WEIGHT(c)[k * 3 + y[b]] += LR(c)[0];
  STEPS(c)[0] += 1;
  *(float *)c->args[2] = sum;
  return TDSL_OK;
}
static uint64_t workspace_train_step(const int64_t *symbols, const int64_t *derived) {
  (void)derived;
  return tdsl_size_align(tdsl_size_mul((uint64_t)symbols[0], 12));
}
static const tdsl_tensor_spec train_step_args[] = {TDSL_ARG("x", TDSL_IN, TDSL_F32, 2, TDSL_DIM_SYMBOL(0), 4),
                                                   TDSL_ARG("y", TDSL_IN, TDSL_I64, 1, TDSL_DIM_SYMBOL(0)),
                                                   TDSL_ARG("result", TDSL_OUT, TDSL_F32, 0, 0)};

/* window(pair: { x: f32[n], k: f32[m] }) -> { out: f32[n - m + 1], size: i64 }, m odd */
static int32_t derive_window(const int64_t *symbols, int64_t *derived) {
  derived[0] = symbols[0] - symbols[1] + 1;
  if (tdsl_floormod(symbols[1], 2) != 1) return derived[0] = symbols[1], derived[1] = symbols[0], 0;
  return -1;
}
static tdsl_status run_window(tdsl_call *c) {
  const float *x = c->args[0], *k = c->args[1];
  float *out = c->args[2];
  for (int64_t i = 0; i < c->derived[0]; i++) {
    out[i] = 0;
    for (int64_t j = 0; j < c->symbols[1]; j++) out[i] += x[i + j] * k[j];
  }
  *(int64_t *)c->args[3] = c->derived[0];
  return TDSL_OK;
}
static const char *const window_derived[] = {"n - m + 1"};
static const char *const window_checks[] = {"windows have a centre (sample.td:9:3): m % 2 == 1 is needed, but m is \001, for n = \001"};
static const tdsl_symbol_spec window_symbols[] = {TDSL_SYMBOL("n", 0, INT64_MAX), TDSL_SYMBOL("m", 1, INT64_MAX)};
static const tdsl_tensor_spec window_args[] = {
    TDSL_ARG("pair.x", TDSL_IN, TDSL_F32, 1, TDSL_DIM_SYMBOL(0)), TDSL_ARG("pair.k", TDSL_IN, TDSL_F32, 1, TDSL_DIM_SYMBOL(1)),
    TDSL_ARG("result.out", TDSL_OUT, TDSL_F32, 1, TDSL_DIM_DERIVED(0)), TDSL_ARG("result.size", TDSL_OUT, TDSL_I64, 0, 0)};

/* total(x: f64[n]) -> f64: a sum in chunks of 1024, whose order does not depend on the threads. */
enum { CHUNK = 1024 };
typedef struct total_context {
  const double *x;
  double *partial;
  int64_t n;
} total_context;
static void total_chunk(void *context, int64_t chunk, int32_t thread) {
  const total_context *t = context;
  double sum = 0;
  for (int64_t i = chunk * CHUNK; i < t->n && i < (chunk + 1) * CHUNK; i++) sum += t->x[i];
  t->partial[chunk] = sum;
}
static int64_t total_chunks(int64_t n) { return n / CHUNK + (n % CHUNK != 0); }
static tdsl_status run_total(tdsl_call *c) {
  total_context context = {c->args[0], (double *)c->workspace, c->symbols[0]};
  int64_t chunks = total_chunks(c->symbols[0]);
  double sum = 0;
  tdsl_parallel(c->pool, chunks, total_chunk, &context);
  for (int64_t i = 0; i < chunks; i++) sum += context.partial[i];
  *(double *)c->args[1] = sum;
  return TDSL_OK;
}
static uint64_t workspace_total(const int64_t *symbols, const int64_t *derived) {
  (void)derived;
  return tdsl_size_align(tdsl_size_mul((uint64_t)total_chunks(symbols[0]), sizeof(double)));
}
static const tdsl_symbol_spec total_symbols[] = {TDSL_SYMBOL("n", 0, INT64_MAX)};
static const tdsl_tensor_spec total_args[] = {TDSL_ARG("x", TDSL_IN, TDSL_F64, 1, TDSL_DIM_SYMBOL(0)), TDSL_ARG("result", TDSL_OUT, TDSL_F64, 0, 0)};

/* halve(x: f64) -> (f64, i64): a loop that may reach its bound of 8. */
static tdsl_status run_halve(tdsl_call *c) {
  double x = *(const double *)c->args[0];
  int64_t rounds = 0;
  for (; x > 1 && rounds < 8; rounds++) x /= 2;
  if (x > 1) tdsl_fail(c, 1, 0, 0, 8);
  TDSL_CHECK_FAULTS(c);
  *(double *)c->args[1] = x;
  *(int64_t *)c->args[2] = rounds;
  return TDSL_OK;
}
static const tdsl_tensor_spec halve_args[] = {TDSL_ARG("x", TDSL_IN, TDSL_F64, 0, 0), TDSL_ARG("result.0", TDSL_OUT, TDSL_F64, 0, 0),
                                              TDSL_ARG("result.1", TDSL_OUT, TDSL_I64, 0, 0)};

/* echo: one tensor of two elements of every dtype, returned as it came. */
static const uint8_t echo_bytes[] = {2, 2, 2, 4, 8, 16, 4, 4, 8, 16};
static tdsl_status run_echo(tdsl_call *c) {
  for (int i = 0; i < 10; i++) memcpy(c->args[10 + i], c->args[i], echo_bytes[i]);
  return TDSL_OK;
}
#define ECHO(role, prefix)                                                                                                                   \
  TDSL_ARG(prefix "0", role, TDSL_BOOL, 1, 2), TDSL_ARG(prefix "1", role, TDSL_U8, 1, 2), TDSL_ARG(prefix "2", role, TDSL_I8, 1, 2),         \
      TDSL_ARG(prefix "3", role, TDSL_I16, 1, 2), TDSL_ARG(prefix "4", role, TDSL_I32, 1, 2), TDSL_ARG(prefix "5", role, TDSL_I64, 1, 2),    \
      TDSL_ARG(prefix "6", role, TDSL_F16, 1, 2), TDSL_ARG(prefix "7", role, TDSL_BF16, 1, 2), TDSL_ARG(prefix "8", role, TDSL_F32, 1, 2), \
      TDSL_ARG(prefix "9", role, TDSL_F64, 1, 2)
static const tdsl_tensor_spec echo_args[] = {ECHO(TDSL_IN, "xs."), ECHO(TDSL_OUT, "result.")};

/* nap(ms: dim): waits, then counts a step; for tests of what happens meanwhile. */
static tdsl_status run_nap(tdsl_call *c) {
  struct timespec time = {c->symbols[0] / 1000, c->symbols[0] % 1000 * 1000000};
  nanosleep(&time, NULL);
  STEPS(c)[0] += 1;
  return TDSL_OK;
}
static const tdsl_symbol_spec nap_symbols[] = {TDSL_SYMBOL("ms", 0, 1000)};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ENTRY(name, flags, args, symbols) {sizeof(tdsl_entry_spec), flags, name, COUNT(args), COUNT(symbols), args, symbols}
static const tdsl_entry_spec entries[] = {
    {sizeof(tdsl_entry_spec), TDSL_WRITES_STATE | TDSL_ENTRY_INIT, "init", 1, 0, init_args, NULL},
    ENTRY("predict", TDSL_READS_STATE, predict_args, batch),
    ENTRY("train_step", TDSL_READS_STATE | TDSL_WRITES_STATE, train_step_args, batch),
    ENTRY("window", 0, window_args, window_symbols),
    ENTRY("total", 0, total_args, total_symbols),
    {sizeof(tdsl_entry_spec), 0, "halve", 3, 0, halve_args, NULL},
    {sizeof(tdsl_entry_spec), 0, "echo", 20, 0, echo_args, NULL},
    {sizeof(tdsl_entry_spec), TDSL_READS_STATE | TDSL_WRITES_STATE, "nap", 0, 1, NULL, nap_symbols},
    ENTRY("predict", TDSL_READS_STATE, predict_args, batch),
};
static const tdsl_entry_def definitions[] = {
    {.run = run_init},
    {.run = run_predict},
    {.run = run_train_step, .workspace = workspace_train_step},
    {.run = run_window, .derive = derive_window, .derived_text = window_derived, .checks = window_checks},
    {.run = run_total, .workspace = workspace_total},
    {.run = run_halve},
    {.run = run_echo},
    {.run = run_nap},
    {.run = run_predict_train},
};
static const tdsl_fault_site fault_sites[] = {{TDSL_E_INDEX, "sample.td:5:12", "gather", 2}, {TDSL_E_LIMIT, "sample.td:14:3", "while", 5}};

#ifndef SAMPLE_FEATURES
#define SAMPLE_FEATURES tdsl_cpu_features
#endif
const tdsl_model_def tdsl_model_definition = {
    .info = {.size = sizeof(tdsl_model_info),
             .abi_version = TDSL_ABI_VERSION,
             .device = TDSL_CPU,
             .model_name = "sample",
             .compiler = "tdsl 0.1.0",
             .source_hash = "5a3b1e",
             .cpu_features = SAMPLE_FEATURES,
             .gpu_archs = "",
             .n_entries = COUNT(entries),
             .n_state = COUNT(state),
             .entries = entries,
             .state = state,
             .state_bytes = 320},
    .entries = definitions,
    .fault_sites = fault_sites,
};
