// An order of groups in which each comes after those that it reads from. It is kept while groups join, so that paths between two groups are
// looked for among the groups between them alone.

import type { Group } from './groups.js';

export class GroupOrder {
  /** Groups in order; places of groups that have joined others are empty. */
  readonly #groups: (Group | undefined)[] = [];
  readonly #place = new Map<Group, number>();

  /** Adds a group after all others. */
  add(group: Group): void {
    this.#place.set(group, this.#groups.length);
    this.#groups.push(group);
  }

  at(group: Group): number {
    return this.#place.get(group) as number;
  }

  replace(old: Group, group: Group): void {
    this.#put(this.at(old), group);
    this.#place.delete(old);
  }

  #put(place: number, group: Group): void {
    this.#groups[place] = group;
    this.#place.set(group, place);
  }

  /**
   * Puts one group in the place of two with no path between them through a third. Of the groups between the two, those that follow from the
   * earlier one move behind it, and the others before it; `after` gives the groups that read from a group.
   */
  join(a: Group, b: Group, joined: Group, after: (group: Group) => Iterable<Group>): void {
    const [first, last] = this.at(a) < this.at(b) ? [a, b] : [b, a];
    const [begin, end] = [this.at(first), this.at(last)];
    const [before, behind]: [Group[], Group[]] = [[], []];
    const reached = new Set<Group>(after(first));
    for (let place = begin + 1; place < end; place++) {
      const group = this.#groups[place];
      if (group === undefined) continue;
      if (!reached.has(group)) before.push(group);
      else {
        behind.push(group);
        for (const next of after(group)) reached.add(next);
      }
    }
    this.#place.delete(a);
    this.#place.delete(b);
    // Chains grow at their ends: what joins next lies beside the group when the places that are left empty are before it.
    const between = [...before, joined, ...behind];
    const empty = end + 1 - between.length;
    this.#groups.fill(undefined, begin, empty);
    between.forEach((group, i) => void this.#put(empty + i, group));
  }
}
