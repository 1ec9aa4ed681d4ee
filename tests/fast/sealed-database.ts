// The sealed floor with its database: the table of the ledger and a row for each recording.
import { join } from 'node:path';
import { realClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import type { RecordingRow } from '../../src/telephony/working-set.ts';
import type { SealedFloor } from './sealed-floor.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;

/** Writes `<dataFolder>/gatehouse.db` as the daemon would have it; the caller closes it. */
export function addDatabase(floor: SealedFloor, dataFolder: string): Database {
  const database = openDatabase(join(dataFolder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  const insert = database.prepare('INSERT INTO ledger (seq, line) VALUES (?, ?)');
  for (const [i, line] of floor.table.held.entries()) insert.run(i + 1, line);
  const store = openStore(database, realClock);
  const changes = floor.objects.map(({ recordingId: id, plain: _, ...object }, i) => {
    const known = { id, spanMs: 61_250, crashed: false, tries: 0, notice: true, repaired: false };
    // The first object's erasure is recorded.
    const row: RecordingRow =
      i === 0
        ? { ...known, state: 'erased' }
        : { ...known, ...object, durationMs: 61_250, state: 'kept' };
    return { table: 'Recording', id, row };
  });
  store.commit({ room: 'telephony', entries: [], changes });
  return database;
}
