// What an unanswered call's end means, and what follows from it.
import { describe, expect, it } from 'vitest';
import { outcomeOf } from './call.ts';

describe('the outcome of an unanswered call', () => {
  // Cause and SIP code as measured on Asterisk 22; its dial status calls 404 and 603 "no answer".
  it.each([
    ['486', 17, 486, 'busy'],
    ['ring time over', 19, 480, 'no-answer'],
    ['503', 34, 503, 'carrier-failure'],
    ['404', 1, 404, 'invalid-number'],
    ['603', 21, 603, 'rejected'],
    ['484 incomplete', 28, 484, 'invalid-number'],
    ['408 from the carrier', 18, 408, 'no-answer'],
    ['500 with a cause of its own', 41, 500, 'carrier-failure'],
    ['no SIP code, cause 17', 17, undefined, 'busy'],
    ['no SIP code, cause 38', 38, undefined, 'carrier-failure'],
    ['a code that nobody knows', 127, 499, 'failed'],
    ['nothing at all', 0, undefined, 'failed'],
  ] as const)('%s', (_, cause, sipCode, outcome) => {
    expect(outcomeOf(sipCode === undefined ? { cause } : { cause, sipCode })).toBe(outcome);
  });

  it('the SIP code decides where both speak', () => {
    expect(outcomeOf({ cause: 34, sipCode: 486 })).toBe('busy');
  });
});
