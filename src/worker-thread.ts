// Starts worker threads from the sources as well as from the built product.
import { getPriority, setPriority } from 'node:os';
import { type ResourceLimits, Worker } from 'node:worker_threads';

/**
 * Starts the file at `url`; a TypeScript source runs through tsx, a built file as it is. A worker
 * that outgrows `resourceLimits` ends with an `error` event, and only it.
 */
export function startWorker(
  url: URL,
  workerData: unknown,
  resourceLimits: ResourceLimits = {},
): Worker {
  const execArgv = url.pathname.endsWith('.ts') ? { execArgv: ['--import', sourceLoader()] } : {};
  return new Worker(url, { workerData, resourceLimits, ...execArgv });
}

/** `--import tsx` does nothing in a thread whose process runs through tsx itself (4.23.15). */
function sourceLoader(): string {
  const api = import.meta.resolve('tsx/esm/api');
  return `data:text/javascript,import{register}from"${api}";register()`;
}

/** How the thread says what became of a question. */
export interface Answer<A> {
  number: number;
  answer: A;
}

/** Whose thread died before its answer gets this instead. */
export interface Died {
  died: string;
}

/**
 * A thread that answers questions, each by its number. It is started by the first question and
 * lives until it dies; whatever was asked of it then gets `died`, and the next question starts
 * another.
 */
export class AskedThread<Q, A> {
  private readonly name: string;
  private readonly folder: string;
  private readonly workerData: unknown;
  private worker: Worker | undefined;
  private asked = 0;
  private readonly answers = new Map<number, (answer: A | Died) => void>();
  private closed = false;

  /** `name` is the thread's file beside `from`, without its ending. */
  constructor(name: string, from: string, workerData: unknown) {
    this.name = `${name}.${from.slice(from.lastIndexOf('.') + 1)}`;
    this.folder = from;
    this.workerData = workerData;
  }

  /** Never rejects. */
  ask(make: (number: number) => Q): { number: number; answer: Promise<A | Died> } {
    this.asked += 1;
    const number = this.asked;
    if (this.closed) return { number, answer: Promise.resolve({ died: 'closed' }) };
    const answer = new Promise<A | Died>((resolve) => this.answers.set(number, resolve));
    this.tell(make(number));
    return { number, answer };
  }

  tell(message: Q): void {
    this.alive().postMessage(message);
  }

  /** Ends the thread; what was asked of it is answered with `died` before this resolves. */
  async end(): Promise<void> {
    await this.worker?.terminate();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  private alive(): Worker {
    if (this.worker) return this.worker;
    const worker = startWorker(new URL(`./${this.name}`, this.folder), this.workerData);
    let reason = 'ended';
    worker.on('error', (cause) => {
      reason = cause instanceof Error ? cause.message : String(cause);
    });
    worker.on('message', ({ number, answer }: Answer<A>) => {
      this.answers.get(number)?.(answer);
      this.answers.delete(number);
    });
    worker.on('exit', () => {
      this.worker = undefined;
      const lost = [...this.answers.values()];
      this.answers.clear();
      for (const resolve of lost) resolve({ died: reason });
    });
    this.worker = worker;
    return worker;
  }
}

/**
 * Work that can wait steps behind the voices on the line, which can not; children inherit it. Each
 * such thread has a niceness of its own, by which the benches tell in whose name time was spent.
 */
export const niceness = { vault: 6, encoder: 7 } as const;

export function giveWay(thread: keyof typeof niceness): void {
  // Who was started further back may not come forward, and need not.
  setPriority(Math.max(getPriority(), niceness[thread]));
}
