// Every key of the configuration: its form, range, default, and the sentence that explains it.
import Type, { type Static, type TSchema } from 'typebox';
import { type Cap, defaultCaps } from './cases/contact-policy.ts';

const object = <T extends Record<string, TSchema>>(description: string, properties: T) =>
  Type.Object(properties, { description, default: {}, additionalProperties: false });

/** Where a relative path starts: at the configuration file's folder, or within `dataDir`. */
export type PathStart = 'config' | 'dataDir';

const path = (description: string, options: { default?: string; from?: PathStart } = {}) =>
  Type.String({ description, minLength: 1, maxLength: 4096, from: 'config', ...options });

const integer = (description: string, minimum: number, maximum: number, standard: number) =>
  Type.Integer({ description, minimum, maximum, default: standard });

const name = (description: string) =>
  Type.String({ description, pattern: '^[a-z][a-z0-9-]{0,31}$' });

const host = (description: string, options: { default?: string } = {}) =>
  Type.String({ description, pattern: '^[A-Za-z0-9.:_-]{1,253}$', ...options });

const port = (description: string, standard: number) => integer(description, 1, 65_535, standard);

const days = (description: string, standard: number) => integer(description, 1, 36_500, standard);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const holidayYear = Type.Object(
  {
    year: Type.Integer({ description: 'The year of the notice.', minimum: 2000, maximum: 2200 }),
    source: Type.String({
      description: 'Where the days come from, for the person who checks them.',
      minLength: 1,
      maxLength: 200,
    }),
    holidays: Type.Array(Type.String(), {
      description: 'Public holidays as `YYYY-MM-DD` or `first/last`, both included.',
      maxItems: 100,
    }),
    swapped: Type.Array(Type.String(), {
      description: 'Saturdays and Sundays that are working days (调休), in the same form.',
      maxItems: 100,
    }),
  },
  { additionalProperties: false },
);

const trunk = Type.Object(
  {
    name: name('The name that campaigns use; also the name of its endpoint in Asterisk.'),
    host: Type.String({
      description: 'Address of the carrier’s SIP server.',
      pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$',
    }),
    port: port('Its SIP port.', 5060),
    username: Type.Optional(
      Type.String({
        description: 'For a carrier that asks for a registration; absent: trusted by address.',
        pattern: '^[A-Za-z0-9_.+@-]{1,64}$',
      }),
    ),
    secretFile: Type.Optional(path('File that holds the password of `username`.')),
    maxLines: integer(
      'Calls that the carrier lets run at the same time, of all campaigns and talking ones too.',
      1,
      10_000,
      60,
    ),
  },
  { additionalProperties: false },
);

const extension = Type.Object(
  {
    number: Type.String({
      description: 'The number of an agent’s phone, as the agent types it when signing in.',
      pattern: '^[0-9]{2,6}$',
    }),
    secretFile: Type.Optional(
      path('File that holds its SIP password; absent: one is made and kept in `secretsDir`.'),
    ),
    contact: Type.Optional(
      Type.Object(
        {
          host: host('Where the phone is found.'),
          port: port('Its SIP port.', 5060),
        },
        {
          description: 'For a phone that does not register by itself.',
          additionalProperties: false,
        },
      ),
    ),
  },
  { additionalProperties: false },
);

const asterisk = object('The Asterisk that carries the calls.', {
  run: Type.Enum(['private', 'site'], {
    description:
      '`private`: the daemon starts and restarts the Asterisk that set-up fetched, on loopback. ' +
      '`site`: the site’s own, run by its unit; the daemon connects and writes its part of the ' +
      'configuration.',
    default: 'private',
  }),
  setUpFile: path('What set-up wrote about the private Asterisk: where it is, which version.', {
    default: '.cache/asterisk/set-up.json',
  }),
  amiPort: port('Loopback port of its manager interface.', 5038),
  ariPort: port('Loopback port of its HTTP server, which carries ARI.', 8088),
  sipPort: port('Loopback port of its SIP; private only, a site’s own is the site’s.', 5060),
  rtpFirstPort: integer(
    'First port for media, two for each leg; private only.',
    1024,
    65_534,
    20_000,
  ),
  rtpLastPort: integer('Last port for media; private only.', 1025, 65_535, 24_000),
  configDir: path('Folder for its configuration: all of it, or the part a site’s own includes.', {
    default: 'asterisk',
    from: 'dataDir',
  }),
  secretsDir: path('Folder of the passwords that are made for it; files of mode 0600.', {
    default: 'secrets',
    from: 'dataDir',
  }),
  spoolDir: path('Folder into which it records; shared by the two users only.', {
    default: 'spool',
    from: 'dataDir',
  }),
});

const campaign = object('What a new campaign starts with; each campaign keeps its own settings.', {
  ringMs: integer(
    'How long a call may ring before it is cancelled; below 15 s is not allowed (16 CFR 310.4).',
    15_000,
    120_000,
    30_000,
  ),
  limitMs: integer(
    'Asterisk itself ends a call after this long, with or without the daemon.',
    minuteMs,
    4 * hourMs,
    hourMs,
  ),
  noticeSound: Type.Optional(
    Type.String({
      description:
        'Sound played at answer to say that the call is recorded; absent: none. The wait for an ' +
        'agent runs meanwhile, so a second is a good length: see the alarm notice-too-long.',
      pattern: '^[A-Za-z0-9/_][A-Za-z0-9/_.-]{0,250}$',
    }),
  ),
  messageSound: Type.String({
    description:
      'Sound for a person whom no agent could take: a neutral name and a number to call, never ' +
      'a debt, a bank or a case, since anyone may have answered.',
    pattern: '^[A-Za-z0-9/_][A-Za-z0-9/_.-]{0,250}$',
    default: 'gatehouse/no-agent',
  }),
  waitMs: integer(
    'An answered call has an agent after this long, or hears the message and is abandoned.',
    500,
    2_000,
    2_000,
  ),
  limitShare: Type.Number({
    description: 'Abandoned calls of 30 days, as a share of the answered, that are never passed.',
    minimum: 0,
    maximum: 0.03,
    default: 0.03,
  }),
  targetShare: Type.Number({
    description: 'The share at which predictive dialing works; not above `limitShare`.',
    minimum: 0,
    maximum: 0.03,
    default: 0.02,
  }),
  wrapUpMs: integer(
    'An agent is ready again this long after a call, unless sooner by hand.',
    0,
    30 * minuteMs,
    30_000,
  ),
  maxCallsPerAgent: integer('Calls dialed at the same time for each agent at work.', 1, 10, 4),
});

const telephony = object('Trunks, phones and recording.', {
  asterisk,
  trunks: Type.Array(trunk, {
    description: 'The carriers.',
    default: [],
    maxItems: 50,
  }),
  extensions: Type.Array(extension, {
    description: 'The agents’ phones.',
    default: [],
    maxItems: 2_000,
  }),
  campaign,
  requirements: Type.Array(name('A requirement, as it stands in a person’s record.'), {
    description: 'What a person’s record must show before they can be ready.',
    default: ['agreement-signed', 'exam-passed', 'mock-call-passed'],
    maxItems: 20,
  }),
  minSpoolHours: integer(
    'With less room in `spoolDir`, in hours of recording, nothing is dialed.',
    1,
    100_000,
    8,
  ),
  minVaultHours: integer('The same for the vault.', 1, 1_000_000, 100),
  maxUnsealed: integer(
    'While more recordings wait to be sealed, nothing is dialed.',
    1,
    100_000,
    500,
  ),
});

const ranges = (description: string, standard: string[]) =>
  Type.Array(
    Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]$' }),
    {
      description,
      default: standard,
      maxItems: 5,
    },
  );

const capNames = defaultCaps.map(({ name }) => name);

function capText({ what, key, window, channels }: Cap): string {
  const spans = [
    window.days !== undefined && `${window.days} calendar days of the person`,
    window.ms !== undefined && `${window.ms / hourMs} hours`,
  ].filter(Boolean);
  return `${what} × ${key} × ${spans.join(' and ')} (${channels.join(', ')}).`;
}

const everyday = ['08:00-20:00'];
const contact = object(
  'Who may be contacted when, and how often (docs/glossary.md has the words).',
  {
    hours: object('Hours of the person’s own zone in which they may be contacted.', {
      mon: ranges('Monday, as `HH:MM-HH:MM`.', everyday),
      tue: ranges('Tuesday.', everyday),
      wed: ranges('Wednesday.', everyday),
      thu: ranges('Thursday.', everyday),
      fri: ranges('Friday.', everyday),
      sat: ranges('Saturday.', everyday),
      sun: ranges('Sunday.', everyday),
      swapped: ranges('A Saturday or Sunday that is a working day (调休).', everyday),
      holiday: ranges('A public holiday.', []),
    }),
    zones: Type.Array(Type.String(), {
      description: 'Zones in which a person of unknown zone may be: each has to allow the contact.',
      default: ['Asia/Shanghai'],
      minItems: 1,
      maxItems: 20,
    }),
    contactPersons: Type.Boolean({
      description: 'May contact persons be contacted at all? Predictively they never are.',
      default: false,
    }),
    carrierFailureCounts: Type.Boolean({
      description: 'Does a dial that failed in the carrier’s network count as an attempt?',
      default: true,
    }),
    caps: object('The highest count of each rule: *what × key × window*.', {
      ...Object.fromEntries(
        defaultCaps.map((cap) => [cap.name, integer(capText(cap), 1, 1_000, cap.limit)]),
      ),
    }),
    capsOff: Type.Array(Type.Enum(capNames), {
      description: 'Rules that do not hold at this site; the Reg F ones are for sites under it.',
      default: defaultCaps.filter(({ active }) => !active).map(({ name }) => name),
      maxItems: capNames.length,
    }),
  },
);

/** The whole configuration. Unknown keys are refused everywhere, and nothing is coerced. */
export const configSchema = object('Gatehouse', {
  dataDir: path('Folder of database, ledger, vault and everything else that must be kept.', {
    default: 'data',
  }),
  keysDir: path(
    'Folder of the site’s keys. Keep it out of every backup of `dataDir`: whoever holds both ' +
      'holds the recordings, and destroying a key must destroy them.',
    { default: 'keys' },
  ),
  site: object('The call floor.', {
    region: Type.String({
      description: 'Country (ISO 3166) of numbers that a list gives without a country code.',
      pattern: '^[A-Z]{2}$',
      default: 'CN',
    }),
    timeZone: Type.String({
      description: 'Zone of the floor: its days and shifts.',
      default: 'Asia/Shanghai',
    }),
    calendar: Type.Array(holidayYear, {
      description:
        'Years of public holidays beyond those that are built in; a year given here counts ' +
        'instead of a built-in one. A year in neither is an alarm, and nobody is contacted.',
      default: [],
      maxItems: 50,
    }),
  }),
  http: object('The console’s and the API’s address.', {
    host: host('Address to listen on. Anything beyond loopback is refused without `tls`.', {
      default: '127.0.0.1',
    }),
    port: port('Port to listen on.', 8790),
    tls: Type.Optional(
      Type.Object(
        {
          certFile: path('Certificate chain in PEM form.'),
          keyFile: path('Its private key in PEM form.'),
        },
        { description: 'Absent: plain HTTP, on loopback only.', additionalProperties: false },
      ),
    ),
  }),
  telephony,
  contact,
  ledger: object('The account of everything.', {
    checkpointEveryMs: integer(
      'How often the ledger’s head is signed.',
      minuteMs,
      24 * hourMs,
      hourMs,
    ),
  }),
  retention: object('How long things are kept; a legal hold always wins.', {
    cdrDays: days(
      'Call records of a private Asterisk, which hold numbers. A site’s own are not the ' +
        'daemon’s to delete: `asterisk/site/logrotate.conf` does it.',
      7,
    ),
  }),
});

export type Config = Static<typeof configSchema>;

/** The parts of a schema that its explanation needs. */
export type SchemaPart = TSchema & {
  type?: string;
  description?: string;
  default?: unknown;
  from?: PathStart;
  enum?: readonly string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  required?: readonly string[];
  items?: SchemaPart;
  properties?: Record<string, SchemaPart>;
};

/** What a key may hold, in words; stands in error messages and in docs/config.md. */
export function allowed(schema: SchemaPart): string {
  const { type, minimum, maximum, pattern, maxItems } = schema;
  if (schema.enum) return schema.enum.map((each) => `\`${each}\``).join(' or ');
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`;
  if (type === 'number') return `a number from ${minimum} to ${maximum}`;
  if (type === 'array') {
    const each = schema.items?.properties ? '' : `, each ${allowed(schema.items ?? {})}`;
    return `a list of at most ${maxItems}${each}`;
  }
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'object') return `keys ${Object.keys(schema.properties ?? {}).join(', ')}`;
  if (schema.from) return 'a path';
  return pattern ? `text of the form \`${pattern}\`` : 'text';
}
