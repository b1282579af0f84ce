// Entries: an exported function with its inputs, its outputs and the state that it reads and writes.

import type { Diagnostic } from '../diagnostics/report.js';
import { type Dim, dimSubstitute, dimSymbols } from '../ir/dims.js';
import type { HostTensor } from '../ir/evaluate/tensor.js';
import type { Func, TensorType, Value } from '../ir/graph.js';
import { freeSymbols, topologicalModule } from '../ir/rewrite.js';
import type { Entry, EntryArgument, EntryConstraint, EntryOutput, StateEntry, Structure } from '../program.js';
import type * as ast from '../syntax/ast.js';
import { call, resultSpan, resultWithDerivative, signatureNames } from './call.js';
import { Context, type ContextOptions, maxCallDepth, maxNesting, nestingHelp } from './context.js';
import { engine } from './engine.js';
import { Failure, GaveUp, Poisoned, Restart } from './failure.js';
import { flatten } from './flatten.js';
import { Frame } from './frame.js';
import { bindOpenNames, Inputs, invent } from './inputs.js';
import { lookup } from './lookup.js';
import { Matcher } from './match.js';
import { Scope } from './scope.js';
import type { StateTable } from './state.js';
import { outline, regionOf, treesOf } from './transforms.js';
import { leafType } from './trees.js';
import { type Cell, describe, fnValue, isWeakNumber, none, type Site, tensor, type Val } from './values.js';
import type { Unit, Workspace } from './workspace.js';
import { whole } from './wrt.js';

/** What the entries of one program share. */
export interface Session {
  readonly workspace: Workspace;
  readonly unit: Unit;
  readonly options: ContextOptions;
  readonly state: StateTable;
  readonly functions: Map<string, Func>;
  /** The state as trees, which the elaboration of the initial state fills in. */
  readonly tree: StateEntry[];
  /** The names of the entries' own functions. */
  readonly reserved: readonly string[];
  readonly report: (diagnostic: Diagnostic) => void;
}

/** Runs an attempt to elaborate a function; starts again when run-time dimensions turn out to be determined. Undefined after errors. */
export function attempt<T>(session: Session, name: string, body: (cx: Context) => T): T | undefined {
  let dims = session.options.dims;
  const settled = new Map<string, EntryConstraint>();
  const undo = session.state.checkpoint();
  // Each restart removes a symbol, so there are not many; the bound guards against a loop in the solving.
  for (let round = 0; round < 64; round++) {
    const cx = new Context(engine, session.workspace, session.unit, { ...session.options, dims }, settled);
    for (const known of [...session.functions.keys(), ...session.reserved]) cx.reserveFunctionName(known);
    cx.enterRoot(new Frame(name));
    try {
      const made = body(cx);
      cx.diagnostics.forEach(session.report);
      if (cx.diagnostics.some(({ severity }) => severity === 'error')) return undefined;
      for (const [fn, func] of cx.functions) session.functions.set(fn, func);
      return made;
    } catch (error) {
      if (error instanceof Restart) {
        undo();
        dims = withSize(dims, error.symbol, error.size);
        settled.set(error.symbol, error.constraint);
        continue;
      }
      if (error instanceof Failure) cx.report(error.diagnostic);
      else if (error instanceof RangeError && /call stack/i.test(error.message)) cx.report(tooDeep(session, cx, name));
      else if (!(error instanceof Poisoned || error instanceof GaveUp)) throw error;
      cx.diagnostics.forEach(session.report);
      return undefined;
    }
  }
  throw new Error(`the sizes of ${name} do not settle`);
}

/** The stack was too small for what the limits of nesting allow. Where it gave up is chance, so that the function itself is pointed at. */
function tooDeep({ unit }: Session, cx: Context, name: string): Diagnostic {
  const declared = unit.file.items.find((item): item is ast.Fn => item.kind === 'Fn' && item.name.name === name);
  const site = declared === undefined ? cx.latest : { source: unit.source, span: declared.name.span };
  const message = `the calls and expressions of \`${name}\` nest too deeply, if not more than ${maxCallDepth} calls and ${maxNesting} expressions`;
  return cx.complain('E0408', { message, site, help: nestingHelp });
}

/** The fixed sizes with one more, which is put into those found before. */
function withSize(dims: ReadonlyMap<string, Dim>, symbol: string, size: Dim): ReadonlyMap<string, Dim> {
  const one = new Map([[symbol, size]]);
  return new Map([
    ...[...dims].map(([name, dim]) => [name, dimSubstitute(dim, one)] as const),
    [symbol, size] as const,
  ]);
}

/** What an exported function becomes: itself, and where training and evaluation differ in it, its form for evaluation. Undefined after errors. */
export function exportedEntries(session: Session, decl: ast.Fn): readonly Entry[] | undefined {
  const own = declaredEntry(session, decl, 'export');
  if (own === undefined) return undefined;
  if (!own.asksForTraining) return [own.entry];
  const evaluation = declaredEntry(session, decl, 'export', `${own.entry.name}.eval`);
  return evaluation && [{ ...own.entry, evaluation: evaluation.entry.name }, evaluation.entry];
}

interface Declared {
  readonly entry: Entry;
  readonly asksForTraining: boolean;
}

/** Elaborates a declared function as an entry; with a name of its own, in its form for evaluation. */
export function declaredEntry(
  session: Session,
  decl: ast.Fn,
  kind: 'export' | 'any',
  evaluation?: string,
): Declared | undefined {
  const { unit } = session;
  const name = decl.name.name;
  return attempt(session, evaluation ?? name, (cx) => {
    const site: Site = { source: unit.source, span: decl.name.span };
    const inputs = beginInputs(cx, session.state, site, evaluation === undefined);
    const scope = Scope.function(unit, name);
    const open = signatureNames(cx, unit, decl, undefined);
    bindOpenNames(cx, open, scope, kind);
    scope.announce(decl.params);
    for (const param of decl.params) {
      const value = invent(inputs, param, scope, kind);
      scope.define(param.name.name, { value, role: 'parameter', site: { source: unit.source, span: param.name.span } });
    }
    const matcher = new Matcher(cx, scope, open);
    const value = cx.at(unit, decl.name.span, () =>
      declaredResult(cx, decl, resultWithDerivative(cx, decl, matcher, name)),
    );
    // What makes models, for types and fields, has no tensors to give; it is elaborated where it is used.
    if (kind === 'any' && makesModels(value)) return undefined;
    const entryName = evaluation ?? name;
    const entry = cx.at(unit, resultSpan(decl), () =>
      finishEntry(cx, session, inputs, entryName, entryName, value, decl),
    );
    return { entry, asksForTraining: cx.asksForTraining };
  });
}

/** What an entry returns: an exported function whose result has no type is there for its effects, and returns nothing. */
function declaredResult(cx: Context, decl: ast.Fn, value: Val): Val {
  if (!decl.exported || decl.result !== undefined) return value;
  if (isNothing(value)) return none;
  return cx.fail('E0112', {
    message: `\`${decl.name.name}\` is exported and gives ${describe(value)}, but its result has no type`,
    help: 'write `-> type` after the parameters',
  });
}

/** Whether a value holds models that have no place yet. */
function makesModels(value: Val): boolean {
  if (value.kind === 'list' || value.kind === 'tuple') return value.items.some(makesModels);
  return value.kind === 'blueprint' || value.kind === 'class';
}

/** No value, or the trees of no values that `map` makes of its assignments. */
function isNothing(value: Val): boolean {
  switch (value.kind) {
    case 'none':
      return true;
    case 'tuple':
    case 'list':
      return value.items.every(isNothing);
    case 'record':
      return [...value.fields.values()].every(isNothing);
    default:
      return false;
  }
}

/** The inputs of an entry; leaves of the state and draws find it from now on. */
export function beginInputs(cx: Context, table: StateTable, site: Site, trains = true): Inputs {
  const inputs = new Inputs(cx, table, trains);
  cx.makeLeaf = (path, role, type, at) => inputs.stateLeaf(path, role, type, at);
  cx.randomKey = () => inputs.sessionKey(site).value;
  return inputs;
}

/** Flattens the result, adds the new state, and closes the function. */
function finishEntry(
  cx: Context,
  session: Session,
  inputs: Inputs,
  name: string,
  fn: string,
  value: Val,
  decl?: ast.Fn,
): Entry {
  const flat = flatten(cx, value, `the result of \`${name}\``);
  const symbols = symbolsOf(inputs.argumentTypes, inputs.numbers);
  const outputs: EntryOutput[] = flat.values.map((_, i) => ({ kind: 'result', path: String(i) }));
  const values = [...flat.values, ...writtenState(cx, session, inputs, outputs)];
  const { structure, paths } = resultStructure(cx, value, flat.values);
  paths.forEach((path, i) => {
    outputs[i] = { kind: 'result', path };
  });
  cx.functions.set(fn, cx.rootFrame.finish(cx.rootFrame.locals(values)));
  if (decl?.exported) requireKnownSizes(cx, fn, symbols);
  // A dimension that is a number of the call has a constraint instead, since no shape says it.
  const equalities = [...cx.settled].flatMap(([symbol, equality]) =>
    inputs.numbers.includes(symbol) ? [] : [equality],
  );
  return {
    name,
    fn,
    inputs: inputs.inputs,
    outputs,
    arguments: inputs.arguments,
    result: structure,
    symbols,
    constraints: [...cx.constraints.values()],
    ...(equalities.length === 0 ? {} : { equalities }),
    ...(decl?.docs === undefined ? {} : { doc: decl.docs }),
  };
}

/** Refuses sizes that no argument of a call says, also where only a part of a loop or of a branch has them. */
function requireKnownSizes(cx: Context, fn: string, known: readonly string[]): void {
  const parts = [...topologicalModule(cx.functions.values(), [fn]).functions.values()];
  const unknown = parts.flatMap((part) => [...freeSymbols(part)]).find((symbol) => !known.includes(symbol));
  if (unknown === undefined) return;
  cx.fail('E0307', {
    message: `the dimension \`${unknown}\` is that of no argument`,
    help: `give an argument an axis of this size, or take it as a number: \`${unknown}: dim\``,
  });
}

/** The new values of the leaves that were assigned to; an entry that drew and may write state moves the key of the session on. */
function writtenState(cx: Context, session: Session, inputs: Inputs, outputs: EntryOutput[]): readonly Value[] {
  const key = inputs.usedKey;
  if (key !== undefined && inputs.hasMutableState) {
    const step = cx.b.literal([0, 1], 'i64', key.type.shape);
    cx.frame.assign(key, cx.b.elementwise('add', [key.value, step]));
  }
  return [...cx.frame.written.keys()].map((cell: Cell) => {
    outputs.push({ kind: 'state', leaf: session.state.leaf(cx, cell.path, cell.role, cell.type, cx.site) });
    return cell.value;
  });
}

/** How the host sees the value returned, and the dotted path of each of its tensors. */
function resultStructure(
  cx: Context,
  value: Val,
  values: readonly Value[],
): { readonly structure: Structure; readonly paths: readonly string[] } {
  const paths: string[] = [];
  const walk = (val: Val, path: string): Structure => {
    const inside = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
    switch (val.kind) {
      case 'tuple':
      case 'list':
        return { kind: val.kind, items: val.items.map((item, i) => walk(item, inside(i))) };
      case 'record':
        return {
          kind: 'record',
          fields: [...val.fields].map(([name, field]) => ({ name, value: walk(field, inside(name)) })),
        };
      case 'none':
        if (path === '') return { kind: 'tuple', items: [] };
    }
    if (val.kind !== 'tensor' && !isWeakNumber(val))
      return cx.fail('E0406', { message: `an exported function gives tensors, not ${describe(val)}` });
    const index = paths.push(path) - 1;
    return { kind: 'tensor', index, type: (values[index] as Value).type };
  };
  return { structure: walk(value, ''), paths };
}

/** The run-time dimensions of the arguments, in order of appearance. */
function symbolsOf(types: readonly TensorType[], numbers: readonly string[]): readonly string[] {
  const symbols = new Set<string>(numbers);
  for (const type of types) for (const size of type.shape) dimSymbols(size, symbols);
  return [...symbols];
}

// ---- entries made for a host that calls functions and expressions directly ------------------------------------------------

/** A tensor that an expression or a function is given. */
export interface ExpressionInput {
  readonly name: string;
  readonly type: TensorType;
  /** What it holds, where the program is specialised to this: then shapes may depend on it, and the program is right for no other data. */
  readonly data?: HostTensor;
}

/** Asks for a second entry that also gives gradients of the sum of (output · cotangent). */
export interface GradientRequest {
  /** The inputs to differentiate by. */
  readonly wrt: readonly string[];
  /** The outputs that have a cotangent, by position. */
  readonly cotangentOutputs: readonly number[];
}

/** Evaluates what an entry computes, from the values of its inputs by name. */
export type Body = (cx: Context, inputs: Inputs, given: ReadonlyMap<string, Val>) => Val;

const argumentOf = (name: string, index: number, type: TensorType): EntryArgument => ({
  name,
  structure: { kind: 'tensor', index, type },
});

function giveInputs(inputs: Inputs, given: readonly ExpressionInput[]): Map<string, Val> {
  return new Map(
    given.map(({ name, type, data }) => {
      const value = inputs.argument(name, type);
      inputs.cx.rootFrame.hold(value, data);
      inputs.arguments.push(argumentOf(name, inputs.argumentTypes.length - 1, type));
      return [name, tensor(value)];
    }),
  );
}

/** The entry `main`: the body on its inputs. */
export function bodyEntry(session: Session, given: readonly ExpressionInput[], body: Body): Entry | undefined {
  return attempt(session, 'main', (cx) => {
    const inputs = beginInputs(cx, session.state, cx.site);
    const value = body(cx, inputs, giveInputs(inputs, given));
    return finishEntry(cx, session, inputs, 'main', 'main', value);
  });
}

/** The entry `main_grad`: inputs, then cotangents; gives the outputs, then the gradients. */
export function gradientEntry(
  session: Session,
  given: readonly ExpressionInput[],
  request: GradientRequest,
  body: Body,
): Entry | undefined {
  return attempt(session, 'main_grad', (cx) => {
    const inputs = beginInputs(cx, session.state, cx.site);
    const values = giveInputs(inputs, given);
    const args = request.wrt.map((name) => {
      const value =
        values.get(name) ?? cx.fail('E0503', { message: `there is no input \`${name}\` to differentiate by` });
      return { value, site: cx.site };
    });
    const differentiated = treesOf(cx, args.map(whole));
    const outlined = outline(cx, 'main', differentiated, (substitute) => {
      const replaced = new Map(values);
      request.wrt.forEach((name, i) => void replaced.set(name, substitute(i)));
      return body(cx, inputs, replaced);
    });
    const of = request.cotangentOutputs.map((i) => {
      const type = outlined.results[i];
      return type === undefined || i >= outlined.value.values.length
        ? cx.fail('E0504', { message: `there is no output ${i}` })
        : { i, type };
    });
    const cotangents = of.map(({ i, type }) => {
      const value = inputs.argument(`cotangent.${i}`, type);
      inputs.arguments.push(argumentOf(`cotangent_${i}`, inputs.argumentTypes.length - 1, type));
      return value;
    });
    const types = differentiated.leaves.map(({ value }) => leafType(value) as TensorType);
    const region = { type: 'vjp', fn: outlined.fn, wrt: args.map((_, i) => i), of: of.map(({ i }) => i) } as const;
    const { value, derivatives } = regionOf(cx, outlined, region, cotangents, types);
    const results: Val = { kind: 'tuple', items: [value, ...derivatives.map(tensor)] };
    return finishEntry(cx, session, inputs, 'main_grad', 'main_grad', results);
  });
}

/** Calls a declared function on given inputs, by name or position; what is not given is state or has a default. */
export function callBody(decl: ast.Fn, unit: Unit, given: readonly ExpressionInput[]): Body {
  const params = new Set(decl.params.map((param) => param.name.name));
  const byName = given.every(({ name }) => params.has(name));
  return (cx, inputs, values) => {
    const scope = Scope.function(unit, decl.name.name);
    const site: Site = { source: unit.source, span: decl.name.span };
    const order = [...values.values()];
    const args = decl.params.flatMap((param) => {
      const { name } = param.name;
      const value = byName ? values.get(name) : isState(cx, param.type, scope) ? undefined : order.shift();
      const made = value ?? (param.default === undefined ? invent(inputs, param, scope, 'any') : undefined);
      if (made === undefined) return [];
      scope.define(name, { value: made, role: 'parameter', site });
      return [{ value: made.kind === 'cell' ? tensor(made.cell.value) : made, site, name: param.name }];
    });
    return cx.at(unit, decl.name.span, () => call(cx, fnValue({ type: 'declared', decl, unit }), args));
  };
}

/** Whether a parameter of this type is state, not an argument. */
function isState(cx: Context, type: ast.Type, scope: Scope): boolean {
  if (type.kind === 'MutType' || type.kind === 'AppliedType') return true;
  return (
    type.kind === 'NamedType' && (type.name.name === 'key' || lookup(cx, type.name.name, scope)?.value.kind === 'class')
  );
}
