// Pieces of SVG text.

/** A number with two decimals, which is finer than a screen. */
export const round = (value: number): number => Math.round(value * 100) / 100;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as the content or an attribute of an element. */
export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

/** A text at a place; nothing where it is empty. `extra` are further attributes. */
export const textAt = (x: number, y: number, content: string, extra = ''): string =>
  content && `<text x="${round(x)}" y="${round(y)}"${extra && ` ${extra}`}>${escapeXml(content)}</text>`;

/** A picture of parts, of which empty ones are left out. */
export const picture = (width: number, height: number, parts: readonly string[]): string =>
  `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<style>text{font:12px sans-serif;fill:#333}.grid{stroke:#ddd;fill:none}.frame{stroke:#888;fill:none}</style>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
  ]
    .filter(Boolean)
    .join('\n')}\n`;

/** A tick as text: ten digits hide that 0.0001 is no binary number, and very large and small ones turn scientific. */
export function tickLabel(tick: number): string {
  const rounded = Number(tick.toPrecision(10));
  const size = Math.abs(rounded);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? rounded.toExponential().replace('e+', 'e') : String(rounded);
}
