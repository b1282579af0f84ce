// The files of a program: parsed once, with their items by name; and the index of what the library offers without import.

import { type Diagnostic, diagnostic } from '../diagnostics/report.js';
import type { Source, Span } from '../diagnostics/source.js';
import type { Host } from '../host.js';
import { type DType, dtypes, isDType, isFloat } from '../ir/dtype.js';
import type * as ast from '../syntax/ast.js';
import { parseFile } from '../syntax/parser.js';

/** A name that an import brings into a file. */
export interface ImportedName {
  readonly kind: 'ImportedName';
  readonly from: ast.Import;
  readonly entry: ast.ImportName;
}

export type UnitItem = ast.Fn | ast.Model | ast.Constant | ImportedName;

/** The items of a file by name. */
export interface Items extends Iterable<readonly [string, UnitItem]> {
  get(name: string): UnitItem | undefined;
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** A parsed file. */
export interface Unit {
  readonly path: string;
  readonly source: Source;
  readonly file: ast.File;
  /** Files of the library are trusted: errors inside are shown where the user's program calls them. */
  readonly isLibrary: boolean;
  readonly items: Items;
  /** The names of `dim` declarations. */
  readonly dims: ReadonlyMap<string, ast.Identifier>;
  /** The dtype that `default_float` names. */
  readonly defaultFloat?: DType;
  readonly diagnostics: readonly Diagnostic[];
}

function nameOf(item: ast.Item): ast.Identifier | undefined {
  return item.kind === 'Fn' || item.kind === 'Model' || item.kind === 'Constant' ? item.name : undefined;
}

/** Parses one text as a file of a program. */
export function makeUnit(path: string, source: Source, isLibrary: boolean): Unit {
  const { file, diagnostics } = parseFile(source);
  const items = new Map<string, UnitItem>();
  const dims = new Map<string, ast.Identifier>();
  const spans = new Map<string, Span>();
  const found = [...diagnostics];
  let defaultFloat: DType | undefined;
  const declare = ({ name, span }: ast.Identifier): boolean => {
    const first = spans.get(name);
    if (first === undefined) {
      spans.set(name, span);
      return true;
    }
    const notes = [{ text: `\`${name}\` is first declared here`, span: first }];
    found.push(diagnostic('E0202', { source, span, message: `\`${name}\` is declared twice`, notes }));
    return false;
  };
  for (const item of file.items) {
    const name = nameOf(item);
    if (name !== undefined && declare(name)) items.set(name.name, item as ast.Fn | ast.Model | ast.Constant);
    if (item.kind === 'DefaultFloat') {
      const { dtype } = item;
      const refuse = (message: string) => found.push(diagnostic('E0212', { source, span: dtype.span, message }));
      if (defaultFloat !== undefined) refuse('the default float is stated twice');
      else if (isDType(dtype.name) && isFloat(dtype.name)) defaultFloat = dtype.name;
      else refuse(`\`${dtype.name}\` is no float dtype: they are ${dtypes.filter(isFloat).join(', ')}`);
    }
    if (item.kind === 'DimDeclaration') for (const dim of item.names) if (declare(dim)) dims.set(dim.name, dim);
    if (item.kind !== 'Import') continue;
    for (const entry of item.names) {
      const local = entry.alias ?? entry.name;
      if (declare(local)) items.set(local.name, { kind: 'ImportedName', from: item, entry });
    }
  }
  return { path, source, file, isLibrary, items, dims, ...(defaultFloat && { defaultFloat }), diagnostics: found };
}

/** The beginnings of the declarations of a file in which each stands at the beginning of a line. */
const declaration = /^(?:fn|let|model|import) (\w*)/gm;

/** A file of the library: its declarations are parsed when they are asked for, since a program needs few of them. */
class LibraryItems implements Items {
  readonly #places = new Map<string, { readonly start: number; readonly end: number }>();
  readonly #parsed = new Map<string, UnitItem | undefined>();

  constructor(
    readonly path: string,
    readonly source: Source,
  ) {
    const found = [...source.text.matchAll(declaration)];
    found.forEach(({ 0: head, index, 1: name = '' }, i) => {
      const place = { start: index, end: found[i + 1]?.index ?? source.text.length };
      if (!head.startsWith('import')) this.#places.set(name, place);
      else for (const [imported, item] of this.#parse(place)) this.#parsed.set(imported, item);
    });
  }

  /** The items of a stretch of the text. What comes before is blanked, so that the spans are those of the file. */
  #parse({ start, end }: { readonly start: number; readonly end: number }): Items {
    const text = ' '.repeat(start) + this.source.text.slice(start, end);
    return makeUnit(this.path, { path: this.source.path, text }, true).items;
  }

  get(name: string): UnitItem | undefined {
    const place = this.#places.get(name);
    if (place !== undefined && !this.#parsed.has(name)) this.#parsed.set(name, this.#parse(place).get(name));
    return this.#parsed.get(name);
  }

  has(name: string): boolean {
    return this.#places.has(name) || this.#parsed.has(name);
  }

  keys(): Iterable<string> {
    return this.#places.keys();
  }

  *[Symbol.iterator](): Iterator<readonly [string, UnitItem]> {
    for (const name of this.#places.keys()) {
      const item = this.get(name);
      if (item !== undefined) yield [name, item];
    }
  }
}

function makeLibraryUnit(path: string, source: Source): Unit {
  const { file } = parseFile({ path: source.path, text: '' });
  return {
    path,
    source,
    file,
    isLibrary: true,
    items: new LibraryItems(path, source),
    dims: new Map(),
    diagnostics: [],
  };
}

/** The text of an import's source, as the host resolves it. */
export const importText = (from: ast.Import['from']): string =>
  from.kind === 'StringLiteral' ? from.value : from.parts.map(({ name }) => name).join('.');

/** The files that a host gives, each read and parsed at most once. Use one for several compilations of unchanged files. */
export class Workspace {
  readonly #units = new Map<string, Unit | undefined>();
  readonly #library = new Map<string, Source>();
  readonly #librarySources = new Set<Source>();
  #index: ReadonlyMap<string, string> | undefined;

  constructor(readonly host: Host) {}

  /** The file at a path, or undefined where there is none. */
  unit(path: string): Unit | undefined {
    if (!this.#units.has(path)) {
      this.libraryIndex();
      const library = this.#library.get(path);
      if (library !== undefined) this.#units.set(path, makeLibraryUnit(path, library));
      else {
        const text = this.host.readFile(path);
        this.#units.set(path, text === undefined ? undefined : makeUnit(path, { path, text }, false));
      }
    }
    return this.#units.get(path);
  }

  /** The file that an import of `from` leads to. */
  imported(from: Unit, name: string): Unit | undefined {
    const path = this.host.resolve(from.path, name);
    return path === undefined ? undefined : this.unit(path);
  }

  /** The paths of the library's modules by the names of the functions and constants in them; found without parsing. */
  libraryIndex(): ReadonlyMap<string, string> {
    if (this.#index !== undefined) return this.#index;
    const index = new Map<string, string>();
    for (const module of this.host.standardModules()) {
      const path = this.host.resolve('', `std.${module}`);
      const text = path === undefined ? undefined : this.host.readFile(path);
      if (path === undefined || text === undefined) continue;
      const source = { path: `std/${module}.td`, text };
      this.#library.set(path, source);
      this.#librarySources.add(source);
      for (const [, name] of text.matchAll(/^(?:fn|let) ([A-Za-z]\w*)/gm))
        if (name !== undefined) index.set(name, path);
    }
    this.#index = index;
    return index;
  }

  /** Whether a text is the library's own, not the program's. */
  isLibrary(source: Source): boolean {
    return this.#librarySources.has(source);
  }

  /** The module of the library that declares a function or constant of this name. */
  libraryUnit(name: string): Unit | undefined {
    const path = this.libraryIndex().get(name);
    return path === undefined ? undefined : this.unit(path);
  }

  /** The module of the library that users import a model from, for hints: `std.nn` also passes on what `std.nn_sequence` declares. */
  libraryModuleOfModel(name: string): string | undefined {
    this.libraryIndex();
    const modules = [...this.#library.values()].map(({ path, text }) => ({
      module: path.replace(/^std\//, 'std.').replace(/\.td$/, ''),
      text,
    }));
    const declared = modules.find(({ text }) => new RegExp(`^model ${name}\\b`, 'm').test(text))?.module;
    const passesOn = new RegExp(`^import ${declared} \\{[^}]*\\b${name}\\b`, 'm');
    return (
      modules.find(({ module, text }) => declared?.startsWith(`${module}_`) && passesOn.test(text))?.module ?? declared
    );
  }
}
