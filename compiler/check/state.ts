// The state of a program: what its entries share by name, and the leaves of all of it in order.

import { dimValue, printDim, shapeEquals } from '../ir/dims.js';
import type { DType } from '../ir/dtype.js';
import type { TensorType } from '../ir/graph.js';
import type { StateLeaf } from '../program.js';
import type { Context } from './context.js';
import { type Site, typeText } from './values.js';

interface Registered {
  readonly index: number;
  readonly type: TensorType;
  readonly role: StateLeaf['role'];
  readonly site: Site;
}

/** The leaves of the state of a program. Entries that name the same state share it. */
export class StateTable {
  readonly #leaves = new Map<string, Registered>();
  /** The kind of state that a parameter is, by its name. */
  readonly #roots = new Map<string, { readonly type: unknown; readonly site: Site }>();

  /** Notes that a parameter is state of a type; the same name must mean the same type in every entry. */
  declareRoot(cx: Context, name: string, type: unknown, text: string, site: Site): void {
    const known = this.#roots.get(name);
    if (known === undefined) {
      this.#roots.set(name, { type, site });
      return;
    }
    if (known.type === type) return;
    cx.fail('E0402', {
      message: `the state \`${name}\` has another type here: ${text}`,
      site,
      notes: [
        {
          text: `\`${name}\` is state of the session, shared by name; it is first declared here`,
          span: known.site.span,
          source: known.site.source,
        },
      ],
      help: 'give the parameters different names',
    });
  }

  /** The position of a leaf, which is added when it is new. */
  leaf(cx: Context, path: string, role: StateLeaf['role'], type: TensorType, site: Site): number {
    const run = type.shape.find((size) => dimValue(size) === undefined);
    if (run !== undefined) {
      cx.fail('E0405', {
        message: `\`${path}\` is state, so its shape is known when compiling: ${typeText(type)}`,
        label: `${printDim(run)} is a run-time size`,
        site,
        help: `fix it: \`--dim ${printDim(run)}=SIZE\``,
      });
    }
    const known = this.#leaves.get(path);
    if (known === undefined) {
      const index = this.#leaves.size;
      this.#leaves.set(path, { index, type, role, site });
      return index;
    }
    if (known.type.dtype !== type.dtype || !shapeEquals(known.type.shape, type.shape) || known.role !== role) {
      cx.fail('E0402', {
        message: `the state \`${path}\` is ${typeText(type)} here and ${typeText(known.type)} elsewhere`,
        site,
        notes: [{ text: 'it is first declared here', span: known.site.span, source: known.site.source }],
      });
    }
    return known.index;
  }

  /** Undoes what an attempt that starts again has added. */
  checkpoint(): () => void {
    const leaves = new Map(this.#leaves);
    const roots = new Map(this.#roots);
    return () => {
      this.#leaves.clear();
      this.#roots.clear();
      for (const [path, leaf] of leaves) this.#leaves.set(path, leaf);
      for (const [name, root] of roots) this.#roots.set(name, root);
    };
  }

  get leaves(): readonly StateLeaf[] {
    return [...this.#leaves].map(([path, { role, type }]) => ({
      path,
      role,
      dtype: type.dtype as DType,
      shape: type.shape.map((size) => dimValue(size) ?? 0),
    }));
  }
}

/** The path of the key that draws read when no other is given. */
export const sessionKey = 'key';
