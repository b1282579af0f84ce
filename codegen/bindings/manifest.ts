// Writes the manifest of a compiled module: what the host knows about it beyond the tables of the native code.

import { equalityText } from '../../compiler/constraints.js';
import { type Dim, dimAsSymbol, dimSymbols, dimValue, printDim } from '../../compiler/ir/dims.js';
import type { TensorType, Value } from '../../compiler/ir/graph.js';
import type { Entry, EntryConstraint, Program, Structure } from '../../compiler/program.js';
import {
  MANIFEST_FORMAT,
  type Manifest,
  type ManifestEntry,
  type ManifestLeaf,
  type ManifestMethod,
  type ManifestModel,
  type Structure as ManifestStructure,
  type ManifestTensor,
} from '../../runtime/manifest.js';
import { camelCase } from '../../runtime/session-names.js';
import { withStages } from '../../runtime/stages.js';

/** Where the state leaves lie in the arena, in the order of `Program.state`. */
export interface ArenaLayout {
  readonly bytes: number;
  readonly leaves: readonly { readonly offset: number; readonly bytes: number }[];
}

export interface ManifestOptions {
  readonly version: string;
  readonly sourceHash: string;
  readonly target: 'c' | 'cuda';
  readonly layout: ArenaLayout;
  /** What each entry's workspace does not exceed, by the entry's name. */
  readonly workspace: ReadonlyMap<string, Dim>;
  /** The text of the IR after each pass, by the pass's name, in order. */
  readonly stages: ReadonlyMap<string, string>;
}

const manifestDims = (type: TensorType): readonly (number | string)[] =>
  type.shape.map((dim) => dimValue(dim) ?? dimAsSymbol(dim) ?? printDim(dim));

/** The structure with every tensor index moved by `offset`: results come after the inputs in an entry's list. */
function manifestStructure(structure: Structure, offset: number, symbols: readonly string[]): ManifestStructure {
  switch (structure.kind) {
    case 'tensor':
      return { kind: 'tensor', index: structure.index + offset };
    case 'dim':
      return { kind: 'dim', symbol: symbols.indexOf(structure.symbol) };
    case 'tuple':
    case 'list':
      return { kind: structure.kind, items: structure.items.map((item) => manifestStructure(item, offset, symbols)) };
    case 'record':
      return {
        kind: 'record',
        fields: Object.fromEntries(
          structure.fields.map(({ name, value }) => [name, manifestStructure(value, offset, symbols)]),
        ),
      };
  }
}

function tensorsOf(entry: Entry, program: Program): readonly ManifestTensor[] {
  const fn = program.module.functions.get(entry.fn);
  if (fn === undefined) throw new Error(`the entry ${entry.name} has no function ${entry.fn}`);
  const tensor = (role: 'in' | 'out', path: string, value: Value | undefined): ManifestTensor => {
    if (value === undefined) throw new Error(`the entry ${entry.name} lacks a value for ${path}`);
    return { path, role, dtype: value.type.dtype, dims: manifestDims(value.type) };
  };
  const inputs = entry.inputs.flatMap((input, i) =>
    input.kind === 'argument' ? [tensor('in', input.path, fn.params[i])] : [],
  );
  const outputs = entry.outputs.flatMap((output, i) =>
    output.kind === 'result' ? [tensor('out', output.path, fn.results[i])] : [],
  );
  return [...inputs, ...outputs];
}

function manifestEquality(equality: EntryConstraint): NonNullable<ManifestEntry['equalities']>[number] {
  const symbols = new Set<string>();
  for (const side of [equality.left, equality.right]) if (side !== undefined) dimSymbols(side, symbols);
  return { symbols: [...symbols], text: equalityText(equality) };
}

function manifestEntry(entry: Entry, program: Program, options: ManifestOptions, hidden: boolean): ManifestEntry {
  const tensors = tensorsOf(entry, program);
  const inputs = tensors.filter(({ role }) => role === 'in').length;
  const paths = (slots: readonly (Entry['inputs'][number] | Entry['outputs'][number])[]): readonly string[] =>
    slots.flatMap((slot) => (slot.kind === 'state' ? [program.state[slot.leaf]?.path ?? ''] : []));
  const workspace = options.workspace.get(entry.name);
  return {
    name: entry.name,
    hidden,
    symbols: entry.symbols.map((name) => ({ name, min: 0, max: null })),
    tensors,
    params: entry.arguments.map(({ name, structure }) => ({
      name,
      structure: manifestStructure(structure, 0, entry.symbols),
    })),
    result: tensors.length === inputs ? null : manifestStructure(entry.result, inputs, entry.symbols),
    state: { reads: paths(entry.inputs), writes: paths(entry.outputs) },
    ...(entry.equalities && { equalities: entry.equalities.map(manifestEquality) }),
    ...(workspace === undefined ? {} : { workspace: printDim(workspace) }),
  };
}

/** A tree under construction: a leaf's index, or sub-trees by name. */
interface Tree {
  readonly children: Map<string, Tree | number>;
}

/** Children named 0, 1, 2, … are a list; others a record. */
function treeStructure(tree: Tree): ManifestStructure {
  const structures = [...tree.children].map(([name, child]): [string, ManifestStructure] => [
    name,
    typeof child === 'number' ? { kind: 'tensor', index: child } : treeStructure(child),
  ]);
  const isList = structures.length > 0 && structures.every(([name], i) => name === String(i));
  if (isList) return { kind: 'list', items: structures.map(([, structure]) => structure) };
  return { kind: 'record', fields: Object.fromEntries(structures) };
}

/** The names of the leaves in the order of the declarations; leaves that no tree has, such as the key, come last. */
function namesOf(program: Program): readonly { readonly path: string; readonly leaf: number }[] {
  const named = (program.tree ?? []).flatMap((entry) => (entry.kind === 'leaf' ? [entry] : []));
  const known = new Set(named.map(({ leaf }) => leaf));
  return [...named, ...program.state.flatMap(({ path }, leaf) => (known.has(leaf) ? [] : [{ path, leaf }]))];
}

/** The trees of the state by the names of the parameters, from the dotted paths of the leaves. */
function stateRoots(program: Program): Record<string, ManifestStructure> {
  const root: Tree = { children: new Map() };
  for (const { path, leaf } of namesOf(program)) {
    const names = path.split('.');
    let at = root;
    for (const name of names.slice(0, -1)) {
      const child = at.children.get(name);
      const next: Tree = typeof child === 'object' ? child : { children: new Map() };
      at.children.set(name, next);
      at = next;
    }
    at.children.set(names.at(-1) ?? path, leaf);
  }
  const structure = treeStructure(root);
  return structure.kind === 'record' ? { ...structure.fields } : {};
}

const modelsOf = (program: Program): readonly ManifestModel[] =>
  (program.tree ?? []).flatMap((entry) =>
    entry.kind === 'model'
      ? [{ path: entry.path, model: entry.model, text: entry.text, ...(entry.shared && { shared: entry.shared }) }]
      : [],
  );

/** The manifest of a lowered program whose state lies as `layout` says. */
export function buildManifest(program: Program, options: ManifestOptions): Manifest {
  const evaluationForms = new Set(
    program.entries.flatMap(({ evaluation }) => (evaluation === undefined ? [] : [evaluation])),
  );
  const isHidden = ({ name }: Entry): boolean => name === 'init' || evaluationForms.has(name);
  const numberOf = (name: string): number => program.entries.findIndex((entry) => entry.name === name);
  const methods = program.entries
    .filter((entry) => !isHidden(entry))
    .map((entry): ManifestMethod => {
      const number = numberOf(entry.name);
      const { doc, evaluation } = entry;
      return {
        name: entry.name,
        jsName: camelCase(entry.name),
        entry: number,
        ...(doc === undefined ? {} : { doc }),
        ...(evaluation === undefined ? {} : { variants: { train: number, eval: numberOf(evaluation) } }),
      };
    });
  const leaves = program.state.map((leaf, i): ManifestLeaf => {
    const place = options.layout.leaves[i];
    if (place === undefined) throw new Error(`the state leaf ${leaf.path} has no place in the arena`);
    return { ...leaf, offset: place.offset, bytes: place.bytes };
  });
  const described = {
    format: MANIFEST_FORMAT,
    name: program.name,
    tdsl: options.version,
    sourceHash: options.sourceHash,
    target: options.target,
    entries: program.entries.map((entry) => manifestEntry(entry, program, options, isHidden(entry))),
    methods,
    initEntry: numberOf('init') < 0 ? null : numberOf('init'),
    state: { bytes: options.layout.bytes, leaves, roots: stateRoots(program), models: modelsOf(program) },
  } as const;
  return withStages(described, () => Object.fromEntries(options.stages));
}
