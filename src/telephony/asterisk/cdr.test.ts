// Asterisk's call records: read as it writes them, put aside daily, deleted after their days.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { readCallRecords, rotateCallRecords } from './cdr.ts';

const dayMs = 86_400_000;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gh-cdr-'));
});
afterEach(() => rm(folder, { recursive: true }));

const answered =
  '"","+12025550199","s","gatehouse-call",""""" <+12025550199>","PJSIP/carrier-00000014","",' +
  '"Stasis","gatehouse,call,1795312405217","2026-11-22 01:53:23","2026-11-22 01:53:25",' +
  '"2026-11-22 01:53:28",4,3,"ANSWERED","DOCUMENTATION","call-1"\n';
const busy =
  '"","+12025550199","s","gatehouse-call",""""" <+12025550199>","PJSIP/carrier-00000015","",' +
  '"AppDial2","(Outgoing Line)","2026-11-22 01:53:30",,"2026-11-22 01:53:30",0,0,"BUSY",' +
  '"DOCUMENTATION","call-2"\n';

const append = (text: string) => writeFile(join(folder, 'Master.csv'), text, { flag: 'a' });
const clockAt = (day: number) => new VirtualClock(day * dayMs + 1000).life().clock;

describe('readCallRecords', () => {
  it('reads answered and unanswered calls by the id of their channel', async () => {
    await append(answered + busy);
    const at = (second: number) => Date.UTC(2026, 10, 22, 1, 53, second);
    expect(await readCallRecords(folder)).toEqual([
      { uniqueId: 'call-1', disposition: 'ANSWERED', startUtcMs: at(23), endUtcMs: at(28) },
      { uniqueId: 'call-2', disposition: 'BUSY', startUtcMs: at(30), endUtcMs: at(30) },
    ]);
  });

  it('leaves out a line that is cut off, and finds nothing where nothing is', async () => {
    expect(await readCallRecords(folder)).toEqual([]);
    await append(answered.slice(0, 60));
    expect(await readCallRecords(folder)).toEqual([]);
  });
});

describe('rotateCallRecords', () => {
  let deletions: number[] = [];
  beforeEach(() => {
    deletions = [];
  });
  const rotate = (day: number) =>
    rotateCallRecords(folder, 7, clockAt(day), (files) => deletions.push(files));

  it('loses no record while a day is put aside', async () => {
    await append(answered);
    await rotate(20_000);
    await append(busy);
    expect((await readCallRecords(folder)).map((r) => r.uniqueId)).toEqual(['call-1', 'call-2']);
  });

  it('does it once a day, and leaves a file that only its owner reads', async () => {
    await append(answered);
    await rotate(20_000);
    await append(busy);
    await rotate(20_000);
    expect(await readdir(folder)).toHaveLength(2);
    const current = join(folder, 'Master.csv');
    expect(await readFile(current, 'utf8')).toBe(busy);
    expect((await stat(current)).mode & 0o777).toBe(0o600);
  });

  it('deletes what is older than the days it is kept, and nothing else', async () => {
    await writeFile(join(folder, 'note.txt'), 'x');
    for (let day = 20_000; day < 20_010; day += 1) {
      await append(answered);
      await rotate(day);
    }
    const left = (await readdir(folder)).sort();
    expect(left.filter((name) => name.startsWith('until-'))).toHaveLength(7);
    expect(left).toContain('note.txt');
    expect(deletions).toEqual([1, 1, 1]);
    await rotate(20_020);
    expect(deletions).toEqual([1, 1, 1, 7]);
  });

  it('deletes nothing that could not be put on record before', async () => {
    await append(answered);
    await rotate(20_000);
    const refuse = () => {
      throw new Error('no commit');
    };
    await expect(rotateCallRecords(folder, 7, clockAt(20_007), refuse)).rejects.toThrow(
      'no commit',
    );
    expect(await readdir(folder)).toContain('until-2024-10-04.csv');
    await rotate(20_007);
    expect(deletions).toEqual([1]);
  });

  it('has nothing to do where no call was', async () => {
    await rotate(20_000);
    expect(deletions).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});
