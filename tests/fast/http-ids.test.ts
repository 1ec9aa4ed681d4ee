// Every address of the API with ids that the ledger does not take: refused, and nothing is harmed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idProblem } from '../../src/audit/entry.ts';
import { idFormat } from '../../src/http/forms.ts';
import { roles } from '../../src/people/person.ts';
import { openRooms, type TestRooms } from './http-rooms.ts';

const refusedIds = ['13800138000', '2026112201', 'line-2024-1001', '1-2-3-4-5-6-7', 'a b', 'a--b'];
/** Texts of which one fits each form that the API has. */
const samples = ['code', '+12025550101', '101', '1', 'Some text'];

interface Schema {
  type?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
type Values = Record<string, unknown>;
interface Asked {
  method: string;
  path: string;
  place: string;
  params: Values;
  query: Values;
  body: unknown;
}

let rooms: TestRooms;
let token: string;
let paths: Record<string, Record<string, Operation>>;
beforeAll(async () => {
  rooms = await openRooms();
  ({ token } = await rooms.test.person(...roles));
  ({ paths } = rooms.app.swagger() as unknown as { paths: typeof paths });
});
afterAll(() => rooms.close());

/** A value that the schema takes. */
function valid({ anyOf: [first] = [], ...schema }: Schema): unknown {
  if (first) return valid(first);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.format === idFormat) return 'thing-1';
  if (schema.type === 'array') return [valid(schema.items ?? {})];
  if (schema.type === 'boolean') return true;
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type !== 'object') {
    return samples.find((text) => new RegExp(schema.pattern ?? '', 'u').test(text));
  }
  const { properties = {}, required = [] } = schema;
  return Object.fromEntries(required.map((name) => [name, valid(properties[name] ?? {})]));
}

/** The value once for each id in it, with that id replaced; the rest of it is valid. */
function* spoilt(schema: Schema, id: string, at = ''): Generator<[place: string, unknown]> {
  if (schema.format === idFormat) yield [at, id];
  for (const each of schema.anyOf ?? []) yield* spoilt(each, id, at);
  if (schema.items)
    for (const [place, item] of spoilt(schema.items, id, `${at}/0`)) yield [place, [item]];
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    for (const [place, value] of spoilt(each, id, `${at}/${name}`)) {
      yield [place, { ...(valid(schema) as Values), [name]: value }];
    }
  }
}

function* requestsWith(id: string): Generator<Asked> {
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      const of = (place: string) =>
        Object.fromEntries(
          parameters
            .filter((each) => each.in === place && (each.required || place === 'path'))
            .map(({ name, schema }) => [name, valid(schema)]),
        );
      const schema = requestBody?.content['application/json']?.schema;
      const body = schema && valid(schema);
      const asked = { method, path, params: of('path'), query: of('query'), body };
      for (const { name, in: where, schema: of } of parameters) {
        if (of.format !== idFormat) continue;
        const [part, place] = where === 'path' ? ['params', 'params'] : ['query', 'querystring'];
        const values = { ...(where === 'path' ? asked.params : asked.query), [name]: id };
        yield { ...asked, [part ?? '']: values, place: `${place}/${name}` };
      }
      if (!schema) continue;
      for (const [place, body] of spoilt(schema, id))
        yield { ...asked, body, place: `body${place}` };
    }
  }
}

async function ask({ method, path, params, query, body }: Asked) {
  const url = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const isUpload = path === '/api/lists' && method === 'post';
  const response = await rooms.app.inject({
    method: method.toUpperCase() as 'GET',
    url,
    query: query as Record<string, string>,
    headers: {
      authorization: `Bearer ${token}`,
      ...(isUpload ? { 'content-type': 'text/csv' } : {}),
    },
    ...(isUpload ? { payload: 'a' } : body === undefined ? {} : { payload: body as object }),
  });
  return { status: response.statusCode, detail: response.json().detail as string | undefined };
}

describe('an id that the ledger does not take', () => {
  it.each(refusedIds)(
    '%s is refused wherever an id is taken, and the floor goes on',
    async (id) => {
      expect(idProblem('id', id)).toBeDefined();
      const asked = [...requestsWith(id)];
      expect(asked.length).toBeGreaterThan(50);
      for (const each of asked) {
        const { status, detail } = await ask(each);
        const name = `${each.method} ${each.path} ${each.place}`;
        expect(status, name).toBe(400);
        // Nothing else of the request was wrong; of a choice, its forms are judged one by one.
        expect(detail, name).toContain(
          name.startsWith('post /api/stop-list ') ? 'body' : each.place,
        );
      }
      const creditor = { name: 'Bank', callerId: '+12025550198' };
      const after = await rooms.ask('PUT', '/api/creditors/creditor-2', token, creditor);
      expect(after).toEqual({ status: 200, json: { done: true } });
    },
  );

  it('meets every field whose name says that it is an id', () => {
    const unmarked: string[] = [];
    const look = (schema: Schema, place: string) => {
      const form = schema.items ?? schema;
      // A caller id is a telephone number, and has its own form.
      if (/(?<!caller)Ids?$/.test(place) && form.format !== idFormat) unmarked.push(place);
      for (const each of [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])]) {
        look(each, `${place}/`);
      }
      for (const [name, each] of Object.entries(schema.properties ?? {})) {
        look(each, `${place}/${name}`);
      }
    };
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
        for (const { name, schema } of parameters) look(schema, `${method} ${path} ${name}`);
        for (const { schema } of Object.values(requestBody?.content ?? {})) {
          look(schema, `${method} ${path} body`);
        }
      }
    }
    expect(unmarked).toEqual([]);
  });
});
