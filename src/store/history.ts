// What happened: the questions of the API about calls, recordings, contacts and the ledger.
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

    /** The ledger's own lines from a place on, oldest first. */
    entries: (page: { afterSeq: number; limit: number }): Promise<LedgerLine[]> =>
      client.ledger.findMany({
        where: { seq: { gt: page.afterSeq } },
        orderBy: { seq: 'asc' },
        take: Math.min(page.limit, pageLimit),
      }),

    /** The lines that say what happened to one thing, oldest first. */
    async entriesAbout(about: string, page: { afterSeq: number; limit: number }) {
      const first = `${about}"`.slice(0, aboutChars);
      const take = Math.min(page.limit, pageLimit);
      const rows = await client.$queryRaw<LedgerLine[]>`
        SELECT seq, line FROM ledger
        WHERE substr(line, 92, 64) >= ${first} AND substr(line, 92, 64) < ${`${first}~`}
          AND seq > ${page.afterSeq}
        ORDER BY seq LIMIT ${take}`;
      return rows.map(({ seq, line }) => ({ seq: Number(seq), line }));
    },
  };
}

// `about` begins at the 92nd byte of every line, after the chained hash, since `rec` has its keys in
// order (docs/evidence-format.md section 2); an index over these bytes answers without a scan.
const aboutChars = 64;

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
