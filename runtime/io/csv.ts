// Tables as comma-separated values.

import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { type Cell, Table } from '../data/table.js';
import { type FilePath, readBytes, writeAtomically } from './files.js';

/** The texts that mean a missing value, as in pandas. */
const MISSING: readonly string[] = [
  '',
  '#N/A',
  '#N/A N/A',
  '#NA',
  '-1.#IND',
  '-1.#QNAN',
  '-NaN',
  '-nan',
  '1.#IND',
  '1.#QNAN',
  '<NA>',
  'N/A',
  'NA',
  'NULL',
  'NaN',
  'None',
  'n/a',
  'nan',
  'null',
];

export interface CsvReadOptions {
  /** What separates values; a comma unless given. */
  readonly delimiter?: string;
  /** Whether the first line names the columns (it does unless false), or the names themselves. */
  readonly header?: boolean | readonly string[];
  /** Further texts that mean a missing value. */
  readonly missing?: readonly string[];
  /** Columns that are text whatever they look like, such as numbers of houses. */
  readonly text?: readonly string[];
}

/** A number as files have them: decimal, with an exponent, or infinite. */
const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|Infinity)$/;

const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ['True', true],
  ['true', true],
  ['TRUE', true],
  ['False', false],
  ['false', false],
  ['FALSE', false],
]);

const toNumber = (text: string): number => Number(text.replace(/inf$/, 'Infinity'));

/** The values of a column: numbers where all known ones are, or truth values, else text. */
function typed(texts: readonly (string | null)[]): Cell[] {
  const known = texts.filter((text) => text !== null);
  if (known.every((text) => NUMBER.test(text))) return texts.map((text) => (text === null ? null : toNumber(text)));
  if (known.every((text) => TRUTH.has(text)))
    return texts.map((text) => (text === null ? null : (TRUTH.get(text) as boolean)));
  return [...texts];
}

/** The table in a text of comma-separated values; `name` is for messages. Spaces around a value are no part of it unless it is quoted. */
export function parseCsv(text: string, options: CsvReadOptions = {}, name = 'the text'): Table {
  const { delimiter = ',', header = true, missing = [] } = options;
  const fail = (reason: string): never => {
    throw new Error(`${name} is not a valid csv file: ${reason}`);
  };
  const absent = new Set([...MISSING, ...missing]);
  const records = parseRecords(text, delimiter, fail);
  const names = header === true ? (records.shift() ?? fail('it has no line that names the columns')) : header;
  const width = names === false ? (records[0]?.length ?? 0) : names.length;
  const columnNames = names === false ? Array.from({ length: width }, (_, i) => String(i)) : names;
  const twice = columnNames.find((column, i) => columnNames.indexOf(column) !== i);
  if (twice !== undefined) fail(`two columns are called ${JSON.stringify(twice)}`);
  const wrong = records.findIndex((record) => record.length !== width);
  if (wrong >= 0) fail(`row ${wrong} has ${records[wrong]?.length} values for ${width} columns`);
  return new Table(
    new Map(
      columnNames.map((column, i) => {
        const texts = records.map((record) => (absent.has(record[i] as string) ? null : (record[i] as string)));
        return [column, options.text?.includes(column) ? texts : typed(texts)];
      }),
    ),
  );
}

function parseRecords(text: string, delimiter: string, fail: (reason: string) => never): string[][] {
  try {
    return parse(text, {
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    return fail(error instanceof CsvError ? error.message : String(error));
  }
}

/** A table as comma-separated values; missing values are empty unless another text is given. */
export function formatCsv(
  table: Table,
  options: { readonly delimiter?: string; readonly missing?: string } = {},
): string {
  const { delimiter = ',', missing = '' } = options;
  const columns = table.names.map((name) => table.column(name));
  const text = (cell: Cell): string =>
    cell === null ? missing : typeof cell === 'boolean' ? (cell ? 'True' : 'False') : String(cell);
  const rows = Array.from({ length: table.length }, (_, row) => columns.map((cells) => text(cells[row] as Cell)));
  return stringify([table.names, ...rows], { delimiter });
}

/** Reads a table from a file, which may be gzipped. */
export async function loadCsv(file: FilePath, options: CsvReadOptions = {}): Promise<Table> {
  const bytes = await readBytes(file);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${file} is not a valid csv file: it is not UTF-8`, { cause });
  }
  return parseCsv(text, options, String(file));
}

/** Writes a table to a file, in full or not at all. */
export async function saveCsv(
  file: FilePath,
  table: Table,
  options: { readonly delimiter?: string; readonly missing?: string } = {},
): Promise<void> {
  await writeAtomically(file, formatCsv(table, options));
}
