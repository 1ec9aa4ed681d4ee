// Routes of lists: a file comes in as a stream, is staged, and a second person makes it live.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { type App, actorOf, answers, found, type HttpParts, sendFile } from './app.ts';
import type { NewList, UploadedFile } from './floor-port.ts';
import { Code, digits, exactly, Id, listOf, numberOf, pageKeys, pageOf, textOf } from './forms.ts';
import { granted, Problem } from './problems.ts';
import { receiveUpload, uploadLimitBytes, uploadsAtOnce } from './upload.ts';
import { DoneView, ListMapping, ListView } from './views.ts';

const rowsShown = 1_000;
const mappingChars = 8_192;
const ListParam = exactly({ listId: Id });

const forms: Readonly<Record<string, UploadedFile['form']>> = {
  'text/csv': 'csv',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
};
const encodings: Readonly<Record<string, NewList['encoding']>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  gb18030: 'gb18030',
  // Both are older parts of GB 18030, and the names by which its files still go.
  gbk: 'gb18030',
  gb2312: 'gb18030',
};

export function addListsRoutes(app: App, parts: HttpParts): void {
  addReading(app, parts);
  addOrders(app, parts);
  // In a scope of its own: only there a body is anything but JSON, and it is never in memory.
  app.register(async (scope) => addUpload(scope as App, parts));
}

function addReading(app: App, { floor, history }: HttpParts): void {
  type Row = NonNullable<Awaited<ReturnType<typeof history.list>>>;
  const shown = (row: Row) => {
    const progress = floor.lists.progress(row.id);
    const state = row.state as Static<typeof ListView>['state'];
    return { ...row, state, ...(progress === undefined ? {} : { progress }) };
  };

  app.get(
    '/api/lists',
    {
      schema: {
        tags: ['lists'],
        summary: 'Lists that were brought in, newest first',
        querystring: exactly(pageKeys),
        response: answers(exactly({ lists: listOf(ListView, rowsShown) })),
      },
    },
    async (request) => ({ lists: (await history.lists(pageOf(request.query))).map(shown) }),
  );

  app.get(
    '/api/lists/:listId',
    {
      schema: {
        tags: ['lists'],
        summary: 'One list, and how far it has been read',
        params: ListParam,
        response: answers(ListView),
      },
    },
    async (request) => shown(found(await history.list(request.params.listId))),
  );

  app.get(
    '/api/lists/:listId/rejects',
    {
      schema: {
        tags: ['lists'],
        summary: 'The rows that were wrong, with line and reason; that you took them is recorded',
        params: ListParam,
        produces: ['text/csv'],
      },
    },
    async (request, reply) => {
      const { listId } = request.params;
      const path = found(found(await history.list(listId)).rejectPath);
      found(await stat(path).catch(() => undefined));
      const look = { what: 'rejects-taken', about: listId };
      await floor.people.noteLook(actorOf(request), look);
      const name = `rejects-${listId}.csv`;
      return sendFile(reply, createReadStream(path), 'text/csv; charset=utf-8', name);
    },
  );
}

function addOrders(app: App, { floor }: HttpParts): void {
  app.post(
    '/api/lists/:listId/confirm',
    {
      schema: {
        tags: ['lists'],
        summary: 'Make a list live, as the second person',
        params: ListParam,
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId, kind } = actorOf(request);
      // A program has looked at nothing: what counts is that a person did.
      if (kind !== 'session') throw new Problem('session-needed');
      return granted(await floor.lists.confirm(request.params.listId, personId));
    },
  );

  app.post(
    '/api/lists/:listId/drop',
    {
      schema: {
        tags: ['lists'],
        summary: 'Throw a staged list away',
        params: ListParam,
        body: exactly({ why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { personId } = actorOf(request);
      const { why } = request.body;
      return granted(await floor.lists.drop(request.params.listId, why, personId));
    },
  );
}

function addUpload(app: App, { floor, ids }: HttpParts): void {
  let running = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(Object.keys(forms), (_, payload, done) => done(null, payload));

  app.post(
    '/api/lists',
    {
      schema: {
        tags: ['lists'],
        summary: 'Bring in a list of cases; it is staged, and live only when confirmed',
        description:
          'The body is the file; a CSV file is UTF-8 or, with `charset=gb18030`, GB 18030. ' +
          '`mapping` is JSON: which column of the file is the reference of the case, its amount ' +
          'and product, and whose name and numbers stand where.',
        consumes: Object.keys(forms),
        querystring: exactly({
          campaignId: Id,
          creditorId: Id,
          name: textOf(100, 'What people call this batch.'),
          deadlineUtcMs: Type.Optional(digits('From then on the batch is not ours.')),
          recallUtcMs: Type.Optional(digits('The same, by the creditor’s recall.')),
          mapping: Type.String({ maxLength: mappingChars }),
        }),
        response: answers(exactly({ listId: Type.String() })),
      },
    },
    async (request) => {
      const { form, encoding } = readType(request.headers['content-type']);
      const { mapping: text, deadlineUtcMs, recallUtcMs, ...named } = request.query;
      const mapping = readMapping(text);
      const deadline = numberOf(deadlineUtcMs);
      const recall = numberOf(recallUtcMs);
      if (Number(request.headers['content-length'] ?? 0) > uploadLimitBytes) {
        throw new Problem('too-large');
      }
      if (running >= uploadsAtOnce) throw new Problem('too-busy');
      running += 1;
      try {
        const place = { folder: floor.lists.folder, limitBytes: uploadLimitBytes, ids };
        const file = await receiveUpload(request.raw, form, place);
        const order: NewList = {
          ...named,
          ...(deadline === undefined ? {} : { deadlineUtcMs: deadline }),
          ...(recall === undefined ? {} : { recallUtcMs: recall }),
          file,
          encoding,
          mapping,
        };
        return granted(await floor.lists.begin(order, actorOf(request).personId));
      } finally {
        running -= 1;
      }
    },
  );
}

function readType(header: string | undefined) {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  const form = forms[type.trim()];
  const charset = parameters
    .map((each) => /^\s*charset="?([\w-]+)"?\s*$/.exec(each)?.[1])
    .find((each) => each !== undefined);
  const encoding = encodings[charset ?? 'utf-8'];
  if (form === undefined || encoding === undefined) throw new Problem('type-unknown');
  return { form, encoding };
}

function readMapping(text: string): ListMapping {
  const problem = new Problem('input-invalid', { detail: 'querystring/mapping is not valid' });
  let mapping: unknown;
  try {
    mapping = JSON.parse(text);
  } catch {
    throw problem;
  }
  if (!Value.Check(ListMapping, mapping)) throw problem;
  return mapping;
}
