// Prints the steps of an entry: launches of kernels, loops and branches around them, and copies. The text is the same for every device; what
// it calls (tdsl_copy, tdsl_clear, tdsl_flag, tdsl_count, tdsl_set_count, tdsl_position) is what `kernels.h` defines for the device.

import { type Dim, dimValue } from '../../compiler/ir/dims.js';
import type { Origin } from '../../compiler/ir/graph.js';
import type { FaultSite } from '../kernel/lower/values.js';
import type { PlannedCarry, PlannedIf, PlannedLoop, PlannedSlice } from '../plan/control.js';
import type { Block, Copy, EntryPlan, Place, PlannedGroup, PlannedLaunch, PlannedStep } from '../plan/entry.js';
import { isDecided, printDecidedIf, printDecidedLoop, type StepPrinter } from './decided.js';
import { sizeText } from './positions.js';
import { byteText, type SizeName } from './sizes.js';

const comment = (origin: Origin): string => (origin.site === undefined ? '' : `/* ${siteText(origin)} */ `);

/** How a step's kernel is launched. */
export interface LaunchedKernel {
  readonly name: string;
  /** The run-time dimensions that it is passed, in order. */
  readonly sizes: readonly string[];
  readonly faults: readonly FaultSite[];
}

/** How the launches of a group are made at once. */
export interface LaunchedGroup {
  readonly name: string;
  /** For each input and output the number of its column in the table of what differs; undefined where it is the same for all launches. */
  readonly columns: readonly (number | undefined)[];
  /** How much each launch does. */
  readonly items: readonly number[];
}

/** A place in the program where a run may fail. */
export interface Site extends FaultSite {
  /** The number of the entry that it belongs to. */
  readonly entry: number;
  readonly status: 'TDSL_E_INDEX' | 'TDSL_E_LIMIT' | 'TDSL_E_VALUE';
}

export const siteText = ({ site }: Origin): string =>
  site === undefined ? '(generated)' : `${site.file}:${site.line}:${site.column}`;

/** A loop that a kernel runs from the first trip to the last. */
export interface ResidentLoop {
  readonly name: string;
  /** What it is passed. */
  readonly places: readonly Place[];
}

/** The loops that kernels run: of others the host launches what each trip does. */
export interface Residents {
  isResident(loop: PlannedLoop): boolean;
  /** Makes the kernel of such a loop; undefined where there cannot be one after all. */
  kernelOf(loop: PlannedLoop, plan: EntryPlan, context: RunContext): ResidentLoop | undefined;
}

/** How steps are printed that a kernel runs itself. */
export interface InsideText {
  place(place: Place): string;
  /** The line that does what a launch does; `site` is the number of its first fault site. */
  launch(planned: PlannedLaunch, site: number, buffers: readonly string[]): string;
}

/** What an entry's steps are printed with. */
export interface RunContext {
  readonly kernelOf: (step: PlannedLaunch) => LaunchedKernel;
  readonly groupOf: (group: PlannedGroup) => LaunchedGroup;
  readonly leafOffset: (leaf: number) => number | undefined;
  readonly sizeName: SizeName;
  /** The fault sites of the model, which the entry's are added to. */
  readonly sites: Site[];
  /** The number of the entry. */
  readonly entry: number;
  /** Whether conditions may be left to the device. */
  readonly decides: boolean;
  /** Whether faults of earlier calls keep this one from writing state: where a fault is known only when the device is waited for. */
  readonly guardsAll: boolean;
  readonly resident?: Residents | undefined;
  /** For what a kernel runs itself. */
  readonly inside?: InsideText;
}

/** The lines of a run function's body, and the expressions in run-time dimensions that they use. */
export class RunPrinter {
  readonly lines: string[] = [];
  readonly used: Dim[] = [];
  /** The number of places that the device keeps behind the workspace: positions of loops, and its decisions. */
  positions = 0;
  #indent = '  ';
  readonly #printer: StepPrinter = {
    line: (text) => this.#line(text),
    braces: (head, body) => this.#braces(head, body),
    block: (block) => this.#block(block),
    copy: (copy, mayCoincide) => this.#copy(copy, mayCoincide),
    slice: (slice, position) => this.#slice(slice, position),
    place: (place) => this.#place(place),
    size: (size) => this.#size(size),
    bytes: (bytes) => this.#bytes(bytes),
    comment,
    positioned: (loop, body) => this.#positioned(loop, body),
    slot: () => this.positions++,
    limitSite: (origin) => this.#limitSite(origin),
    isResident: (loop) => this.context.resident?.isResident(loop) === true,
  };

  constructor(
    readonly plan: EntryPlan,
    readonly context: RunContext,
  ) {}

  /** Prints a loop alone. */
  printLoop(loop: PlannedLoop): void {
    this.#loop(loop);
  }

  /** Prints the entry. */
  print(): void {
    const { plan } = this;
    if (this.context.guardsAll && !plan.hasFaults) this.#line('TDSL_CHECK_FAULTS(call);');
    plan.steps.forEach((step, at) => {
      if (at === plan.checkAt && plan.hasFaults) this.#line('TDSL_CHECK_FAULTS(call);');
      this.#step(step);
    });
    if (plan.hasFaults && plan.checkAt >= plan.steps.length) this.#line('TDSL_CHECK_FAULTS(call);');
    plan.copies.forEach((copy) => void this.#copy(copy));
  }

  #line(text: string): void {
    this.lines.push(`${this.#indent}${text}`);
  }

  #braces(head: string, body: () => void): void {
    this.#line(`${head}{`);
    const outer = this.#indent;
    this.#indent = `${outer}  `;
    body();
    this.#indent = outer;
    this.#line('}');
  }

  #place(place: Place): string {
    if (this.context.inside !== undefined) return this.context.inside.place(place);
    switch (place.kind) {
      case 'argument':
        return `call->args[${place.index}]`;
      case 'state':
        return `call->state + ${this.context.leafOffset(place.leaf)}`;
      case 'workspace':
        return `w${this.plan.workspace.slotOf[place.slot]}`;
      case 'pointer':
        return `p${place.number}`;
      case 'position':
        return `q${place.loop}`;
    }
  }

  #bytes(bytes: Dim): string {
    this.used.push(bytes);
    return byteText(bytes, this.context.sizeName);
  }

  #size(size: Dim): string {
    this.used.push(size);
    return sizeText(size, this.context.sizeName);
  }

  #block(block: Block): void {
    for (const step of block.steps) this.#step(step);
    for (const copy of block.copies) this.#copy(copy);
  }

  #step(step: PlannedStep): void {
    if (step.kind === 'launch') this.#launch(step);
    else if (step.kind === 'group') this.#group(step);
    else if (step.kind === 'loop' && this.#resident(step)) return;
    else if (this.context.decides && isDecided(step, this.#printer.isResident)) {
      if (step.kind === 'if') printDecidedIf(this.#printer, step);
      else printDecidedLoop(this.#printer, step);
    } else if (step.kind === 'if') this.#if(step);
    else if (step.kind === 'checkpoint') this.#block(step.block);
    else this.#loop(step);
  }

  #launch(planned: PlannedLaunch): void {
    const kernel = this.context.kernelOf(planned);
    const sizes = kernel.sizes.map((symbol) => {
      const value = planned.step.symbols.get(symbol);
      if (value === undefined) throw new Error(`the size ${symbol} of the kernel ${kernel.name} is not known`);
      return this.#size(value);
    });
    const buffers = [...planned.inputs, ...planned.outputs, ...planned.scratch].map((place) => this.#place(place));
    const { sites } = this.context;
    const site = sites.length;
    const siteOf = (fault: FaultSite): Site =>
      fault.message === undefined
        ? { ...fault, entry: this.context.entry, status: 'TDSL_E_INDEX' }
        : { ...fault, entry: this.context.entry, operation: fault.message, status: 'TDSL_E_VALUE' };
    sites.push(...kernel.faults.map(siteOf));
    if (this.context.inside !== undefined) {
      this.#line(this.context.inside.launch(planned, site, buffers));
      return;
    }
    const { origin } = planned.step;
    this.#braces('', () => {
      if (origin.site !== undefined) this.#line(`/* ${siteText(origin)} */`);
      this.#line(`void *const buffers[] = {${buffers.join(', ')}};`);
      if (sizes.length > 0) this.#line(`const int64_t sizes[] = {${sizes.join(', ')}};`);
      this.#line(`const kernel_args args = {call, buffers, ${sizes.length > 0 ? 'sizes' : 'NULL'}, ${site}};`);
      this.#line(`${kernel.name}(&args);`);
    });
  }

  /** Prints the launch of the kernel that runs a loop; false where there is none. */
  #resident(loop: PlannedLoop): boolean {
    const { resident: residents } = this.context;
    const resident = residents?.isResident(loop) ? residents.kernelOf(loop, this.plan, this.context) : undefined;
    if (resident === undefined) return false;
    this.#braces(comment(loop.origin), () => {
      this.#line(`void *const buffers[] = {${resident.places.map((place) => this.#place(place)).join(', ')}};`);
      this.#line('const kernel_args args = {call, buffers, NULL, 0};');
      this.#line(`${resident.name}(&args);`);
    });
    return true;
  }

  #group(group: PlannedGroup): void {
    const { name, columns, items } = this.context.groupOf(group);
    const places = group.launches.map(({ inputs, outputs }) =>
      [...inputs, ...outputs].map((place) => this.#place(place)),
    );
    const same = (places[0] ?? []).filter((_, k) => columns[k] === undefined);
    const width = Math.max(...columns.map((column) => (column ?? -1) + 1));
    const rows = places.map((own) =>
      Array.from({ length: width }, (_, column) => own[columns.indexOf(column)]).join(', '),
    );
    const [first] = group.launches;
    this.#braces('', () => {
      if (first?.step.origin.site !== undefined) this.#line(`/* ${siteText(first.step.origin)}, and others */`);
      this.#line(`void *const same[] = {${same.join(', ') || 'NULL'}};`);
      this.#line(
        `void *const columns[] = {\n    ${rows.map((row) => `${this.#indent}${row},`).join('\n    ')}\n${this.#indent}};`,
      );
      this.#line(`static const int64_t items[] = {${items.join(', ')}};`);
      this.#line(`const group_args args = {call, same, columns, items, ${items.length}};`);
      this.#line(`${name}(&args);`);
    });
  }

  /** Copies bytes unless source and target are one; tensors without elements may be null pointers. */
  #copy({ from, to, bytes }: Copy, mayCoincide = false): void {
    if (dimValue(bytes) === 0) return;
    const [source, target, size] = [this.#place(from), this.#place(to), this.#bytes(bytes)];
    const tests = [
      ...(dimValue(bytes) === undefined ? [`${size} > 0`] : []),
      ...(mayCoincide ? [`(void *)${source} != (void *)(${target})`] : []),
    ];
    const guard = tests.length > 0 ? `if (${tests.join(' && ')}) ` : '';
    this.#line(`${guard}tdsl_copy(call, ${target}, ${source}, ${size});`);
  }

  #if({ condition, whenTrue, whenFalse, origin }: PlannedIf): void {
    this.#braces(`${comment(origin)}if (tdsl_flag(call, ${this.#place(condition)})) `, () => this.#block(whenTrue));
    this.#braces('else ', () => this.#block(whenFalse));
  }

  #loop(loop: PlannedLoop): void {
    const { number, origin, carries, xs, ys, condition, body } = loop;
    const length = loop.length === undefined ? undefined : this.#size(loop.length);
    const [made, trips, position] = [`m${number}`, `n${number}`, `i${number}`];
    this.#braces(comment(origin), () => {
      this.#line(`int64_t ${made} = 0;`);
      if (condition === undefined) this.#trips(loop, trips, length);
      for (const carry of carries) this.#startCarry(carry);
      this.#braces(`for (;; ${made}++) `, () => {
        if (condition === undefined) this.#line(`if (${made} >= ${trips}) break;`);
        const at = loop.reverse ? `${trips} - 1 - ${made}` : made;
        this.#line(`int64_t ${position} = ${at};`);
        this.#positioned(number, () => {
          if (condition !== undefined) {
            this.#block(condition);
            const [holds] = condition.results;
            this.#line(`if (!tdsl_flag(call, ${this.#place(holds as Place)}) || tdsl_faulted(call)) break;`);
            if (length !== undefined) this.#limit(origin, `${made} >= ${length}`, made, length, ' break;');
          }
          for (const slice of [...xs, ...ys]) this.#slice(slice, position);
          for (const { pointer, next } of carries) {
            if (next.kind !== 'swap') continue;
            const turn = condition === undefined ? `${trips} - 1 - ${made}` : made;
            this.#line(`unsigned char *const p${next.pointer} = b${pointer}[(${turn}) & 1];`);
          }
          this.#block(body);
          for (const { pointer, next } of carries) {
            if (next.kind !== 'in place') this.#line(`p${pointer} = p${next.pointer};`);
          }
          this.#line(`(void)${position};`);
        });
      });
      for (const { pointer, final, bytes, next } of carries) {
        if (next.kind !== 'in place')
          this.#copy({ from: { kind: 'pointer', number: pointer }, to: final, bytes }, true);
        else this.#line(`(void)p${pointer};`);
      }
      if (loop.trips !== undefined || condition !== undefined) for (const y of ys) this.#clearRest(y, made, length);
      if (loop.made !== undefined) this.#line(`tdsl_set_count(call, ${this.#place(loop.made)}, ${made});`);
    });
  }

  /** Tells kernels the position of a trip, where what `body` prints asks for it. */
  #positioned(loop: number, body: () => void): void {
    const start = this.lines.length;
    body();
    if (!this.lines.slice(start).some((line) => new RegExp(`\\bq${loop}\\b`).test(line))) return;
    const place = `void *const q${loop} = tdsl_position(call, ${this.positions++}, &i${loop});`;
    this.lines.splice(start, 0, `${this.#indent}${place}`);
  }

  /** Declares the number of trips of a loop without a condition. */
  #trips({ trips, origin, number }: PlannedLoop, name: string, length: string | undefined): void {
    if (trips === undefined) {
      this.#line(`const int64_t ${name} = ${length};`);
      return;
    }
    const asked = `asked${number}`;
    this.#line(`const int64_t ${asked} = tdsl_count(call, ${this.#place(trips)});`);
    if (length === undefined) {
      this.#line(`const int64_t ${name} = tdsl_max(0, ${asked});`);
      return;
    }
    this.#limit(origin, `${asked} > ${length}`, asked, length, '');
    this.#line(`const int64_t ${name} = tdsl_min(${length}, tdsl_max(0, ${asked}));`);
  }

  /** Reports that a loop would need more trips than its bound. */
  #limit(origin: Origin, test: string, value: string, bound: string, then: string): void {
    const site = this.#limitSite(origin);
    this.#braces(`if (${test}) `, () => this.#line(`tdsl_fail(call, ${site}, 0, ${value}, ${bound});${then}`));
  }

  #limitSite(origin: Origin): number {
    const { sites, entry } = this.context;
    return sites.push({ origin, operation: origin.text ?? 'loop', entry, status: 'TDSL_E_LIMIT' }) - 1;
  }

  #startCarry({ pointer, initial, final, bytes, next }: PlannedCarry): void {
    if (next.kind === 'in place') {
      this.#copy({ from: initial, to: final, bytes });
      this.#line(`unsigned char *const p${pointer} = (unsigned char *)(${this.#place(final)});`);
      return;
    }
    this.#line(`unsigned char *p${pointer} = (unsigned char *)(${this.#place(initial)});`);
    if (next.kind === 'swap') {
      const buffers = [final, next.other].map((place) => `(unsigned char *)(${this.#place(place)})`);
      this.#line(`unsigned char *const b${pointer}[] = {${buffers.join(', ')}};`);
    }
  }

  #slice({ pointer, stack, bytes }: PlannedSlice, position: string): void {
    const start = `(unsigned char *)(${this.#place(stack)})`;
    this.#line(`unsigned char *const p${pointer} = ${start} + ${position} * (${this.#bytes(bytes)});`);
    this.#line(`(void)p${pointer};`);
  }

  /** Makes the slices of trips that were not made 0. */
  #clearRest({ stack, bytes }: PlannedSlice, made: string, length: string | undefined): void {
    if (length === undefined || dimValue(bytes) === 0) return;
    const size = this.#bytes(bytes);
    const start = `(unsigned char *)(${this.#place(stack)})`;
    this.#line(
      `if (${made} < ${length} && ${size} > 0) tdsl_clear(call, ${start} + ${made} * (${size}), (${length} - ${made}) * (${size}));`,
    );
  }
}
