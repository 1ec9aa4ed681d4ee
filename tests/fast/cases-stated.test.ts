// What an agent states at the end of a call reaches the case, and stays nowhere else.
import { describe, expect, it } from 'vitest';
import { type Dispose, dispose } from '../../src/telephony/conversation.ts';
import type { CallRow, TelephonyDraft } from '../../src/telephony/working-set.ts';
import { agentRow, callRow, momentAt, newDraft } from './telephony-rows.ts';

const moment = momentAt(9_000);
const agent = agentRow('1', { state: 'wrap-up', sinceUtcMs: 8_000, callId: 'call-1' });
const call = callRow({
  ...{ mode: 'predictive', state: 'wrap-up', caseId: 'case-1', agentId: agent.id },
  ...{ askedUtcMs: 1_000, answeredUtcMs: 2_000, connectedUtcMs: 2_100, endedUtcMs: 8_000 },
  outcome: 'conversation',
});
const stated = {
  callback: { dueUtcMs: 50_000, own: true },
  promise: { amountMinor: 700, dueUtcMs: 60_000 },
};
const order: Dispose = {
  kind: 'dispose',
  callId: 'call-1',
  agentId: 'agent-1',
  by: 'agent-1',
  disposition: 'promise-to-pay',
  effective: true,
  stated,
};

function draftWith(state: CallRow['state']): TelephonyDraft {
  const draft = newDraft();
  draft.put('Agent', { ...agent, state: state === 'talking' ? 'talking' : 'wrap-up' });
  draft.put('Call', { ...call, state });
  return draft;
}

describe('a disposition', () => {
  it('in wrap-up settles the contact with code, callback, promise and who stated them', () => {
    const draft = draftWith('wrap-up');
    expect(dispose(draft, order, moment)).toEqual({ done: true });
    const contacts = draft.effects.map(({ effect }) => effect);
    expect(contacts).toMatchObject([
      {
        kind: 'settle-contact',
        contact: {
          permitId: 'permit-1',
          agentId: 'agent-1',
          disposition: 'promise-to-pay',
          stated,
        },
      },
    ]);
    expect(draft.get('Call', 'call-1')?.stated).toBeUndefined();
    expect(JSON.stringify(draft.entries)).not.toContain('700');
  });

  it('while they still talk waits with the call, so that a crash does not lose it', () => {
    const draft = draftWith('talking');
    expect(dispose(draft, order, moment)).toEqual({ done: true });
    expect(draft.effects).toEqual([]);
    expect(draft.get('Call', 'call-1')).toMatchObject({ disposition: 'promise-to-pay', stated });
  });
});
