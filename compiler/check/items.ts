// What a file declares that can be elaborated by itself.

import type * as ast from '../syntax/ast.js';
import type { Unit } from './workspace.js';

export type CheckedItem =
  | { readonly kind: 'fn'; readonly decl: ast.Fn }
  | { readonly kind: 'model'; readonly model: ast.Model };

/** The functions that are not exported, and the models, in the order of the text. */
export const itemsOfFile = (unit: Unit): readonly CheckedItem[] =>
  unit.file.items.flatMap((item): CheckedItem[] => {
    if (item.kind === 'Fn') return item.exported ? [] : [{ kind: 'fn', decl: item }];
    return item.kind === 'Model' ? [{ kind: 'model', model: item }] : [];
  });
