// Routes of the ledger: the lines themselves, so that whoever reads them can check the chain.
import Type from 'typebox';
import { type App, answers, type HttpParts } from './app.ts';
import { digits, exactly, Id, limitOf, listOf } from './forms.ts';
import { EntryView } from './views.ts';

const rowsShown = 1_000;

export function addLedgerRoutes(app: App, { history }: HttpParts): void {
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
