// A SIP phone of a few lines on UDP: says one request at a time and shows what comes back.
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Happenings } from './fake-ami.ts';

export interface SipPhone {
  /** Requests and answers that arrived, as text. */
  heard: Happenings<string>;
  /** Sends a request; returns the first final answer's status. */
  ask(method: string, target: string, more?: SipHeaders): Promise<number>;
  /** Registers with digest authentication (RFC 3261 §22); returns the final status. */
  register(user: string, secret: string): Promise<number>;
  close(): void;
}

type SipHeaders = Readonly<Record<string, string>>;

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** A phone for `user` on a port of 127.0.0.1, speaking to the Asterisk at `sipPort`. */
export async function openSipPhone(user: string, port: number, sipPort: number): Promise<SipPhone> {
  const socket: Socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  const heard = new Happenings<string>();
  const answers = new Happenings<string>();
  socket.on('message', (bytes) => {
    const text = bytes.toString();
    if (!text.startsWith('SIP/2.0')) heard.add(text);
    else if (!text.startsWith('SIP/2.0 1')) answers.add(text);
  });
  let turn = 0;

  async function exchange(method: string, target: string, more: SipHeaders): Promise<string> {
    turn += 1;
    const headers = {
      Via: `SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-${port}-${turn}`,
      From: `<sip:${user}@127.0.0.1>;tag=${port}${turn}`,
      To: `<sip:${target}@127.0.0.1:${sipPort}>`,
      'Call-ID': `${port}-${turn}@test`,
      CSeq: `${turn} ${method}`,
      Contact: `<sip:${user}@127.0.0.1:${port}>`,
      'Max-Forwards': '70',
      ...more,
      'Content-Length': '0',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const line = `${method} sip:${target === '' ? '' : `${target}@`}127.0.0.1:${sipPort} SIP/2.0`;
    socket.send(`${[line, ...lines].join('\r\n')}\r\n\r\n`, sipPort, '127.0.0.1');
    return answers.next();
  }

  const statusOf = (answer: string) => Number(answer.slice(8, 11));

  return {
    heard,
    ask: async (method, target, more = {}) => statusOf(await exchange(method, target, more)),
    async register(name, secret) {
      const more = { To: `<sip:${name}@127.0.0.1>`, Expires: '60' };
      const challenge = await exchange('REGISTER', '', more);
      const value = (key: string) => new RegExp(`${key}="([^"]+)"`).exec(challenge)?.[1] ?? '';
      const [realm, nonce, uri] = [value('realm'), value('nonce'), `sip:127.0.0.1:${sipPort}`];
      const counted = 'nc=00000001,cnonce="c"';
      const ha1 = md5(`${name}:${realm}:${secret}`);
      const response = md5(`${ha1}:${nonce}:00000001:c:auth:${md5(`REGISTER:${uri}`)}`);
      const login =
        `Digest username="${name}",realm="${realm}",nonce="${nonce}",uri="${uri}",` +
        `response="${response}",algorithm=MD5,qop=auth,${counted},opaque="${value('opaque')}"`;
      return statusOf(await exchange('REGISTER', '', { ...more, Authorization: login }));
    },
    close: () => socket.close(),
  };
}
