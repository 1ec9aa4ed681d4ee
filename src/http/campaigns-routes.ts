// Routes of creditors and campaigns: for whom is called, over which trunk, and how.
import Type from 'typebox';
import { type App, actorOf, answers, type HttpParts } from './app.ts';
import { Code, E164, exactly, Id, listOf, textOf } from './forms.ts';
import { granted } from './problems.ts';
import { CampaignSettings, CampaignView, CreditorView, DoneView } from './views.ts';

const rowsShown = 1_000;
const CampaignParam = exactly({ campaignId: Id });
const SomeSettings = Type.Partial(CampaignSettings, {
  additionalProperties: false,
  minProperties: 1,
});

export function addCampaignsRoutes(app: App, parts: HttpParts): void {
  addCreditors(app, parts);
  addCampaigns(app, parts);
}

function addCreditors(app: App, { floor }: HttpParts): void {
  const { cases } = floor;

  app.get(
    '/api/creditors',
    {
      schema: {
        tags: ['creditors'],
        summary: 'Creditors, each with the number that its campaigns show',
        response: answers(exactly({ creditors: listOf(CreditorView, rowsShown) })),
      },
    },
    () => ({ creditors: cases.creditors() }),
  );

  app.put(
    '/api/creditors/:creditorId',
    {
      schema: {
        tags: ['creditors'],
        summary: 'Register a creditor or change it; its campaigns show the number from now on',
        params: exactly({ creditorId: Id }),
        body: exactly({ name: textOf(100, 'Name as people say it.'), callerId: E164 }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const creditor = { ...request.body, id: request.params.creditorId };
      return granted(await cases.putCreditor(creditor, actorOf(request).who));
    },
  );
}

function addCampaigns(app: App, { floor }: HttpParts): void {
  const { telephony } = floor;

  app.get(
    '/api/campaigns',
    {
      schema: {
        tags: ['campaigns'],
        summary: 'Campaigns, and what pacing does in them',
        response: answers(exactly({ campaigns: listOf(CampaignView, rowsShown) })),
      },
    },
    (request) => {
      const campaigns = telephony.campaigns();
      if (request.reach === 'all') return { campaigns };
      const { personId } = actorOf(request);
      const mine = telephony.agents().find(({ id }) => id === personId)?.campaignIds ?? [];
      return { campaigns: campaigns.filter(({ id }) => mine.includes(id)) };
    },
  );

  app.put(
    '/api/campaigns/:campaignId',
    {
      schema: {
        tags: ['campaigns'],
        summary: 'Create a campaign or change it; it shows the number of its creditor',
        params: CampaignParam,
        body: exactly({
          name: textOf(100, 'Name as people say it.'),
          creditorId: Id,
          mode: Type.Enum(['predictive', 'progressive']),
          trunk: textOf(32, 'A trunk of the configuration.'),
          settings: Type.Optional(SomeSettings),
        }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, campaignId: request.params.campaignId };
      return granted(await telephony.putCampaign(order, actorOf(request).who));
    },
  );

  app.put(
    '/api/campaigns/:campaignId/state',
    {
      schema: {
        tags: ['campaigns'],
        summary: 'Start, pause or stop a campaign',
        params: CampaignParam,
        body: exactly({ state: Type.Enum(['running', 'paused', 'stopped']), why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, campaignId: request.params.campaignId };
      return granted(await telephony.setCampaignState(order, actorOf(request).who));
    },
  );

  app.put(
    '/api/campaigns/:campaignId/settings',
    {
      schema: {
        tags: ['campaigns'],
        summary: 'Change settings of a campaign; the limits of the law stay',
        params: CampaignParam,
        body: SomeSettings,
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { campaignId: request.params.campaignId, settings: request.body };
      return granted(await telephony.setCampaignSettings(order, actorOf(request).who));
    },
  );
}
