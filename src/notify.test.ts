// What systemd gets to hear, received on a real socket from the real systemd-notify.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Clock, realClock } from './clock.ts';
import { openLog } from './log.ts';
import { openNotify } from './notify.ts';

// Perl is part of every Debian; Node can't listen on a datagram socket of the Unix kind.
const listener = `use IO::Socket::UNIX; $| = 1;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
print "listening\\n"; while (defined $s->recv(my $m, 4096)) { $m =~ s/\\n/ /g; print "$m\\n" }`;

let folder: string;
let environment: NodeJS.ProcessEnv;
let told: AsyncIterator<string>;
let end: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const socket = join(folder, 'notify');
  const child = spawn('perl', ['-e', listener, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  told = createInterface(child.stdout)[Symbol.asyncIterator]();
  end = () => child.kill();
  expect((await told.next()).value).toBe('listening');
  environment = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' };
});
afterEach(() => {
  end();
  rmSync(folder, { recursive: true });
});

/** The next message; the barrier that systemd-notify sends after each is not one. */
async function next(): Promise<string> {
  for (;;) {
    const { value } = await told.next();
    if (!String(value).startsWith('BARRIER')) return String(value).trim();
  }
}

/** A clock whose timers fire by hand. */
function clockByHand() {
  const waiting: { delayMs: number; fire: () => void }[] = [];
  const clock: Clock = {
    ...realClock,
    after(delayMs, fire) {
      const timer = { delayMs, fire };
      waiting.push(timer);
      return { cancel: () => waiting.splice(waiting.indexOf(timer), 1) };
    },
  };
  return { clock, waiting, fire: () => waiting.shift()?.fire() };
}

it('ready, alive while the rooms turn, silent while one does not, stopping', async () => {
  const { clock, waiting, fire } = clockByHand();
  const lines: string[] = [];
  const asked: number[] = [];
  let rooms: string[] = [];
  const standing = (withinMs: number) => {
    asked.push(withinMs);
    return rooms;
  };
  const log = openLog(clock, (line) => lines.push(line));
  const notify = openNotify(clock, log, standing, environment);
  notify.ready();
  expect(await next()).toBe('READY=1');
  expect(waiting.map(({ delayMs }) => delayMs)).toEqual([10_000]);
  fire();
  expect(await next()).toBe('WATCHDOG=1');
  rooms = ['telephony'];
  fire();
  expect(lines.join()).toMatch(/"rooms":\["telephony"\].*a room does not turn/);
  expect(asked).toEqual([10_000, 10_000]);
  notify.stopping();
  expect(await next()).toBe('STOPPING=1');
  expect(waiting).toEqual([]);
});

it.each([
  ['without a watchdog', { WATCHDOG_USEC: undefined }],
  ['with the watchdog of another process', { WATCHDOG_PID: '1' }],
])('%s nothing is fed', async (_, change) => {
  const { clock, waiting } = clockByHand();
  const log = openLog(clock, () => {});
  openNotify(clock, log, () => [], { ...environment, ...change }).ready();
  expect(await next()).toBe('READY=1');
  expect(waiting).toEqual([]);
});

it('a message that can not be sent is logged and ends nothing', async () => {
  const line = await new Promise<string>((resolve) => {
    const log = openLog(realClock, resolve);
    const PATH = folder;
    openNotify(realClock, log, () => [], { ...environment, PATH }).ready();
  });
  expect(line).toContain('systemd was not told');
});
