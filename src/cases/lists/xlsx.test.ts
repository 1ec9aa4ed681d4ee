// Workbooks as other programs write them, as Excel may write them, and as nobody should.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import ExcelJs from 'exceljs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kindOf, ListFault, listLimits, type RawRow } from './list-file.ts';
import { readXlsx } from './xlsx.ts';
import { openZip } from './zip.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  path = join(folder, 'list.xlsx');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function read(sheet?: string): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const row of readXlsx(path, sheet, () => {})) rows.push(row);
  return rows;
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (cause) {
    if (!(cause instanceof ListFault)) throw cause;
    return [cause.code, cause.detail ?? cause.line].filter((each) => each !== undefined).join(' ');
  }
  return 'taken';
}

describe('a workbook written by another program', () => {
  it.each([
    [true, 'shared'],
    [false, 'inline'],
  ])('with shared strings %s is read to the last character', async (useSharedStrings) => {
    const book = new ExcelJs.stream.xlsx.WorkbookWriter({ filename: path, useSharedStrings });
    const sheet = book.addWorksheet('名单');
    sheet.addRow(['案件', '姓名', '手机', '备注']).commit();
    const count = 5_000;
    for (let i = 0; i < count; i += 1)
      sheet.addRow([`C-${i}`, `张三李四${i}`, 12_025_550_100 + (i % 100)]).commit();
    await book.commit();
    const rows = await read();
    expect(rows[0]).toEqual({ line: 1, cells: ['案件', '姓名', '手机', '备注'] });
    // Characters of several bytes lie across the borders of the chunks that the zip comes in.
    for (const [i, row] of rows.slice(1).entries())
      expect(row).toEqual({
        line: i + 2,
        cells: [`C-${i}`, `张三李四${i}`, String(12_025_550_100 + (i % 100)), ''],
      });
    expect(rows.length).toBe(count + 1);
    expect(await kindOf(path)).toBe('xlsx');
  });

  it('gives each kind of value as text, and a fault where there is no plain value', async () => {
    const book = new ExcelJs.Workbook();
    const sheet = book.addWorksheet('A');
    sheet.addRow(['head', 'b', 'c', 'd', 'e', 'f', 'g']);
    sheet.addRow([
      1234.56,
      true,
      { formula: 'A1&"x"', result: 'x' },
      { error: '#N/A' },
      { richText: [{ text: 'Zhang ' }, { text: 'San', font: { bold: true } }] },
      12_345_678_901_234_567_000,
      0.1 + 0.2,
    ]);
    sheet.getCell('B5').value = 'after two blank rows';
    await book.xlsx.writeFile(path);
    const [, second, third] = await read();
    expect(second?.cells).toEqual([
      '1234.56',
      'TRUE',
      { fault: 'formula', text: 'x' },
      { fault: 'error-value', text: '#N/A' },
      'Zhang San',
      { fault: 'digits-lost', text: '12345678901234567000' },
      '0.3',
    ]);
    expect(third).toEqual({ line: 5, cells: ['', 'after two blank rows', '', '', '', '', ''] });
  });

  it('needs the name of the sheet where several are visible', async () => {
    const book = new ExcelJs.Workbook();
    book.addWorksheet('One').addRow(['1']);
    book.addWorksheet('Two').addRow(['2']);
    book.addWorksheet('Three', { state: 'hidden' }).addRow(['3']);
    await book.xlsx.writeFile(path);
    expect(await faultOf(read())).toBe('several-sheets');
    expect(await faultOf(read('Four'))).toBe('no-such-sheet');
    expect(await read('Two')).toEqual([{ line: 1, cells: ['2'] }]);
    expect(await read('Three')).toEqual([{ line: 1, cells: ['3'] }]);
  });
});

const workbook =
  '<workbook xmlns:r="r"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>';
const relations =
  '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>';
const sheetOf = (rows: string) => `<worksheet><sheetData>${rows}</sheetData></worksheet>`;

/** A zip with the parts of a workbook, and whatever lies a test wants to tell in its directory. */
function zipOf(sheet: string | Buffer, lie: { bytes?: number; flags?: number; crc?: number } = {}) {
  const parts: [string, Buffer][] = [
    ['xl/workbook.xml', Buffer.from(workbook)],
    ['xl/_rels/workbook.xml.rels', Buffer.from(relations)],
    ['xl/worksheets/sheet1.xml', Buffer.from(sheet)],
  ];
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of parts) {
    const isSheet = name.includes('sheet1');
    const packed = deflateRawSync(data);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(isSheet ? (lie.flags ?? 0) : 0, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(isSheet ? (lie.crc ?? crc32(data)) : crc32(data), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(isSheet ? (lie.bytes ?? data.length) : data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, rest, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

describe('a workbook by hand', () => {
  it('may use prefixes, leave references out, split text, and escape characters', async () => {
    const rows =
      '<x:row><x:c t="inlineStr"><x:is><x:r><x:t>Li </x:t></x:r><x:rPh><x:t>no</x:t></x:rPh>' +
      '<x:r><x:t>Si &amp; _x0041_</x:t></x:r></x:is></x:c>' +
      '<x:c t="str"><x:v>two</x:v></x:c></x:row>' +
      '<x:row r="7"><x:c r="B7"><x:v>1.20255501E10</x:v></x:c></x:row>';
    writeFileSync(path, zipOf(sheetOf(rows).replaceAll(/<(\/?)(w|sheetD)/g, '<$1x:$2')));
    expect(await read()).toEqual([
      { line: 1, cells: ['Li Si & A', 'two'] },
      { line: 7, cells: ['', '12025550100'] },
    ]);
  });

  const cell = (text: string) => `<row><c t="inlineStr"><is><t>${text}</t></is></c></row>`;

  it.each<[string, () => Buffer, string]>([
    ['a cell of 10 MB', () => zipOf(sheetOf(cell('x'.repeat(10_000_000)))), 'row-too-long'],
    [
      'a tag of 10 MB',
      () => zipOf(sheetOf(`<row a="${'x'.repeat(10_000_000)}"/>`)),
      'row-too-long',
    ],
    [
      'a column far out',
      () => zipOf(sheetOf('<row><c r="XFD1"><v>1</v></c></row>')),
      'too-many-columns 1',
    ],
    [
      'too many rows',
      () => zipOf(sheetOf(cell('x').repeat(listLimits.xlsxRows + 1))),
      'too-many-rows 200001',
    ],
    ['a bomb that says so', () => zipOf(sheetOf(''), { bytes: 2 ** 31 }), 'file-too-large'],
    ['a bomb that lies', () => zipOf(Buffer.alloc(20_000_000, ' '), { bytes: 10 }), 'row-too-long'],
    [
      'other bytes than its checksum',
      () => zipOf(sheetOf(cell('x')), { crc: 1 }),
      'broken-workbook checksum',
    ],
    ['encryption', () => zipOf(sheetOf(''), { flags: 1 }), 'encrypted-workbook'],
    [
      'entities',
      () => zipOf(`<!DOCTYPE a [<!ENTITY b "c">]>${sheetOf('')}`),
      'broken-workbook doctype',
    ],
    ['XML that ends early', () => zipOf('<worksheet><sheetData><row>'), 'broken-workbook xml'],
    [
      'bytes that are not UTF-8',
      () => zipOf(Buffer.from([0x3c, 0x61, 0xff, 0x3e])),
      'broken-workbook xml',
    ],
    [
      'a string that is not there',
      () => zipOf(sheetOf('<row><c t="s"><v>5</v></c></row>')),
      'broken-workbook string',
    ],
    ['no directory', () => Buffer.from('PK\x03\x04'), 'broken-workbook no-directory'],
  ])('%s is refused', async (_name, make, fault) => {
    writeFileSync(path, make());
    expect(await faultOf(read())).toBe(fault);
  });

  it('never gives more bytes than asked for, whatever its directory says', async () => {
    writeFileSync(path, zipOf(Buffer.alloc(20_000_000, ' '), { bytes: 10 }));
    const zip = await openZip(path, listLimits.xlsxBytes);
    let bytes = 0;
    const drain = async () => {
      for await (const chunk of zip.read('xl/worksheets/sheet1.xml', 100_000))
        bytes += chunk.length;
    };
    expect(await faultOf(drain())).toBe('file-too-large');
    expect(bytes).toBeLessThanOrEqual(100_000);
    await zip.close();
    expect(await faultOf(openZip(path, 1_000))).toBe('file-too-large');
  });

  it('cut or damaged anywhere is refused, or read as it was', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => cell(`row ${i} ${Math.sin(i)}`)).join('');
    writeFileSync(path, zipOf(sheetOf(rows)));
    const whole = JSON.stringify(await read());
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 37) {
      writeFileSync(path, bytes.subarray(0, at));
      expect(await faultOf(read())).not.toBe('taken');
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      writeFileSync(path, damaged);
      let got: string | undefined;
      if ((await faultOf(read().then((found) => (got = JSON.stringify(found))))) === 'taken')
        expect(got).toBe(whole);
    }
  });
});
