// A wall clock that is set back or forward by ten minutes while everything is going on.
import { describe, expect, it } from 'vitest';
import { campaignRow, momentAt, newDraft } from '../../tests/fast/telephony-rows.ts';
import { nextWakeUtcMs } from './deadlines.ts';
import { decideTelephony } from './decide.ts';
import type { AgentRow, CallRow, TelephonyDraft } from './working-set.ts';

const wake = (draft: TelephonyDraft, uptimeMs: number, offsetMs: number) =>
  decideTelephony(draft, { kind: 'wake' }, momentAt(uptimeMs, offsetMs));

const offsetMs = 1_700_000_000_000;
const utcMs = (uptimeMs: number) => uptimeMs + offsetMs;
const campaign = campaignRow();
const call = (id: string, more: Partial<CallRow>): CallRow => ({
  ...{ id, campaignId: campaign.id, mode: 'progressive', state: 'answered', segment: 's' },
  ...{ askedUtcMs: utcMs(0), dialedUtcMs: utcMs(0), recovered: false, ...more },
});
const writing: AgentRow = {
  ...{ id: 'agent-1', personId: 'agent-1', extension: '8001', way: 'pre-connected' },
  ...{ campaignIds: [campaign.id], state: 'wrap-up', legId: 'leg-1', legState: 'up' },
  ...{ callId: 'call-2', sinceUtcMs: utcMs(9_000), untilUtcMs: utcMs(12_000) },
};

/** One call waits for an agent, another one is written up, at 10 s of uptime. */
function floor(): TelephonyDraft {
  const draft = newDraft();
  draft.put('Campaign', campaign);
  draft.put('Call', call('call-1', { permitId: 'permit-1', answeredUtcMs: utcMs(9_900) }));
  const times = { answeredUtcMs: utcMs(1_000), connectedUtcMs: utcMs(1_100) };
  draft.put(
    'Call',
    call('call-2', { ...times, agentId: 'agent-1', permitId: 'permit-2', state: 'wrap-up' }),
  );
  draft.put('Agent', writing);
  wake(draft, 10_000, offsetMs);
  return draft;
}

describe.each([-600_000, 600_000])('a wall clock that steps by %i ms', (byMs) => {
  const stepped = offsetMs + byMs;

  it('lets calls, wrap-ups and pacing go on as long as they would have', () => {
    const draft = floor();
    wake(draft, 10_100, stepped);
    const steps = draft.entries.filter(({ what }) => what === 'clock-stepped');
    expect(steps).toMatchObject([{ facts: { byMs } }]);
    expect(draft.get('Call', 'call-1')).toMatchObject({
      ...{ state: 'answered', answeredUtcMs: utcMs(9_900) + byMs },
    });
    expect(draft.get('Agent', 'agent-1')?.state).toBe('wrap-up');
    expect((nextWakeUtcMs(draft) ?? 0) - stepped).toBeLessThan(11_100);
    wake(draft, 11_800, stepped);
    expect(draft.get('Call', 'call-1')?.state).toBe('message');
    wake(draft, 12_000, stepped);
    expect(draft.get('Agent', 'agent-1')?.state).toBe('ready');
  });

  it('counts once, and drift is no step', () => {
    const draft = floor();
    wake(draft, 10_100, stepped);
    wake(draft, 10_200, stepped);
    wake(draft, 10_300, stepped + 400);
    expect(draft.entries.filter(({ what }) => what === 'clock-stepped')).toHaveLength(1);
  });
});
