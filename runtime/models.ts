// Models as text, as PyTorch prints modules: the name of the type, what `extra_repr` says, and the parts indented below.

import type { ManifestModel } from './manifest.js';

/**
 * The text of the model at `path` with its parts:
 *
 *     Sequential(
 *       (0): Linear(in_features=4, out_features=8, bias=True)
 *       (1): ReLU()
 *     )
 */
export function formatModel(models: readonly ManifestModel[], path: string): string | undefined {
  const own = models.find((model) => model.path === path);
  if (own === undefined) return undefined;
  const depth = path.split('.').length;
  // A model's parts lie one name below it, or more where a field between them is no model.
  const parts = models.filter((model) => model.path.startsWith(`${path}.`) && parentOf(models, model.path) === path);
  if (parts.length === 0) return `${own.model}(${own.text})`;
  const lines = parts.map((part) => {
    const name = part.path.split('.').slice(depth).join('.');
    return `(${name}): ${formatModel(models, part.path)}`.replace(/^/gm, '  ');
  });
  return [`${own.model}(`, ...(own.text === '' ? [] : [`  ${own.text}`]), ...lines, ')'].join('\n');
}

/** The path of the model that the model at `path` is a part of. */
function parentOf(models: readonly ManifestModel[], path: string): string | undefined {
  const names = path.split('.');
  for (let length = names.length - 1; length > 0; length--) {
    const candidate = names.slice(0, length).join('.');
    if (models.some((model) => model.path === candidate)) return candidate;
  }
  return undefined;
}
