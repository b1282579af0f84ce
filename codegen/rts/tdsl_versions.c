/* Chooses the version of its kernels that a model runs, before any code that was compiled for more than the plainest CPU. */
#include "tdsl_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tdsl_model_def *const model = &tdsl_model_definition;

static int count_words(const char *text) {
  int count = 0;
  for (; *text; text += strcspn(text, " "), text += strspn(text, " ")) count++;
  return count;
}

/* The names of the versions for messages: "x86-64, x86-64-v3". */
static const char *list_versions(char *text, size_t bytes) {
  size_t used = 0;
  for (uint32_t i = 0; i < model->n_versions && used < bytes; i++)
    used += (size_t)snprintf(text + used, bytes - used, "%s%s", i > 0 ? ", " : "", model->versions[i].cpu);
  return text;
}

static tdsl_status take_version(const char *cpu, uint32_t *version, tdsl_text why) {
  char text[256];
  for (uint32_t i = 0; i < model->n_versions; i++) {
    if (strcmp(model->versions[i].cpu, cpu) != 0) continue;
    *version = i;
    if (tdsl_cpu_missing(*model->versions[i].features, text, sizeof text) == 0) return TDSL_OK;
    snprintf(why.data, why.bytes, "TDSL_CPU asks for the kernels of %s for %s, which need features that this machine lacks: %s", model->info.model_name, cpu, text);
    return TDSL_E_UNSUPPORTED;
  }
  snprintf(why.data, why.bytes, "TDSL_CPU asks for kernels for %s, but those of %s are for %s", cpu, model->info.model_name, list_versions(text, sizeof text));
  return TDSL_E_UNSUPPORTED;
}

tdsl_status tdsl_choose_version(uint32_t *version, tdsl_text why) {
  *version = 0;
  if (model->n_versions == 0) return TDSL_OK;
  const char *asked = getenv("TDSL_CPU");
  if (asked != NULL && *asked) return take_version(asked, version, why);

  int most = -1, least = INT32_MAX;
  const tdsl_version *plainest = NULL;
  for (uint32_t i = 0; i < model->n_versions; i++) {
    const char *features = *model->versions[i].features;
    const int count = count_words(features);
    if (count < least) {
      least = count;
      plainest = &model->versions[i];
    }
    if (count > most && tdsl_cpu_missing(features, NULL, 0) == 0) {
      most = count;
      *version = i;
    }
  }
  if (most >= 0) return TDSL_OK;
  char names[256], missing[256];
  tdsl_cpu_missing(*plainest->features, missing, sizeof missing);
  snprintf(why.data, why.bytes, "%s was compiled for %s, and this machine lacks features that %s needs: %s; compile it here, or add an older CPU to --cpu",
           model->info.model_name, list_versions(names, sizeof names), plainest->cpu, missing);
  return TDSL_E_UNSUPPORTED;
}
