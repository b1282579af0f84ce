// Keeps what was measured: a file for each kind of machine in results/, from which the tables of README.md and the pictures are made.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageVersion } from '../cli/package.js';
import type { Clock } from './contestants/protocol.js';
import { markdown, picture, type Row } from './report.js';
import type { Outcome } from './run.js';

/** Rows that were measured together, and with what. */
interface Session {
  readonly date: string;
  /** Versions of the programs, and the clock where it is not the one on the wall. */
  readonly programs: string;
  readonly rows: readonly Row[];
}

/** All that is known of a kind of machine. */
interface Record {
  readonly machine: string;
  readonly sessions: readonly Session[];
}

interface Machine {
  readonly file: string;
  readonly text: string;
}

/** This machine: its processor, its cores, the widest vectors, and the most that a core was seen to compute. */
function thisMachine(outcomes: readonly Outcome[]): Machine {
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  const vectors = flags.includes('avx512f') ? 'AVX-512' : flags.includes('avx2') ? 'AVX2' : 'SSE';
  const peaks = outcomes.filter(({ threads }) => threads === 1).map(({ machine }) => machine.flops / 1e9);
  const peak = peaks.length === 0 ? '' : `, ${Math.max(...peaks).toFixed(0)} GFLOP/s a core`;
  const kind = `${cpu}, ${os.cpus().length} cores, ${vectors}`;
  return { file: `${kind.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`, text: `${kind}${peak}` };
}

function sessionOf(outcomes: readonly Outcome[], rows: readonly Row[], clock: Clock): Session {
  const versions = new Set(
    outcomes.flatMap(({ peers }) =>
      peers.filter(({ times }) => times).map(({ name, version }) => `${name} ${version}`),
    ),
  );
  const programs = [`Node ${process.versions.node}`, `tdsl ${packageVersion}`, ...versions];
  return {
    date: new Date().toISOString().slice(0, 10),
    programs: `${programs.join(', ')}${clock === 'cpu' ? '; processor time, because the machine did other work' : ''}`,
    rows,
  };
}

const keyOf = ({ workload, threads }: Row): string => `${workload} ${threads}`;

/** What was measured again replaces what was known of it. */
function withSession(sessions: readonly Session[], added: Session): readonly Session[] {
  const again = new Set(added.rows.map(keyOf));
  const kept = sessions.map((session) => ({ ...session, rows: session.rows.filter((row) => !again.has(keyOf(row))) }));
  return [...kept, added].filter(({ rows }) => rows.length > 0);
}

const section = ({ machine, sessions }: Record, image: string): string =>
  [
    `### ${machine}`,
    ...sessions.map(({ date, programs, rows }) => `${date}; ${programs}\n\n${markdown(rows)}`),
    `![ratios](results/${image})`,
  ].join('\n\n');

/** Replaces what stands between two comments of a Markdown file. */
function replaceBetween(file: string, name: string, text: string): void {
  const old = readFileSync(file, 'utf8');
  const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end of ${name} -->)`);
  if (!pattern.test(old)) throw new Error(`${file} has no place for ${name}`);
  writeFileSync(
    file,
    old.replace(pattern, (_all, open: string, close: string) => `${open}\n${text}\n\n${close}`),
  );
}

/** Adds rows to what is recorded of this kind of machine, and makes the page and the pictures of all machines anew. */
export function record(outcomes: readonly Outcome[], rows: readonly Row[], clock: Clock, bench: string): void {
  const folder = path.join(bench, 'results');
  mkdirSync(folder, { recursive: true });
  const read = (file: string): Record => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Record;
  const files = (): readonly string[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  const { file, text } = thisMachine(outcomes);
  const known = files().includes(file) ? read(file) : undefined;
  // A run of costs alone does not know the machine's peak.
  const machine = outcomes.length === 0 && known !== undefined ? known.machine : text;
  const made: Record = {
    machine,
    sessions: withSession(known?.sessions ?? [], sessionOf(outcomes, rows, clock)),
  };
  writeFileSync(path.join(folder, file), `${JSON.stringify(made, null, 1)}\n`);
  const sections = files().map((name) => {
    const all = read(name);
    const image = name.replace('.json', '.svg');
    writeFileSync(path.join(folder, image), picture(all.sessions.flatMap((session) => session.rows)));
    return section(all, image);
  });
  replaceBetween(path.join(bench, 'README.md'), 'results', sections.join('\n\n'));
}
