// An AMI server of a few lines, which a test makes say what Asterisk would not.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type Action = Readonly<Record<string, string>>;

/** Things that happen, taken one by one in their order; next() waits for one. */
export class Happenings<T> {
  readonly #ready: T[] = [];
  readonly #waiting: ((thing: T) => void)[] = [];

  add(thing: T): void {
    const wake = this.#waiting.shift();
    if (wake === undefined) this.#ready.push(thing);
    else wake(thing);
  }

  next(): Promise<T> {
    const thing = this.#ready.shift();
    if (thing !== undefined) return Promise.resolve(thing);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Everything that has happened and was not taken. */
  rest(): T[] {
    return this.#ready.splice(0);
  }
}

export interface FakeAmi {
  port: number;
  /** Actions as they came over the wire, login included. */
  actions: Happenings<Action>;
  connections: Happenings<Socket>;
  /** Sends bytes as they are on the newest connection. */
  say(text: string | Uint8Array): void;
  /** Sends one record: header lines, then an empty line. */
  record(...lines: string[]): void;
  cut(): void;
  close(): Promise<void>;
}

export interface FakeAmiManners {
  login?: 'accepted' | 'refused' | 'unanswered';
  /** Pings are answered unless told otherwise. */
  pings?: 'answered' | 'unanswered';
}

export async function startFakeAmi(manners: FakeAmiManners = {}): Promise<FakeAmi> {
  const actions = new Happenings<Action>();
  const connections = new Happenings<Socket>();
  const sockets = new Set<Socket>();
  let newest: Socket | undefined;
  const say = (text: string | Uint8Array) => newest?.write(text);
  const record = (...lines: string[]) => say(`${lines.join('\r\n')}\r\n\r\n`);

  function take(action: Action): void {
    const { Action: name = '', ActionID: id = '' } = action;
    if (name.toLowerCase() === 'login') {
      if (manners.login === 'unanswered') return actions.add(action);
      if (manners.login === 'refused')
        record('Response: Error', `ActionID: ${id}`, 'Message: Authentication failed');
      else record('Response: Success', `ActionID: ${id}`, 'Message: Authentication accepted');
    }
    if (name !== 'Ping' || manners.pings === 'unanswered') actions.add(action);
    else record('Response: Success', `ActionID: ${id}`, 'Ping: Pong');
  }

  const server = createServer((socket) => {
    newest = socket;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      const blocks = text.split('\r\n\r\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) take(readBlock(block));
    });
    socket.write('Asterisk Call Manager/7.0.3\r\n');
    connections.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    actions,
    connections,
    say,
    record,
    cut: () => newest?.destroy(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function readBlock(block: string): Action {
  return Object.fromEntries(
    block.split('\r\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
