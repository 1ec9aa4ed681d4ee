// Every way in which a request can fail, as RFC 9457 problems: what happened, why, what to do.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, FloorError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import type { Log } from '../log.ts';
import type { Refusal } from '../people/person.ts';

/** Status, what happened, why, what to do. */
type Told = readonly [number, string, string, string];

const otherRule = 'Read the code: it names the rule, and docs/errors.md explains it.';

const unsoundTodo =
  'Tell site IT: there is an alarm, and docs/errors.md says under recording-unsound what to do.';

/** Problems of the HTTP side, and the refusals that are not simply "a rule said no" (409). */
const problems = {
  'input-invalid': [
    400,
    'The request is not in the form that this address takes.',
    'Nothing unknown is let in, and nothing is converted.',
    'Compare it with the description at /api/docs.',
  ],
  'body-unreadable': [
    400,
    'The body is not valid JSON.',
    'It could not be read, or has a key that could change other objects.',
    'Send one JSON object in UTF-8.',
  ],
  'login-required': [
    401,
    'This needs a login.',
    'There is no token with the request, or it has ended.',
    'Log in at POST /api/login and send the token as `Authorization: Bearer`.',
  ],
  'login-refused': [
    401,
    'Login or password are wrong.',
    'They are not told apart, so that nobody can find out who works here.',
    'Try again, or ask site IT for a new enrolment code.',
  ],
  'code-refused': [
    401,
    'The enrolment code is not valid.',
    'It was used, has expired, or was replaced by a newer one.',
    'Ask site IT for a new code; before the first login, restart the daemon to get one.',
  ],
  'role-denied': [
    403,
    'Your roles do not allow this.',
    'The table of rights has none of your roles at this address.',
    'Ask somebody who has the role, or site IT to give it to you.',
  ],
  'route-not-in-table': [
    403,
    'Nobody may use this address.',
    'It has no line in the table of rights, and what has none is denied.',
    'Report it: this is a fault of the program.',
  ],
  'not-yours': [
    403,
    'This belongs to somebody else.',
    'With your roles you reach only what is yours.',
    'Ask your team lead.',
  ],
  'not-your-call': [403, 'This call is not yours.', 'Another agent has it.', 'Ask your team lead.'],
  'own-record': [
    403,
    'You can not record this of yourself.',
    'It is the word of somebody else that counts.',
    'Ask a lead, a supervisor or QA.',
  ],
  'role-not-grantable': [
    403,
    'You can not act on these roles.',
    'A role is given and taken away only by those the table names.',
    'Ask site IT.',
  ],
  'session-needed': [
    403,
    'A program can not do this with its token.',
    'It needs a person who has logged in.',
    'Log in with a password.',
  ],
  'same-person': [
    403,
    'A second person has to confirm this.',
    'Whoever brought the file in can not make it live.',
    'Ask a colleague to check and confirm it.',
  ],
  'not-found': [404, 'There is no such thing.', 'The id is unknown here.', 'Check the address.'],
  'no-such-case': [404, 'There is no such case.', 'The id is unknown here.', 'Check the address.'],
  'no-such-campaign': [404, 'There is no such campaign.', 'The id is unknown.', 'Check the id.'],
  'no-such-creditor': [
    409,
    'The creditor is not registered here.',
    'A campaign shows the number that its creditor has registered.',
    'Register the creditor first.',
  ],
  'no-such-trunk': [
    409,
    'There is no such trunk.',
    'Trunks are those of the configuration.',
    'Name one of them, or ask site IT to add it.',
  ],
  'unknown-code': [
    409,
    'No such action code.',
    'An action that no code stands for could not be acted on.',
    'Take one from GET /api/action-codes.',
  ],
  'callback-missing': [
    409,
    'The time to call back is missing.',
    'This action code is a promise to call.',
    'State `callback` with it.',
  ],
  'promise-missing': [
    409,
    'What was promised is missing.',
    'This action code is a promise to pay.',
    'State `promise`, its sum and day, with it.',
  ],
  'number-unreadable': [
    409,
    'This is no number that could be called.',
    'It is read as numbers of lists are, and its country has none like it.',
    'Write it as `+`, country code and number; leave out extensions.',
  ],
  past: [409, 'The time is over.', 'What is promised lies ahead.', 'State a later time.'],
  'reference-differs': [
    409,
    'The reference is not that of this case.',
    'Erasing can not be taken back, so the case is named twice.',
    'Look at the case, and repeat its reference exactly.',
  ],
  'contact-under-way': [
    409,
    'Somebody of this case is being contacted.',
    'The end of that contact has to find the case.',
    'Try again when the call is over.',
  ],
  'stop-of-case': [
    409,
    'A case of this person bears the same stop.',
    'It would go on to stand still, while a new one would not.',
    'Lift the stop at the case; that ends it here too.',
  ],
  'name-differs': [
    409,
    'The name is not that of this batch.',
    'The order moves all its cases, so the batch is named twice.',
    'Look at the batch, and repeat its name exactly.',
  ],
  'batch-not-ended': [
    409,
    'The batch has not ended.',
    'Neither its deadline nor its recall has come.',
    'Nothing has to be opened; a single case has its own stop.',
  ],
  'list-being-read': [
    409,
    'A list of this creditor is being read.',
    'Its wrong rows may name what is to be erased.',
    'Try again when it was read, or drop it.',
  ],
  'recording-differs': [
    409,
    'The recording is not the one that was sealed.',
    'What the database states of it is not what its entry in the ledger states.',
    unsoundTodo,
  ],
  'object-lost': [409, 'The recording is lost.', 'Its file is not in the vault.', unsoundTodo],
  'object-damaged': [
    409,
    'The recording is damaged.',
    'Its file in the vault does not have the digest that was sealed.',
    unsoundTodo,
  ],
  'object-key-unknown': [
    409,
    'The recording can not be opened.',
    'Its key is not one that the master key of this site wrapped.',
    unsoundTodo,
  ],
  'too-large': [
    413,
    'The body is too large.',
    'Every address takes a bounded amount.',
    'Send less at once.',
  ],
  'type-unknown': [
    415,
    'This address does not take that content type.',
    'Changes are made with application/json only; lists are text/csv or XLSX.',
    'Set the content type.',
  ],
  'range-impossible': [
    416,
    'The range lies outside the recording.',
    'It begins after its last byte.',
    'Ask for bytes below the size in Content-Range.',
  ],
  'too-many-attempts': [
    429,
    'Too many attempts; wait a moment.',
    'Each wrong attempt makes the next one wait longer.',
    'Wait as many seconds as Retry-After says.',
  ],
  'too-many-requests': [
    429,
    'Too many requests; wait a moment.',
    'Everybody has a number of requests a minute.',
    'Wait as many seconds as Retry-After says.',
  ],
  internal: [
    500,
    'The request failed inside the program.',
    'This is a fault of the program, and the log has its cause under `instance`.',
    'Report it with the instance.',
  ],
  'too-busy': [
    503,
    'The program has its hands full with the same thing.',
    'How much of it is done at once is bounded.',
    'Try again in a moment.',
  ],
} as const satisfies Record<string, Told>;

export type ProblemCode = keyof typeof problems;

const kinds = {
  retry: [503, 'It may pass by itself.', 'Try again in a moment.'],
  refuse: [409, 'The request asks for something that can not be.', otherRule],
  operator: [503, 'A person has to act on the site.', 'Tell site IT, with the code.'],
} as const;

const retryAfterS = 2;

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  code: string;
  why: string;
  todo: string;
  detail?: string;
  instance?: string;
}

/** Thrown by a route; the error handler sends it. `code` may be any refusal of a room. */
export class Problem extends Error {
  readonly body: ProblemBody;
  readonly retryAfterS: number | undefined;

  constructor(code: string, more: { detail?: string; instance?: string; waitMs?: number } = {}) {
    const [status, title, why, todo] = toldOf(code);
    super(title);
    const { waitMs, ...named } = more;
    this.body = { type: `urn:gatehouse:${code}`, title, status, code, why, todo, ...named };
    const waiting = status === 503 || status === 429;
    this.retryAfterS = waiting ? Math.ceil((waitMs ?? retryAfterS * 1_000) / 1_000) : undefined;
  }
}

function toldOf(code: string): Told {
  if (Object.hasOwn(problems, code)) return problems[code as ProblemCode];
  if (Object.hasOwn(errorTable, code)) {
    const [kind, title] = errorTable[code as keyof typeof errorTable];
    const [status, why, todo] = kinds[kind];
    return [status, title, why, todo];
  }
  return [409, 'A rule of the floor refused it.', `The rule is ${code}.`, otherRule];
}

/** The outcome that was hoped for; a refusal is thrown as a problem. */
export function granted<O extends { done: true } | (Refusal & { waitMs?: number })>(
  outcome: O,
): Extract<O, { done: true }> {
  if (!outcome.done) {
    const { why, waitMs } = outcome;
    throw new Problem(why, waitMs === undefined ? {} : { waitMs });
  }
  return outcome as Extract<O, { done: true }>;
}

/** What stands in the answer: never a cause, a stack, a path or a value of the request. */
export function problemOf(error: unknown, ids: Ids, log: Log, route: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof FloorError && error.kind !== 'operator') return new Problem(error.code);
  const { validation, validationContext, code, statusCode } = error as Partial<FastifyError>;
  if (validation) {
    const { instancePath, message } = validation[0] ?? {};
    const place = `${validationContext ?? 'request'}${instancePath ?? ''}`;
    return new Problem('input-invalid', { detail: `${place} ${message ?? 'is not valid'}` });
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('too-large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('type-unknown');
  if (code?.startsWith('FST_ERR_CTP_')) return new Problem('body-unreadable');
  if (error instanceof SyntaxError && statusCode === 400) return new Problem('body-unreadable');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('input-invalid');
  }
  const instance = ids.next('incident');
  log.error('An HTTP request failed.', { instance, route, cause: error });
  return new Problem(error instanceof FloorError ? error.code : 'internal', { instance });
}

// Below this an unread body is let run out, so that the answer arrives; beyond, the line is cut.
const unreadBytes = 65_536;

/** Sends a problem with the headers that belong to it. */
export function sendProblem(reply: FastifyReply, { body, retryAfterS }: Problem): FastifyReply {
  const { raw, headers } = reply.request;
  const unknownLength = headers['transfer-encoding'] !== undefined;
  const isLong = unknownLength || Number(headers['content-length'] ?? 0) > unreadBytes;
  if (isLong && !raw.complete) reply.header('connection', 'close');
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  if (body.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(body.status)
    .type('application/problem+json')
    .serializer((shown: unknown) => JSON.stringify(shown))
    .send(body);
}

/** Method and pattern of the address, as the table of rights has it; no value of the request. */
export const routeOf = (request: FastifyRequest) =>
  `${request.method} ${request.routeOptions.url ?? '(none)'}`;
