// Lists over HTTP: streamed to a file, bounded, digested, gone when cut, confirmed by another.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
const query = new URLSearchParams({
  creditorId: 'creditor-1',
  name: '三月批次',
  mapping: JSON.stringify({ 手机: 'number', 姓名: 'name' }),
});
const path = `/api/imports?${query}`;

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

const files = () => readdirSync(floor.importFolder);

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
    ['text/csv; charset=gb18030', 'csv'],
    [xlsx, 'xlsx'],
  ])('as %s is written to a private file of our own name, byte for byte', async (type, form) => {
    const bytes = Buffer.alloc(3_000_000, 'line,of,text\n');
    const sent = await send(path, bytes, type);
    expect(sent).toEqual({ status: 200, json: { importId: 'import-1' } });
    const file = floor.uploads.at(-1);
    expect(file).toMatchObject({ form, sizeBytes: bytes.length });
    expect(file?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(readFileSync(file?.path ?? '').equals(bytes)).toBe(true);
    expect(statSync(file?.path ?? '').mode & 0o777).toBe(0o600);
    expect(floor.orders.at(-1)).toMatchObject({
      order: 'begin',
      by: data.personId,
      given: { name: '三月批次', mapping: { 手机: 'number', 姓名: 'name' } },
    });
  });

  it.each([
    ['no mapping', '/api/imports?creditorId=c&name=n', 'text/csv', 400],
    ['a mapping that is no JSON', `/api/imports?creditorId=c&name=n&mapping={`, 'text/csv', 400],
    ['a mapping to a list', `/api/imports?creditorId=c&name=n&mapping=[]`, 'text/csv', 400],
    [
      'a mapping to __proto__',
      `/api/imports?creditorId=c&name=n&mapping=${encodeURIComponent('{"__proto__":"number"}')}`,
      'text/csv',
      400,
    ],
    [
      'a mapping to no code',
      `/api/imports?creditorId=c&name=n&mapping=${encodeURIComponent('{"a":"b c"}')}`,
      'text/csv',
      400,
    ],
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

  it('is confirmed by the person, not by the program that speaks for them', async () => {
    const confirmed = await send('/api/imports/import-1/confirm', '{}', 'application/json');
    expect(confirmed).toMatchObject({ status: 403, json: { code: 'second-person-needed' } });
    expect(floor.orders.at(-1)?.given).toEqual({ given: 'import-1', personId: data.personId });
  });

  it('gives its wrong rows back as a file to be saved', async () => {
    const headers = { authorization: `Bearer ${data.token}` };
    const asked = await fetch(`${http.address}/api/imports/import-1/rejects`, { headers });
    expect(asked.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(asked.headers.get('content-disposition')).toBe(
      'attachment; filename="rejects-import-1.csv"',
    );
    expect(await asked.text()).toBe('line,reason\n2,bad number\n');
    const none = await fetch(`${http.address}/api/imports/import-9/rejects`, { headers });
    expect(none.status).toBe(404);
  });
});

describe('receiveUpload', () => {
  it('stops at its limit and leaves no file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const place = { folder, limitBytes: 1_000, ids: seededIds(1) };
    const chunks = (count: number) =>
      Readable.from(Array.from({ length: count }, () => Buffer.alloc(100)));
    await expect(receiveUpload(chunks(11), 'csv', place)).rejects.toMatchObject({
      body: { code: 'too-large' },
    });
    expect(readdirSync(folder)).toEqual([]);
    expect(await receiveUpload(chunks(10), 'csv', place)).toMatchObject({ sizeBytes: 1_000 });
    rmSync(folder, { recursive: true });
  });
});
