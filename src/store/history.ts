// What happened: the questions of the API about calls, recordings, contacts and the ledger.
import type { WeeklyHours } from '../calendar.ts';
import type { Client } from './client.ts';

/** Rows of one answer; whoever wants more asks for the page after the last one. */
export const pageLimit = 200;

export interface Page {
  /** Id of the last row of the page before; absent for the newest. */
  after?: string | undefined;
  limit: number;
}

/** One of the first three is needed: by each of them there is an index, and calls are many. */
export interface CallFilter {
  campaignId?: string | undefined;
  caseId?: string | undefined;
  agentId?: string | undefined;
  outcome?: string | undefined;
  fromUtcMs?: number | undefined;
  toUtcMs?: number | undefined;
}

/** States that a recording passes through or got stuck in; `kept` ones are found by their call. */
export const openRecordingStates = ['live', 'closed', 'sealed', 'quarantined', 'missing'] as const;
export type OpenRecordingState = (typeof openRecordingStates)[number];

/** A row with numbers for SQLite's big integers, and without the columns that hold nothing. */
export type Plain<T> = { [K in keyof T as null extends T[K] ? never : K]: Value<T[K]> } & {
  [K in keyof T as null extends T[K] ? K : never]?: Value<NonNullable<T[K]>>;
};
type Value<V> = V extends bigint ? number : V;

/** What the API may ask about the past. Every answer is at most one page. */
export type History = ReturnType<typeof openHistory>;
export type CallRecord = NonNullable<Awaited<ReturnType<History['call']>>>;
export type RecordingRecord = NonNullable<Awaited<ReturnType<History['recording']>>>;

/** Contacts and refusals of one case that are looked at; a case has a few dozen. */
export const contactLimit = 1_000;

export interface LedgerLine {
  seq: number;
  line: string;
}

// The digests and times of a recording; never what opens it (iv, wrapped key).
const shownOfRecording = {
  id: true,
  state: true,
  why: true,
  spanMs: true,
  durationMs: true,
  objectId: true,
  plainSha256: true,
  cipherSha256: true,
  plainBytes: true,
  sealedUtcMs: true,
  notice: true,
  repaired: true,
} as const;

/** The questions, asked over the reading connection. */
export function openHistory(client: Client) {
  return {
    /** Newest first. */
    async calls(filter: CallFilter, page: Page) {
      const { fromUtcMs, toUtcMs, ...equal } = filter;
      const rows = await client.call.findMany({
        where: { ...given(equal), askedUtcMs: between(fromUtcMs, toUtcMs) },
        orderBy: [{ askedUtcMs: 'desc' }, { id: 'desc' }],
        ...paged(page),
      });
      return rows.map(plain);
    },

    async call(id: string) {
      const row = await client.call.findUnique({ where: { id } });
      return row === null ? undefined : plain(row);
    },

    async recordings(state: OpenRecordingState, page: Page) {
      const rows = await client.recording.findMany({
        where: { state },
        orderBy: { id: 'asc' },
        select: shownOfRecording,
        ...paged(page),
      });
      return rows.map(plain);
    },

    async recording(id: string) {
      const row = await client.recording.findUnique({ where: { id }, select: shownOfRecording });
      return row === null ? undefined : plain(row);
    },

    ...caseQuestions(client),
    ...contactQuestions(client),
    ...promiseQuestions(client),

    /** The ledger's own lines from a place on, oldest first. */
    entries: (page: { afterSeq: number; limit: number }): Promise<LedgerLine[]> =>
      client.ledger.findMany({
        where: { seq: { gt: page.afterSeq } },
        orderBy: { seq: 'asc' },
        take: Math.min(page.limit, pageLimit),
      }),

    /** The lines that say what happened to one thing, oldest first. */
    entriesAbout: (about: string, { afterSeq, limit }: { afterSeq: number; limit: number }) =>
      linesAbout(client, about, afterSeq, Math.min(limit, pageLimit)),
  };
}

function caseQuestions(client: Client) {
  return {
    async cases(
      filter: { allocatedTo?: string | undefined; batchId?: string | undefined },
      page: Page,
    ) {
      const rows = await client.case.findMany({
        where: given(filter),
        orderBy: { id: 'asc' },
        ...paged(page),
      });
      const words = await wordsOf(
        client,
        rows.map(({ reference }) => reference),
      );
      return rows.map((row) => ({
        ...plain(row),
        reference: words.get(row.reference) ?? '',
        stops: row.stops as string[],
      }));
    },

    async case(id: string) {
      const row = await client.case.findUnique({ where: { id } });
      if (row === null) return undefined;
      const words = await wordsOf(client, [row.reference]);
      const reference = words.get(row.reference) ?? '';
      return { ...plain(row), reference, stops: row.stops as string[] };
    },

    /** Whom a case is about, with names and numbers. */
    async casePeople(caseId: string) {
      const people = await client.casePerson.findMany({ where: { caseId }, take: pageLimit });
      const numbers = await client.number.findMany({ where: { caseId }, take: pageLimit });
      const words = await wordsOf(client, [
        ...people.flatMap(({ name }) => name ?? []),
        ...numbers.map(({ e164 }) => e164),
      ]);
      return people.map(({ name: at, ...person }) => {
        const name = at === null ? undefined : words.get(at);
        return {
          ...plain(person),
          ...(name === undefined ? {} : { name }),
          numbers: numbers
            .filter(({ personId }) => personId === person.id)
            .map(({ notThen, ...row }) => ({
              ...plain(row),
              e164: words.get(row.e164) ?? '',
              ...(notThen === null ? {} : { notThen: notThen as unknown as WeeklyHours }),
            })),
        };
      });
    },

    /** Newest first. */
    async lists(page: Page) {
      const rows = await client.list.findMany({
        orderBy: [{ atUtcMs: 'desc' }, { id: 'desc' }],
        ...paged(page),
      });
      return rows.map(plain);
    },

    async list(id: string) {
      const row = await client.list.findUnique({ where: { id } });
      return row === null ? undefined : plain(row);
    },
  };
}

/** What is promised, and who must not be contacted. */
function promiseQuestions(client: Client) {
  return {
    /** Promised calls that are still owed, the next one first. */
    async callbacks(
      filter: { agentId?: string | undefined; dueBeforeUtcMs?: number | undefined },
      page: Page,
    ) {
      const { agentId, dueBeforeUtcMs } = filter;
      const rows = await client.callback.findMany({
        where: {
          state: 'open',
          ...given({ agentId }),
          nextUtcMs: between(undefined, dueBeforeUtcMs),
        },
        orderBy: [{ nextUtcMs: 'asc' }, { id: 'asc' }],
        ...paged(page),
      });
      return rows.map(plain);
    },

    /** Newest first. */
    async stopList(page: Page) {
      const rows = await client.stopList.findMany({
        orderBy: [{ atUtcMs: 'desc' }, { id: 'desc' }],
        ...paged(page),
      });
      return rows.map(plain);
    },
  };
}

/** What is known of a contact that was made, or of one that a rule did not allow. */
export interface ContactRecord {
  id: string;
  decision: 'granted' | 'reported' | 'inbound' | 'withheld';
  channel: string;
  mode?: string;
  atUtcMs: number;
  personId?: string;
  numberId?: string;
  agentId?: string;
  /** The rule that did not allow it, and its particulars. */
  rule?: string;
  detail?: string[];
  untilUtcMs?: number;
  policy?: string;
  outcome?: string;
  attemptUtcMs?: number;
  answerUtcMs?: number;
  conversationUtcMs?: number;
}

interface WithheldRecord {
  what: string;
  seq: number;
  about: string;
  atUtcMs: number;
  why: string;
  facts: { detail?: string[]; policy?: string; untilUtcMs?: number | null };
}

function contactQuestions(client: Client) {
  /** Rules that held a number back: each is an entry about the number. */
  const withheld = async (numberId: string): Promise<ContactRecord[]> => {
    const lines = await linesAbout(client, numberId, 0, contactLimit);
    return lines
      .map(({ line }) => JSON.parse(line).rec as WithheldRecord)
      .filter(({ what }) => what === 'contact-withheld')
      .map(({ seq, atUtcMs, why: rule, facts: { detail, policy, untilUtcMs } }) => ({
        id: `entry-${seq}`,
        decision: 'withheld',
        channel: 'call',
        atUtcMs,
        numberId,
        rule,
        ...(detail === undefined ? {} : { detail }),
        ...(policy === undefined ? {} : { policy }),
        ...(typeof untilUtcMs === 'number' ? { untilUtcMs } : {}),
      }));
  };

  return {
    /** Why numbers of a case were called or were not: permits, reports, refusals, newest first. */
    async contacts(caseId: string, page: { beforeUtcMs?: number | undefined; limit: number }) {
      const rows = await client.contact.findMany({ where: { caseId }, take: contactLimit });
      const numbers = await client.number.findMany({ where: { caseId }, take: pageLimit });
      const made = rows.map((row): ContactRecord => {
        const { origin, settledUtcMs, ...shown } = plain(row);
        const decision = origin as 'granted' | 'reported' | 'inbound';
        const atUtcMs =
          [shown.attemptUtcMs, shown.answerUtcMs, shown.conversationUtcMs, settledUtcMs].find(
            (each) => each !== undefined,
          ) ?? 0;
        return { ...shown, decision, atUtcMs };
      });
      const refused = await Promise.all(numbers.map(({ id }) => withheld(id)));
      return [...made, ...refused.flat()]
        .filter(({ atUtcMs }) => page.beforeUtcMs === undefined || atUtcMs < page.beforeUtcMs)
        .sort((a, b) => b.atUtcMs - a.atUtcMs)
        .slice(0, Math.min(page.limit, pageLimit));
    },
  };
}

// `about` begins at the 92nd byte of every line, after the chained hash, since `rec` has its keys
// in order (docs/evidence-format.md section 2); an index over these bytes saves reading them all.
const aboutChars = 64;

async function linesAbout(client: Client, about: string, afterSeq: number, take: number) {
  const first = `${about}"`.slice(0, aboutChars);
  const rows = await client.$queryRaw<LedgerLine[]>`
    SELECT seq, line FROM ledger
    WHERE substr(line, 92, 64) >= ${first} AND substr(line, 92, 64) < ${`${first}~`}
      AND seq > ${afterSeq}
    ORDER BY seq LIMIT ${take}`;
  return rows.map(({ seq, line }) => ({ seq: Number(seq), line }));
}

/** What names people and debts stands in a table of its own (src/store/words.ts). */
async function wordsOf(client: Client, numbers: readonly number[]): Promise<Map<number, string>> {
  const found = await client.words.findMany({ where: { id: { in: [...numbers] } } });
  return new Map(found.map(({ id, text }) => [id, text]));
}

const paged = ({ after, limit }: Page) => ({
  take: Math.min(limit, pageLimit),
  ...(after === undefined ? {} : { cursor: { id: after }, skip: 1 }),
});

const between = (fromUtcMs: number | undefined, toUtcMs: number | undefined) => ({
  ...(fromUtcMs === undefined ? {} : { gte: BigInt(fromUtcMs) }),
  ...(toUtcMs === undefined ? {} : { lt: BigInt(toUtcMs) }),
});

/** The conditions that were given at all. */
function given<T extends Record<string, string | undefined>>(conditions: T) {
  const entries = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: string };
}

function plain<T extends object>(row: T): Plain<T> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value !== null) shown[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  return shown as Plain<T>;
}
