// All built-in functions by name, and their documentation.

import type { Builtin } from './builtin.js';
import { creationBuiltins } from './creation.js';
import { elementwiseBuiltins } from './elementwise.js';
import { productBuiltins } from './products.js';
import { reductionBuiltins } from './reductions.js';
import { reflectionBuiltins } from './reflection.js';
import { selectionBuiltins } from './selection.js';
import { shapeBuiltins } from './shape.js';
import { transformBuiltins } from './transforms.js';

const groups = (): readonly { readonly title: string; readonly builtins: readonly Builtin[] }[] => [
  { title: 'Elementwise', builtins: elementwiseBuiltins() },
  { title: 'Reductions', builtins: reductionBuiltins },
  { title: 'Shape and joining', builtins: shapeBuiltins },
  { title: 'Selection', builtins: selectionBuiltins },
  { title: 'Products', builtins: productBuiltins },
  { title: 'Creation and random draws', builtins: creationBuiltins },
  { title: 'Derivatives', builtins: transformBuiltins },
  { title: 'Reflection', builtins: reflectionBuiltins },
];

/** The table is made at its first use, when the files of the operation records are loaded; it never changes. */
const table = once(
  (): ReadonlyMap<string, Builtin> =>
    new Map(groups().flatMap(({ builtins: all }) => all.map((builtin) => [builtin.name, builtin]))),
);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The built-in functions by name. */
export const builtins = (): ReadonlyMap<string, Builtin> => table();

/** The reference of the built-in functions, which is `docs/builtins.md`. */
export function builtinsMarkdown(): string {
  const sections = groups().map(({ title, builtins: all }) => {
    const rows = all.map(({ signature, doc }) => `- \`${signature}\`: ${doc}`);
    return `## ${title}\n\n${rows.join('\n')}\n`;
  });
  return `${intro}\n${sections.join('\n')}`;
}

const intro = `# Built-ins

What the library in \`std/*.td\` stands on: the thin surface of the kinds of graph nodes, and what needs to look at the program while it is
compiled. Everything else is written in the language. Parameters have PyTorch's names. A parameter of type \`tensor\` also takes compile-time
numbers and bools, which stay weak: they take the dtype of what they meet. \`ints\` is an int or a list of ints, sizes included.

Beside these, tensors have \`x.shape\` (a list of sizes), \`x.dtype\`, \`x.ndim\` and \`x.T\`, and \`x.f(a)\` is \`f(x, a)\`.
`;
