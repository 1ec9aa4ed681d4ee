// The sound of a recording over HTTP: ranged, with a reason, and recorded before the first byte.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FloorError } from '../../src/errors.ts';
import { type Http, openHttp } from '../../src/http/http.ts';
import { rowReader } from '../../src/store/commit.ts';
import { audio, audioSha256, openTestFloor, putRecording, type TestFloor } from './http-floor.ts';

let floor: TestFloor;
let http: Http;
let qa: { personId: string; token: string };
let played = 0;
beforeAll(async () => {
  floor = await openTestFloor();
  http = await openHttp({ host: '127.0.0.1', port: 0 }, floor.parts);
  qa = await floor.person('qa');
  putRecording(floor.store, 'call-1', 'person-x');
});
beforeEach(() => {
  played = floor.entries('recording-played').length;
});
afterAll(async () => {
  await http.close();
  await floor.close();
});

const path = '/api/recordings/call-1/audio';

async function get(url: string, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${qa.token}`;
  const response = await fetch(`${http.address}${url}`, { headers: { authorization, ...headers } });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes };
}

const newEntries = () => floor.entries('recording-played').slice(played);

describe('the sound of a recording', () => {
  it.each([
    [undefined, 200, 0, 9_999],
    ['bytes=0-99', 206, 0, 99],
    ['bytes=9000-', 206, 9_000, 9_999],
    ['bytes=-1', 206, 9_999, 9_999],
    ['bytes=5-20000', 206, 5, 9_999],
    ['bytes=0-1,3-4', 200, 0, 9_999],
  ])('range %s', async (range, status, first, last) => {
    const answer = await get(`${path}?reason=sample`, range === undefined ? {} : { range });
    expect(answer.status).toBe(status);
    expect(answer.bytes.equals(audio.subarray(first, last + 1))).toBe(true);
    expect(answer.headers.get('content-type')).toBe('audio/flac');
    expect(answer.headers.get('content-length')).toBe(String(last - first + 1));
    expect(answer.headers.get('accept-ranges')).toBe('bytes');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-range')).toBe(
      status === 206 ? `bytes ${first}-${last}/10000` : null,
    );
    expect(newEntries()).toMatchObject([
      { who: qa.personId, about: 'call-1', facts: { firstByte: first, lastByte: last } },
    ]);
  });

  it('sends the whole when the part would be of another version', async () => {
    const range = 'bytes=0-9';
    const same = await get(`${path}?reason=sample`, { range, 'if-range': `"${audioSha256}"` });
    expect(same.status).toBe(206);
    const other = await get(`${path}?reason=sample`, { range, 'if-range': '"else"' });
    expect(other.status).toBe(200);
  });

  it('answers 416 to a range beyond its end, and nothing is recorded as played', async () => {
    const answer = await get(`${path}?reason=sample`, { range: 'bytes=10000-' });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */10000');
    expect(JSON.parse(answer.bytes.toString()).code).toBe('range-impossible');
    expect(newEntries()).toEqual([]);
  });

  it.each([
    ['none', path, {}],
    ['empty', `${path}?reason=`, {}],
    ['spaces', `${path}?reason=%20%20`, {}],
    ['a line break', `${path}?reason=a%0ab`, {}],
    ['too long', `${path}?reason=${'a'.repeat(501)}`, {}],
    ['a broken escape', path, { 'x-reason': '%zz' }],
    ['an escaped line break', path, { 'x-reason': 'a%0d%0ab' }],
  ])('needs a reason: %s', async (_, url, headers) => {
    const answer = await get(url, headers);
    expect(answer.status).toBe(400);
    expect(newEntries()).toEqual([]);
  });

  it('takes a reason in any script, as query or as header', async () => {
    const reason = encodeURIComponent('客户投诉复核');
    expect((await get(`${path}?reason=${reason}`)).status).toBe(200);
    expect((await get(path, { 'x-reason': reason })).status).toBe(200);
    expect(newEntries()).toHaveLength(2);
    const newest = floor.database.prepare('SELECT * FROM "Look" ORDER BY rowid DESC LIMIT 2').all();
    const looks = newest.map((row) =>
      rowReader(floor.database, 'Look')(row as Record<string, unknown>),
    );
    expect(looks).toMatchObject([{ reason: '客户投诉复核' }, { reason: '客户投诉复核' }]);
    expect(JSON.stringify(newEntries())).not.toContain('投诉');
  });

  it('is recorded durably before the first byte is read', async () => {
    const { recordings } = floor.parts.floor;
    const { openAudio } = recordings;
    const order: string[] = [];
    recordings.openAudio = async () => {
      const watched = async function* () {
        order.push(`${newEntries().length} entry`);
        yield audio;
      };
      order.push(`${newEntries().length} entries`);
      return { done: true, bytes: Readable.from(watched()) };
    };
    await get(`${path}?reason=sample`);
    recordings.openAudio = openAudio;
    expect(order).toEqual(['0 entries', '1 entry']);
  });

  it('sends nothing when the entry can not be made', async () => {
    const { people, recordings } = floor.parts.floor;
    const { noteLook } = people;
    const { openAudio } = recordings;
    const bytes = Readable.from([audio]);
    recordings.openAudio = async () => ({ done: true, bytes });
    people.noteLook = async () => {
      throw new FloorError('room.inbox-full');
    };
    const answer = await get(`${path}?reason=sample`);
    people.noteLook = noteLook;
    recordings.openAudio = openAudio;
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.bytes.toString()).code).toBe('room.inbox-full');
    expect(bytes.destroyed).toBe(true);
    expect(newEntries()).toEqual([]);
  });

  it('leaves no entry when the vault does not have it', async () => {
    const { recordings } = floor.parts.floor;
    const { openAudio } = recordings;
    recordings.openAudio = async () => ({ done: false, why: 'object-lost' });
    const answer = await get(`${path}?reason=sample`);
    recordings.openAudio = openAudio;
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.bytes.toString()).code).toBe('object-lost');
    expect(newEntries()).toEqual([]);
  });

  it('breaks off when the vault fails in the middle, so that no part looks whole', async () => {
    const { recordings } = floor.parts.floor;
    const { openAudio } = recordings;
    const broken = async function* () {
      yield audio.subarray(0, 5_000);
      throw new Error('vault gone');
    };
    recordings.openAudio = async () => ({ done: true, bytes: Readable.from(broken()) });
    await expect(get(`${path}?reason=sample`)).rejects.toThrow();
    recordings.openAudio = openAudio;
  });

  it('is not there for others, for unknown ids, and before it is sealed', async () => {
    const agent = await floor.person('agent');
    const authorization = `Bearer ${agent.token}`;
    expect((await get(`${path}?reason=sample`, { authorization })).status).toBe(403);
    expect((await get(`${path}?reason=sample`, { authorization: '' })).status).toBe(401);
    expect((await get('/api/recordings/call-9/audio?reason=sample')).status).toBe(404);
    const row = { id: 'call-2', state: 'live', spanMs: 0, crashed: false, tries: 0 };
    floor.store.commit({
      room: 'telephony',
      entries: [],
      changes: [
        {
          table: 'Recording',
          id: 'call-2',
          row: { ...row, notice: true, repaired: false } as never,
        },
      ],
    });
    const early = await get('/api/recordings/call-2/audio?reason=sample');
    expect(early.status).toBe(409);
    expect(JSON.parse(early.bytes.toString()).code).toBe('recording-not-sealed');
    const head = { method: 'HEAD', headers: { authorization: `Bearer ${qa.token}` } };
    expect((await fetch(`${http.address}${path}?reason=sample`, head)).status).toBe(404);
    expect(newEntries()).toEqual([]);
  });
});

describe('TLS', () => {
  it('serves beyond loopback with the keys of two files, and says that it stays so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const certFile = join(folder, 'cert.pem');
    const keyFile = join(folder, 'key.pem');
    const key = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const files = [
      '-nodes',
      '-keyout',
      keyFile,
      '-out',
      certFile,
      '-subj',
      '/CN=floor',
      '-days',
      '2',
    ];
    execFileSync('openssl', [...key, ...files], { stdio: 'ignore' });
    const tls = { certFile, keyFile };
    const server = await openHttp({ host: '0.0.0.0', port: 0, tls }, floor.parts);
    const { port } = new URL(server.address);
    const answer = await new Promise<{ status: number; hsts: unknown }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/livez', rejectUnauthorized: false };
      const asked = request(options, (response) => {
        response.resume();
        const hsts = response.headers['strict-transport-security'];
        resolve({ status: response.statusCode ?? 0, hsts });
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(answer).toEqual({ status: 200, hsts: 'max-age=31536000' });
    await server.close();
    rmSync(folder, { recursive: true });
  });
});
