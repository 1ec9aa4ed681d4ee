// Live news over a real connection: picture, news, beat, resuming, ends, slow and too many readers.
import { request as ask, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import type { LiveMessage } from '../../src/http/floor-port.ts';
import { type Http, openHttp } from '../../src/http/http.ts';
import { clientsPerPerson, keptNews } from '../../src/http/live.ts';
import { openTestFloor, type TestFloor } from './http-floor.ts';

let floor: TestFloor;
let http: Http;
beforeEach(async () => {
  floor = await openTestFloor();
  http = await openHttp({ host: '127.0.0.1', port: 0 }, floor.parts);
});
afterEach(async () => {
  await http.close();
  await floor.close();
});

interface Event {
  id?: string;
  event: string;
  data: Record<string, unknown>;
}

interface Stream {
  status: number;
  headers: IncomingMessage['headers'];
  /** The next event that is no beat. */
  next(): Promise<Event>;
  nextBeat(): Promise<Event>;
  ended: Promise<void>;
  pause(): void;
  resume(): void;
  leave(): void;
}

function parse(block: string): Event | undefined {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => {
      const at = line.indexOf(': ');
      return [line.slice(0, at), line.slice(at + 2)];
    }),
  );
  if (fields.event === undefined) return undefined;
  const id = fields.id === undefined ? {} : { id: fields.id };
  return { ...id, event: fields.event, data: JSON.parse(fields.data ?? '{}') };
}

function listen(token: string, lastEventId?: string): Promise<Stream> {
  const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const headers = { authorization: `Bearer ${token}`, ...resumed };
  return new Promise((resolve, reject) => {
    const asked = ask(`${http.address}/api/live`, { headers }, (response) => {
      const events: Event[] = [];
      const waiting: { beat: boolean; take: (event: Event) => void }[] = [];
      let text = '';
      const deliver = () => {
        for (const want of [...waiting]) {
          const at = events.findIndex(({ event }) => (event === 'beat') === want.beat);
          if (at < 0) continue;
          waiting.splice(waiting.indexOf(want), 1);
          want.take(events.splice(at, 1)[0] as Event);
        }
      };
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const event = parse(block);
          if (event) events.push(event);
        }
        deliver();
      });
      response.on('error', () => {});
      const take = (beat: boolean) =>
        new Promise<Event>((got) => {
          waiting.push({ beat, take: got });
          deliver();
        });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        next: () => take(false),
        nextBeat: () => take(true),
        ended: new Promise((done) => response.on('close', done)),
        pause: () => response.pause(),
        resume: () => response.resume(),
        leave: () => asked.destroy(),
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const call = (n: number, personId?: string): LiveMessage => ({
  topic: 'call',
  ...(personId === undefined ? {} : { personId }),
  data: { id: `call-${n}`, campaignId: 'campaign-1', state: 'ringing' },
});

describe('live news', () => {
  it('begin with the whole picture, go on with each change, and beat every second', async () => {
    const { token } = await floor.person('lead');
    const stream = await listen(token);
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(stream.headers['cache-control']).toBe('no-store');
    expect(stream.headers['x-content-type-options']).toBe('nosniff');
    expect(await stream.next()).toMatchObject({ event: 'floor', data: { feed: 'fresh' } });
    floor.tell(call(1));
    floor.tell(call(2));
    const first = await stream.next();
    expect(first).toMatchObject({ event: 'call', data: { id: 'call-1' } });
    const second = await stream.next();
    expect(second.data.id).toBe('call-2');
    expect(Number(second.id?.split('.')[1])).toBe(Number(first.id?.split('.')[1]) + 1);
    const before = realClock.uptimeMs();
    await stream.nextBeat();
    const beat = await stream.nextBeat();
    expect(beat.id).toBeUndefined();
    expect(Math.abs(Number(beat.data.atUtcMs) - realClock.utcMs())).toBeLessThan(5_000);
    expect(realClock.uptimeMs() - before).toBeLessThan(3_000);
    stream.leave();
  });

  it('resume after the last one that was seen, without a gap or a repetition', async () => {
    const { token } = await floor.person('lead');
    const first = await listen(token);
    await first.next();
    floor.tell(call(1));
    const seen = await first.next();
    first.leave();
    await first.ended;
    floor.tell(call(2));
    floor.tell(call(3));
    const again = await listen(token, seen.id);
    floor.tell(call(4));
    const ids = [await again.next(), await again.next(), await again.next()];
    expect(ids.map(({ data }) => data.id)).toEqual(['call-2', 'call-3', 'call-4']);
    again.leave();
  });

  it('begin anew for who was away too long, before a restart, or makes ids up', async () => {
    const { token } = await floor.person('lead');
    const first = await listen(token);
    const { id = '' } = await first.next();
    const [boot] = id.split('.');
    for (let n = 0; n <= keptNews; n += 1) floor.tell(call(n));
    for (const old of [id, `${boot}.999999`, 'boot-other.1', 'x', '', `${boot}.-1`]) {
      const again = await listen(token, old);
      expect(await again.next(), old).toMatchObject({ event: 'floor' });
      again.leave();
    }
    const kept = await listen(token, `${boot}.1`);
    expect((await kept.next()).data.id).toBe('call-1');
    kept.leave();
    first.leave();
  });

  it('tell an agent of their own seat and calls only', async () => {
    const { personId, token } = await floor.person('agent');
    await floor.person('agent');
    const stream = await listen(token);
    const picture = await stream.next();
    expect(picture.data).toMatchObject({ agents: [{ id: personId }], lines: {} });
    floor.tell(call(1));
    floor.tell(call(2, 'person-x'));
    floor.tell(call(3, personId));
    expect((await stream.next()).data.id).toBe('call-3');
    const resumed = await listen(token, picture.id);
    expect((await resumed.next()).data.id).toBe('call-3');
    stream.leave();
    resumed.leave();
  });

  it('end when the login does, and when the role goes', async () => {
    const lead = await floor.person('lead');
    const stream = await listen(lead.token);
    await stream.next();
    const headers = { authorization: `Bearer ${lead.token}` };
    await fetch(`${http.address}/api/session`, { method: 'DELETE', headers });
    await stream.ended;
    expect((await listen(lead.token)).status).toBe(401);
    const other = await floor.person('lead');
    const boss = await floor.person('supervisor');
    const actor = floor.people.authenticate(boss.token);
    const still = await listen(other.token);
    await still.next();
    if (actor) await floor.people.setRoles(actor, other.personId, ['qa'], 'moved');
    await still.ended;
  });

  it('let the oldest page of one person go when they open too many', async () => {
    const { token } = await floor.person('lead');
    const oldest = await listen(token);
    await oldest.next();
    const later = [];
    for (let n = 0; n < clientsPerPerson; n += 1) later.push(await listen(token));
    await oldest.ended;
    floor.tell(call(1));
    for (const stream of later) {
      await stream.next();
      expect((await stream.next()).data.id).toBe('call-1');
      stream.leave();
    }
  });

  it('let a reader go who does not read, and keep the others', async () => {
    const slow = await listen((await floor.person('lead')).token);
    const quick = await listen((await floor.person('lead')).token);
    await slow.next();
    await quick.next();
    slow.pause();
    const long = 'x'.repeat(20_000);
    let told = 0;
    const tell = () => {
      told += 1;
      const data = { id: `call-${told}`, campaignId: long, state: 'ringing' };
      floor.tell({ topic: 'call', data });
    };
    // Until the kernel's buffers are full, nothing of it waits in this process.
    for (let n = 0; n < 1_000; n += 1) {
      tell();
      expect((await quick.next()).data.id).toBe(`call-${told}`);
    }
    slow.resume();
    await slow.ended;
    quick.leave();
  });

  it('end with the server', async () => {
    const { token } = await floor.person('lead');
    const stream = await listen(token);
    await stream.next();
    await http.close();
    await stream.ended;
    http = await openHttp({ host: '127.0.0.1', port: 0 }, floor.parts);
  });
});
