// Action codes: what has to be stated with one, and that every stop on the floor has its code.
import { describe, expect, it } from 'vitest';
import { type ActionCode, actionCodes, readAction } from './action-code.ts';
import { stopReasons } from './case.ts';

const callback = { dueUtcMs: 200, own: false };
const promise = { dueUtcMs: 200, amountMinor: 10_000 };

describe('an action', () => {
  it.each([
    [{ code: 'no-answer' }, true, undefined],
    [{ code: 'call-back', callback }, true, undefined],
    [{ code: 'promise-to-pay', promise }, true, undefined],
    [{ code: 'call-back' }, false, 'callback-missing'],
    [{ code: 'promise-to-pay', callback }, false, 'promise-missing'],
    [{ code: 'call-back', callback: { ...callback, dueUtcMs: 100 } }, false, 'past'],
    [{ code: 'no-answer', promise: { ...promise, dueUtcMs: 99 } }, false, 'past'],
    [{ code: 'nonsense' }, false, 'unknown-code'],
    [{ code: 'toString' }, false, 'unknown-code'],
  ])('%j', (statement, accepted, reason) => {
    const outcome = readAction(statement, 100);
    expect(outcome.accepted).toBe(accepted);
    expect(outcome.accepted ? undefined : outcome.reason).toBe(reason);
  });

  it('exists for every stop an agent can hear of', () => {
    const codes: ActionCode[] = Object.values(actionCodes);
    const heard = new Set(codes.flatMap(({ stops }) => stops ?? []));
    // Recall and expiry come from the creditor's dates, not from a conversation.
    expect(stopReasons.filter((reason) => !heard.has(reason))).toEqual(['recalled', 'expired']);
  });
});
