// What the API shows: every answer's schema, which also keeps in what is not named here.
import Type, { type Static } from 'typebox';
import type { NumberKind, PersonRole } from '../cases/case.ts';
import { configSchema } from '../config-schema.ts';
import { exactly, Roles } from './forms.ts';

const text = Type.String();
const whole = Type.Integer();
const share = Type.Number({ minimum: 0, maximum: 1 });
const optional = { text: Type.Optional(text), whole: Type.Optional(whole) };

/** RFC 9457 with four members of ours: code, why, todo and, for a refusal, nothing else. */
export const ProblemView = exactly(
  {
    type: text,
    title: Type.String({ description: 'What happened.' }),
    status: whole,
    code: Type.String({ description: 'Stable; look it up in docs/errors.md.' }),
    why: Type.String({ description: 'Why it happened.' }),
    todo: Type.String({ description: 'What to do about it.' }),
    detail: Type.Optional(Type.String({ description: 'Where in the request.' })),
    instance: Type.Optional(Type.String({ description: 'Stands in the log beside the cause.' })),
  },
  'A problem (RFC 9457), sent as application/problem+json.',
);

export const DoneView = exactly({ done: Type.Literal(true) });

export const PersonView = exactly({
  id: text,
  name: text,
  roles: Roles,
  state: Type.Enum(['active', 'left']),
  sinceUtcMs: whole,
  requirements: Type.Record(text, whole, { description: 'What was recorded, and when.' }),
  lacks: Type.Optional(
    Type.String({ description: 'Why this person may not take calls now; absent: may.' }),
  ),
});
export type PersonView = Static<typeof PersonView>;

export const TokenView = exactly({
  id: text,
  kind: Type.Enum(['session', 'api', 'enrolment']),
  personId: optional.text,
  label: optional.text,
  roles: Type.Optional(Roles),
  madeUtcMs: whole,
  endsUtcMs: whole,
});

export const SecretView = exactly({
  tokenId: text,
  token: Type.String({ description: 'Shown this once; send it as `Authorization: Bearer`.' }),
  endsUtcMs: whole,
});

export const AgentView = exactly({
  id: Type.String({ description: 'The id of the person at the seat.' }),
  extension: text,
  way: Type.Enum(['pre-connected', 'ring-per-call']),
  campaignIds: Type.Array(text),
  state: Type.Enum(['out', 'away', 'ready', 'reserved', 'talking', 'wrap-up', 'break']),
  code: optional.text,
  sinceUtcMs: whole,
  phone: Type.Enum(['none', 'ringing', 'up']),
  callId: optional.text,
  caseId: optional.text,
  untilUtcMs: optional.whole,
});
export type AgentView = Static<typeof AgentView>;

/** What can be changed while a campaign runs; ranges are those of the configuration. */
export const CampaignSettings = exactly({
  ...configSchema.properties.telephony.properties.campaign.properties,
});
export type CampaignSettings = Static<typeof CampaignSettings>;

export const CampaignView = exactly({
  id: text,
  name: text,
  creditorId: text,
  mode: Type.Enum(['predictive', 'progressive']),
  state: Type.Enum(['stopped', 'running', 'paused']),
  stateWhy: optional.text,
  /** What pacing does at this moment, and the rule that made it so. */
  pacing: optional.text,
  pacingWhy: optional.text,
  answered30d: whole,
  abandoned30d: whole,
  trunk: text,
  callerId: Type.String({ description: 'The number that is shown: its creditor’s.' }),
  settings: CampaignSettings,
});
export type CampaignView = Static<typeof CampaignView>;

export const AlarmView = exactly({
  id: text,
  room: text,
  code: text,
  about: text,
  sinceUtcMs: whole,
  lastUtcMs: whole,
  count: whole,
  clearedUtcMs: optional.whole,
  ackBy: optional.text,
  ackUtcMs: optional.whole,
});
export type AlarmView = Static<typeof AlarmView>;

/** The floor at one moment. */
export const FloorView = exactly({
  atUtcMs: whole,
  feed: Type.Enum(['stale', 'surveying', 'fresh']),
  agents: Type.Array(AgentView),
  campaigns: Type.Array(CampaignView),
  /** Calls on the lines by state; no numbers, no people. */
  lines: Type.Record(text, whole),
  abandonShare: Type.Optional(share),
  recordings: Type.Record(text, whole, { description: 'Recordings of this run by state.' }),
  alarms: Type.Array(AlarmView),
});
export type FloorView = Static<typeof FloorView>;

/** A call as the ledger's tables have it: ids and codes, no number and no name. */
export const CallView = exactly({
  id: text,
  campaignId: text,
  mode: text,
  state: text,
  permitId: optional.text,
  caseId: optional.text,
  debtorId: optional.text,
  numberId: optional.text,
  agentId: optional.text,
  askedUtcMs: whole,
  dialedUtcMs: optional.whole,
  ringingUtcMs: optional.whole,
  answeredUtcMs: optional.whole,
  connectedUtcMs: optional.whole,
  endedUtcMs: optional.whole,
  cause: optional.whole,
  sipCode: optional.whole,
  endedBy: optional.text,
  endAsked: optional.text,
  outcome: optional.text,
  disposition: optional.text,
  recovered: Type.Boolean(),
});

export const RecordingView = exactly({
  id: text,
  state: text,
  why: optional.text,
  spanMs: whole,
  durationMs: optional.whole,
  objectId: optional.text,
  plainSha256: optional.text,
  cipherSha256: optional.text,
  plainBytes: optional.whole,
  sealedUtcMs: optional.whole,
  notice: Type.Boolean(),
  repaired: Type.Boolean(),
});

export const EntryView = exactly({
  seq: whole,
  line: Type.String({ description: 'The exact bytes of the record, without its newline.' }),
});

export const CheckpointView = exactly({
  name: Type.String({ description: 'Its file’s name in the folder of checkpoints.' }),
  text: Type.String({ description: 'The signed note, byte for byte.' }),
});

export const CreditorView = exactly({ id: text, name: text, callerId: text });

export const ActionCodeView = exactly({
  code: text,
  zh: text,
  en: text,
  reached: Type.Enum(['debtor', 'other', 'nobody']),
  effective: Type.Boolean({ description: 'The conversation counts, however it is marked.' }),
  needs: Type.Optional(Type.Enum(['callback', 'promise'])),
  stops: Type.Optional(Type.String({ description: 'The case stops at once, for this reason.' })),
  number: Type.Optional(Type.Enum(['invalid', 'stopped'])),
});

export const CallbackView = exactly({
  id: text,
  caseId: text,
  numberId: text,
  dueUtcMs: Type.Integer({ description: 'As it was agreed.' }),
  nextUtcMs: Type.Integer({ description: 'Later than that while a rule holds it back.' }),
  agentId: Type.Optional(Type.String({ description: 'Who wants to keep it; absent: anybody.' })),
});

export const StopListView = exactly({
  id: text,
  scope: text,
  key: Type.String({ description: 'Keyed digest of number or person, or the creditor’s id.' }),
  reason: text,
  byPersonId: text,
  atUtcMs: whole,
});

export const CaseSummary = exactly({
  id: text,
  batchId: text,
  creditorId: text,
  reference: text,
  product: optional.text,
  amountMinor: optional.whole,
  stops: Type.Array(text),
  stoppedUtcMs: optional.whole,
  allocatedTo: optional.text,
  allocatedUtcMs: optional.whole,
});

export const BatchView = exactly({
  id: text,
  creditorId: text,
  name: text,
  receivedUtcMs: whole,
  deadlineUtcMs: optional.whole,
  recallUtcMs: optional.whole,
  ended: Type.Optional(Type.Enum(['recalled', 'expired'])),
});

/** Hours of a person's week, as `"mon": ["09:00-12:00"]`; a day that is left out has none. */
const Ranges = Type.Optional(
  Type.Array(Type.String({ pattern: '^\\d{2}:\\d{2}-\\d{2}:\\d{2}$' }), { maxItems: 10 }),
);
export const WeekForm = exactly({
  mon: Ranges,
  tue: Ranges,
  wed: Ranges,
  thu: Ranges,
  fri: Ranges,
  sat: Ranges,
  sun: Ranges,
});
export type WeekForm = Static<typeof WeekForm>;

const NumberView = exactly({
  id: text,
  e164: text,
  kind: text,
  state: text,
  notAtWork: Type.Boolean(),
  notThen: Type.Optional(WeekForm),
});

/** With names and numbers: showing it is an entry. */
export const CaseView = exactly({
  ...CaseSummary.properties,
  people: Type.Array(
    exactly({
      id: text,
      role: text,
      name: optional.text,
      zone: optional.text,
      refusedUtcMs: optional.whole,
      numbers: Type.Array(NumberView),
    }),
  ),
});

export const ContactView = exactly({
  id: text,
  decision: Type.Enum(['granted', 'reported', 'inbound', 'withheld']),
  channel: text,
  mode: optional.text,
  atUtcMs: whole,
  personId: optional.text,
  numberId: optional.text,
  agentId: optional.text,
  rule: Type.Optional(Type.String({ description: 'The rule that did not allow it.' })),
  detail: Type.Optional(Type.Array(text)),
  untilUtcMs: optional.whole,
  policy: optional.text,
  outcome: optional.text,
  attemptUtcMs: optional.whole,
  answerUtcMs: optional.whole,
  conversationUtcMs: optional.whole,
});

// As records, since the compiler then holds them complete.
const personRoles: Record<PersonRole, true> = {
  debtor: true,
  guarantor: true,
  'contact-person': true,
};
const numberKinds: Record<NumberKind, true> = { mobile: true, home: true, work: true, other: true };

/** Names of columns, as the first row of the file has them. */
const Column = Type.String({ minLength: 1, maxLength: 200 });
/** Which column of a list means what, as cases/lists reads it. */
export const ListMapping = exactly({
  reference: Column,
  amount: Type.Optional(Column),
  product: Type.Optional(Column),
  sheet: Type.Optional(Column),
  people: Type.Array(
    exactly({
      role: Type.Enum(Object.keys(personRoles) as PersonRole[]),
      name: Type.Optional(Column),
      customer: Type.Optional(Column),
      identity: Type.Optional(Column),
      zone: Type.Optional(Column),
      numbers: Type.Array(
        exactly({ column: Column, kind: Type.Enum(Object.keys(numberKinds) as NumberKind[]) }),
        {
          maxItems: 20,
        },
      ),
    }),
    { minItems: 1, maxItems: 20 },
  ),
});
export type ListMapping = Static<typeof ListMapping>;

export const ListView = exactly({
  id: text,
  batchId: optional.text,
  why: Type.Optional(Type.String({ description: 'Why the file was refused.' })),
  line: Type.Optional(Type.Integer({ description: 'Where in the file.' })),
  campaignId: text,
  state: Type.Enum(['staging', 'staged', 'live', 'dropped', 'failed']),
  accepted: whole,
  rejected: whole,
  duplicates: whole,
  fileSha256: optional.text,
  rejectSha256: optional.text,
  byPersonId: text,
  confirmedBy: optional.text,
  atUtcMs: whole,
  progress: Type.Optional(exactly({ line: whole, bytes: whole, rows: whole })),
});

export const HealthView = exactly({
  ready: Type.Boolean(),
  checks: Type.Array(
    exactly({
      name: text,
      state: Type.Enum(['ok', 'failed', 'unknown']),
      code: optional.text,
      sinceUtcMs: optional.whole,
    }),
  ),
});
export type HealthView = Static<typeof HealthView>;
