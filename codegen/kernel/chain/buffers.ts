// Where the values of a chain lie: with the caller, or, what only passes between stages, in memory of the chunk that holds a block of rows.

import { type Dim, dimAdd, dimConst, dimMul, dimSub } from '../../../compiler/ir/dims.js';
import type { Value } from '../../../compiler/ir/graph.js';
import type { Buffer, Position, Stmt } from '../ir.js';
import { type Chain, type Part, type Stage, stepsAlong, valueIn } from './stages.js';

/** Where the values of a chain lie. */
export class ChainBuffers {
  readonly #ofValue = new Map<Value, Buffer>();
  /** The steps of the shared indices through values that lie in memory of the chunk. */
  readonly #steps = new Map<Value, readonly Dim[]>();
  readonly #others = new Map<string, Buffer>();

  constructor(
    chain: Chain,
    readonly parts: readonly Part[],
    rows: number,
  ) {
    const sizeOf = ({ type }: Value): Dim => type.shape.reduce(dimMul, dimConst(1));
    const buffer = (value: Value, name: string, role: Buffer['role'], size = sizeOf(value)): Buffer => ({
      ...{ name, role, size },
      dtype: value.type.dtype,
    });
    chain.params.forEach((value, k) => void this.#ofValue.set(value, buffer(value, `in${k}`, 'in')));
    chain.results.forEach((value, k) => void this.#ofValue.set(value, buffer(value, `out${k}`, 'out')));
    parts.forEach(({ nest, shared }, number) => {
      for (const access of nest.accesses) {
        const { value } = access;
        if (value === undefined || this.#ofValue.has(value)) continue;
        const steps = stepsAlong(nest, access, shared) as readonly Dim[];
        const size = dimMul(steps.at(-1) as Dim, dimConst(rows));
        this.#ofValue.set(value, buffer(value, `between${this.#steps.size}`, 'scratch', size));
        this.#steps.set(value, steps);
      }
      for (const table of nest.kernel.buffers.filter(({ role }) => role === 'table'))
        this.#others.set(`${number} ${table.name}`, { ...table, name: `table${this.#others.size}` });
    });
  }

  get buffers(): readonly Buffer[] {
    const order = ['in', 'out', 'table', 'scratch'];
    return [...this.#ofValue.values(), ...this.#others.values()].sort(
      (a, b) => order.indexOf(a.role) - order.indexOf(b.role),
    );
  }

  /** A statement of a stage with the buffers and fault sites of the chain. */
  mapped(stage: Stage, stmt: Stmt, origin: readonly Position[], sites: number): Stmt {
    const number = this.parts.findIndex(({ nest }) => nest.stage === stage);
    const at = (buffer: Buffer, offset: Position): { buffer: Buffer; offset: Position } => {
      const value = valueIn(stage, buffer);
      if (value === undefined) return { buffer: this.#others.get(`${number} ${buffer.name}`) ?? buffer, offset };
      const base = (this.#steps.get(value) ?? []).reduce(
        (sum, step, k) => dimAdd(sum, dimMul(step, origin[k] as Position)),
        dimConst(0),
      );
      return { buffer: this.#ofValue.get(value) as Buffer, offset: dimSub(offset, base) };
    };
    const map = (each: Stmt): Stmt => {
      if (each.kind === 'store') return { ...each, ...at(each.buffer, each.offset) };
      if (each.kind === 'let' && each.value.kind === 'load')
        return { ...each, value: { ...each.value, ...at(each.value.buffer, each.value.offset) } };
      if (each.kind === 'lookup' || each.kind === 'check') return { ...each, site: each.site + sites };
      return 'body' in each ? { ...each, body: each.body.map(map) } : each;
    };
    return map(stmt);
  }
}
