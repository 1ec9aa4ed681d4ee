// Which column of a list means what, and one row of it read into a case with people and numbers.
import type { NumberKind, PersonRole } from '../case.ts';
import { ListFault, listLimits, type RawCell, type RawRow, textOf } from './list-file.ts';
import { type NumberFault, readNumber } from './phone-number.ts';

/** Names of columns as the first row of the list has them. */
export interface PersonMapping {
  readonly role: PersonRole;
  readonly name?: string;
  /** The creditor's own number of the person: the same in all their cases. */
  readonly customer?: string;
  /** Number of an identity card or the like: the same with every creditor. Only digested. */
  readonly identity?: string;
  /** IANA time zone. */
  readonly zone?: string;
  readonly numbers: readonly { readonly column: string; readonly kind: NumberKind }[];
}

export interface ListMapping {
  /** The creditor's number of the case; it may stand once in a list. */
  readonly reference: string;
  readonly amount?: string;
  readonly product?: string;
  readonly people: readonly PersonMapping[];
  /** Name of the sheet; needed where a workbook has several. */
  readonly sheet?: string;
}

export interface StagedPerson {
  readonly role: PersonRole;
  readonly name?: string;
  readonly customer?: string;
  readonly identity?: string;
  readonly zone?: string;
  readonly numbers: readonly { readonly e164: string; readonly kind: NumberKind }[];
}

/** One row of a list as it waits for the second person. */
export interface StagedCase {
  readonly line: number;
  readonly reference: string;
  readonly product?: string;
  readonly amountMinor?: number;
  readonly people: readonly StagedPerson[];
}

export type RowFault =
  | NumberFault
  | 'formula'
  | 'error-value'
  | 'digits-lost'
  | 'too-many-cells'
  | 'too-few-cells'
  | 'cell-too-long'
  | 'control-character'
  | 'reference-missing'
  | 'bad-amount'
  | 'unknown-zone'
  | 'bad-identity'
  | 'no-number';

export type RowAnswer =
  | { readonly ok: true; readonly row: StagedCase }
  | { readonly ok: false; readonly fault: RowFault; readonly column: string };

class RowRefused extends Error {
  readonly fault: RowFault;
  readonly column: string;
  constructor(fault: RowFault, column: string) {
    super(fault);
    this.fault = fault;
    this.column = column;
  }
}

/** Reads rows by a mapping. Made from the first row; throws ListFault if that lacks a column. */
export function rowReader(
  mapping: ListMapping,
  header: RawRow,
  region: string,
  zones: ReadonlySet<string>,
): (row: RawRow) => RowAnswer {
  const columns = columnsOf(mapping, header);
  return (row) => {
    try {
      return { ok: true, row: readRow(new Cells(row, header, columns), mapping, region, zones) };
    } catch (cause) {
      if (!(cause instanceof RowRefused)) throw cause;
      return { ok: false, fault: cause.fault, column: cause.column };
    }
  };
}

function columnsOf(mapping: ListMapping, header: RawRow): Map<string, number> {
  const names = header.cells.map((cell) => textOf(cell).trim());
  if (names.length > listLimits.columns)
    throw new ListFault('too-many-columns', { line: header.line });
  const wanted = [mapping.reference, mapping.amount, mapping.product].concat(
    mapping.people.flatMap(({ name, customer, identity, zone, numbers }) => [
      name,
      customer,
      identity,
      zone,
      ...numbers.map(({ column }) => column),
    ]),
  );
  const columns = new Map<string, number>();
  for (const name of wanted) {
    if (name === undefined) continue;
    const index = names.indexOf(name);
    if (index < 0) throw new ListFault('column-missing', { line: header.line, detail: name });
    if (names.includes(name, index + 1))
      throw new ListFault('column-doubled', { line: header.line, detail: name });
    columns.set(name, index);
  }
  return columns;
}

// A cell that a spreadsheet would compute when the list is opened in one; also full-width forms.
const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** The cells of one row, asked by column name; every answer is checked. */
class Cells {
  readonly line: number;
  private readonly cells: readonly RawCell[];
  private readonly columns: ReadonlyMap<string, number>;

  constructor(row: RawRow, header: RawRow, columns: ReadonlyMap<string, number>) {
    const beyond = row.cells.slice(header.cells.length);
    if (beyond.some((cell) => textOf(cell).trim() !== ''))
      throw new RowRefused('too-many-cells', '');
    // Fewer cells may mean that one is missing in the middle: then all behind it are wrong.
    if (row.cells.length < header.cells.length) throw new RowRefused('too-few-cells', '');
    this.line = row.line;
    this.cells = row.cells;
    this.columns = columns;
  }

  /** The trimmed text of a cell; undefined when it is empty or the mapping has no such column. */
  text(column: string | undefined): string | undefined {
    if (column === undefined) return undefined;
    const cell = this.cells[this.columns.get(column) ?? -1] ?? '';
    if (typeof cell !== 'string') throw new RowRefused(cell.fault, column);
    const text = cell.trim();
    if (text.length > listLimits.cellChars) throw new RowRefused('cell-too-long', column);
    if (controlCharacter.test(text)) throw new RowRefused('control-character', column);
    return text === '' ? undefined : text;
  }

  /** Text that is stored and shown as it is: never something that a spreadsheet would compute. */
  plain(column: string | undefined): string | undefined {
    const text = this.text(column);
    if (column !== undefined && text !== undefined && formulaStart.test(text))
      throw new RowRefused('formula', column);
    return text;
  }
}

function readRow(
  cells: Cells,
  mapping: ListMapping,
  region: string,
  zones: ReadonlySet<string>,
): StagedCase {
  const reference = cells.plain(mapping.reference);
  if (reference === undefined) throw new RowRefused('reference-missing', mapping.reference);
  const product = cells.plain(mapping.product);
  const amountMinor = readAmount(cells, mapping.amount);
  const people = mapping.people
    .map((person) => readPerson(cells, person, region, zones))
    .filter((person) => person !== undefined);
  if (people.every(({ numbers }) => numbers.length === 0)) throw new RowRefused('no-number', '');
  return {
    line: cells.line,
    reference,
    ...(product === undefined ? {} : { product }),
    ...(amountMinor === undefined ? {} : { amountMinor }),
    people,
  };
}

/** Undefined where the row says nothing about this person; the debtor always stands. */
function readPerson(
  cells: Cells,
  mapping: PersonMapping,
  region: string,
  zones: ReadonlySet<string>,
): StagedPerson | undefined {
  const { role } = mapping;
  const name = cells.plain(mapping.name);
  const customer = cells.plain(mapping.customer);
  const identity = readIdentity(cells, mapping.identity);
  const zone = cells.text(mapping.zone);
  if (zone !== undefined && !zones.has(zone))
    throw new RowRefused('unknown-zone', mapping.zone ?? '');
  const numbers = new Map<string, NumberKind>();
  for (const { column, kind } of mapping.numbers) {
    const text = cells.text(column);
    if (text === undefined) continue;
    const answer = readNumber(text, region);
    // One wrong number refuses the row: were only it left out, nobody would ever learn of it.
    if (!answer.ok) throw new RowRefused(answer.fault, column);
    if (!numbers.has(answer.e164)) numbers.set(answer.e164, kind);
  }
  if (role !== 'debtor' && name === undefined && numbers.size === 0) return undefined;
  return {
    role,
    ...(name === undefined ? {} : { name }),
    ...(customer === undefined ? {} : { customer }),
    ...(identity === undefined ? {} : { identity }),
    ...(zone === undefined ? {} : { zone }),
    numbers: [...numbers].map(([e164, kind]) => ({ e164, kind })),
  };
}

const identityForm = /^[A-Z0-9]{6,32}$/;
/** What stands in a list for "unknown", as 000000, must not make one person of many. */
const identityCharsLeast = 4;

/** However it is written: without spaces, dots and dashes, in capitals. */
function readIdentity(cells: Cells, column: string | undefined): string | undefined {
  const text = cells
    .text(column)
    ?.normalize('NFKC')
    .replace(/[\s.-]/g, '')
    .toUpperCase();
  if (column === undefined || text === undefined) return undefined;
  if (!identityForm.test(text) || new Set(text).size < identityCharsLeast)
    throw new RowRefused('bad-identity', column);
  return text;
}

const amountForm = /^(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?:\.(\d{1,2}))?$/;

function readAmount(cells: Cells, column: string | undefined): number | undefined {
  const text = cells.text(column);
  if (column === undefined || text === undefined) return undefined;
  const match = amountForm.exec(text);
  if (!match) throw new RowRefused('bad-amount', column);
  const whole = Number((match[1] ?? '').replaceAll(',', ''));
  return whole * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}
