// Reads rows out of one sheet of an .xlsx workbook, without holding more than its strings.
import { isBlank, ListFault, listLimits, type RawCell, type RawRow } from './list-file.ts';
import { type Attributes, parseXml, type XmlListener } from './xml.ts';
import { openZip, type Zip } from './zip.ts';

/**
 * Yields the rows of the sheet called `sheet`, or of the only visible one, blank rows left out.
 * ECMA-376 part 1, section 18. Values are taken as stored; a formula is a fault of its cell, never
 * computed. Throws ListFault. Beyond 200,000 rows or 64 MiB a list has to come as CSV.
 */
export async function* readXlsx(
  path: string,
  sheet: string | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<RawRow> {
  const zip = await openZip(path, listLimits.xlsxBytes);
  try {
    const part = await findSheet(zip, sheet);
    const rows = new SheetRows(await readStrings(zip));
    for await (const _ of parseXml(zip.read(part, listLimits.xlsxPartBytes), rows)) {
      onBytes(zip.bytesRead());
      yield* rows.take();
    }
  } finally {
    await zip.close();
  }
}

const smallPartBytes = 4 * 1024 * 1024;

/** The attributes of each element of one name in a small part. */
async function attributesOf(zip: Zip, part: string, element: string): Promise<Attributes[]> {
  const found: Attributes[] = [];
  const listener: XmlListener = {
    opened: (name, attributes) => name === element && found.push(attributes),
    closed: () => {},
    text: () => {},
  };
  for await (const _ of parseXml(zip.read(part, smallPartBytes), listener));
  return found;
}

async function findSheet(zip: Zip, wanted: string | undefined): Promise<string> {
  const sheets = await attributesOf(zip, 'xl/workbook.xml', 'sheet');
  const fitting = sheets.filter(({ name, state = 'visible' }) =>
    wanted === undefined ? state === 'visible' : name === wanted,
  );
  const [sheet] = fitting;
  if (!sheet) throw new ListFault('no-such-sheet');
  if (fitting.length > 1) throw new ListFault('several-sheets');
  const idName = Object.keys(sheet).find((name) => name.endsWith(':id')) ?? '';
  const relations = await attributesOf(zip, 'xl/_rels/workbook.xml.rels', 'Relationship');
  const target = relations.find(({ Id }) => Id === sheet[idName])?.Target ?? '';
  const part = target.startsWith('/') ? target.slice(1) : `xl/${target}`;
  if (!zip.has(part)) throw new ListFault('broken-workbook', { detail: 'sheet-missing' });
  return part;
}

/** The workbook's shared strings, by their number. */
async function readStrings(zip: Zip): Promise<string[]> {
  const part = 'xl/sharedStrings.xml';
  const strings: string[] = [];
  if (!zip.has(part)) return strings;
  const runs = new TextRuns();
  const listener: XmlListener = {
    opened: (name) => runs.opened(name),
    closed(name) {
      runs.closed(name);
      if (name === 'si') strings.push(runs.take());
    },
    text: (text) => runs.text(text),
  };
  for await (const _ of parseXml(zip.read(part, listLimits.xlsxStringBytes), listener));
  return strings;
}

/** Joins the `t` elements that rich text is split into; phonetic runs (`rPh`) are not its text. */
class TextRuns {
  private collected = '';
  private inText = false;
  private inPhonetic = false;

  opened(name: string): void {
    if (name === 'rPh') this.inPhonetic = true;
    this.inText = name === 't' && !this.inPhonetic;
  }

  closed(name: string): void {
    if (name === 'rPh') this.inPhonetic = false;
    this.inText = false;
  }

  text(text: string): void {
    if (this.inText) this.collected += text;
  }

  /** ECMA-376 part 1, 22.9.2.19: `_x000D_` stands for a character that XML can't hold. */
  take(): string {
    const text = this.collected;
    this.collected = '';
    return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

interface Cell {
  column: number;
  type: string;
  formula: boolean;
  value: string;
}

/** Collects the rows of a sheet as its XML goes by. */
class SheetRows implements XmlListener {
  private readonly strings: readonly string[];
  private readonly runs = new TextRuns();
  private rows: RawRow[] = [];
  private line = 0;
  private rowChars = 0;
  private count = 0;
  private width = 0;
  private cells: RawCell[] | undefined;
  private cell: Cell | undefined;
  private inValue = false;

  constructor(strings: readonly string[]) {
    this.strings = strings;
  }

  take(): RawRow[] {
    const rows = this.rows;
    this.rows = [];
    return rows;
  }

  opened(name: string, attributes: Attributes): void {
    if (name === 'row') {
      this.line = Number(attributes.r ?? this.line + 1);
      this.cells = [];
      this.rowChars = 0;
    } else if (name === 'c' && this.cells) {
      const column = columnOf(attributes.r) ?? this.cells.length;
      if (column >= listLimits.columns)
        throw new ListFault('too-many-columns', { line: this.line });
      this.cell = { column, type: attributes.t ?? 'n', formula: false, value: '' };
    } else if (name === 'f' && this.cell) this.cell.formula = true;
    this.inValue = name === 'v';
    this.runs.opened(name);
  }

  text(text: string): void {
    this.rowChars += text.length;
    if (this.rowChars > listLimits.rowBytes)
      throw new ListFault('row-too-long', { line: this.line });
    if (this.inValue && this.cell) this.cell.value += text;
    this.runs.text(text);
  }

  closed(name: string): void {
    this.inValue = false;
    this.runs.closed(name);
    if (name === 'c') this.endCell();
    else if (name === 'row') this.endRow();
  }

  private endCell(): void {
    const inline = this.runs.take();
    if (!this.cell || !this.cells) return;
    while (this.cells.length < this.cell.column) this.cells.push('');
    this.cells[this.cell.column] = cellOf(this.cell, inline, this.strings, this.line);
    this.cell = undefined;
  }

  private endRow(): void {
    const cells = this.cells;
    this.cells = undefined;
    if (!cells || isBlank(cells)) return;
    this.count += 1;
    if (this.count > listLimits.xlsxRows) throw new ListFault('too-many-rows', { line: this.line });
    // A sheet leaves empty cells out, also at the end of a row: the first row says how many exist.
    if (this.count === 1) this.width = cells.length;
    while (cells.length < this.width) cells.push('');
    this.rows.push({ line: this.line, cells });
  }
}

/** `C7` → 2; undefined where a cell does not say its place, which is then the next one. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? '')?.[1];
  if (letters === undefined) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

/** Spreadsheets compute with 15 decimal digits; longer numbers have lost the others already. */
const exactDigits = 15;

function cellOf(cell: Cell, inline: string, strings: readonly string[], line: number): RawCell {
  const { type, formula, value } = cell;
  if (formula) return { fault: 'formula', text: value };
  if (type === 'inlineStr') return inline;
  if (type === 'str' || type === 'd') return value;
  if (type === 'e') return { fault: 'error-value', text: value };
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type === 's') {
    const text = strings[Number(value)];
    if (text === undefined) throw new ListFault('broken-workbook', { line, detail: 'string' });
    return text;
  }
  if (value === '') return '';
  const number = Number(value);
  if (!Number.isFinite(number)) return { fault: 'error-value', text: value };
  if (Math.abs(number) >= 10 ** exactDigits) return { fault: 'digits-lost', text: value };
  return String(Number(number.toPrecision(exactDigits)));
}
