// One connection to Asterisk's AMI, by the package asterisk-manager, walled against its faults.
import { channel as diagnosticsChannel } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import createAmi from 'asterisk-manager';
import type { Clock, Timer } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';

export interface AmiAccess {
  /** Port on 127.0.0.1: the package knows no TLS. */
  port: number;
  user: string;
  secret: string;
}

/** One record, keys in lower case; a header that repeats is a list. */
export type AmiRecord = Readonly<Record<string, string | readonly string[]>>;

/** unknown: no answer came, and whether the action was carried out can not be told. */
export type AmiAnswer =
  | { outcome: 'success'; fields: AmiRecord }
  | { outcome: 'error'; message: string }
  | { outcome: 'unknown'; reason: string };

export interface AmiHearing {
  /** Logged in; actions may be sent from now on. */
  up(): void;
  /** The connection is over, once and for ever; every open action has become unknown. */
  lost(reason: string): void;
  event(fields: AmiRecord): void;
}

export interface AmiConnection {
  /**
   * Sends one action. Throws FloorError `ami.disconnected` while not logged in, `ami.unsafe-value`
   * for a name or value that would break the line protocol, `ami.too-many-actions`.
   */
  action(name: string, fields?: Readonly<Record<string, string>>): Promise<AmiAnswer>;
  close(): void;
}

export const amiLimits = {
  connectMs: 5000,
  answerMs: 5000,
  pingEveryMs: 3000,
  /** A single late answer may be load; two in a row are a dead link. */
  missedPings: 2,
  openActions: 100,
  valueLength: 1024,
  recordBytes: 1024 * 1024,
} as const;

interface OpenAction {
  settle(answer: AmiAnswer): void;
  deadline: Timer;
}

/** Connects and logs in. A connection is never reused: the package glues old halves to new data. */
export function connectAmi(
  access: AmiAccess,
  clock: Clock,
  ids: Ids,
  hearing: AmiHearing,
): AmiConnection {
  return new Connection(access, clock, ids, hearing);
}

class Connection implements AmiConnection {
  readonly #ami = createAmi();
  readonly #clock: Clock;
  readonly #hearing: AmiHearing;
  readonly #idPrefix: string;
  readonly #open = new Map<string, OpenAction>();
  readonly #socket: Socket;
  #state: 'connecting' | 'up' | 'over' = 'connecting';
  #counter = 0;
  #bytesSinceRecord = 0;
  /** The login's deadline, then the time to the next ping. */
  #timer: Timer;

  constructor(access: AmiAccess, clock: Clock, ids: Ids, hearing: AmiHearing) {
    this.#clock = clock;
    this.#hearing = hearing;
    this.#idPrefix = ids.next('gh');
    this.#timer = clock.after(amiLimits.connectMs, () => this.#end('no login in time'));
    this.#socket = connectSocket(() => this.#ami.connect(access.port, '127.0.0.1'));
    this.#socket.on('data', (chunk: string | Buffer) => this.#count(chunk.length));
    // Socket signals come from the socket itself: the package mixes them with server event names.
    this.#socket.on('error', (cause: Error) => this.#end(cause.message));
    this.#socket.on('close', () => this.#end('the connection was closed'));
    this.#socket.once('connect', () => {
      this.#ami.options = { username: access.user, password: access.secret, events: true };
      this.#ami.login((failure) => this.#loggedIn(failure));
    });
  }

  action(name: string, fields: Readonly<Record<string, string>> = {}): Promise<AmiAnswer> {
    // The package would keep an early action and send it whenever it is connected next.
    if (this.#state !== 'up') throw new FloorError('ami.disconnected');
    if (this.#open.size >= amiLimits.openActions) throw new FloorError('ami.too-many-actions');
    const checked = { ...checkFields({ action: name }), ...checkFields(fields) };
    this.#counter += 1;
    const id = `${this.#idPrefix}-${String(this.#counter).padStart(6, '0')}`;
    return new Promise((settle) => {
      const deadline = this.#clock.after(amiLimits.answerMs, () => {
        this.#open.delete(id);
        settle({ outcome: 'unknown', reason: 'no answer in time' });
      });
      this.#open.set(id, { settle, deadline });
      this.#ami.action({ ...checked, actionid: id });
      // The package waits for an event named after the id; the answer is taken from the record.
      this.#ami.removeAllListeners(id);
    });
  }

  close(): void {
    this.#end('closed by us');
  }

  #loggedIn(failure: unknown): void {
    if (this.#state !== 'connecting') return;
    if (failure) return this.#end('the login was refused');
    // From here on the package only frames and writes: its dispatch takes events for answers.
    this.#ami.removeAllListeners('rawevent');
    this.#ami.on('rawevent', (raw) => this.#take(raw));
    this.#state = 'up';
    this.#timer.cancel();
    this.#ping(0);
    this.#hearing.up();
  }

  #end(reason: string): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#timer.cancel();
    this.#ami.removeAllListeners();
    // The package still emits when its socket closes, and an unheard `error` would throw.
    this.#ami.on('error', () => undefined);
    this.#socket.destroy();
    for (const action of this.#open.values()) {
      action.deadline.cancel();
      action.settle({ outcome: 'unknown', reason });
    }
    this.#open.clear();
    this.#hearing.lost(reason);
  }

  #take(raw: unknown): void {
    this.#bytesSinceRecord = 0;
    if (this.#state !== 'up') return;
    const record = readRecord(raw);
    // An event can carry both Response and ActionID (OriginateResponse) and yet is no answer.
    if (typeof record.event === 'string') this.#hearing.event(record);
    else if (typeof record.response === 'string' && typeof record.actionid === 'string') {
      const answered = this.#open.get(record.actionid);
      if (answered === undefined) return;
      this.#open.delete(record.actionid);
      answered.deadline.cancel();
      answered.settle(readAnswer(record.response, record));
    }
  }

  #count(bytes: number): void {
    this.#bytesSinceRecord += bytes;
    if (this.#bytesSinceRecord > amiLimits.recordBytes) this.#end('a record has no end');
  }

  #ping(misses: number): void {
    // The loss of the connection is an answer too: it makes the open ping unknown.
    if (this.#state !== 'up') return;
    this.#timer = this.#clock.after(amiLimits.pingEveryMs, () => {
      if (this.#open.size >= amiLimits.openActions) return this.#end('too many open actions');
      this.action('Ping').then((answer) => {
        if (answer.outcome !== 'unknown') return this.#ping(0);
        if (misses + 1 >= amiLimits.missedPings) this.#end('pings are not answered');
        else this.#ping(misses + 1);
      });
    });
  }
}

/** The package hides its socket; Node announces each new client socket while it is being made. */
function connectSocket(connect: () => void): Socket {
  const made: Socket[] = [];
  const hear = (message: unknown) => {
    if (message instanceof Object && 'socket' in message && message.socket instanceof Socket)
      made.push(message.socket);
  };
  const announcements = diagnosticsChannel('net.client.socket');
  announcements.subscribe(hear);
  try {
    connect();
  } finally {
    announcements.unsubscribe(hear);
  }
  const [socket] = made;
  if (socket === undefined) throw new Error('Node announced no client socket');
  return socket;
}

/** Refuses whatever could become a header of its own: the package writes values as they are. */
function checkFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (!/^[a-z]{1,40}$/i.test(key)) throw new FloorError('ami.unsafe-value', 'A key is refused.');
    if (typeof value !== 'string' || value.length > amiLimits.valueLength || /[\r\n\0]/.test(value))
      throw new FloorError('ami.unsafe-value', `The value of ${key} is refused.`);
    checked[key] = value;
  }
  return checked;
}

/** Copies own string fields only; the package builds plain objects, with `constructor` and all. */
function readRecord(raw: unknown): Record<string, string | readonly string[]> {
  const record: Record<string, string | readonly string[]> = Object.create(null);
  if (!(raw instanceof Object)) return record;
  for (const [key, value] of Object.entries(raw)) {
    // A header without a space after its colon keeps the colon in its name.
    const name = key.endsWith(':') ? key.slice(0, -1) : key;
    if (typeof value === 'string') record[name] = value;
    else if (Array.isArray(value)) record[name] = value.filter((v) => typeof v === 'string');
  }
  return record;
}

function readAnswer(response: string, fields: AmiRecord): AmiAnswer {
  const message = typeof fields.message === 'string' ? fields.message : response;
  return response.toLowerCase() === 'error'
    ? { outcome: 'error', message }
    : { outcome: 'success', fields };
}
