// How fast a list of 100,000 rows is read and staged, and that memory does not grow with a list.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCsv } from '../src/cases/lists/csv.ts';
import { readList } from '../src/cases/lists/read-list.ts';

export interface Figure {
  name: string;
  value: number;
  unit: string;
  bound: number;
  /** The same work without the product, measured in the same run; absent where there is none. */
  yardstick?: number;
  ok: boolean;
}

const timedRows = 100_000;
const smallRows = 10_000;
const largeRows = 1_000_000;
const timeBoundMs = 30_000;
const growthBound = 1.2;

/** Reads and stages 100,000 rows against parsing alone; RSS at 1,000,000 rows against 10,000. */
export async function bench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  try {
    const path = join(folder, 'list.csv');
    await writeList(path, timedRows);
    const parseMs = await timed(() => parseOnly(path));
    const importMs = await timed(() => importList(path, timedRows));
    const small = await peakOf(folder, smallRows);
    const large = await peakOf(folder, largeRows);
    return [
      {
        name: 'import of 100,000 rows',
        value: importMs,
        unit: 'ms',
        bound: timeBoundMs,
        yardstick: parseMs,
        ok: importMs <= timeBoundMs,
      },
      {
        name: 'peak RSS at 1,000,000 rows / at 10,000',
        value: large / small,
        unit: 'times',
        bound: growthBound,
        yardstick: small,
        ok: large / small <= growthBound,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round(performance.now() - started);
}

async function parseOnly(path: string): Promise<void> {
  let rows = 0;
  for await (const { cells } of readCsv(path, 'utf-8', () => {})) rows += cells.length > 0 ? 1 : 0;
  if (rows !== timedRows + 1) throw new Error(`parsed ${rows} rows`);
}

async function importList(path: string, rows: number): Promise<void> {
  const rejectPath = `${path}.rejects`;
  const { done } = readList(
    {
      path,
      rejectPath,
      encoding: 'utf-8',
      mapping: {
        reference: 'case',
        amount: 'amount',
        product: 'product',
        people: [
          {
            role: 'debtor',
            name: 'name',
            customer: 'customer',
            numbers: [
              { column: 'mobile', kind: 'mobile' },
              { column: 'home', kind: 'home' },
            ],
          },
        ],
      },
      region: 'US',
      zones: [],
    },
    async () => [],
  );
  const result = await done;
  rmSync(rejectPath);
  if (!result.ok || result.accepted !== rows) throw new Error(JSON.stringify(result));
}

async function writeList(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path);
  file.write('case,customer,name,product,amount,mobile,home\n');
  for (let i = 0; i < rows; i += 1) {
    const last = 100 + (i % 100);
    const line = `C-${i},K-${i},张三${i},card,${i}.50,+12025550${last},+44 20 7946 0${last}\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

/** The peak RSS, in kB, of a process of its own that imports a list of so many rows. */
async function peakOf(folder: string, rows: number): Promise<number> {
  const path = join(folder, `${rows}.csv`);
  await writeList(path, rows);
  const own = fileURLToPath(import.meta.url);
  const output = execFileSync(process.execPath, ['--import', 'tsx', own, path, String(rows)]);
  rmSync(path);
  return Number(output.toString());
}

const [, script, path, rows] = process.argv;
if (script === fileURLToPath(import.meta.url) && path !== undefined && rows !== undefined) {
  await importList(path, Number(rows));
  process.stdout.write(String(process.resourceUsage().maxRSS));
}
