// Prints what chooses among the versions of a model's kernels. The files of kernels are compiled once for each CPU, with TDSL_VERSION as its
// number; macros then give each version names of its own. The plain names are functions that call the chosen version.

import { kernelPrototype } from './kernel.js';
import { stringText } from './literals.js';

const FEATURES = 'kernel_features';

/** The name that a version has for what `name` stands for in its files, as TDSL_JOIN writes it. */
const versionName = (name: string, version: number): string => `${name}_v${version}`;

/** Renames what a file of kernels defines to the names of the version that it is compiled for. */
export function versionNames(names: readonly string[]): string {
  const renamed = names.map((name) => `#define ${name} TDSL_OWN(${name}, TDSL_VERSION)`);
  return `#define TDSL_OWN(name, version) TDSL_JOIN(name, version)
#define TDSL_JOIN(name, version) name##_v##version
${renamed.join('\n')}
`;
}

/** The file that says which features of the CPU a version may use; compiled once a version. */
export const emitFeatures = (): readonly [string, string] => [
  'kernels_features.c',
  `#include "phases.h"\n\n${versionNames([FEATURES])}\nconst char *const ${FEATURES} __attribute__((visibility("hidden"))) = tdsl_cpu_features;\n`,
];

/** The file that holds the versions; compiled for the plainest CPU. */
export function emitVersions(
  model: string,
  kernels: readonly string[],
  cpus: readonly string[],
): readonly [string, string] {
  const versionsOf = (name: string): readonly string[] => cpus.map((_, version) => versionName(name, version));
  const hidden = '__attribute__((visibility("hidden")))';
  const features = versionsOf(FEATURES).map((name) => `extern const char *const ${name} ${hidden};`);
  const rows = versionsOf(FEATURES).map((name, version) => `  {${stringText(cpus[version] as string)}, &${name}},`);
  const choices = kernels.map((name) => {
    const own = versionsOf(name);
    return `${own.map((each) => `${hidden} ${kernelPrototype(each)};`).join('\n')}
${kernelPrototype(name)} {
  static kernel_function *const versions[] = {${own.join(', ')}};
  versions[args->call->version](args);
}
`;
  });
  const text = `/* The versions of the kernels of ${model}. */
#include "kernels.h"

${features.join('\n')}
const tdsl_version kernel_versions[] = {
${rows.join('\n')}
};

typedef void kernel_function(const kernel_args *args);

${choices.join('\n')}`;
  return ['versions.c', text];
}
