// Forms groups of members that one loop nest computes. Each member starts alone and joins the groups that it reads from, in the
// order of the function, as long as the loops agree and no group would have to run both before and after another.

import { shapeEquals } from '../../ir/dims.js';
import type { Node, Value } from '../../ir/graph.js';
import type { Analysis } from './analysis.js';
import { Alignment, type Domain, domainOf, joinDomains } from './domain.js';

/** Nodes for one kernel. */
export interface Group {
  readonly members: ReadonlySet<Node>;
  readonly domain: Domain;
}

/** Groups that a node can join, best first: what follows a contraction costs nothing there; rows save the most traffic after that. */
const preference: readonly Domain['form'][] = ['contraction', 'rows', 'reduction', 'map', 'single'];

class Grouping {
  readonly #groupOf = new Map<Node, Group>();
  readonly #reads = new Map<Node, ReadonlySet<Node>>();
  readonly #readBy = new Map<Node, Set<Node>>();

  constructor(readonly analysis: Analysis) {
    for (const node of analysis.func.nodes) {
      if (analysis.roleOf.get(node) !== 'member') continue;
      const reads = this.#membersBelow(node);
      this.#reads.set(node, reads);
      for (const read of reads) this.#readBy.set(read, (this.#readBy.get(read) ?? new Set()).add(node));
      this.#groupOf.set(node, { members: new Set([node]), domain: domainOf(node) });
    }
  }

  /** The members that a node reads, directly or through free and pulled nodes. */
  #membersBelow(node: Node, into: Set<Node> = new Set(), seen: Set<Node> = new Set()): ReadonlySet<Node> {
    for (const input of node.inputs) {
      const definition = this.analysis.definition.get(input);
      if (definition === undefined || seen.has(definition)) continue;
      seen.add(definition);
      if (this.analysis.roleOf.get(definition) === 'member') into.add(definition);
      else this.#membersBelow(definition, into, seen);
    }
    return into;
  }

  run(): readonly Group[] {
    for (const node of this.#reads.keys()) this.#join(node);
    return [...new Set(this.#groupOf.values())];
  }

  #join(node: Node): void {
    const tried = new Set<Group>();
    for (;;) {
      const own = this.#group(node);
      const candidates = [...(this.#reads.get(node) ?? [])].map((read) => this.#group(read));
      const next = candidates
        .filter((group) => group !== own && !tried.has(group))
        .sort((a, b) => preference.indexOf(a.domain.form) - preference.indexOf(b.domain.form))[0];
      if (next === undefined) return;
      tried.add(next);
      const joined = this.#joined(next, own);
      if (joined !== undefined) for (const member of joined.members) this.#groupOf.set(member, joined);
    }
  }

  #group(node: Node): Group {
    return this.#groupOf.get(node) as Group;
  }

  /** One group of both, or undefined when they cannot share a loop nest. */
  #joined(producer: Group, consumer: Group): Group | undefined {
    const domain = joinDomains(producer.domain, consumer.domain);
    if (domain === undefined || domain.form === 'single') return undefined;
    const members = new Set([...producer.members, ...consumer.members]);
    if (!new Alignment(this.analysis, members, domain).holds()) return undefined;
    if (domain.form === 'rows' && !domain.revisits && !this.#keepsFullValuesInside(members, domain.shape))
      return undefined;
    return this.#runsBetween(producer, consumer) ? undefined : { members, domain };
  }

  /** Whether no value of the full shape is needed outside of the group: a reduction along columns stores none. */
  #keepsFullValuesInside(members: ReadonlySet<Node>, full: Value['type']['shape']): boolean {
    return [...members].every((node) => {
      const isFull = node.kind !== 'reduce' && node.results.some((result) => shapeEquals(result.type.shape, full));
      if (!isFull) return true;
      if (node.results.some((result) => this.analysis.visible.has(result))) return false;
      return [...(this.#readBy.get(node) ?? [])].every((reader) => members.has(reader));
    });
  }

  /** Whether some third group reads from the producer and is read by the consumer, directly or not. */
  #runsBetween(producer: Group, consumer: Group): boolean {
    const seen = new Set<Group>([producer]);
    const reaches = (group: Group): boolean => {
      if (group === consumer) return true;
      if (seen.has(group)) return false;
      seen.add(group);
      return this.#groupsAfter(group).some(reaches);
    };
    return this.#groupsAfter(producer).some((group) => group !== consumer && reaches(group));
  }

  #groupsAfter(group: Group): readonly Group[] {
    const after = new Set<Group>();
    for (const member of group.members)
      for (const reader of this.#readBy.get(member) ?? []) after.add(this.#group(reader));
    after.delete(group);
    return [...after];
  }
}

/** The groups of a function's members; every member is in exactly one. */
export const formGroups = (analysis: Analysis): readonly Group[] => new Grouping(analysis).run();
