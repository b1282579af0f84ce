// Programs from files: every exported function becomes an entry, and a hidden one computes the initial state.

import type { Diagnostic } from '../diagnostics/report.js';
import type { Func, Module, Value } from '../ir/graph.js';
import type { Entry, EntryOutput, Program } from '../program.js';
import type * as ast from '../syntax/ast.js';
import { foldIn } from './builtins/creation.js';
import { call, signatureNames } from './call.js';
import type { Context, ContextOptions } from './context.js';
import { attempt, beginInputs, declaredEntry, exportedEntries, type Session } from './entry.js';
import { bindOpenNames, canInvent, Inputs, invent, keyType, modelBlueprint } from './inputs.js';
import { itemsOfFile } from './items.js';
import { lookup } from './lookup.js';
import { checkMemberNames, initName } from './member-names.js';
import { Scope } from './scope.js';
import { StateTable, sessionKey } from './state.js';
import { stateTree } from './state-tree.js';
import { type Cell, fnValue, type ModelRef, type Site, type Val } from './values.js';
import type { Unit, Workspace } from './workspace.js';

/** Begins a program of a file. */
export function beginSession(
  workspace: Workspace,
  unit: Unit,
  options: ContextOptions,
  report: (diagnostic: Diagnostic) => void,
): Session {
  const exports = functionsOf(unit).filter((decl) => decl.exported);
  const reserved = [...exports.map((decl) => decl.name.name), initName, 'main', 'main_grad'];
  return {
    workspace,
    unit,
    options,
    state: new StateTable(),
    functions: new Map<string, Func>(),
    tree: [],
    reserved,
    report,
  };
}

const functionsOf = (unit: Unit): readonly ast.Fn[] =>
  unit.file.items.filter((item): item is ast.Fn => item.kind === 'Fn');

/** Elaborates exported functions, all or those named, and the initial state. */
export function elaborateExports(session: Session, names: readonly string[] | undefined): readonly Entry[] {
  const wanted = functionsOf(session.unit).filter((decl) =>
    names === undefined ? decl.exported : names.includes(decl.name.name),
  );
  const forms = wanted.map((decl) => exportedEntries(session, decl));
  // A function that is asked for by its name is called by its name, and not as a method.
  if (names === undefined) checkMemberNames(session, wanted);
  const entries = forms.flatMap((form) => form ?? []);
  const init = forms.every((form) => form !== undefined)
    ? initEntry(session, (cx) => exportedState(cx, wanted))
    : undefined;
  return init === undefined ? entries : [...entries, init];
}

/** Makes the parameters of functions that are state, each once, in the order of the entries, by name. */
export function exportedState(cx: Context, decls: readonly ast.Fn[]): ReadonlyMap<string, Val> {
  const made = new Map<string, Val>();
  for (const decl of decls) {
    const scope = Scope.function(cx.unit, decl.name.name);
    scope.announce(decl.params);
    for (const param of decl.params) {
      const name = param.name.name;
      const type = param.type.kind === 'MutType' ? param.type.type : param.type;
      const site: Site = { source: cx.unit.source, span: param.name.span };
      const value = made.get(name) ?? initialState(cx, type, name, scope, site);
      if (value === undefined) continue;
      made.set(name, value);
      scope.define(name, { value, role: 'parameter', site });
    }
  }
  return made;
}

function initialState(cx: Context, type: ast.Type, name: string, scope: Scope, site: Site): Val | undefined {
  if (type.kind === 'NamedType' && type.name.name === 'key') {
    const cell = cx.makeLeaf?.(name, 'key', keyType, site, () => (cx.randomKey as () => Value)());
    return cell && { kind: 'cell', cell, access: 'read' };
  }
  const isModel = type.kind === 'AppliedType' || (type.kind === 'NamedType' && canInvent(cx, type, scope, new Map()));
  const blueprint = isModel ? modelBlueprint(cx, type, scope) : undefined;
  return blueprint && cx.engine.instantiate(cx, blueprint, name);
}

/** FNV-1a, so that the initial value of a leaf depends on its path and not on what else there is. */
function hash(text: string): bigint {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return BigInt(state);
}

/**
 * The hidden entry: all state from a key. `make` builds the instances whose leaves are wanted; the session keeps them as trees. Undefined
 * where there is no state.
 */
export function initEntry(session: Session, make: (cx: Context) => ReadonlyMap<string, Val>): Entry | undefined {
  return attempt(session, initName, (cx) => {
    const inputs = new Inputs(cx, session.state);
    const key = inputs.argument('key', keyType);
    inputs.arguments.push({ name: 'key', structure: { kind: 'tensor', index: 0, type: keyType } });
    const cells = new Map<string, Cell>();
    cx.makeLeaf = (path, role, type, _site, init) => {
      cx.draws = 0;
      cx.randomKey = () => foldIn(cx, key, cx.b.constant(hash(path), 'i64'));
      const cell: Cell = { path, role, type, value: init() };
      cells.set(path, cell);
      return cell;
    };
    session.tree.splice(0, session.tree.length, ...stateTree(cx, make(cx), session.state.leaves));
    if (session.state.leaves.length === 0) return undefined;
    const outputs: EntryOutput[] = [];
    const values: Value[] = [];
    session.state.leaves.forEach(({ path }, leaf) => {
      const value = path === sessionKey && !cells.has(path) ? key : cells.get(path)?.value;
      if (value === undefined) throw new Error(`the state ${path} has no initial value`);
      outputs.push({ kind: 'state', leaf });
      values.push(value);
    });
    cx.functions.set(initName, cx.rootFrame.finish(cx.rootFrame.locals(values)));
    return {
      name: initName,
      fn: initName,
      inputs: inputs.inputs,
      outputs,
      arguments: inputs.arguments,
      result: { kind: 'tuple', items: [] },
      symbols: [],
      constraints: [],
      doc: 'The initial state from a key.',
    };
  });
}

/** The program of a session's entries. */
export function finishProgram(session: Session, name: string, entries: readonly Entry[]): Program {
  const module: Module = { functions: session.functions };
  const { tree } = session;
  return { name, module, entries, state: session.state.leaves, ...(tree.length === 0 ? {} : { tree: [...tree] }) };
}

/** Elaborates what no export reaches: other functions and the methods of models, as far as their parameters can be made up. */
export function checkOthers(session: Session): void {
  for (const name of session.unit.items.keys()) checkName(session, name);
  for (const item of itemsOfFile(session.unit)) {
    if (item.kind === 'fn') checkFunction(session, item.decl);
    else checkModel(session, item.model);
  }
}

/** Follows an import, or evaluates a constant, that nothing may use. */
function checkName(session: Session, name: string): void {
  attempt(session, name, (cx) => {
    beginInputs(cx, new StateTable(), cx.site);
    lookup(cx, name, Scope.function(session.unit, name));
  });
}

/** What the sizes of a use decide: how often a loop is unrolled, and where a recursion ends. */
const decidedByUses: ReadonlySet<string> = new Set(['L0902', 'E0408']);

function checkFunction(session: Session, decl: ast.Fn): void {
  let isGeneric = false;
  const possible = attempt(session, decl.name.name, (cx) => {
    isGeneric = signatureNames(cx, cx.unit, decl, undefined).size > 0;
    return inventable(cx, decl, undefined);
  });
  if (!possible) return;
  const report: Session['report'] = (diagnostic) => {
    if (!(isGeneric && decidedByUses.has(diagnostic.code))) session.report(diagnostic);
  };
  declaredEntry({ ...session, state: new StateTable(), report }, decl, 'any');
}

/** Whether all parameters of a function can be made up; errors in the signature are found on the way. */
function inventable(cx: Context, decl: ast.Fn, outer: Scope | undefined): boolean {
  const open = signatureNames(cx, cx.unit, decl, outer);
  const scope = outer ?? Scope.function(cx.unit, decl.name.name);
  return decl.params.every((param) => param.default !== undefined || canInvent(cx, param.type, scope, open));
}

function checkModel(session: Session, model: ast.Model): void {
  const { unit } = session;
  const name = model.name.name;
  if (model.params.some((param) => param.default === undefined && !param.rest)) return;
  for (const field of model.fields) {
    if (field.kind !== 'Fn') continue;
    const table = new StateTable();
    attempt({ ...session, state: table }, name, (cx) => {
      const inputs = beginInputs(cx, table, { source: unit.source, span: model.name.span });
      const blueprint = { kind: 'blueprint', model, name, unit, args: [], site: cx.site } as const;
      const made = cx.engine.instantiate(cx, blueprint, 'self') as ModelRef;
      if (!inventable(cx, field, made.instance.scope)) return;
      const self: ModelRef = { ...made, training: true };
      const scope = Scope.function(unit, field.name.name, made.instance.scope, self);
      bindOpenNames(cx, signatureNames(cx, unit, field, made.instance.scope), scope, 'any');
      const site: Site = { source: unit.source, span: field.name.span };
      const args = field.params.flatMap((param) => {
        if (param.default !== undefined) return [];
        const value = invent(inputs, param, scope, 'any');
        scope.define(param.name.name, { value, role: 'parameter', site });
        return [{ name: param.name, value, site }];
      });
      cx.at(unit, { start: site.span.start, end: site.span.start }, () =>
        call(cx, fnValue({ type: 'declared', decl: field, unit, self }), args),
      );
    });
  }
}
