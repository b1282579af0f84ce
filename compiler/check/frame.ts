// A function of the graph while the elaborator writes it. Frames nest: the body of a derivative is a function of its own,
// and what it reads from outside becomes a further parameter at the first use.

import { Builder } from '../ir/builder.js';
import type { HostTensor } from '../ir/evaluate/tensor.js';
import type { Node, NodeDraft, Region, TensorType, Value } from '../ir/graph.js';
import type { Cell } from './values.js';

export class Frame extends Builder {
  /** Values of the outer frame by the parameters that stand for them, in order of first use. */
  readonly captures = new Map<Value, Value>();
  /** The cells that were assigned to, with the values that they had before. */
  readonly written = new Map<Cell, Value>();
  /** What parameters hold, where the program is specialised to the data that it is given. */
  readonly #given = new Map<Value, HostTensor>();
  readonly #own = new Set<Value>();
  readonly #makers = new Map<Value, Node>();

  constructor(
    name: string,
    readonly outer?: Frame,
  ) {
    super(name);
  }

  override param(hint: string, type: TensorType): Value {
    const value = super.param(hint, type);
    this.#own.add(value);
    return value;
  }

  override add(draft: NodeDraft, hint?: string): readonly Value[] {
    return this.#adopt(super.add({ ...draft, inputs: this.locals(draft.inputs) } as NodeDraft, hint));
  }

  override region(
    region: Region,
    inputs: readonly Value[],
    types: readonly TensorType[],
    hint?: string,
  ): readonly Value[] {
    return this.#adopt(super.region(region, this.locals(inputs), types, hint));
  }

  /** Takes the results of the last node. */
  #adopt(results: readonly Value[]): readonly Value[] {
    const node = this.nodes.at(-1);
    for (const result of results) {
      this.#own.add(result);
      if (node !== undefined) this.#makers.set(result, node);
    }
    return results;
  }

  /** The node that computes a value of this function or of one around it; none for parameters. */
  maker(value: Value): Node | undefined {
    return this.#makers.get(value) ?? this.outer?.maker(value);
  }

  /** Whether a value belongs to this function, not to one around it. */
  owns(value: Value): boolean {
    return this.#own.has(value);
  }

  /** The value of this function that stands for a value of this frame or of one around it. */
  local(value: Value): Value {
    if (this.#own.has(value)) return value;
    const captured = this.captures.get(value);
    if (captured !== undefined) return captured;
    if (this.outer === undefined) throw new Error(`%${value.name} is used outside of the function that computes it`);
    const param = this.param(value.name, value.type);
    this.captures.set(value, param);
    this.hold(param, this.outer.data(value));
    return param;
  }

  /** What a parameter of this frame or of one around it holds, if that is given. */
  data(param: Value): HostTensor | undefined {
    return this.#given.get(param) ?? this.outer?.data(param);
  }

  /** States what a parameter of this frame holds, if that is known. */
  hold(param: Value, data: HostTensor | undefined): void {
    if (data !== undefined) this.#given.set(param, data);
  }

  locals(values: readonly Value[]): readonly Value[] {
    return values.map((value) => this.local(value));
  }

  /** Names a result of a node after what the program calls it, if the node was made after the first `since` ones. */
  rename(value: Value, hint: string, since: number): void {
    const isNew = this.nodes.slice(since).some((node) => node.results.includes(value));
    if (!isNew) return;
    this.names.release(value.name);
    // The function is not finished, so nothing has read the name yet.
    (value as { name: string }).name = this.names.fresh(hint);
  }

  /** Gives a cell a new value, until the frame around this one takes it over. */
  assign(cell: Cell, value: Value): void {
    if (!this.written.has(cell)) this.written.set(cell, cell.value);
    cell.value = value;
  }
}
