// How fast a list of 100,000 rows is taken in, and that memory does not grow with a list.
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { noHolidays } from '../src/calendar.ts';
import { type Cases, openCases } from '../src/cases/cases.ts';
import { defaultPolicy } from '../src/cases/contact-policy.ts';
import { readCsv } from '../src/cases/lists/csv.ts';
import type { ListMapping } from '../src/cases/lists/list-mapping.ts';
import { realClock } from '../src/clock.ts';
import { realIds } from '../src/ids.ts';
import { openStore } from '../src/store/commit.ts';
import { migrate, openDatabase } from '../src/store/database.ts';
import { openCaseStore } from '../src/store/load.ts';
import { type Measured, median, runs } from './figure.ts';

const timedRows = 100_000;
const smallRows = 10_000;
const largeRows = 1_000_000;
const timeBoundMs = 30_000;
const growthBound = 1.2;

/** The columns that writeList() writes. */
export const listMapping: ListMapping = {
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
};

/** A call that is answered during an import must be bridged within this at p99. */
const lagBoundMs = 50;
const creditorId = 'creditor-bench';
const migrations = new URL('../prisma/migrations', import.meta.url).pathname;

/** Takes in 100,000 rows against parsing alone; peak RSS at 1,000,000 rows against 10,000. */
export async function bench(): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const parseMs: number[] = [];
  const importMs: number[] = [];
  const lagMs: number[] = [];
  const smallKb: number[] = [];
  const largeKb: number[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      // A list is deleted once it was read, so each run has one of its own.
      const path = join(folder, `list-${run}.csv`);
      await writeList(path, timedRows);
      parseMs.push(await timed(() => parseOnly(path)));
      importMs.push(await timed(async () => void lagMs.push(await takeIn(path, timedRows))));
      smallKb.push(await peakOf(folder, smallRows));
      largeKb.push(await peakOf(folder, largeRows));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [
    {
      name: 'import of 100,000 rows',
      unit: 'ms',
      values: importMs,
      yardsticks: parseMs,
      atMost: timeBoundMs,
      judged: 'when-idle',
    },
    {
      name: 'event-loop lag during it, p99',
      unit: 'ms',
      values: lagMs,
      atMost: lagBoundMs,
      judged: 'when-idle',
    },
    {
      name: 'peak RSS at 1,000,000 rows, against 10,000',
      unit: 'kB',
      values: largeKb,
      yardsticks: smallKb,
      atMost: growthBound * median(smallKb),
      judged: 'at-any-load',
    },
  ];
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

/** A room on a store of its own, as the daemon opens it. */
async function openRoom(folder: string): Promise<{ cases: Cases; close(): void }> {
  mkdirSync(folder);
  const database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  const failed = (cause: unknown) => {
    throw cause;
  };
  const cases = openCases(
    {
      clock: realClock,
      ids: realIds,
      committer: openStore(database, realClock),
      report: (_, cause) => failed(cause),
      stop: failed,
    },
    {
      store: openCaseStore(database),
      policy: defaultPolicy(noHolidays, ['Asia/Shanghai']),
      lists: { folder: join(folder, 'uploads'), region: 'US', zones: [] },
      digest: (kind, text) => createHmac('sha256', 'site').update(`${kind}\n${text}`).digest('hex'),
      stopped: () => true,
      eraseRecordings: async () => {},
    },
  );
  await cases.start();
  await cases.putCreditor({ id: creditorId, name: 'Bank', callerId: '+12025550199' }, 'bench');
  return {
    cases,
    close() {
      cases.end();
      database.close();
    },
  };
}

/** Takes a list in until it is staged; the lag of the event loop meanwhile, p99 in ms. */
async function takeIn(path: string, rows: number): Promise<number> {
  const { cases, close } = await openRoom(`${path}.floor`);
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const begun = await cases.lists.begin(
    {
      file: { path },
      encoding: 'utf-8',
      campaignId: 'campaign-bench',
      creditorId,
      name: 'Bench',
      mapping: listMapping,
    },
    'person-bench',
  );
  if (!begun.done) throw new Error(begun.why);
  await cases.lists.finished(begun.listId);
  lag.disable();
  const list = cases.view().get('List', begun.listId);
  if (list?.state !== 'staged' || list.accepted !== rows) throw new Error(JSON.stringify(list));
  close();
  rmSync(`${path}.floor`, { recursive: true });
  return lag.percentile(99) / 1e6;
}

/** A list of so many people, each with two numbers reserved for fiction. */
export async function writeList(path: string, rows: number): Promise<void> {
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

/** The peak RSS, in kB, of a process of its own that takes in a list of so many rows. */
async function peakOf(folder: string, rows: number): Promise<number> {
  const path = join(folder, `${rows}.csv`);
  await writeList(path, rows);
  const own = fileURLToPath(import.meta.url);
  const output = execFileSync(process.execPath, ['--import', 'tsx', own, path, String(rows)]);
  rmSync(path, { force: true });
  return Number(output.toString());
}

const [, script, path, rows] = process.argv;
if (script === fileURLToPath(import.meta.url) && path !== undefined && rows !== undefined) {
  await takeIn(path, Number(rows));
  process.stdout.write(String(process.resourceUsage().maxRSS));
}
