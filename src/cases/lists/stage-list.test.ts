// Lists from file to staging: what is taken, what is rejected, and what hostile files get.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Encoding } from './csv.ts';
import { listLimits } from './list-file.ts';
import type { ListMapping, StagedCase } from './list-mapping.ts';
import { type Duplicates, type ListOrder, type ListProgress, stageList } from './stage-list.ts';

const mapping: ListMapping = {
  reference: 'case',
  amount: 'amount',
  people: [
    {
      role: 'debtor',
      name: 'name',
      numbers: [
        { column: 'mobile', kind: 'mobile' },
        { column: 'work', kind: 'work' },
      ],
    },
  ],
};
const header = 'case,name,amount,mobile,work';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const rejectPath = () => join(folder, 'rejects.csv');

async function stage(
  content: string | Buffer,
  options: { encoding?: Encoding; duplicates?: (row: StagedCase) => boolean } = {},
) {
  const path = join(folder, 'list');
  writeFileSync(path, content);
  const rows: StagedCase[] = [];
  const batches: { size: number; progress: ListProgress }[] = [];
  const order: ListOrder = {
    path,
    rejectPath: rejectPath(),
    encoding: options.encoding ?? 'utf-8',
    mapping,
    region: 'US',
    zones: [],
  };
  const result = await stageList(order, async (batch, progress) => {
    batches.push({ size: batch.length, progress });
    rows.push(...batch);
    const doubled: Duplicates[number][] = [];
    for (const [index, row] of batch.entries())
      if (options.duplicates?.(row)) doubled.push({ index, reason: 'duplicate' });
    return doubled;
  });
  const rejects = existsSync(rejectPath()) ? readFileSync(rejectPath(), 'utf8') : '';
  return { result, rows, batches, rejects };
}

/** Line, reason and column of each rejected row. */
const reasons = (rejects: string) =>
  rejects
    .slice(1)
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.split(',').slice(0, 3).join(' ').replaceAll('"', ''));

describe('a good list', () => {
  const content = `${header}\nC-1,Zhang San,"1,234.5",202-555-0101,\nC-2,李四,,,+44 20 7946 0123\n`;
  const want = [
    {
      line: 2,
      reference: 'C-1',
      amountMinor: 123_450,
      people: [
        { role: 'debtor', name: 'Zhang San', numbers: [{ e164: '+12025550101', kind: 'mobile' }] },
      ],
    },
    {
      line: 3,
      reference: 'C-2',
      people: [
        { role: 'debtor', name: '李四', numbers: [{ e164: '+442079460123', kind: 'work' }] },
      ],
    },
  ];

  it.each<[string, Buffer, Encoding]>([
    ['UTF-8', Buffer.from(content), 'utf-8'],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${content}`), 'utf-8'],
    ['CR LF', Buffer.from(content.replaceAll('\n', '\r\n')), 'utf-8'],
    ['CR', Buffer.from(content.replaceAll('\n', '\r')), 'utf-8'],
    ['no newline at the end', Buffer.from(content.trimEnd()), 'utf-8'],
    ['GB18030', gb18030(content), 'gb18030'],
  ])('in %s is staged row by row', async (_name, bytes, encoding) => {
    const { result, rows, rejects } = await stage(bytes, { encoding });
    expect(rows).toEqual(want);
    expect(result).toEqual({
      ok: true,
      rows: 2,
      accepted: 2,
      rejected: 0,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      rejectSha256: createHash('sha256').update(rejects).digest('hex'),
    });
    expect(rejects).toBe(
      '\ufeff"line","reason","column","case","name","amount","mobile","work"\r\n',
    );
  });

  it('comes in batches of at most 500, with progress, each answered before the next', async () => {
    const lines = Array.from({ length: 1_234 }, (_, i) => `C-${i},A,,202-555-0101,`);
    const { result, batches } = await stage(`${header}\n${lines.join('\n')}\n`);
    expect(batches.map(({ size }) => size)).toEqual([500, 500, 234]);
    expect(batches[1]?.progress).toMatchObject({ line: 1_001, rows: 1_000, accepted: 500 });
    expect(result).toMatchObject({ ok: true, rows: 1_234, accepted: 1_234 });
  });

  it('keeps its line numbers over blank rows and line breaks inside cells', async () => {
    const { rows } = await stage(
      `\n${header}\n\n , ,,\n"C-1","A",,2025550101,\r\n"C-2\r\n\nx",A,,1,\nC-3,A,,2025550101,\n`,
    );
    expect(rows.map(({ line, reference }) => [line, reference])).toEqual([
      [5, 'C-1'],
      [9, 'C-3'],
    ]);
  });
});

describe('wrong rows', () => {
  it('go to the reject file with line, reason and column; the others are staged', async () => {
    const { result, rows, rejects } = await stage(
      [
        header,
        'C-1,A,,202-555-0101,',
        ',A,,202-555-0101,',
        'C-3,A,,nobody,',
        'C-4,A,,,',
        'C-5,A,12.345,202-555-0101,',
        'C-6,A,,202-555-0101',
        'C-7,A,,202-555-0101,,extra',
        'C-8,A,,202-555-0101,,',
        `C-9,${'n'.repeat(listLimits.cellChars + 1)},,202-555-0101,`,
        'C-10,"a\nb",,202-555-0101,',
        'C-11,A,,202-555-0101,900-555-0123',
        '',
      ].join('\n'),
    );
    expect(rows.map(({ reference }) => reference)).toEqual(['C-1', 'C-8']);
    expect(result).toMatchObject({ ok: true, rows: 11, accepted: 2, rejected: 9 });
    expect(reasons(rejects.replace('a\nb', ''))).toEqual([
      '3 reference-missing case',
      '4 not-a-number mobile',
      '5 no-number ',
      '6 bad-amount amount',
      '7 too-few-cells ',
      '8 too-many-cells ',
      '10 cell-too-long name',
      '11 control-character name',
      '13 premium-rate work',
    ]);
  });

  it('are also those that stand in the list or the store already', async () => {
    const { result, rejects } = await stage(
      `${header}\nC-1,A,,202-555-0101,\nC-2,B,,202-555-0102,\n`,
      { duplicates: ({ reference }) => reference === 'C-2' },
    );
    expect(result).toMatchObject({ ok: true, accepted: 1, rejected: 1 });
    expect(reasons(rejects)).toEqual(['3 duplicate ']);
  });

  it('with formulas are rejected, and the reject file computes nothing when opened', async () => {
    const hostile = ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '=HYPERLINK("x")', '＝1+1', '\t=1'];
    const lines = hostile.map((text, i) => `C-${i},"${text.replaceAll('"', '""')}",,202-555-0101,`);
    const { result, rejects } = await stage(`${header}\n${lines.join('\n')}\n`);
    expect(result).toMatchObject({ ok: true, accepted: 0, rejected: hostile.length });
    for (const [i, text] of hostile.entries()) {
      expect(rejects).toContain(`"formula","name","C-${i}","'${text.replaceAll('"', '""')}"`);
    }
  });

  it('lose nothing: each row is staged or stands in the reject file, once', async () => {
    const lines = Array.from(
      { length: 9_000 },
      (_, i) => `C-${i},A,,${i % 3 ? '2025550101' : 'x'},`,
    );
    const { rows, rejects } = await stage(`${header}\r\n${lines.join('\r\n')}\r\n`, {
      duplicates: ({ line }) => line % 7 === 0,
    });
    const rejected = new Set(reasons(rejects).map((line) => Number(line.split(' ')[0])));
    const kept = rows.filter(({ line }) => line % 7 !== 0).map(({ line }) => line);
    expect(kept.length + rejected.size).toBe(9_000);
    expect(kept.some((line) => rejected.has(line))).toBe(false);
  });
});

describe('a hostile file is refused with its line and leaves nothing behind', () => {
  const row = 'C-1,A,,202-555-0101,\n';
  const bad = Buffer.from([0xff, 0xfe, 0x41]);
  it.each<[string, Buffer, Encoding, string, number | undefined]>([
    ['nothing', Buffer.alloc(0), 'utf-8', 'empty', undefined],
    ['only blank rows', Buffer.from('\n\n,,\n'), 'utf-8', 'empty', undefined],
    ['GB18030 as UTF-8', gb18030(`${header}\n${row}C-2,张三,,1,\n`), 'utf-8', 'wrong-encoding', 3],
    [
      'UTF-8 as GB18030',
      Buffer.from(`${header}\n${row}C-2,张三,,1,\n`),
      'gb18030',
      'wrong-encoding',
      undefined,
    ],
    ['UTF-16', Buffer.from(`\ufeff${header}\n`, 'utf16le'), 'utf-8', 'wrong-encoding', 1],
    [
      'bytes of no encoding',
      Buffer.concat([Buffer.from(`${header}\n${row}`), bad]),
      'gb18030',
      'wrong-encoding',
      3,
    ],
    ['NUL', Buffer.from(`${header}\n${row}${row}C-3,\0,,1,\n`), 'utf-8', 'nul-byte', 4],
    [
      'an open quote',
      Buffer.from(`${header}\n${row}"C-2,A,,1,\n${row}`),
      'utf-8',
      'unbalanced-quote',
      3,
    ],
    [
      'a quote in a cell',
      Buffer.from(`${header}\n${row}C-2,A"B,,1,\n`),
      'utf-8',
      'unbalanced-quote',
      3,
    ],
    [
      'text after a quote',
      Buffer.from(`${header}\n${row}"C-2"x,A,,1,\n`),
      'utf-8',
      'unbalanced-quote',
      3,
    ],
    [
      'a cell of 10 MB',
      Buffer.from(`${header}\n${row}C-2,${'x'.repeat(10_000_000)},,1,\n`),
      'utf-8',
      'row-too-long',
      3,
    ],
    [
      'a quoted cell of 10 MB',
      Buffer.from(`${header}\n${row}C-2,"${'x\n'.repeat(5_000_000)}",,1,\n`),
      'utf-8',
      'row-too-long',
      3,
    ],
    [
      'a header of 1 MB',
      Buffer.from(`${'x'.repeat(1_000_000)},${header}\n`),
      'utf-8',
      'row-too-long',
      1,
    ],
    [
      'too many columns',
      Buffer.from(`${header}${',x'.repeat(300)}\n`),
      'utf-8',
      'too-many-columns',
      1,
    ],
    ['a missing column', Buffer.from('case,name,amount,mobile\n'), 'utf-8', 'column-missing', 1],
    ['a doubled column', Buffer.from(`${header},name\n`), 'utf-8', 'column-doubled', 1],
    [
      'an old workbook',
      Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 1, 2, 3, 4]),
      'utf-8',
      'old-excel',
      undefined,
    ],
    ['half a zip', Buffer.from('PK\x03\x04 and no more'), 'utf-8', 'broken-workbook', undefined],
  ])('%s', async (_name, bytes, encoding, fault, line) => {
    const { result } = await stage(bytes, { encoding });
    expect(result).toMatchObject({ ok: false, fault });
    expect(result.ok ? undefined : result.line).toBe(line);
    expect(readdirSync(folder)).toEqual(['list']);
  });

  it('never repeats a cell in its answer', async () => {
    const { result } = await stage('secret-name,202-555-0101\n');
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(JSON.stringify(result)).not.toContain('555');
  });
});

it('an error of staging or of the disk is thrown, and leaves no reject file', async () => {
  const path = join(folder, 'list');
  writeFileSync(path, `${header}\nC-1,A,,202-555-0101,\n`);
  const order: ListOrder = {
    path,
    rejectPath: rejectPath(),
    encoding: 'utf-8',
    mapping,
    region: 'US',
    zones: [],
  };
  await expect(stageList(order, () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  expect(existsSync(rejectPath())).toBe(false);
  const absent = { ...order, path: join(folder, 'absent') };
  await expect(stageList(absent, async () => [])).rejects.toThrow('ENOENT');
});

/** There is no encoder for GB18030 at hand: these are the bytes of the few characters used here. */
function gb18030(text: string): Buffer {
  const bytes: Record<string, number[]> = {
    李: [0xc0, 0xee],
    四: [0xcb, 0xc4],
    张: [0xd5, 0xc5],
    三: [0xc8, 0xfd],
  };
  return Buffer.concat([...text].map((char) => Buffer.from(bytes[char] ?? [char.charCodeAt(0)])));
}
