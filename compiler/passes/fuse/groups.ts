// Forms groups of members that one loop nest computes. Each member starts alone; groups join along the values that one computes and
// the other reads, the largest values first, as long as the loops agree and no group would have to run both before and after another.
// Then groups of equal loops that read the same large value join, so that it is loaded once.

import { dimEvaluate, dimSymbols, shapeEquals } from '../../ir/dims.js';
import { dtypeBytes } from '../../ir/dtype.js';
import type { Node, Value } from '../../ir/graph.js';
import type { Analysis } from './analysis.js';
import { operationCost } from './cost.js';
import { Alignment, type Domain, domainOf, joinDomains } from './domain.js';
import { GroupOrder } from './order.js';

/** Nodes for one kernel. */
export interface Group {
  readonly members: ReadonlySet<Node>;
  readonly domain: Domain;
}

/** A value that one member computes and another reads, with what keeping it out of memory is worth. */
interface Edge {
  readonly producer: Node;
  readonly consumer: Node;
  readonly elements: number;
  /** Among edges of equal size: lower ones first. */
  readonly order: number;
}

/**
 * A kernel of more nodes, members and those that they pull, saves little traffic for its length, and recursive lowering could not follow one of
 * thousands, which unrolled loops make: they become kernels one after another. Those of layers and optimizers have tens.
 */
const maxKernelNodes = 256;

/** Run-time dimensions count as this when sizes are compared. */
const nominalSize = 64;

function elementsOf(value: Value): number {
  const symbols = new Set<string>();
  for (const size of value.type.shape) dimSymbols(size, symbols);
  const sizes = new Map([...symbols].map((name) => [name, nominalSize]));
  return value.type.shape.reduce((product, size) => product * Math.max(1, dimEvaluate(size, sizes)), 1);
}

class Grouping {
  readonly #groupOf = new Map<Node, Group>();
  readonly #reads = new Map<Node, ReadonlySet<Node>>();
  readonly #readBy = new Map<Node, Set<Node>>();
  readonly #pulledBy = new Map<Node, ReadonlySet<Node>>();
  /** Pairs of groups that cannot join; a group that grows is another one. */
  readonly #refused = new Map<Group, Set<Group>>();
  readonly #loadsOf = new Map<Node, ReadonlySet<Value>>();
  readonly #order = new GroupOrder();

  constructor(readonly analysis: Analysis) {
    for (const node of analysis.func.nodes) {
      if (analysis.roleOf.get(node) !== 'member') continue;
      const { members, pulled } = this.#below(node);
      this.#reads.set(node, members);
      this.#pulledBy.set(node, pulled);
      for (const read of members) this.#readBy.set(read, (this.#readBy.get(read) ?? new Set()).add(node));
      const group = { members: new Set([node]), domain: domainOf(node) };
      this.#groupOf.set(node, group);
      this.#order.add(group);
    }
  }

  /** The members that a node reads, directly or through free and pulled nodes, and the latter. */
  #below(node: Node): { readonly members: ReadonlySet<Node>; readonly pulled: ReadonlySet<Node> } {
    const members = new Set<Node>();
    const pulled = new Set<Node>();
    const seen = new Set<Node>();
    const open = [...node.inputs].reverse();
    for (let input = open.pop(); input !== undefined; input = open.pop()) {
      const definition = this.analysis.definition.get(input);
      if (definition === undefined || seen.has(definition)) continue;
      seen.add(definition);
      const role = this.analysis.roleOf.get(definition);
      if (role === 'pulled') pulled.add(definition);
      if (role === 'member') members.add(definition);
      else open.push(...definition.inputs.toReversed());
    }
    return { members, pulled };
  }

  run(): readonly Group[] {
    this.#joinAlongEdges();
    this.#joinAllSiblings();
    this.#sink();
    this.#joinAllSiblings();
    return [...new Set(this.#groupOf.values())];
  }

  /** Joins along the most valuable edge that allows it; the edges of a group that has grown are tried again. */
  #joinAlongEdges(): void {
    const edges = this.#edges();
    const touching = new Map<Node, number[]>();
    edges.forEach(({ producer, consumer }, at) => {
      for (const node of [producer, consumer]) touching.set(node, [...(touching.get(node) ?? []), at]);
    });
    const isOpen = edges.map(() => true);
    for (let at = 0; at < edges.length; at++) {
      if (!isOpen[at]) continue;
      isOpen[at] = false;
      const { producer, consumer } = edges[at] as Edge;
      if (!this.#join(producer, consumer)) continue;
      for (const member of this.#group(consumer).members) {
        for (const again of touching.get(member) ?? []) {
          isOpen[again] = true;
          at = Math.min(at, again - 1);
        }
      }
    }
  }

  #edges(): readonly Edge[] {
    const edges: Edge[] = [];
    for (const [consumer, reads] of this.#reads) {
      for (const producer of reads) {
        const elements = Math.max(...producer.results.map(elementsOf));
        edges.push({ producer, consumer, elements, order: this.#rank(producer, consumer) });
      }
    }
    return edges.sort((a, b) => b.elements - a.elements || a.order - b.order);
  }

  /**
   * What only a reduction reads need not be stored if it joins the reduction. Next, what follows a contraction costs nothing there;
   * after that, rows save the most traffic.
   */
  #rank(producer: Node, consumer: Node): number {
    if (consumer.kind === 'reduce' && this.#readBy.get(producer)?.size === 1) return 0;
    if (producer.kind === 'contract') return 1;
    return producer.kind === 'reduce' || consumer.kind === 'reduce' ? 2 : 3;
  }

  #join(producer: Node, consumer: Node): boolean {
    const [first, second] = [this.#group(producer), this.#group(consumer)];
    const refused = this.#refused.get(first);
    if (first === second || refused?.has(second)) return false;
    if (this.#unite(first, second)) return true;
    if (refused === undefined) this.#refused.set(first, new Set([second]));
    else refused.add(second);
    return false;
  }

  /** Makes two groups one where they can share a loop nest. */
  #unite(first: Group, second: Group): boolean {
    const joined = this.#joined(first, second);
    if (joined === undefined) return false;
    this.#order.join(first, second, joined, (group) => this.#groupsAfter(group));
    this.#assign(joined);
    return true;
  }

  #assign(group: Group): void {
    for (const member of group.members) this.#groupOf.set(member, group);
  }

  /** Puts a group of other members in the place of one; what runs before and after it stays so. */
  #replace(old: Group, group: Group): void {
    this.#order.replace(old, group);
    this.#assign(group);
  }

  /** Pairs of members that read the same value, which is as large as their loops. */
  *#siblings(): Generator<readonly [Node, Node]> {
    for (const readers of this.analysis.readers.values()) {
      const members = readers.filter((reader) => this.#groupOf.has(reader));
      for (let i = 1; i < members.length; i++) yield [members[i - 1] as Node, members[i] as Node];
    }
  }

  #joinAllSiblings(): void {
    for (const [first, second] of this.#siblings()) this.#joinSiblings(first, second);
  }

  #joinSiblings(a: Node, b: Node): void {
    const [first, second] = [this.#group(a), this.#group(b)];
    if (first === second || first.domain.form !== second.domain.form) return;
    if (first.domain.form !== 'map' && first.domain.form !== 'rows') return;
    const shared = a.inputs.filter((input) => b.inputs.includes(input));
    const { shape } = first.domain;
    if (!shared.some((value) => shapeEquals(value.type.shape, shape))) return;
    if (this.#runsBetween(second, first)) return;
    this.#unite(first, second);
  }

  /** Moves members into a later group that alone reads them, where that makes less to store and load. */
  #sink(): void {
    for (const from of new Set(this.#groupOf.values())) {
      if (from.domain.form === 'single') continue;
      for (const into of this.#groupsAfter(from)) this.#sinkInto(from, into);
    }
  }

  #sinkInto(from: Group, into: Group): void {
    if (into.domain.form === 'single' || this.#group([...from.members][0] as Node) !== from) return;
    const { cheapOperations } = this.analysis.context;
    const moved: Node[] = [];
    let best = { traffic: this.#traffic(from, into, moved), moved: [] as readonly Node[] };
    for (const node of [...from.members].sort((a, b) => this.#at(b) - this.#at(a))) {
      const readers = [...(this.#readBy.get(node) ?? [])];
      const isOnlyFor = readers.length > 0 && readers.every((r) => into.members.has(r) || moved.includes(r));
      if (!isOnlyFor || this.#isVisible(node)) continue;
      if (node.kind !== 'elementwise' || operationCost(node) > cheapOperations) continue;
      moved.push(node);
      const traffic = this.#traffic(from, into, moved);
      if (traffic < best.traffic) best = { traffic, moved: [...moved] };
    }
    if (best.moved.length === 0 || best.moved.length === from.members.size) return;
    const members = new Set([...into.members, ...best.moved]);
    if (this.#isTooLong(members)) return;
    if (!new Alignment(this.analysis, members, into.domain).holds()) return;
    const left = new Set([...from.members].filter((member) => !best.moved.includes(member)));
    this.#replace(from, { ...from, members: left });
    this.#replace(into, { ...into, members });
  }

  /** Bytes that `from` stores for `into`, and that `into` loads, when some members have moved over. */
  #traffic(from: Group, into: Group, moved: readonly Node[]): number {
    const loads = new Set<Value>();
    for (const nodes of [into.members, moved])
      for (const node of nodes) for (const value of this.#loads(node)) loads.add(value);
    let bytes = 0;
    for (const value of loads) {
      const maker = this.analysis.definition.get(value);
      if (maker !== undefined && (into.members.has(maker) || moved.includes(maker))) continue;
      const size = elementsOf(value) * dtypeBytes(value.type.dtype);
      bytes += size;
      if (maker === undefined || !from.members.has(maker) || this.#isVisible(maker)) continue;
      const isStoredAnyway = [...(this.#readBy.get(maker) ?? [])].some((reader) => {
        return !from.members.has(reader) && !into.members.has(reader);
      });
      if (!isStoredAnyway) bytes += size;
    }
    return bytes;
  }

  /** The values that evaluating a node starts from: results of members, and parameters. */
  #loads(node: Node): ReadonlySet<Value> {
    const known = this.#loadsOf.get(node);
    if (known !== undefined) return known;
    const loads = new Set<Value>();
    this.#loadsOf.set(node, loads);
    const seen = new Set<Value>();
    const open = [...node.inputs];
    for (let input = open.pop(); input !== undefined; input = open.pop()) {
      if (seen.has(input)) continue;
      seen.add(input);
      const maker = this.analysis.definition.get(input);
      if (maker === undefined || this.#groupOf.has(maker)) loads.add(input);
      else open.push(...maker.inputs);
    }
    return loads;
  }

  #at = (node: Node): number => this.analysis.position.get(node) as number;

  #isVisible = (node: Node): boolean => node.results.some((result) => this.analysis.visible.has(result));

  #group(node: Node): Group {
    return this.#groupOf.get(node) as Group;
  }

  /** One group of both, or undefined when they cannot share a loop nest. */
  #joined(producer: Group, consumer: Group): Group | undefined {
    const domain = joinDomains(producer.domain, consumer.domain);
    if (domain === undefined || domain.form === 'single') return undefined;
    if (producer.members.size + consumer.members.size > maxKernelNodes) return undefined;
    const members = new Set([...producer.members, ...consumer.members]);
    if (this.#isTooLong(members)) return undefined;
    if (this.#runsBetween(producer, consumer)) return undefined;
    if (!new Alignment(this.analysis, members, domain).holds()) return undefined;
    const isAllowed = domain.form !== 'rows' || domain.revisits || this.#keepsFullValuesInside(members, domain.shape);
    return isAllowed ? { members, domain } : undefined;
  }

  #isTooLong(members: ReadonlySet<Node>): boolean {
    if (members.size > maxKernelNodes) return true;
    const pulled = new Set<Node>();
    for (const member of members) for (const node of this.#pulledBy.get(member) ?? []) pulled.add(node);
    return members.size + pulled.size > maxKernelNodes;
  }

  /** Whether no value of the full shape is needed outside of the group: a reduction along columns stores none. */
  #keepsFullValuesInside(members: ReadonlySet<Node>, full: Value['type']['shape']): boolean {
    return [...members].every((node) => {
      const isFull = node.kind !== 'reduce' && node.results.some((result) => shapeEquals(result.type.shape, full));
      if (!isFull) return true;
      if (this.#isVisible(node)) return false;
      return [...(this.#readBy.get(node) ?? [])].every((reader) => members.has(reader));
    });
  }

  /** Whether some third group reads from the producer and is read by the consumer, directly or not. */
  #runsBetween(producer: Group, consumer: Group): boolean {
    const end = this.#order.at(consumer);
    const seen = new Set<Group>([producer]);
    const open = [...this.#groupsAfter(producer)];
    for (let group = open.pop(); group !== undefined; group = open.pop()) {
      if (seen.has(group) || this.#order.at(group) >= end) continue;
      seen.add(group);
      const after = this.#groupsAfter(group);
      if (after.has(consumer)) return true;
      open.push(...after);
    }
    return false;
  }

  #groupsAfter(group: Group): ReadonlySet<Group> {
    const after = new Set<Group>();
    for (const member of group.members)
      for (const reader of this.#readBy.get(member) ?? []) after.add(this.#group(reader));
    after.delete(group);
    return after;
  }
}

/** The groups of a function's members; every member is in exactly one. */
export const formGroups = (analysis: Analysis): readonly Group[] => new Grouping(analysis).run();
