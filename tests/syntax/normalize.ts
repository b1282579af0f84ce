/** Syntax trees without what depends on how the text is laid out, so that trees can be compared. */

const layoutKeys: ReadonlySet<string> = new Set(['span', 'operatorSpan', 'braces', 'otherwiseBraces', 'parenthesized']);

/** Plain data that is equal for equal trees, wherever their text stands and whatever parentheses it has in excess. */
export function normalize(tree: object): unknown {
  return JSON.parse(
    JSON.stringify(tree, (key, value: unknown) => {
      if (layoutKeys.has(key)) return undefined;
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'number' ? String(value) : value;
    }),
  );
}
