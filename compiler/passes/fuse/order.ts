// An order of groups in which each comes after those that it reads from. It is kept while groups join, so that paths between two groups are
// looked for among the groups between them alone.

import type { Group } from './groups.js';

export class GroupOrder {
  readonly #groups: Group[] = [];
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
      const group = this.#groups[place] as Group;
      if (!reached.has(group)) before.push(group);
      else {
        behind.push(group);
        for (const next of after(group)) reached.add(next);
      }
    }
    this.#place.delete(a);
    this.#place.delete(b);
    const between = [...before, joined, ...behind];
    between.forEach((group, i) => void this.#put(begin + i, group));
    this.#groups.splice(begin + between.length, 1);
    for (let place = begin + between.length; place < this.#groups.length; place++)
      this.#place.set(this.#groups[place] as Group, place);
  }
}
