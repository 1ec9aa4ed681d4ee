// Routes of the cases room: cases, why they were contacted, contacts made elsewhere, lists.
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { type App, actorOf, answers, found, type HttpParts, mustBeOwn, sendFile } from './app.ts';
import type { UploadedFile } from './floor-port.ts';
import { Code, exactly, Id, listOf, pageKeys, pageOf, Reason, textOf, UtcMs } from './forms.ts';
import { granted, Problem } from './problems.ts';
import { receiveUpload, uploadLimitBytes, uploadsAtOnce } from './upload.ts';
import { CaseSummary, CaseView, ContactView, DoneView, ImportView } from './views.ts';

const rowsShown = 10_000;
const CaseParam = exactly({ caseId: Id });
const ImportParam = exactly({ importId: Id });

/** Column of the file → field of a case; a file has no more columns than this. */
const maxColumns = 100;
const Mapping = Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Code, {
  maxProperties: maxColumns,
});

const forms: Readonly<Record<string, UploadedFile['form']>> = {
  'text/csv': 'csv',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
};

export function addCasesRoutes(app: App, parts: HttpParts): void {
  addCases(app, parts);
  addCaseOrders(app, parts);
  addContacts(app, parts);
  addImports(app, parts);
  app.register(async (scope) => addUpload(scope as App, parts));
}

/** A case is one's own when it is allocated to one, or one is on a call about it. */
async function mustReach(request: FastifyRequest, { floor }: HttpParts, caseId: string) {
  const summary = found(await floor.cases.summary(caseId));
  if (request.reach === 'all') return;
  const { personId } = actorOf(request);
  const seat = floor.telephony.agents().find(({ id }) => id === personId);
  if (seat?.caseId !== caseId) mustBeOwn(request, summary.allocatedTo);
}

function addCases(app: App, parts: HttpParts): void {
  const { cases } = parts.floor;

  app.get(
    '/api/cases',
    {
      schema: {
        tags: ['cases'],
        summary: 'Cases without names and numbers',
        querystring: exactly({
          allocatedTo: Type.Optional(Id),
          batchId: Type.Optional(Id),
          ...pageKeys,
        }),
        response: answers(exactly({ cases: listOf(CaseSummary, rowsShown) })),
      },
    },
    async (request) => {
      const { batchId } = request.query;
      const { personId } = actorOf(request);
      const own = request.reach === 'own' ? personId : undefined;
      const allocatedTo = request.query.allocatedTo ?? own;
      mustBeOwn(request, allocatedTo);
      const { after, limit } = pageOf(request.query);
      const rows = await cases.list({
        limit,
        ...(after === undefined ? {} : { after }),
        ...(batchId === undefined ? {} : { batchId }),
        ...(allocatedTo === undefined ? {} : { allocatedTo }),
      });
      return { cases: rows };
    },
  );

  app.get(
    '/api/cases/:caseId',
    {
      schema: {
        tags: ['cases'],
        summary: 'One case with names and numbers; that you saw it is recorded',
        params: CaseParam,
        response: answers(CaseView),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      await mustReach(request, parts, caseId);
      return granted(await cases.show(caseId, actorOf(request).who)).case;
    },
  );
}

function addCaseOrders(app: App, parts: HttpParts): void {
  const { cases, people } = parts.floor;

  app.post(
    '/api/cases/:caseId/stop',
    {
      schema: {
        tags: ['cases'],
        summary: 'Stop a case: no number of it is contacted from now on',
        params: CaseParam,
        body: exactly({ reason: Code, note: Type.Optional(Reason) }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      await mustReach(request, parts, caseId);
      return granted(await cases.stop({ ...request.body, caseId }, actorOf(request).who));
    },
  );

  app.put(
    '/api/cases/:caseId/allocation',
    {
      schema: {
        tags: ['cases'],
        summary: 'Give a case to an agent, or without one take it back',
        params: CaseParam,
        body: exactly({ agentId: Type.Optional(Id) }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { agentId } = request.body;
      if (agentId !== undefined && people.person(agentId)?.state !== 'active') {
        throw new Problem('not-found');
      }
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.allocate(order, actorOf(request).who));
    },
  );

  app.post(
    '/api/cases/:caseId/release',
    {
      schema: {
        tags: ['cases'],
        summary: 'Let an agent call once into a case that is not theirs',
        params: CaseParam,
        body: exactly({ agentId: Id, note: Reason }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.release(order, actorOf(request).who));
    },
  );
}

function addContacts(app: App, parts: HttpParts): void {
  const { cases } = parts.floor;

  app.get(
    '/api/cases/:caseId/contacts',
    {
      schema: {
        tags: ['cases'],
        summary: 'Why numbers of this case were called, or were not',
        params: CaseParam,
        querystring: exactly(pageKeys),
        response: answers(exactly({ contacts: listOf(ContactView, rowsShown) })),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      await mustReach(request, parts, caseId);
      const { after, limit } = pageOf(request.query);
      const page = { limit, ...(after === undefined ? {} : { after }) };
      return { contacts: await cases.contacts(caseId, page) };
    },
  );

  app.post(
    '/api/cases/:caseId/contacts',
    {
      schema: {
        tags: ['cases'],
        summary: 'Report a visit, SMS or letter that was made elsewhere; it is counted',
        params: CaseParam,
        body: exactly({
          personId: Id,
          numberId: Type.Optional(Id),
          channel: Type.Enum(['visit', 'sms', 'letter']),
          atUtcMs: UtcMs,
          outcome: Code,
          effective: Type.Boolean(),
        }),
        response: answers(exactly({ contactId: Type.String() })),
      },
    },
    async (request) => {
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.reportContact(order, actorOf(request).who));
    },
  );
}

function addImports(app: App, { floor }: HttpParts): void {
  const { imports } = floor;

  app.get(
    '/api/imports',
    {
      schema: {
        tags: ['imports'],
        summary: 'Lists that were brought in',
        response: answers(exactly({ imports: listOf(ImportView, rowsShown) })),
      },
    },
    () => ({ imports: imports.all() }),
  );

  app.get(
    '/api/imports/:importId',
    {
      schema: {
        tags: ['imports'],
        summary: 'One list, and how far it has been read',
        params: ImportParam,
        response: answers(ImportView),
      },
    },
    (request) => found(imports.all().find(({ id }) => id === request.params.importId)),
  );

  app.post(
    '/api/imports/:importId/confirm',
    {
      schema: {
        tags: ['imports'],
        summary: 'Make a list live, as the second person',
        params: ImportParam,
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, who } = actorOf(request);
      return granted(await imports.confirm(request.params.importId, personId, who));
    },
  );

  app.post(
    '/api/imports/:importId/discard',
    {
      schema: {
        tags: ['imports'],
        summary: 'Throw a staged list away',
        params: ImportParam,
        response: answers(DoneView),
      },
    },
    async (request) =>
      granted(await imports.discard(request.params.importId, actorOf(request).who)),
  );

  app.get(
    '/api/imports/:importId/rejects',
    {
      schema: {
        tags: ['imports'],
        summary: 'The rows that were wrong, with line and reason',
        params: ImportParam,
        produces: ['text/csv'],
      },
    },
    async (request, reply) => {
      const { importId } = request.params;
      const { bytes } = granted(await imports.openRejects(importId));
      return sendFile(reply, bytes, 'text/csv; charset=utf-8', `rejects-${importId}.csv`);
    },
  );
}

/** In a scope of its own: only here a body is anything but JSON, and it is never in memory. */
function addUpload(app: App, { floor, ids }: HttpParts): void {
  let running = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(Object.keys(forms), (_, payload, done) => done(null, payload));

  app.post(
    '/api/imports',
    {
      schema: {
        tags: ['imports'],
        summary: 'Bring in a list of cases; it is staged, and live only when confirmed',
        description:
          'The body is the file. `mapping` is a JSON object of column → field, as in ' +
          '`{"手机":"number"}`.',
        consumes: Object.keys(forms),
        querystring: exactly({
          creditorId: Id,
          name: textOf(100, 'What people call this batch.'),
          mapping: Type.String({ maxLength: 8_192 }),
        }),
        response: answers(exactly({ importId: Type.String() })),
      },
    },
    async (request, reply) => {
      // What is not read of a refused file goes with the connection.
      reply.header('connection', 'close');
      const form = forms[request.headers['content-type']?.split(';')[0]?.trim() ?? ''];
      if (form === undefined) throw new Problem('type-unknown');
      if (Number(request.headers['content-length'] ?? 0) > uploadLimitBytes) {
        throw new Problem('too-large');
      }
      if (running >= uploadsAtOnce) throw new Problem('too-busy');
      const { creditorId, name } = request.query;
      const mapping = readMapping(request.query.mapping);
      running += 1;
      try {
        const place = { folder: floor.imports.folder, limitBytes: uploadLimitBytes, ids };
        const file = await receiveUpload(request.raw, form, place);
        const order = { creditorId, name, mapping };
        return granted(await floor.imports.begin(file, order, actorOf(request).who));
      } finally {
        running -= 1;
      }
    },
  );
}

function readMapping(text: string): Record<string, string> {
  const problem = new Problem('input-invalid', { detail: 'querystring/mapping is not valid' });
  let mapping: unknown;
  try {
    mapping = JSON.parse(text);
  } catch {
    throw problem;
  }
  if (!Value.Check(Mapping, mapping) || Object.hasOwn(mapping, '__proto__')) throw problem;
  return mapping;
}
