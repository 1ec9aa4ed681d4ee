// The reading thread: batches one at a time, the account at the end, and every way it may fail.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readList } from './read-list.ts';
import type { ListOrder } from './stage-list.ts';

let folder: string;
let order: ListOrder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  order = {
    path: join(folder, 'list'),
    rejectPath: join(folder, 'rejects.csv'),
    encoding: 'utf-8',
    mapping: {
      reference: 'case',
      people: [{ role: 'debtor', numbers: [{ column: 'mobile', kind: 'mobile' }] }],
    },
    region: 'US',
    zones: [],
  };
  const rows = Array.from({ length: 1_200 }, (_, i) => `C-${i},2025550101\n`);
  writeFileSync(order.path, `case,mobile\n${rows.join('')}`);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the reading thread', () => {
  it('waits for the answer to each batch and ends with the account', async () => {
    const sizes: number[] = [];
    let open = 0;
    const { done } = readList(order, async (rows) => {
      open += 1;
      expect(open).toBe(1);
      sizes.push(rows.length);
      await new Promise(setImmediate);
      open -= 1;
      return [{ index: 0, reason: 'duplicate' }];
    });
    expect(await done).toMatchObject({ ok: true, rows: 1_200, accepted: 1_197, rejected: 3 });
    expect(sizes).toEqual([500, 500, 200]);
  });

  it('gives a refused file as a result', async () => {
    writeFileSync(order.path, 'case,mobile\nC-1,"\n');
    const { done } = readList(order, async () => []);
    expect(await done).toEqual({ ok: false, fault: 'unbalanced-quote', line: 2 });
  });

  it('rejects when the file is gone, when staging fails, and when it is cancelled', async () => {
    const gone = readList({ ...order, path: join(folder, 'absent') }, async () => []);
    await expect(gone.done).rejects.toThrow('ENOENT');
    const full = readList(order, () => Promise.reject(new Error('full')));
    await expect(full.done).rejects.toThrow('full');
    rmSync(order.rejectPath, { force: true });
    const cancelled = readList(order, () => new Promise(() => {}));
    const failed = expect(cancelled.done).rejects.toThrow('ended early');
    await cancelled.cancel();
    await failed;
  });
});
