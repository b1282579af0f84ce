// Writes the typed ES module of a compiled model: index.js and index.d.ts, made with ts-morph from the manifest.

import {
  IndentationText,
  type InterfaceDeclarationStructure,
  Project,
  QuoteKind,
  type StatementStructures,
  StructureKind,
} from 'ts-morph';
import type { Manifest, ManifestEntry, ManifestLeaf, ManifestMethod, Structure } from '../../runtime/manifest.js';
import { asyncName } from '../../runtime/session-names.js';

export interface ModuleText {
  readonly js: string;
  readonly dts: string;
}

export interface ModuleOptions {
  /** The file name of the native addon, beside the module. */
  readonly addon: string;
  /** What the module imports the runtime from: `tdsl`, or an URL where that does not resolve. */
  readonly runtime: string;
}

/** The types of the runtime that a declaration may use. */
const runtimeTypes = ['AsyncMethod', 'CreateOptions', 'Manifest', 'Method', 'Session', 'Tensor', 'TensorInput'];

const tuple = (dims: readonly (number | string)[]): string =>
  `[${dims.map((dim) => (typeof dim === 'number' ? dim : /^\w+$/.test(dim) ? `'${dim}'` : 'number')).join(', ')}]`;

const propertyName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** The TypeScript type of a structure, given the type of a leaf. */
function structureType(structure: Structure, leaf: (index: number) => string): string {
  switch (structure.kind) {
    case 'tensor':
      return leaf(structure.index);
    case 'dim':
      return 'number';
    case 'tuple':
    case 'list':
      return `[${structure.items.map((item) => structureType(item, leaf)).join(', ')}]`;
    case 'record': {
      const fields = Object.entries(structure.fields).map(
        ([name, field]) => `${propertyName(name)}: ${structureType(field, leaf)}`,
      );
      return `{ ${fields.join('; ')} }`;
    }
  }
}

const tensorType =
  (wrapper: 'Tensor' | 'TensorInput') =>
  (entry: ManifestEntry) =>
  (index: number): string => {
    const tensor = entry.tensors[index];
    if (tensor === undefined) throw new Error(`${entry.name} has no tensor ${index}`);
    return `${wrapper}<'${tensor.dtype}', ${tuple(tensor.dims)}>`;
  };

/** A state leaf: rank-0 state that is no key reads and writes as a number. */
const leafType = (leaf: ManifestLeaf): string =>
  leaf.shape.length === 0 && leaf.role === 'state' ? 'number' : `Tensor<'${leaf.dtype}', ${tuple(leaf.shape)}>`;

function methodType(method: ManifestMethod, manifest: Manifest): string {
  const entry = manifest.entries[method.entry];
  if (entry === undefined) throw new Error(`the method ${method.name} has no entry`);
  const fields = entry.params.map(
    ({ name, structure }) => `${propertyName(name)}: ${structureType(structure, tensorType('TensorInput')(entry))}`,
  );
  const result = entry.result === null ? 'void' : structureType(entry.result, tensorType('Tensor')(entry));
  return `<{ ${fields.join('; ')} }, ${result}>`;
}

function sessionInterface(manifest: Manifest): InterfaceDeclarationStructure {
  const roots = Object.entries(manifest.state.roots).map(([name, structure]) => ({
    name: propertyName(name),
    isReadonly: true,
    type: structureType(structure, (index) => {
      const leaf = manifest.state.leaves[index];
      if (leaf === undefined) throw new Error(`there is no state leaf ${index}`);
      return leafType(leaf);
    }),
  }));
  const methods = manifest.methods.flatMap((method) => {
    const docs = method.doc === undefined ? [] : [{ description: `\n${method.doc}` }];
    const type = methodType(method, manifest);
    return [
      { name: method.jsName, isReadonly: true, type: `Method${type}`, docs },
      { name: asyncName(method.jsName), isReadonly: true, type: `AsyncMethod${type}`, docs },
    ];
  });
  return {
    kind: StructureKind.Interface,
    name: 'ModelSession',
    isExported: true,
    extends: ['Session'],
    docs: [{ description: `\nA session of ${manifest.name}: its state, and its exported functions as methods.` }],
    properties: [...roots, ...methods],
  };
}

/** The text of index.js and index.d.ts. */
export function writeModule(manifest: Manifest, options: ModuleOptions): ModuleText {
  const project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { quoteKind: QuoteKind.Single, indentationText: IndentationText.TwoSpaces },
  });
  const print = (name: string, statements: readonly (string | StatementStructures)[]): string =>
    project.createSourceFile(name, { statements: [...statements] }).getFullText();
  const header = `// Compiled by tdsl ${manifest.tdsl} from ${manifest.name}. Do not edit: compile the program again.`;
  const declarations = print('declarations.d.ts', [
    header,
    sessionInterface(manifest),
    {
      kind: StructureKind.Function,
      name: 'create',
      isExported: true,
      hasDeclareKeyword: true,
      docs: [{ description: '\nMakes a session: allocates the state and initialises it from the seed.' }],
      parameters: [{ name: 'options', hasQuestionToken: true, type: 'CreateOptions' }],
      returnType: 'Promise<ModelSession>',
    },
    {
      kind: StructureKind.Function,
      name: 'probe',
      isExported: true,
      hasDeclareKeyword: true,
      docs: [
        {
          description:
            '\nNull, or why this machine cannot run the model; `create` then throws an error that says the same.',
        },
      ],
      returnType: 'string | null',
    },
    '/** What the compiler knows about this module. */\nexport declare const manifest: Manifest;',
  ]);
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(declarations);
  const imports = print('imports.d.ts', [
    {
      kind: StructureKind.ImportDeclaration,
      isTypeOnly: true,
      moduleSpecifier: options.runtime,
      namedImports: runtimeTypes.filter(isUsed),
    },
  ]);
  const js = print('index.js', [
    header,
    {
      kind: StructureKind.ImportDeclaration,
      moduleSpecifier: options.runtime,
      namedImports: ['defineModel', 'readManifest'],
    },
    `export const manifest = readManifest(new URL('./manifest.json', import.meta.url));`,
    `const model = defineModel({ manifest, addonUrl: new URL('./${options.addon}', import.meta.url) });`,
    'export const create = (options) => model.create(options);',
    'export const probe = () => model.probe();',
  ]);
  return { js, dts: `${imports}\n${declarations}` };
}
