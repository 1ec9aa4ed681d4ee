// Facts of the phone system as telephony decides them, one draft after the other.
import { describe, expect, it } from 'vitest';
import { agentRow, campaignRow, momentAt } from '../../tests/fast/telephony-rows.ts';
import { Draft, type Row } from '../draft.ts';
import { decideFact } from './facts.ts';
import type { PhoneFact } from './phone-system.ts';
import type { CallRow, TelephonyDraft } from './working-set.ts';

const atUtcMs = Date.parse('2026-11-22T10:00:00Z');
const moment = momentAt(1_000, atUtcMs - 1_000);
const callId = 'call-1';

const campaign = campaignRow({ mode: 'predictive' });
const agent = agentRow('1');
const ringing: CallRow = {
  ...{ id: callId, campaignId: campaign.id, mode: 'predictive', state: 'ringing', segment: 's' },
  ...{ permitId: 'permit-1', askedUtcMs: atUtcMs - 3_000, dialedUtcMs: atUtcMs - 3_000 },
  ...{ ringingUtcMs: atUtcMs - 2_000, recovered: false },
};
const held = { carrier: { untilUtcMs: atUtcMs + 60_000, failures: 7 } };
const plant = {
  ...{ id: 'now', feed: 'fresh', bootId: 'b', spoolHours: 9, vaultHours: 9, storageOk: true },
  trunks: held,
};
const alarm = {
  ...{ id: 'trunk-failing:carrier', room: 'telephony', code: 'trunk-failing', about: 'carrier' },
  ...{ sinceUtcMs: 0, lastUtcMs: 0, count: 7 },
};

/** What one fact makes of a call in the floor above. */
function decide(fact: PhoneFact, call: CallRow): TelephonyDraft {
  const rows: Record<string, readonly Row[]> = {
    ...{ Campaign: [campaign], Agent: [agent], Call: [call], Plant: [plant], Alarm: [alarm] },
  };
  const state = new Map(
    Object.entries(rows).map(([table, own]) => [table, new Map(own.map((row) => [row.id, row]))]),
  );
  const draft: TelephonyDraft = new Draft('telephony', state);
  decideFact(draft, fact, moment);
  return draft;
}

const whats = (draft: TelephonyDraft) => draft.entries.map(({ what }) => what);
const ended = (wasUp: boolean): PhoneFact => ({
  ...{ kind: 'call-ended', callId, atUtcMs, by: 'phone-system', cause: { cause: 16 } },
  ...(wasUp ? { wasUp } : {}),
});

describe('the end of a call whose answer nobody saw', () => {
  it('counts as abandoned, its recording is sealed by what the legs say, no agent is given', () => {
    const draft = decide(ended(true), ringing);
    expect(draft.get('Call', callId)).toMatchObject({ outcome: 'abandoned', recovered: true });
    expect(whats(draft).filter((what) => what.startsWith('call-'))).toEqual([
      ...['call-answered', 'call-abandoned', 'call-ended'],
    ]);
    expect([...draft.all('CampaignDay')]).toMatchObject([{ answered: 1, abandoned: 1 }]);
    expect(draft.get('Recording', callId)).toMatchObject({ state: 'closed', spanMs: 0 });
    expect(draft.get('Agent', agent.id)).toEqual(agent);
  });

  it('is not made up where the far end never answered', () => {
    const draft = decide(ended(false), ringing);
    expect(draft.get('Call', callId)).toMatchObject({ outcome: 'failed' });
    expect(draft.get('Recording', callId)).toBeUndefined();
  });
});

describe('a trunk that was left alone for failing', () => {
  const asked: CallRow = { ...ringing, state: 'dialed', ringingUtcMs: undefined };
  it.each(['call-ringing', 'call-answered'] as const)('works again at a %s', (kind) => {
    const draft = decide({ kind, callId, atUtcMs }, asked);
    expect(draft.get('Plant', 'now')?.trunks).toEqual({});
    expect(draft.get('Alarm', alarm.id)?.clearedUtcMs).toBe(atUtcMs);
  });

  it('is left alone for longer when it fails again', () => {
    const cause = { cause: 34, sipCode: 503 };
    const draft = decide({ kind: 'call-ended', callId, atUtcMs, by: 'far-end', cause }, asked);
    expect(draft.get('Plant', 'now')?.trunks).toMatchObject({ carrier: { failures: 8 } });
  });
});
