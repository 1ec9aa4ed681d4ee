// Routes of the ledger: its lines, so that whoever reads them can check the chain, its signature.
import Type from 'typebox';
import { type App, answers, found, type HttpParts } from './app.ts';
import { digits, exactly, Id, limitOf, listOf } from './forms.ts';
import { Problem } from './problems.ts';
import { CheckpointView, EntryView } from './views.ts';

const rowsShown = 1_000;
/** Each signs all that came before it: more of them would only wait for one another. */
const signingsAtOnce = 2;

export function addLedgerRoutes(app: App, parts: HttpParts): void {
  addEntries(app, parts);
  addCheckpoints(app, parts);
}

function addEntries(app: App, { history }: HttpParts): void {
  app.get(
    '/api/entries',
    {
      schema: {
        tags: ['ledger'],
        summary: 'Entries of the ledger, all or about one thing, oldest first',
        querystring: exactly({
          about: Type.Optional(Id),
          afterSeq: Type.Optional(digits('Place in the ledger after which to begin.')),
          limit: Type.Optional(digits('Lines of the answer.')),
        }),
        response: answers(exactly({ entries: listOf(EntryView, rowsShown) })),
      },
    },
    async (request) => {
      const { about, afterSeq, limit } = request.query;
      const page = { afterSeq: Number(afterSeq ?? 0), limit: limitOf(limit) };
      const entries =
        about === undefined ? await history.entries(page) : await history.entriesAbout(about, page);
      return { entries };
    },
  );
}

function addCheckpoints(app: App, { floor }: HttpParts): void {
  const { account } = floor;
  let signings = 0;

  app.post(
    '/api/ledger/checkpoint',
    {
      schema: {
        tags: ['ledger'],
        summary: 'Sign the ledger as it is now',
        response: answers(CheckpointView),
      },
    },
    async () => {
      if (signings >= signingsAtOnce) throw new Problem('too-busy');
      signings += 1;
      try {
        return await account.checkpoint();
      } finally {
        signings -= 1;
      }
    },
  );

  app.get(
    '/api/ledger/checkpoints/latest',
    {
      schema: {
        tags: ['ledger'],
        summary: 'The newest signature, to be kept where nobody of the site can change it',
        response: answers(CheckpointView),
      },
    },
    async () => found(await account.latestCheckpoint()),
  );
}
