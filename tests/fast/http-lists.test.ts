// Lists over HTTP: streamed to a file, bounded, digested, gone when cut, confirmed by another.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { type Http, openHttp } from '../../src/http/http.ts';
import { receiveUpload, uploadLimitBytes, uploadsAtOnce } from '../../src/http/upload.ts';
import { seededIds } from '../../src/ids.ts';
import { openTestFloor, type TestFloor } from './http-floor.ts';

const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const mapping = {
  reference: '案件号',
  people: [{ role: 'debtor', name: '姓名', numbers: [{ column: '手机', kind: 'mobile' }] }],
};
const named = { campaignId: 'c', creditorId: 'c', name: '批次' };
const pathWith = (text: string) => `/api/lists?${new URLSearchParams({ ...named, mapping: text })}`;
const path = pathWith(JSON.stringify(mapping));

let floor: TestFloor;
let http: Http;
let data: { personId: string; token: string };
beforeAll(async () => {
  floor = await openTestFloor();
  http = await openHttp({ host: '127.0.0.1', port: 0 }, floor.parts);
  data = await floor.person('data');
});
afterAll(async () => {
  await http.close();
  await floor.close();
});

async function send(url: string, body: NonNullable<RequestInit['body']>, type: string) {
  const headers = { authorization: `Bearer ${data.token}`, 'content-type': type };
  const duplex = { duplex: 'half' as const };
  const response = await fetch(`${http.address}${url}`, {
    method: 'POST',
    headers,
    body,
    ...duplex,
  });
  return { status: response.status, json: JSON.parse(await response.text()) };
}

const files = () => readdirSync(floor.uploadFolder);

/** Goes on as soon as the event loop has nothing else, until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = realClock.uptimeMs() + 5_000;
  while (!isSo()) {
    if (realClock.uptimeMs() > endMs) throw new Error('not within 5 s');
    await new Promise<void>((resolve) => realClock.soon(resolve));
  }
}

describe('a list', () => {
  it.each([
    ['text/csv', 'csv', 'utf-8'],
    ['text/csv; charset=GB18030', 'csv', 'gb18030'],
    [xlsx, 'xlsx', 'utf-8'],
  ])('as %s is written to a private file of our own name', async (type, form, encoding) => {
    const bytes = Buffer.alloc(3_000_000, 'line,of,text\n');
    const sent = await send(path, bytes, type);
    expect(sent).toEqual({ status: 200, json: { listId: 'list-1' } });
    const list = floor.lists.at(-1);
    expect(list).toMatchObject({ encoding, mapping, name: '批次', campaignId: 'c' });
    const file = list?.file;
    expect(file).toMatchObject({ form, sizeBytes: bytes.length });
    expect(file?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(readFileSync(file?.path ?? '').equals(bytes)).toBe(true);
    expect(statSync(file?.path ?? '').mode & 0o777).toBe(0o600);
    expect(floor.orders.at(-1)).toMatchObject({ order: 'begin', by: data.personId });
  });

  it.each([
    ['no mapping', '/api/lists?campaignId=c&creditorId=c&name=n', 'text/csv', 400],
    ['a mapping that is no JSON', pathWith('{'), 'text/csv', 400],
    ['a mapping of a list', pathWith('[]'), 'text/csv', 400],
    ['a mapping to nobody', pathWith('{"reference":"a","people":[]}'), 'text/csv', 400],
    [
      'a mapping with __proto__',
      pathWith('{"reference":"a","people":[{"role":"debtor","numbers":[]}],"__proto__":{}}'),
      'text/csv',
      400,
    ],
    ['an unknown charset', path, 'text/csv; charset=utf-7', 415],
    ['JSON', path, 'application/json', 415],
    ['an old workbook', path, 'application/vnd.ms-excel', 415],
  ])('is refused with %s, and leaves no file', async (_, url, type, status) => {
    const before = files();
    expect((await send(url, 'a,b\n', type)).status).toBe(status);
    expect(files()).toEqual(before);
  });

  it('is refused by its stated length before a byte of it is read', async () => {
    const { port } = new URL(http.address);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${data.token}\r\n` +
          `Content-Type: text/csv\r\nContent-Length: ${uploadLimitBytes + 1}\r\n\r\nabc`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"too-large"');
  });

  it('that is cut off leaves no file', async () => {
    const before = files();
    const { port } = new URL(http.address);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${data.token}\r\n` +
        'Content-Type: text/csv\r\nContent-Length: 100000\r\n\r\nabc',
    );
    await until(() => files().length > before.length);
    socket.destroy();
    await until(() => files().length === before.length);
  });

  it('waits while others are being sent, and is taken once they are done', async () => {
    const gates: (() => void)[] = [];
    const slow = () =>
      Readable.toWeb(
        Readable.from(
          (async function* () {
            yield 'a,b\n';
            await new Promise<void>((resolve) => gates.push(resolve));
            yield '1,2\n';
          })(),
        ),
      ) as NonNullable<RequestInit['body']>;
    const before = files().length;
    const sent = Array.from({ length: uploadsAtOnce }, () => send(path, slow(), 'text/csv'));
    await until(() => files().length === before + uploadsAtOnce);
    const refused = await send(path, 'a,b\n', 'text/csv');
    expect(refused).toMatchObject({ status: 503, json: { code: 'too-busy' } });
    await until(() => gates.length === uploadsAtOnce);
    for (const open of gates) open();
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await send(path, 'a,b\n', 'text/csv')).status).toBe(200);
  });

  it('is confirmed by a person, not by a program that speaks for them', async () => {
    const confirm = '/api/lists/list-1/confirm';
    const confirmed = await send(confirm, '{}', 'application/json');
    expect(confirmed).toMatchObject({ status: 403, json: { code: 'same-person' } });
    expect(floor.orders.at(-1)).toEqual({ order: 'confirm', given: 'list-1', by: data.personId });
    const order = JSON.stringify({ label: 'crm', roles: ['data'], days: 1 });
    const made = await send('/api/tokens', order, 'application/json');
    const headers = { authorization: `Bearer ${made.json.token}` };
    const byToken = await fetch(`${http.address}${confirm}`, { method: 'POST', headers });
    expect(byToken.status).toBe(403);
    expect(JSON.parse(await byToken.text()).code).toBe('session-needed');
  });

  it('shows how far it is, and gives its wrong rows back as a file to be saved', async () => {
    const rejectPath = join(floor.uploadFolder, 'rejects.csv');
    writeFileSync(rejectPath, 'line,reason\n2,bad-number\n');
    const row = {
      id: 'list-1',
      campaignId: 'c',
      batchId: 'batch-1',
      state: 'staging',
      rejectPath,
      accepted: 4,
      rejected: 1,
      duplicates: 0,
      byPersonId: data.personId,
      atUtcMs: 1,
    };
    const changes = [
      { table: 'List', id: row.id, row },
      { table: 'List', id: 'list-2', row: { ...row, id: 'list-2', rejectPath: '/nowhere' } },
    ];
    floor.store.commit({ room: 'cases', entries: [], changes });
    const headers = { authorization: `Bearer ${data.token}` };
    const get = (url: string) => fetch(`${http.address}${url}`, { headers });
    const shown = JSON.parse(await (await get('/api/lists/list-1')).text());
    expect(shown).toMatchObject({ accepted: 4, progress: { line: 5, bytes: 60, rows: 4 } });
    expect(shown.rejectPath).toBeUndefined();
    const asked = await get('/api/lists/list-1/rejects');
    expect(asked.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(asked.headers.get('content-disposition')).toBe(
      'attachment; filename="rejects-list-1.csv"',
    );
    expect(await asked.text()).toBe('line,reason\n2,bad-number\n');
    expect(floor.entries('rejects-taken')).toMatchObject([{ who: data.personId, about: 'list-1' }]);
    expect((await get('/api/lists/list-2/rejects')).status).toBe(404);
    expect((await get('/api/lists/list-9/rejects')).status).toBe(404);
    expect(floor.entries('rejects-taken')).toHaveLength(1);
  });
});

describe('receiveUpload', () => {
  it('stops at its limit and leaves no file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const place = { folder, limitBytes: 1_000, ids: seededIds(1) };
    const chunks = (count: number) =>
      Readable.from(Array.from({ length: count }, () => Buffer.alloc(100)));
    // At once, so that some are refused while their file is still being opened.
    const all = Array.from({ length: 200 }, () => receiveUpload(chunks(11), 'csv', place));
    for (const outcome of await Promise.allSettled(all)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { body: { code: 'too-large' } },
      });
    }
    expect(readdirSync(folder)).toEqual([]);
    expect(await receiveUpload(chunks(10), 'csv', place)).toMatchObject({ sizeBytes: 1_000 });
    rmSync(folder, { recursive: true });
  });
});
