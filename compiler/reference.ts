// The reference of all operations, `docs/operations.md`: what the library declares, its signatures and documentation, and what the records of the
// elementary operations say, with their derivatives.

import { builtins } from './check/builtins/index.js';
import { elementwiseOps } from './ops/elementwise/index.js';
import type { Formula, Partial } from './ops/op.js';
import type * as ast from './syntax/ast.js';
import { parseFile } from './syntax/parser.js';

/** A module of the library: its name, as in `std.nn`, and its text. */
export interface LibraryModule {
  readonly name: string;
  readonly text: string;
}

type Declared = ast.Fn | ast.Model;

/** The functions and models of a module that users can name. */
export function declarations({ name, text }: LibraryModule): readonly Declared[] {
  const { file } = parseFile({ path: `std/${name}.td`, text });
  return file.items.filter(
    (item): item is Declared => (item.kind === 'Fn' || item.kind === 'Model') && !item.name.name.startsWith('_'),
  );
}

/** The declaration without its body, in one line. */
function signature(item: Declared, text: string): string {
  const from = text.slice(item.name.span.start);
  const end = item.kind === 'Fn' ? item.body.span.start - item.name.span.start : bodyOfModel(from);
  return from
    .slice(0, end)
    .replace(/\s+/g, ' ')
    .replace(/[={]\s*$/, '')
    .replace(/,? \)/g, ')')
    .replace(/\( /g, '(')
    .trim();
}

/** Where the fields of a model begin: at the first brace outside of parentheses. */
function bodyOfModel(text: string): number {
  let depth = 0;
  for (const [at, char] of [...text].entries()) {
    if (char === '(' || char === '[') depth++;
    if (char === ')' || char === ']') depth--;
    if (char === '{' && depth === 0) return at;
  }
  return text.length;
}

/** The comment at the top of a module. */
const introduction = (text: string): string =>
  (/^tdsl 1\n((?:#(?!#).*\n)+)/.exec(text)?.[1] ?? '').replace(/^# ?/gm, '').trim();

function formulaText(formula: Formula): string {
  switch (formula.kind) {
    case 'operand':
      return ['x', 'y', 'z'][formula.index] ?? `x${formula.index}`;
    case 'result':
      return 'result';
    case 'literal':
      return String(formula.value);
    case 'apply':
      return `${formula.op}(${formula.args.map(formulaText).join(', ')})`;
  }
}

const partialText = (partial: Partial): string =>
  partial.kind === 'none' ? `none (${partial.reason})` : `\`${formulaText(partial.formula)}\``;

/** The whole page. */
export function operationsMarkdown(modules: readonly LibraryModule[]): string {
  const library = modules.map((module) => {
    const rows = declarations(module).map((item) => {
      const own = item.kind === 'Fn' && item.derivative !== undefined ? ' It states its own derivative.' : '';
      return `- \`${signature(item, module.text)}\`: ${(item.docs ?? '').trim().replace(/\s+/g, ' ')}${own}`;
    });
    return `## std.${module.name}\n\n${introduction(module.text)}\n\n${rows.join('\n')}\n`;
  });
  const records = elementwiseOps.map(
    ({ name, doc, partials, accepts }) =>
      `- \`${name}\` on ${accepts.join(' ')}: ${doc} Derivative by each operand: ${partials.map(partialText).join('; ')}.`,
  );
  const thin = [...builtins().values()].map(({ signature: text, doc }) => `- \`${text}\`: ${doc}`);
  return `${intro}\n${library.join('\n')}\n## Elementary operations\n\n${elementary}\n\n${records.join('\n')}\n\n## Built-in functions\n\n${thin.join('\n')}\n`;
}

const intro = `# Operations

Every function and layer of the library by module, then the elementary operations with their derivatives, and the built-in functions. Written by
\`node scripts/write-operations.js\` from the declarations and their documentation. All functions are visible without import; models are imported.
Names, parameters, defaults and conventions at ties, NaN and infinity are PyTorch's; values and gradients are tested against it. What a function
composes, its derivative follows by the chain rule, unless it states its own.
`;

const elementary = `The elementwise records that the graph is made of: what they compute, the dtypes they accept, and the factor of each operand's tangent, with
\`x\`, \`y\`, \`z\` the operands and \`result\` the value.`;
