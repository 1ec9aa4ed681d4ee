// The process of a floor as its test sees it: orders go in, news come out, and it may be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Clock, withDeadline } from '../../src/clock.ts';
import type { FloorNews } from './floor-news.ts';
import type { Order, Saying } from './floor-process.ts';

export interface FloorChild {
  pid: number;
  ask<A>(order: Order): Promise<A>;
  /** Resolves to the signal that ended the process, or to nothing. */
  ended: Promise<NodeJS.Signals | null>;
  kill(): void;
}

const answerMs = 60_000;
const program = fileURLToPath(new URL('./floor-process.ts', import.meta.url));
const project = fileURLToPath(new URL('../..', import.meta.url));

/** A small disk of its own, seen by nobody else and gone with the process. */
export interface SmallDisk {
  folder: string;
  sizeMb: number;
}

export function startFloorChild(news: FloorNews, clock: Clock, disk?: SmallDisk): FloorChild {
  const [command, ...args] = [...onDisk(disk), process.execPath, '--import', 'tsx', program];
  const child: ChildProcess = spawn(command ?? '', args, {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const open = new Map<number, { done(value: unknown): void; failed(cause: Error): void }>();
  let counter = 0;
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_code, signal) => {
      for (const { failed } of open.values()) failed(new Error(`the floor ended: ${signal}`));
      resolve(signal);
    });
  });
  child.on('message', (saying: Saying) => {
    if (saying.say !== 'answer' && saying.say !== 'refused') return news.hear(saying);
    const asked = open.get(saying.id);
    open.delete(saying.id);
    if (saying.say === 'answer') asked?.done(saying.value);
    else asked?.failed(new Error(saying.cause));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    async ask<A>(order: Order): Promise<A> {
      counter += 1;
      const id = counter;
      const answer = new Promise<unknown>((done, failed) => {
        open.set(id, { done, failed });
        child.send({ id, order }, (cause) => cause && failed(cause));
      });
      const answered = await withDeadline(clock, answerMs, answer);
      if (answered.expired) throw new Error(`no answer to ${order.do} within ${answerMs} ms`);
      return answered.value as A;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Only root can mount; whoever is not becomes it in a name space of their own. */
function onDisk(disk: SmallDisk | undefined): string[] {
  if (disk === undefined) return [];
  const { folder, sizeMb } = disk;
  const apart = process.getuid?.() === 0 ? ['-m'] : ['-Urm'];
  const mount = `mount -t tmpfs -o size=${sizeMb}m,mode=1777 tmpfs "${folder}" && exec "$@"`;
  return ['unshare', ...apart, 'sh', '-c', mount, 'sh'];
}
