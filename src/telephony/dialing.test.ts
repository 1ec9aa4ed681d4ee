// When pacing thinks again: at every event, and by itself no oftener than its figures move.
import { expect, it } from 'vitest';
import { Draft } from '../draft.ts';
import { seededIds } from '../ids.ts';
import { paceSoon } from './campaign.ts';
import { nextWakeUtcMs, wake } from './deadlines.ts';
import type { Moment, TelephonyDraft, TelephonyEffect, TelephonyTables } from './working-set.ts';

const ids = seededIds(22);
const at = (atUtcMs: number): Moment => ({
  ...{ atUtcMs, uptimeMs: atUtcMs },
  newId: (kind) => ids.next(kind),
});

it('while it does not predict, pacing wakes once a second, and soon after an event', () => {
  const draft: TelephonyDraft = new Draft<TelephonyTables, TelephonyEffect>('telephony', new Map());
  draft.put('Campaign', {
    ...{ id: 'campaign-1', name: 'One', creditorId: 'creditor-1', mode: 'progressive' },
    state: 'running',
    settings: {
      ...{ trunk: 'carrier', callerId: '+12025550199', ringMs: 15_000, limitMs: 60_000 },
      ...{ messageSound: 'message', waitMs: 2_000, limitShare: 0.03, targetShare: 0.02 },
      ...{ wrapUpMs: 1_000, maxLines: 10, maxCallsPerAgent: 4 },
    },
  });
  wake(draft, at(1_234));
  expect(nextWakeUtcMs(draft)).toBe(2_000);
  paceSoon(draft, 'campaign-1', at(1_500));
  expect(nextWakeUtcMs(draft)).toBeLessThan(1_600);
});
