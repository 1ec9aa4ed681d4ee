// Checkers of the account itself: chain, counts, and the one result of every pending effect.

import { ChainCheck } from '../../audit/verify.ts';
import { dayMs, dayText } from '../../calendar.ts';
import type { CampaignDayRow } from '../../telephony/working-set.ts';
import type { Invariant } from '../checker.ts';

export const chainVerifies: Invariant = {
  name: 'chain-verifies',
  states:
    'After every commit the ledger verifies, and the table holds the lines that were written.',
  watch({ database, report }) {
    const chain = new ChainCheck({ checkpoints: [] });
    const { findings } = chain;
    const lines: string[] = [];
    return {
      committed({ lines: added }) {
        for (const line of added) chain.add(line);
        lines.push(...added);
        if (findings.faults() === 0) return;
        const [first] = findings.listed.filter(({ code }) => code !== 'clock-back');
        report(`${first?.code} at ${first?.place}`);
      },
      closed() {
        const kept = database.prepare('SELECT line FROM ledger ORDER BY seq').pluck().all();
        if (kept.length !== lines.length)
          report(`${kept.length} of ${lines.length} lines are kept`);
        const differs = kept.findIndex((line, at) => line !== lines[at]);
        if (differs >= 0) report(`line ${differs + 1} is not the one that was written`);
      },
    };
  },
};

type Counts = Pick<CampaignDayRow, 'dialed' | 'answered' | 'abandoned'>;

export const countsAreTheLedgers: Invariant = {
  name: 'counts-are-the-ledgers',
  states: 'The counts of every campaign and day are those that the ledger gives.',
  watch({ book, rows, report }) {
    const campaignOf = new Map<string, string>();
    const waitMs = new Map<string, number>();
    const counts = new Map<string, Counts>();
    for (const { table, id, row } of book.changes)
      if (table === 'CampaignDay') counts.set(id, row as CampaignDayRow);
    const count = (callId: string, atUtcMs: number, what: keyof Counts) => {
      const id = `${campaignOf.get(callId)}:${dayText(Math.floor(atUtcMs / dayMs))}`;
      const known = counts.get(id) ?? { dialed: 0, answered: 0, abandoned: 0 };
      counts.set(id, { ...known, [what]: known[what] + 1 });
    };
    const compare = () => {
      for (const [id, row] of rows('CampaignDay')) {
        const kept = row as CampaignDayRow;
        for (const what of ['dialed', 'answered', 'abandoned'] as const) {
          const counted = counts.get(id)?.[what] ?? 0;
          if (kept[what] !== counted) report(`${id}: ${kept[what]} ${what}, the ledger ${counted}`);
        }
      }
      for (const id of counts.keys()) if (!rows('CampaignDay').has(id)) report(`${id} has no row`);
    };
    return {
      committed({ records }) {
        for (const { what, about, facts, atUtcMs } of records) {
          if (what === 'campaign-created' || what === 'campaign-changed') {
            waitMs.set(about, Number(facts?.waitMs));
          } else if (what === 'call-dialed') {
            campaignOf.set(about, String(facts?.campaignId));
            count(about, atUtcMs, 'dialed');
          } else if (what === 'call-answered') count(about, atUtcMs, 'answered');
          else if (what === 'call-abandoned') count(about, atUtcMs, 'abandoned');
          else if (what === 'call-connected') {
            const limit = waitMs.get(campaignOf.get(about) ?? '') ?? 0;
            if (Number(facts?.afterMs) > limit) count(about, atUtcMs, 'abandoned');
          }
        }
      },
      minute: compare,
      closed: compare,
    };
  },
};

export const effectsEndOnce: Invariant = {
  name: 'effects-end-once',
  states: 'Every pending effect has exactly one result, and none is left when the day is over.',
  watch({ report }) {
    const pending = new Set<string>();
    const over = new Set<string>();
    return {
      committed({ batch }) {
        for (const { table, id, row } of batch.changes) {
          if (table !== 'Pending') continue;
          if (row !== null) {
            if (pending.has(id) || over.has(id)) report(`${id} was ordered twice`);
            pending.add(id);
          } else if (pending.delete(id)) over.add(id);
          else report(`${id} had a result ${over.has(id) ? 'already' : 'and was never ordered'}`);
        }
      },
      closed() {
        for (const id of pending) report(`${id} never had a result`);
      },
    };
  },
};
