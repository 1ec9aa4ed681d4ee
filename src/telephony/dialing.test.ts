// When pacing thinks again: at every event, and by itself no oftener than its figures move.
import { expect, it } from 'vitest';
import { campaignRow, momentAt, newDraft } from '../../tests/fast/telephony-rows.ts';
import { paceSoon } from './campaign.ts';
import { nextWakeUtcMs, wake } from './deadlines.ts';

it('while it does not predict, pacing wakes once a second, and soon after an event', () => {
  const draft = newDraft();
  draft.put('Campaign', campaignRow());
  wake(draft, momentAt(1_234));
  expect(nextWakeUtcMs(draft)).toBe(2_000);
  paceSoon(draft, 'campaign-1', momentAt(1_500));
  expect(nextWakeUtcMs(draft)).toBeLessThan(1_600);
});
