// Prints the passes of a team over a row that stays in registers, as far as a later pass reads it again. Where the length is known, a thread takes
// packs of neighbouring elements in one access where they are aligned.

import { dimValue } from '../../../compiler/ir/dims.js';
import { liesInPacks, type Row, rowKey } from '../../kernel/gpu/rows.js';
import type { Buffer, Loop, Position, Stmt } from '../../kernel/ir.js';
import { inner, type Lines, type Override, operandOf, type Scope, valueNamed, withRange } from '../context.js';
import { fromStorage, toStorage } from '../memory.js';
import { loopName, positionText } from '../positions.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm, storageType } from '../types.js';

/** The rounds of a row of run-time length that are gone through or left out together. */
const GROUP = 8;

/** A pack of a pass: the variable that it is in, and its place in memory. */
interface Pack {
  readonly name: string;
  readonly buffer: Buffer;
  readonly offset: Position;
  readonly isFetched: boolean;
  /** Whether it is written to memory at the end. */
  readonly isStored: boolean;
}

export class RowPrinter {
  /** The register arrays of kept elements by their keys, and those that hold something. */
  readonly #arrays = new Map<string, string>();
  readonly #filled = new Set<string>();
  #pass: Loop | undefined;
  #packs: ReadonlyMap<string, Pack> = new Map();

  constructor(
    readonly row: Row,
    readonly team: number,
    readonly lane: string,
  ) {}

  /** Declares what stays in registers, and whether packs are aligned. */
  declare(lines: Lines): void {
    const { rounds, width, kept, arrays, packed } = this.row;
    if (width > 1 && packed.length > 0) {
      const addresses = packed.map((buffer) => `(uintptr_t)${lines.bufferName(buffer)}`);
      lines.line(`const bool aligned = ((${addresses.join(' | ')}) & 15) == 0;`);
    }
    const names = arrays.map((dtype) => {
      const name = lines.fresh('row');
      lines.line(`td_pack<${storageType(dtype)}, ${width}> ${name}[${rounds}];`);
      return name;
    });
    for (const [key, array] of kept) this.#arrays.set(key, names[array] as string);
  }

  /** Prints a pass. */
  print(lines: Lines, pass: Loop, scope: Scope): void {
    const { width, rounds, kept } = this.row;
    const length = dimValue(this.row.length);
    if (length === undefined) {
      this.#runTime(lines, pass, scope);
      return;
    }
    const count = length / width;
    const inside = (): void => this.#pack(lines, pass, scope);
    if (kept.size === 0) {
      lines.block(`for (int32_t pack = ${this.lane}; pack < ${count}; pack += ${this.team}) `, inside);
      return;
    }
    lines.line('TD_UNROLL');
    lines.block(`for (int32_t round = 0; round < ${rounds}; round++) `, () => {
      lines.line(`const int32_t pack = round * ${this.team} + ${this.lane};`);
      if (count === rounds * this.team) inside();
      else lines.block(`if (pack < ${count}) `, inside);
    });
  }

  /** A pass over a row of run-time length: what is kept is read before anything is done with it, so that all reads are under way together. */
  #runTime(lines: Lines, pass: Loop, outer: Scope): void {
    const { rounds, length } = this.row;
    const name = loopName(pass.index);
    const scope = inner(outer, { positions: withRange(outer, pass.index, pass.extent) });
    const count = lines.fresh('count');
    lines.line(`const int32_t ${count} = (int32_t)(${positionText(length, outer.positions)});`);
    const eachElement = (print: () => void): void => {
      lines.line('TD_UNROLL');
      lines.block(`for (int32_t first = 0; first < ${rounds}; first += ${GROUP}) `, () => {
        // Short rows do not go through all rounds.
        lines.block(`if (first * ${this.team} < ${count}) `, () => {
          lines.line('TD_UNROLL');
          lines.block(`for (int32_t each = 0; each < ${GROUP}; each++) `, () => {
            lines.line(`const int32_t round = first + each, pack = round * ${this.team} + ${this.lane};`);
            lines.line(`const int64_t ${name} = pack;`);
            lines.block(`if (pack < ${count}) `, print);
          });
        });
      });
    };
    this.#packs = this.#packsOf(lines, pass);
    const packs = [...this.#packs.values()];
    const placeOf = ({ buffer, offset }: Pack): string =>
      `${lines.bufferName(buffer)}[${positionText(offset, scope.positions)}]`;
    const fetched = packs.filter(({ isFetched }) => isFetched);
    if (fetched.length > 0) {
      eachElement(() => {
        for (const pack of fetched) lines.line(`${pack.name}.at[0] = ${placeOf(pack)};`);
      });
    }
    eachElement(() => {
      this.#pass = pass;
      emitBody(lines, pass.body, inner(scope, {}));
      this.#pass = undefined;
      for (const pack of packs) if (pack.isStored) lines.line(`${placeOf(pack)} = ${pack.name}.at[0];`);
    });
  }

  /** The elements of one pack of a pass. */
  #pack(lines: Lines, pass: Loop, outer: Scope): void {
    const { width } = this.row;
    const name = loopName(pass.index);
    const scope = inner(outer, { positions: withRange(outer, pass.index, pass.extent) });
    const placeOf = ({ buffer, offset }: Pack): string =>
      `${lines.bufferName(buffer)} + (${positionText(offset, scope.positions)})`;
    const flag = width > 1 ? 'aligned' : 'true';
    lines.line(`const int64_t ${name} = (int64_t)pack * ${width};`);
    this.#packs = this.#packsOf(lines, pass);
    for (const pack of this.#packs.values()) {
      const type = `td_pack<${storageType(pack.buffer.dtype)}, ${width}>`;
      const declared = pack.name.includes('[') ? pack.name : `${type} ${pack.name}`;
      if (pack.isFetched) lines.line(`${declared} = td_get_pack<${width}>(${placeOf(pack)}, ${flag});`);
      else if (declared !== pack.name) lines.line(`${declared};`);
    }
    this.#pass = pass;
    if (width > 1) {
      lines.line('TD_UNROLL');
      lines.block(`for (int32_t e = 0; e < ${width}; e++) `, () => {
        lines.line(`const int64_t ${name} = (int64_t)pack * ${width} + e;`);
        lines.line(`(void)${name};`);
        emitBody(lines, pass.body, inner(scope, {}));
      });
    } else emitBody(lines, pass.body, inner(scope, {}));
    this.#pass = undefined;
    for (const pack of this.#packs.values()) {
      if (pack.isStored) lines.line(`td_put_pack(${placeOf(pack)}, ${pack.name}, ${flag});`);
    }
  }

  /** The packs of a pass by the keys of their elements. */
  #packsOf(lines: Lines, pass: Loop): ReadonlyMap<string, Pack> {
    const packs = new Map<string, Pack>();
    for (const stmt of pass.body) {
      const access = accessOf(stmt);
      if (access === undefined) continue;
      const { buffer, offset, isStore } = access;
      const key = rowKey(buffer, offset, pass.index);
      const known = packs.get(key);
      const array = this.#arrays.get(key);
      const mayWait = !isStore || this.row.isPrivate;
      if (array === undefined && !(this.row.width > 1 && mayWait && liesInPacks(offset, pass))) continue;
      packs.set(key, {
        name: known?.name ?? (array === undefined ? lines.fresh('pack') : `${array}[round]`),
        buffer,
        offset,
        isFetched: known?.isFetched ?? (!isStore && !this.#filled.has(key)),
        isStored: (known?.isStored ?? false) || (isStore && !this.row.skipped.has(stmt)),
      });
      if (array !== undefined) this.#filled.add(key);
    }
    return packs;
  }

  /** Takes elements of packs from their variables, inside of a pass. */
  readonly override: Override = (lines, stmt, scope) => {
    const access = accessOf(stmt);
    if (this.#pass === undefined || access === undefined) return false;
    const pack = this.#packs.get(rowKey(access.buffer, access.offset, this.#pass.index));
    if (pack === undefined) return false;
    const element = `${pack.name}.at[${this.row.width > 1 ? 'e' : '0'}]`;
    const { dtype } = access.buffer;
    if (stmt.kind === 'store') {
      const value = operandOf(valueNamed(scope, stmt.value.name), 0).text;
      lines.line(`${element} = ${toStorage(lines.unit, dtype, scalarForm, value)};`);
    } else if (stmt.kind === 'let') {
      const name = lines.fresh();
      const value = fromStorage(lines.unit, dtype, scalarForm, element);
      lines.line(`const ${computeType(lines.unit, dtype, scalarForm)} ${name} = ${value};`);
      scope.values.set(stmt.temp.name, { texts: [name], inLanes: false });
    }
    return true;
  };
}

/** The access of a statement to memory that no guard may keep from it. */
function accessOf(
  stmt: Stmt,
): { readonly buffer: Buffer; readonly offset: Position; readonly isStore: boolean } | undefined {
  if (stmt.kind === 'store') return { buffer: stmt.buffer, offset: stmt.offset, isStore: true };
  if (stmt.kind !== 'let' || stmt.value.kind !== 'load' || stmt.value.guards.length > 0) return undefined;
  return { buffer: stmt.value.buffer, offset: stmt.value.offset, isStore: false };
}
