// A TCP proxy on loopback that a test can cut and heal: a link lost while both ends live on.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface LinkProxy {
  /** Ends every connection and refuses new ones until heal(). */
  cut(): void;
  /** Lets connections stand and passes nothing on: a link that has silently died. */
  freeze(): void;
  heal(): void;
  close(): Promise<void>;
}

/** Passes connections to `port` on to `target`, both on 127.0.0.1. */
export async function startProxy(port: number, target: number): Promise<LinkProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isFrozen = false;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('data', (chunk) => {
        if (!isFrozen) other.write(chunk);
      });
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    cut() {
      isCut = true;
      dropAll();
    },
    freeze() {
      isFrozen = true;
    },
    heal() {
      isCut = false;
      isFrozen = false;
    },
    async close() {
      dropAll();
      server.close();
      await once(server, 'close');
    },
  };
}
