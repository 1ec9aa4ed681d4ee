// The reject file stays small, whatever a list is made of.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listLimits } from './list-file.ts';
import { createRejectFile } from './reject-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  path = join(folder, 'rejects.csv');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('repeats of a long cell its beginning, and of a wide row the columns of a list', async () => {
  const rejects = await createRejectFile(path, ['case', 'name']);
  const long = 'x'.repeat(200_000);
  await rejects.add(2, 'not-a-number', 'name', Array(1_000).fill(long));
  const { bytes } = await rejects.close();
  const cellBytes = listLimits.rejectCellChars + '…'.length * 3 + '"",'.length;
  expect(bytes).toBeGreaterThan(listLimits.columns * listLimits.rejectCellChars);
  expect(bytes).toBeLessThan(listLimits.columns * cellBytes + 200);
});

it('refuses the list whose wrong rows are more than anybody corrects', async () => {
  const rejects = await createRejectFile(path, ['case']);
  const cells = Array(listLimits.columns).fill('x'.repeat(listLimits.rejectCellChars));
  const fill = async () => {
    for (let line = 2; ; line += 1) await rejects.add(line, 'no-number', '', cells);
  };
  await expect(fill()).rejects.toMatchObject({ code: 'too-many-rejects' });
  const rowBytes = listLimits.columns * (listLimits.rejectCellChars + 3);
  expect(statSync(path).size).toBeLessThan(listLimits.rejectBytes + 2 * rowBytes);
  await rejects.drop();
  expect(existsSync(path)).toBe(false);
});
