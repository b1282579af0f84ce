// The state of a session as trees: which models there are, what they print, and under which names the leaves stand.

import type { StateEntry, StateLeaf } from '../program.js';
import { call } from './call.js';
import type { Context } from './context.js';
import { through } from './scope.js';
import { contents, describe, fnValue, type Instance, type ModelRef, type Val } from './values.js';

/** The trees of the parameters that are state, in the order of their declarations. A shared model or leaf occurs under each of its names. */
export function stateTree(
  cx: Context,
  roots: ReadonlyMap<string, Val>,
  leaves: readonly StateLeaf[],
): readonly StateEntry[] {
  const places = new Map(leaves.map(({ path }, leaf) => [path, leaf]));
  const entries: StateEntry[] = [];
  const seen = new Set<Instance>();
  const visit = (val: Val, path: string): void => {
    switch (val.kind) {
      case 'cell': {
        const leaf = places.get(val.cell.path);
        if (leaf !== undefined) entries.push({ kind: 'leaf', path, leaf });
        break;
      }
      case 'model':
        entries.push({
          kind: 'model',
          path,
          model: val.instance.name,
          text: extraRepr(cx, val),
          ...(seen.has(val.instance) && { shared: true }),
        });
        seen.add(val.instance);
        for (const [name, field] of val.instance.fields) {
          const inside = through(val, field);
          if (name === contents) visitItems(inside, path);
          else visit(inside, `${path}.${name}`);
        }
        break;
      case 'list':
      case 'tuple':
      case 'record':
        // PyTorch's names for collections of layers; collections of tensors, such as an optimizer's moments, are no models.
        if (itemsOf(val).some(([, item]) => item.kind === 'model')) {
          entries.push({ kind: 'model', path, model: val.kind === 'record' ? 'ModuleDict' : 'ModuleList', text: '' });
        }
        visitItems(val, path);
    }
  };
  const visitItems = (val: Val, path: string): void => {
    for (const [name, item] of itemsOf(val)) visit(item, `${path}.${name}`);
  };
  for (const [name, root] of roots) visit(root, name);
  return entries;
}

function itemsOf(val: Val): readonly (readonly [string, Val])[] {
  if (val.kind === 'record') return [...val.fields];
  return val.kind === 'list' || val.kind === 'tuple' ? val.items.map((item, i) => [String(i), item]) : [];
}

/** What the method `extra_repr` of a model gives, as in PyTorch; nothing where there is none. */
function extraRepr(cx: Context, self: ModelRef): string {
  const { instance } = self;
  const decl = instance.methods.get('extra_repr');
  if (decl === undefined) return '';
  const text = call(cx, fnValue({ type: 'declared', decl, unit: instance.unit, self }), []);
  if (text.kind === 'string') return text.value;
  return cx.fail('E0301', {
    message: `\`extra_repr\` gives the text that a model prints, not ${describe(text)}`,
    site: { source: instance.unit.source, span: decl.name.span },
  });
}
