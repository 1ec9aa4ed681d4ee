// Results of telephony's effects as it decides them: surveys that fail, and what one finds.
import { describe, expect, it } from 'vitest';
import { campaignRow, momentAt, newDraft } from '../../tests/fast/telephony-rows.ts';
import { Draft } from '../draft.ts';
import { nextWakeUtcMs, wake } from './deadlines.ts';
import { decideFact } from './facts.ts';
import { plantOf } from './plant.ts';
import { decideDone } from './results.ts';
import type {
  AgentRow,
  CallRow,
  RecordingRow,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyResult,
  TelephonyTables,
} from './working-set.ts';

const survey = { bootId: 'boot-1', calls: [], legs: [] };
const campaign = campaignRow();
/** The result of the survey that `ordered` ordered last, 50 ms after `orderedUtcMs`. */
function done(
  draft: TelephonyDraft,
  result: TelephonyResult,
  orderedUtcMs: number,
  ordered = draft,
): void {
  const effect = ordered.effects.map((each) => each.effect).findLast((e) => e.kind === 'survey');
  if (!effect) throw new Error('no survey was ordered');
  decideDone(
    draft,
    { kind: 'done', effectId: 'effect-1', effect, result },
    momentAt(orderedUtcMs + 50),
  );
}

describe('a survey that fails', () => {
  const failed: TelephonyResult = { outcome: 'unknown', reason: 'ari.disconnected' };
  const surveys = (draft: TelephonyDraft) =>
    draft.effects.filter(({ effect }) => effect.kind === 'survey').length;
  const floor = (): TelephonyDraft => {
    const draft = newDraft();
    decideFact(draft, { kind: 'feed-fresh', survey }, momentAt(1_000));
    return draft;
  };

  it('is asked for again after two seconds, until one succeeds: then the feed is fresh', () => {
    const draft = floor();
    done(draft, failed, 1_000);
    expect(surveys(draft)).toBe(1);
    expect(nextWakeUtcMs(draft)).toBe(3_050);
    wake(draft, momentAt(3_050));
    expect(surveys(draft)).toBe(2);
    expect(nextWakeUtcMs(draft)).toBeUndefined();
    done(draft, { outcome: 'surveyed', survey, raw: [] }, 3_050);
    expect(draft.get('Plant', 'now')?.feed).toBe('fresh');
    expect(draft.get('Alarm', 'feed-stale:feed-survey')?.clearedUtcMs).toBe(3_100);
  });

  it('that was asked for before the links broke does not hold up the one asked for after', () => {
    const draft = floor();
    decideFact(draft, { kind: 'feed-stale', feed: 'ari', reason: 'cut' }, momentAt(1_100));
    decideFact(draft, { kind: 'feed-fresh', survey }, momentAt(1_200));
    done(draft, failed, 1_000);
    done(draft, { outcome: 'surveyed', survey, raw: [] }, 1_200);
    expect(draft.get('Plant', 'now')).toMatchObject({ feed: 'fresh', surveyUtcMs: undefined });
  });

  it('while a link is broken waits for the link', () => {
    const draft = floor();
    decideFact(draft, { kind: 'feed-stale', feed: 'ari', reason: 'cut' }, momentAt(1_100));
    done(draft, failed, 1_000);
    expect(draft.get('Plant', 'now')?.feed).toBe('stale');
    expect(nextWakeUtcMs(draft)).toBeUndefined();
  });
});

describe('what a survey finds', () => {
  const call = (id: string, more: Partial<CallRow> = {}): CallRow => ({
    ...{ id, campaignId: campaign.id, mode: 'progressive', state: 'dialed', segment: 's' },
    ...{ permitId: `permit-${id}`, askedUtcMs: 0, dialedUtcMs: 0, recovered: false, ...more },
  });

  it('raw files that were sealed and went while it was on its way are not taken in again', () => {
    const draft = newDraft();
    const sealed: RecordingRow = {
      ...{ id: 'call-1', state: 'sealed', spanMs: 9_000, crashed: false, tries: 0 },
      ...{ notice: true, repaired: false, objectId: 'object-1' },
    };
    draft.put('Recording', sealed);
    decideFact(draft, { kind: 'feed-fresh', survey }, momentAt(1_000));
    const effect: TelephonyEffect = {
      ...{ kind: 'discard-raw', lane: 'recording:call-1', deadlineMs: 1_000 },
      ...{ recordingId: 'call-1', objectId: 'object-1' },
    };
    const result = { outcome: 'discarded' } as const;
    decideDone(draft, { kind: 'done', effectId: 'effect-2', effect, result }, momentAt(1_020));
    const leg = { recordingId: 'call-1', legs: ['customer', 'agent'], sizeBytes: 44 } as const;
    const raw = [{ ...leg, finished: true }];
    // Once it is committed, the recording is in memory no more: only the plant is.
    const after: TelephonyDraft = new Draft<TelephonyTables, TelephonyEffect>(
      'telephony',
      new Map([['Plant', new Map([...draft.all('Plant')].map((row) => [row.id, row]))]]),
    );
    const whats = () => after.entries.map(({ what }) => what);
    done(after, { outcome: 'surveyed', survey, raw }, 1_000, draft);
    expect(whats()).not.toContain('recording-found');
    // A survey that was asked for later shows what truly lies there.
    decideFact(after, { kind: 'feed-fresh', survey }, momentAt(2_000));
    done(after, { outcome: 'surveyed', survey, raw }, 2_000);
    expect(whats()).toContain('recording-found');
  });

  it('a call it does not show is over, also where the wall clock stepped back meanwhile', () => {
    const draft = newDraft();
    draft.put('Campaign', campaign);
    draft.put('Call', call('call-1', { dialedUtcMs: 600_000 }));
    draft.put('Call', call('call-2', { state: 'dialing' }));
    decideFact(draft, { kind: 'feed-fresh', survey }, momentAt(1_000));
    draft.put('Call', call('call-3', { dialedUtcMs: 1_020 }));
    done(draft, { outcome: 'surveyed', survey, raw: [] }, 1_000);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'ended', outcome: 'unknown' });
    // One order was on its way, the other came after: both may be placed after this look.
    expect(draft.get('Call', 'call-2')?.state).toBe('dialing');
    expect(draft.get('Call', 'call-3')?.state).toBe('dialed');
  });

  it('the phone of an agent who is rung per call is up: their customer is dialed', () => {
    const draft = newDraft();
    draft.put('Campaign', campaign);
    const agent: AgentRow = {
      ...{ id: 'agent-1', personId: 'agent-1', extension: '8001', way: 'ring-per-call' },
      ...{ campaignIds: [campaign.id], state: 'reserved', code: campaign.id, sinceUtcMs: 0 },
      ...{ legId: 'leg-1', legState: 'ringing', phoneUntilUtcMs: 9_000 },
    };
    draft.put('Agent', agent);
    decideFact(draft, { kind: 'feed-fresh', survey }, momentAt(1_000));
    draft.put('Plant', { ...plantOf(draft), storageOk: true });
    const legs = [{ legId: 'leg-1', up: true }];
    done(draft, { outcome: 'surveyed', survey: { ...survey, legs }, raw: [] }, 1_000);
    const asked = draft.effects.map(({ effect }) => effect.kind);
    expect(asked).toEqual(['survey', 'request-permit']);
    expect(draft.get('Agent', 'agent-1')?.callId).toMatch(/^call-/);
  });
});
