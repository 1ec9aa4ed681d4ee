// The book of a simulated floor: creditors, batches, cases, people, numbers and lists, from a seed.
import { hash } from 'node:crypto';
import { dayMs, dayText, everyDay, hourMs } from '../calendar.ts';
import type {
  BatchRow,
  CasePersonRow,
  CaseRow,
  CreditorRow,
  NumberRow,
  PersonRole,
  StopListRow,
} from '../cases/case.ts';
import type { LeadRow, ListRow, StoredContact } from '../cases/working-set.ts';
import type { Change, Row } from '../draft.ts';
import type { CampaignDayRow } from '../telephony/working-set.ts';
import type { Chance } from './chance.ts';

/** The site's keyed digest, as far as a simulated site needs a key. */
export const digestOf = (kind: 'person' | 'number' | 'reference', text: string) =>
  hash('sha256', `simulated ${kind} ${text}`, 'hex');

/** A number as the world knows it, whatever becomes of its rows. */
export interface BookedNumber {
  readonly id: string;
  readonly e164: string;
  readonly caseId: string;
  readonly creditorId: string;
  readonly person: CasePersonRow;
  readonly campaignId: string;
}

export interface Book {
  /** Every row, of all tables. */
  readonly changes: readonly Change[];
  readonly numbers: ReadonlyMap<string, BookedNumber>;
  readonly caseIds: readonly string[];
  readonly personIds: readonly string[];
  /** The list that comes in during the day and waits for a second person. */
  readonly stagedListId: string;
  /** One that nobody wants: it is dropped. */
  readonly unwantedListId: string;
}

export const campaigns = [
  { id: 'campaign-1', creditorId: 'creditor-1', mode: 'predictive' },
  { id: 'campaign-2', creditorId: 'creditor-2', mode: 'progressive' },
] as const;
export const bringsLists = 'person-lists';
export const confirmsLists = 'person-confirms';

interface PlannedList {
  readonly id: string;
  readonly campaign: (typeof campaigns)[number];
  readonly cases: number;
  readonly state: ListRow['state'];
  /** Hours of the day after which the creditor takes the batch back, or its time is over. */
  readonly recallAfterHours?: number;
  readonly expiresAfterHours?: number;
}

const plan: readonly PlannedList[] = [
  { id: 'list-1', campaign: campaigns[0], cases: 750, state: 'live' },
  { id: 'list-2', campaign: campaigns[1], cases: 400, state: 'live' },
  { id: 'list-3', campaign: campaigns[0], cases: 250, state: 'staged' },
  { id: 'list-4', campaign: campaigns[0], cases: 30, state: 'live', recallAfterHours: 1.2 },
  { id: 'list-5', campaign: campaigns[1], cases: 30, state: 'live', expiresAfterHours: 2.1 },
  { id: 'list-6', campaign: campaigns[0], cases: 40, state: 'staged' },
];

/** The zones that people of a list live in; most of them unstated or the floor's own. */
const zones: readonly (readonly [permille: number, zone: string | undefined])[] = [
  [820, 'Asia/Shanghai'],
  [120, undefined],
  [20, 'Europe/London'],
  [20, 'America/Los_Angeles'],
  [20, 'Pacific/Kiritimati'],
];

const sharedPersonPermille = 80;
const sharedNumberPermille = 60;
const roles: readonly (readonly [permille: number, role: PersonRole])[] = [
  [1_000, 'debtor'],
  [150, 'guarantor'],
  [60, 'contact-person'],
];
const secondNumberPermille = 350;
const spoiltPermille = 12;
/** So many have been called before, as often as one of the caps allows. */
const calledPermille = 40;

/** Writes the book of one seed; everything in it is there when the floor opens. */
export function writeBook(chance: Chance, newId: (kind: string) => string, atUtcMs: number): Book {
  const changes: Change[] = [];
  const numbers = new Map<string, BookedNumber>();
  const parts: BookParts = {
    chance,
    newId,
    atUtcMs,
    numbers,
    put: (table, row) => changes.push({ table, id: row.id, row }),
    keys: [],
    e164s: [],
    caseIds: [],
    personIds: [],
  };
  for (const { creditorId: id } of campaigns) {
    const creditor: CreditorRow = { id, name: id, callerId: '+12025550199' };
    parts.put('Creditor', creditor);
  }
  for (const list of plan) writeList(parts, list);
  // Half of the houses have worked before, and may predict at once.
  if (chance.hits(500)) writeHistory(parts);
  const { caseIds, personIds } = parts;
  return {
    changes,
    numbers,
    caseIds,
    personIds,
    stagedListId: 'list-3',
    unwantedListId: 'list-6',
  };
}

/** What campaigns did on the days before this one. */
function writeHistory({ atUtcMs, put }: BookParts): void {
  for (const { id: campaignId } of campaigns)
    for (const daysAgo of [1, 2, 3]) {
      const day = dayText(Math.floor(atUtcMs / dayMs) - daysAgo);
      const counts = { dialed: 900, answered: 300, abandoned: 4 };
      const row: CampaignDayRow = { id: `${campaignId}:${day}`, campaignId, day, ...counts };
      put('CampaignDay', row);
    }
}

interface BookParts {
  chance: Chance;
  newId(kind: string): string;
  atUtcMs: number;
  numbers: Map<string, BookedNumber>;
  put(table: string, row: Row): void;
  /** Keys of people and numbers so far, some of which come again in other cases. */
  keys: string[];
  e164s: string[];
  caseIds: string[];
  personIds: string[];
}

function writeList(parts: BookParts, list: PlannedList): void {
  const { id, campaign, cases, state, recallAfterHours, expiresAfterHours } = list;
  const { atUtcMs } = parts;
  const { creditorId } = campaign;
  const batchId = `batch-of-${id}`;
  const after = (hours: number) => Math.round(atUtcMs + hours * hourMs);
  const batch: BatchRow = {
    id: batchId,
    creditorId,
    name: batchId,
    receivedUtcMs: atUtcMs,
    ...(recallAfterHours === undefined ? {} : { recallUtcMs: after(recallAfterHours) }),
    ...(expiresAfterHours === undefined ? {} : { deadlineUtcMs: after(expiresAfterHours) }),
  };
  parts.put('Batch', batch);
  const row: ListRow = {
    id,
    campaignId: campaign.id,
    batchId,
    state,
    accepted: cases,
    rejected: 0,
    duplicates: 0,
    byPersonId: bringsLists,
    atUtcMs,
  };
  parts.put('List', row);
  for (let i = 0; i < cases; i += 1) writeCase(parts, list, batchId, `${id}-${i}`);
}

function writeCase(parts: BookParts, list: PlannedList, batchId: string, reference: string): void {
  const { chance, newId, atUtcMs } = parts;
  const { creditorId } = list.campaign;
  const stopped = chance.hits(spoiltPermille);
  const row: CaseRow = {
    id: newId('case'),
    batchId,
    creditorId,
    reference,
    referenceKey: digestOf('reference', `${creditorId}/${reference}`),
    stops: stopped ? ['disputed'] : [],
    version: 1,
    ...(stopped ? { stoppedUtcMs: atUtcMs } : {}),
  };
  parts.put('Case', row);
  if (list.state === 'live') parts.caseIds.push(row.id);
  for (const [permille, role] of roles)
    if (chance.hits(permille)) writePerson(parts, list, row, role);
}

function writePerson(parts: BookParts, list: PlannedList, row: CaseRow, role: PersonRole): void {
  const { chance, newId, keys, atUtcMs } = parts;
  const id = newId('debtor');
  const isKnown = keys.length > 0 && chance.hits(sharedPersonPermille);
  const personKey = isKnown ? chance.pick(keys) : digestOf('person', id);
  keys.push(personKey);
  let drawn = chance.below(1_000);
  const zone = zones.find(([permille]) => {
    drawn -= permille;
    return drawn < 0;
  })?.[1];
  const person: CasePersonRow = {
    id,
    caseId: row.id,
    role,
    name: `Person ${id}`,
    personKey,
    version: 1,
    ...(zone === undefined ? {} : { zone }),
    ...(chance.hits(spoiltPermille) ? { refusedUtcMs: atUtcMs } : {}),
  };
  parts.put('CasePerson', person);
  parts.personIds.push(id);
  writeNumber(parts, list, row, person);
  if (chance.hits(secondNumberPermille)) writeNumber(parts, list, row, person);
}

function writeNumber(
  parts: BookParts,
  list: PlannedList,
  row: CaseRow,
  person: CasePersonRow,
): void {
  const { chance, newId, e164s, atUtcMs } = parts;
  const isKnown = e164s.length > 0 && chance.hits(sharedNumberPermille);
  // A range that no network has assigned, in the form of the country's own numbers.
  const next = `+861000000${String(e164s.length % 10_000).padStart(4, '0')}`;
  const e164 = isKnown ? chance.pick(e164s) : next;
  e164s.push(e164);
  const number: NumberRow = {
    id: newId('number'),
    caseId: row.id,
    personId: person.id,
    e164,
    numberKey: digestOf('number', e164),
    kind: chance.pick(['mobile', 'mobile', 'home', 'work']),
    notAtWork: chance.hits(spoiltPermille),
    state: chance.hits(spoiltPermille) ? 'invalid' : 'ok',
    version: 1,
    ...(chance.hits(spoiltPermille) ? { notThen: everyDay([0, 1_439]) } : {}),
  };
  parts.put('Number', number);
  parts.numbers.set(number.id, {
    id: number.id,
    e164,
    caseId: row.id,
    creditorId: row.creditorId,
    person,
    campaignId: list.campaign.id,
  });
  if (chance.hits(calledPermille)) writeContacts(parts, row, person, number);
  if (chance.hits(spoiltPermille)) {
    const stop: StopListRow = {
      id: newId('stop'),
      scope: 'number',
      key: number.numberKey,
      reason: 'asked',
      byPersonId: confirmsLists,
      atUtcMs,
    };
    parts.put('StopList', stop);
  }
  const lead: LeadRow = {
    id: newId('lead'),
    campaignId: list.campaign.id,
    listId: list.id,
    caseId: row.id,
    personId: person.id,
    numberId: number.id,
    state: 'open',
    nextUtcMs: 0,
    tries: 0,
    version: 1,
  };
  parts.put('Lead', lead);
}

/** Contacts of before, as hours ago: each of these fills one cap. */
const before: readonly (readonly [
  what: 'attempt' | 'answer' | 'conversation',
  hoursAgo: number[],
])[] = [
  ['attempt', [0.1, 0.2, 0.3]],
  ['attempt', [14, 15, 16, 17, 18]],
  ['attempt', Array.from({ length: 15 }, (_, at) => 30 + 8 * at)],
  ['answer', [0.1, 0.2, 0.3]],
  ['conversation', [0.1, 0.2, 0.3]],
];

function writeContacts(
  { chance, newId, atUtcMs, put }: BookParts,
  { id: caseId, creditorId }: CaseRow,
  { id: personId, personKey }: CasePersonRow,
  number: NumberRow,
): void {
  const [what, times] = chance.pick(before);
  for (const hoursAgo of times) {
    const timeUtcMs = Math.round(atUtcMs - hoursAgo * hourMs);
    const contact: StoredContact = {
      ...{ id: newId('permit'), channel: 'call', origin: 'granted', mode: 'manual', caseId },
      ...{ personId, personKey, creditorKey: `${personKey}.${creditorId}`, state: 'settled' },
      ...{ numberId: number.id, numberKey: number.numberKey, version: 1 },
      localDay: dayText(Math.floor(timeUtcMs / dayMs)),
      settledUtcMs: timeUtcMs,
      ...(what === 'attempt' ? { attemptUtcMs: timeUtcMs } : {}),
      ...(what === 'answer' ? { answerUtcMs: timeUtcMs } : {}),
      ...(what === 'conversation' ? { conversationUtcMs: timeUtcMs } : {}),
    };
    put('Contact', contact);
  }
}
