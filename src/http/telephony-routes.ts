// Routes of the telephony room: seats, calls, the floor as it is, alarms, live news.
import Type from 'typebox';
import { type App, actorOf, answers, found, type HttpParts, mustBeOwn } from './app.ts';
import { bearerOf } from './auth.ts';
import { Code, digits, exactly, Id, listOf, numberOf, pageKeys, pageOf, UtcMs } from './forms.ts';
import { type Live, seenBy } from './live.ts';
import { granted, Problem, routeOf } from './problems.ts';
import { decideAccess, rights } from './rights.ts';
import { AgentView, AlarmView, CallView, DoneView, FloorView } from './views.ts';

const rowsShown = 10_000;
const AgentParam = exactly({ agentId: Id });
const CallParam = exactly({ callId: Id });

export function addTelephonyRoutes(app: App, parts: HttpParts, live: Live): void {
  addSeats(app, parts);
  addCalls(app, parts);
  addCallHistory(app, parts);
  addFloor(app, parts, live);
}

function addSeats(app: App, { floor }: HttpParts): void {
  const { telephony, people } = floor;

  app.get(
    '/api/agents',
    {
      schema: {
        tags: ['agents'],
        summary: 'Seats and their states',
        response: answers(exactly({ agents: listOf(AgentView, rowsShown) })),
      },
    },
    (request) => {
      const { personId } = actorOf(request);
      const agents = telephony.agents();
      const own = request.reach === 'own';
      return { agents: own ? agents.filter(({ id }) => id === personId) : agents };
    },
  );

  app.post(
    '/api/agents/:agentId/sign-in',
    {
      schema: {
        tags: ['agents'],
        summary: 'Sign in at a phone',
        params: AgentParam,
        body: exactly({
          extension: Type.String({ pattern: '^[0-9]{2,6}$' }),
          way: Type.Enum(['pre-connected', 'ring-per-call']),
          campaignIds: listOf(Id, 50),
        }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { agentId } = request.params;
      mustBeOwn(request, agentId);
      const person = found(people.person(agentId));
      if (person.state === 'left') throw new Problem('person-left');
      const order = { ...request.body, agentId };
      return granted(await telephony.signIn(order, actorOf(request).who));
    },
  );

  app.post(
    '/api/agents/:agentId/sign-out',
    {
      schema: {
        tags: ['agents'],
        summary: 'Sign out; a call that runs is finished first',
        params: AgentParam,
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { agentId } = request.params;
      mustBeOwn(request, agentId);
      return granted(await telephony.signOut(agentId, actorOf(request).who));
    },
  );

  app.put(
    '/api/agents/:agentId/state',
    {
      schema: {
        tags: ['agents'],
        summary: 'Ready, away, or on a break with its code',
        params: AgentParam,
        body: exactly({
          state: Type.Enum(['ready', 'away', 'break']),
          code: Type.Optional(Code),
        }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { agentId } = request.params;
      mustBeOwn(request, agentId);
      const order = { ...request.body, agentId, lacks: people.lacks(agentId) };
      return granted(await telephony.setState(order, actorOf(request).who));
    },
  );
}

function addCalls(app: App, { floor }: HttpParts): void {
  const { telephony, people } = floor;

  app.post(
    '/api/calls',
    {
      schema: {
        tags: ['calls'],
        summary: 'Call a number of a case by hand; the permit decides',
        body: exactly({ campaignId: Id, caseId: Id, numberId: Id }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, who } = actorOf(request);
      const why = people.lacks(personId);
      if (why !== undefined) throw new Problem(why);
      return granted(await telephony.call({ ...request.body, agentId: personId }, who));
    },
  );

  app.post(
    '/api/calls/:callId/hang-up',
    {
      schema: {
        tags: ['calls'],
        summary: 'End the call you are on',
        params: CallParam,
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, who } = actorOf(request);
      const { callId } = request.params;
      return granted(await telephony.hangUp({ callId, agentId: personId }, who));
    },
  );

  app.post(
    '/api/calls/:callId/disposition',
    {
      schema: {
        tags: ['calls'],
        summary: 'State the result of your call; ends wrap-up',
        params: CallParam,
        body: exactly({
          actionCode: Code,
          effective: Type.Boolean({
            description: 'A person was spoken to and the matter was raised.',
          }),
          callback: Type.Optional(
            exactly({
              dueUtcMs: UtcMs,
              own: Type.Boolean({ description: 'You want to make this call yourself.' }),
            }),
          ),
          promise: Type.Optional(
            exactly({
              amountMinor: Type.Integer({
                minimum: 1,
                maximum: Number.MAX_SAFE_INTEGER,
                description: 'Cents, fen: the smallest unit of the case’s money.',
              }),
              dueUtcMs: UtcMs,
            }),
          ),
        }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, who } = actorOf(request);
      const { callId } = request.params;
      const order = { ...request.body, callId, agentId: personId };
      return granted(await telephony.dispose(order, who));
    },
  );
}

function addCallHistory(app: App, { history }: HttpParts): void {
  app.get(
    '/api/calls',
    {
      schema: {
        tags: ['calls'],
        summary: 'Calls of a campaign, an agent or a case, newest first',
        querystring: exactly({
          campaignId: Type.Optional(Id),
          agentId: Type.Optional(Id),
          caseId: Type.Optional(Id),
          outcome: Type.Optional(Code),
          fromUtcMs: Type.Optional(digits('Asked for at or after this.')),
          toUtcMs: Type.Optional(digits('Asked for before this.')),
          ...pageKeys,
        }),
        response: answers(exactly({ calls: listOf(CallView, rowsShown) })),
      },
    },
    async (request) => {
      const { campaignId, caseId, outcome, fromUtcMs, toUtcMs } = request.query;
      const { personId } = actorOf(request);
      const agentId = request.query.agentId ?? (request.reach === 'own' ? personId : undefined);
      mustBeOwn(request, agentId);
      if (campaignId === undefined && caseId === undefined && agentId === undefined) {
        throw new Problem('input-invalid', { detail: 'campaignId, caseId or agentId is needed' });
      }
      const times = { fromUtcMs: numberOf(fromUtcMs), toUtcMs: numberOf(toUtcMs) };
      const filter = { campaignId, caseId, agentId, outcome, ...times };
      return { calls: await history.calls(filter, pageOf(request.query)) };
    },
  );

  app.get(
    '/api/calls/:callId',
    {
      schema: {
        tags: ['calls'],
        summary: 'One call',
        params: CallParam,
        response: answers(CallView),
      },
    },
    async (request) => {
      const call = found(await history.call(request.params.callId));
      mustBeOwn(request, call.agentId);
      return call;
    },
  );
}

function addFloor(app: App, { floor }: HttpParts, live: Live): void {
  app.get(
    '/api/floor',
    { schema: { tags: ['floor'], summary: 'The floor now', response: answers(FloorView) } },
    (request) => seenBy({ reach: request.reach, actor: actorOf(request) }, floor.live.snapshot()),
  );

  app.get(
    '/api/live',
    {
      schema: {
        tags: ['floor'],
        summary: 'News of the floor as server-sent events',
        description:
          'Events `agent`, `campaign`, `call`, `alarm` and `import` as the floor changes, `beat` ' +
          'each second, and `floor` with the whole picture at the start or when the news after ' +
          'Last-Event-ID are gone. The stream ends when the login does.',
        produces: ['text/event-stream'],
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 64 })) }),
      },
    },
    (request, reply) => {
      const token = bearerOf(request.headers.authorization) ?? '';
      const route = routeOf(request);
      const still = () => {
        const actor = floor.people.authenticate(token);
        const decision = decideAccess(rights[route], actor, false);
        return actor && decision.granted ? { actor, reach: decision.reach } : undefined;
      };
      if (live.isFull()) throw new Problem('too-busy');
      reply.header('content-type', 'text/event-stream');
      // The stream outlives the handler: its head is written here, and fastify lets go of it.
      reply.hijack();
      reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>);
      const client = { actor: actorOf(request), reach: request.reach, response: reply.raw, still };
      live.serve(client, request.headers['last-event-id']);
    },
  );

  app.get(
    '/api/alarms',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Alarms that stand',
        response: answers(exactly({ alarms: listOf(AlarmView, rowsShown) })),
      },
    },
    () => ({ alarms: floor.alarms.all() }),
  );

  app.post(
    '/api/alarms/:alarmId/acknowledge',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Say that you deal with it',
        params: exactly({ alarmId: Id }),
        response: answers(DoneView),
      },
    },
    async (request) =>
      granted(await floor.alarms.acknowledge(request.params.alarmId, actorOf(request).who)),
  );
}
