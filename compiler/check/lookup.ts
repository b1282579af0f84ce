// Names: from the scopes of the function over the items of the file and its imports to the library and the dtypes.

import { nearest } from '../diagnostics/nearest.js';
import { dtypes } from '../ir/dtype.js';
import type * as ast from '../syntax/ast.js';
import { builtins } from './builtins/index.js';
import type { Context } from './context.js';
import { dtypeNamed } from './dtype-names.js';
import { Poisoned } from './failure.js';
import { foreignDType, foreignName } from './foreign.js';
import type { Binding, Scope } from './scope.js';
import { describe, fnValue, type Val, type ValOf } from './values.js';
import { type ImportedName, importText, type Unit } from './workspace.js';

/** What a name means in a scope; undefined when it is not known. */
export function lookup(cx: Context, name: string, scope: Scope): Binding | undefined {
  const local = scope.find(name)?.binding;
  if (local !== undefined) {
    if (name === 'training' && local.value.kind === 'bool' && local.value.value) cx.asksForTraining = true;
    return local;
  }
  const value = itemValue(cx, scope.unit, name) ?? libraryValue(cx, name);
  if (value !== undefined) return { value, role: 'constant' };
  const size = scope.unit.dims.has(name) ? cx.options.dims.get(name) : undefined;
  return size && { value: { kind: 'int', dim: size }, role: 'dimension' };
}

function libraryValue(cx: Context, name: string): Val | undefined {
  const builtin = builtins().get(name);
  if (builtin !== undefined) return fnValue({ type: 'builtin', builtin });
  const dtype = dtypeNamed(name, cx.options.defaultFloat);
  if (dtype !== undefined) return { kind: 'dtype', dtype };
  const unit = name.startsWith('_') ? undefined : cx.workspace.libraryUnit(name);
  return unit && itemValue(cx, unit, name);
}

/** A function of the library that a construct of the language stands on, whatever the program calls by that name. */
export function libraryFunction(cx: Context, name: string): Val {
  const value = libraryValue(cx, name);
  if (value === undefined) throw new Error(`the library has no ${name}`);
  return value;
}

/** Refuses the call of a tensor or a number that hides a function of the same name: `let mean = mean(x)` is easily written. */
export function refuseHiddenFunction(cx: Context, name: string, callee: Val, scope: Scope): void {
  if (callee.kind !== 'tensor' && callee.kind !== 'int' && callee.kind !== 'float') return;
  const hiding = scope.find(name)?.binding;
  const hidden = itemValue(cx, scope.unit, name) ?? libraryValue(cx, name);
  if (hiding === undefined || hidden?.kind !== 'function') return;
  cx.fail('E0211', {
    message: `${describe(callee)} cannot be called`,
    label: `\`${name}\` is a value here, which hides the function of that name`,
    notes: hiding.site === undefined ? [] : [{ text: `the value \`${name}\` is declared here`, ...hiding.site }],
    help: 'give the value another name',
  });
}

/** An item of a file as a value; imports are followed. */
function itemValue(cx: Context, unit: Unit, name: string): Val | undefined {
  const found = findItem(cx, unit, name);
  if (found === undefined) return undefined;
  const { item, unit: home } = found;
  if (item.kind === 'Fn') return fnValue({ type: 'declared', decl: item, unit: home });
  if (item.kind === 'Model') return { kind: 'class', model: item, name: item.name.name, unit: home };
  const value = cx.engine.constant(cx, item, home);
  // `let BatchNorm2d = BatchNorm` gives the model another name, under which it prints.
  return value.kind === 'class' ? { ...value, name: item.name.name } : value;
}

/** How many files of a folder a report lists. */
const maxFilesShown = 8;

interface Found {
  readonly item: ast.Fn | ast.Model | ast.Constant;
  readonly unit: Unit;
}

/** The declaration of a name of a file, wherever its import leads. */
export function findItem(cx: Context, unit: Unit, name: string): Found | undefined {
  const item = unit.items.get(name);
  if (item === undefined) return undefined;
  return item.kind === 'ImportedName' ? followImport(cx, unit, item) : { item, unit };
}

function followImport(cx: Context, unit: Unit, item: ImportedName): Found {
  const text = importText(item.from.from);
  const from = cx.workspace.imported(unit, text);
  if (from === undefined) {
    if (item.from.from.kind === 'StringLiteral' && !text.startsWith('std.')) refuseMissingFile(cx, unit, item, text);
    const modules = cx.workspace.host.standardModules().map((module) => `std.${module}`);
    const hint = nearest(text, modules);
    return cx.fail('E0203', {
      message: `there is no module \`${text}\``,
      site: { source: unit.source, span: item.from.from.span },
      help: hint === undefined ? `the library has ${modules.join(', ')}` : `did you mean \`${hint}\`?`,
    });
  }
  const { name, span } = item.entry.name;
  if (cx.pending.has(item)) {
    cx.fail('E0203', {
      message: `the imports of \`${name}\` go in a circle`,
      site: { source: unit.source, span },
      help: 'import it from the file that declares it',
    });
  }
  if (from.defaultFloat !== undefined && from.defaultFloat !== cx.options.defaultFloat) {
    cx.fail('E0212', {
      message: `\`${text}\` is written for ${from.defaultFloat} as the default float, but here it is ${cx.options.defaultFloat}`,
      site: { source: unit.source, span: item.from.from.span },
      help: `state it in the file that is compiled: \`default_float ${from.defaultFloat}\``,
    });
  }
  if (!from.isLibrary) from.diagnostics.forEach((found) => void cx.report(found));
  cx.pending.add(item);
  const found = (() => {
    try {
      return name.startsWith('_') ? undefined : findItem(cx, from, name);
    } finally {
      cx.pending.delete(item);
    }
  })();
  if (found !== undefined) return found;
  // What the file lacks may be what is malformed in it.
  if (from.diagnostics.some(({ severity }) => severity === 'error')) throw new Poisoned();
  const hint = nearest(
    name,
    [...from.items.keys()].filter((known) => !known.startsWith('_')),
  );
  return cx.fail('E0204', {
    message: `\`${text}\` has no \`${name}\``,
    site: { source: unit.source, span },
    help: hint && `did you mean \`${hint}\`?`,
  });
}

/** Refuses the import of a file that does not exist, with the path that was looked for and what the folder has instead. */
function refuseMissingFile(cx: Context, unit: Unit, { from: { from } }: ImportedName, text: string): never {
  const { host } = cx.workspace;
  const path = host.resolve(unit.path, text);
  const refuse = (message: string, help: string): never =>
    cx.fail('E0203', { message, site: { source: unit.source, span: from.span }, help });
  if (path === undefined) {
    const isFile = text.endsWith('.td');
    return refuse(
      `there is no file \`${text}\``,
      isFile
        ? 'no package of that name has it; a file of the program begins with `./` or `../`'
        : 'the path of a file ends in `.td`; modules of the library are imported without quotes: `import std.nn { Linear }`',
    );
  }
  const split = text.lastIndexOf('/') + 1;
  const present = host.filesBeside?.(path) ?? [];
  const hint = nearest(text.slice(split), present);
  const others = present.slice(0, maxFilesShown).join(', ');
  const inFolder = present.length === 0 ? 'its folder has no `.td` files' : `its folder has ${others}`;
  return refuse(
    `there is no file \`${path}\``,
    hint === undefined ? inFolder : `did you mean \`${text.slice(0, split)}${hint}\`?`,
  );
}

/** The model that a type names. */
export function findModel(cx: Context, name: ast.Identifier, scope: Scope): ValOf<'class'> {
  const value = lookup(cx, name.name, scope)?.value;
  if (value?.kind === 'class') return value;
  const site = { source: scope.unit.source, span: name.span };
  const module = value === undefined ? cx.workspace.libraryModuleOfModel(name.name) : undefined;
  if (module !== undefined) {
    return cx.fail('E0201', {
      message: `\`${name.name}\` is not known here`,
      site,
      help: `import it: import ${module} { ${name.name} }`,
    });
  }
  const types = ['int', 'float', 'bool', 'string', 'dtype', 'dim', 'key', 'tensor', ...dtypes];
  const hint = nearest(name.name, [...types, ...modelNames(scope.unit)]);
  return cx.fail('E0201', {
    message: `\`${name.name}\` is not a type`,
    site,
    help: foreignDType(name.name) ?? (hint && `did you mean \`${hint}\`?`),
  });
}

const modelNames = (unit: Unit): readonly string[] =>
  [...unit.items].flatMap(([name, item]) => (item.kind === 'Model' || item.kind === 'ImportedName' ? [name] : []));

/** Says that a name is not known, with the nearest one that is. */
export function unknownName(cx: Context, name: string, scope: Scope): never {
  const later = scope.announced(name);
  if (later !== undefined) {
    cx.fail('E0201', {
      message: `\`${name}\` is not known yet`,
      notes: [{ text: `the parameter \`${name}\` is declared later`, ...later }],
      help: `types and defaults of parameters use earlier parameters only: write \`${name}\` before this one`,
    });
  }
  const module = cx.workspace.libraryModuleOfModel(name);
  const known = [
    ...scope.names(),
    ...scope.unit.items.keys(),
    ...scope.unit.dims.keys(),
    ...builtins().keys(),
    ...cx.workspace.libraryIndex().keys(),
    ...dtypes,
  ];
  const hint = nearest(
    name,
    known.filter((other) => !other.startsWith('_')),
  );
  const help =
    module !== undefined
      ? `import it: import ${module} { ${name} }`
      : (foreignName(name) ?? (hint && `did you mean \`${hint}\`?`));
  if (scope.unit.dims.has(name)) {
    cx.fail('E0307', {
      message: `the dimension \`${name}\` is not bound here`,
      label: 'no parameter has an axis of this name',
      help: `fix it with \`--dim ${name}=SIZE\``,
    });
  }
  return cx.fail('E0201', { message: `\`${name}\` is not known`, help });
}
